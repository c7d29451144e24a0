"""How many cases hypothesis generates: few in continuous integration, many on demand.

`HYPOTHESIS_PROFILE=long` or `--hypothesis-profile=long` asks for many.
"""

import os

from hypothesis import HealthCheck, settings

# A fit has no deadline, and data that make none are rare.
COMMON = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
# The short one repeats itself, so that a change is not blamed for what was there before.
settings.register_profile("short", max_examples=25, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=150, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
