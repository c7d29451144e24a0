"""How many cases hypothesis generates, and an option by which a skipped test is a failure.

`HYPOTHESIS_PROFILE=long` or `--hypothesis-profile=long` asks for many cases; by default there are
few. Tests of an optional package are skipped where it is missing. Where it has just been installed
for them, a skip means that nothing was tested: `--no-skips`.
"""

import os

import pytest
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


def pytest_addoption(parser):
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="count a test, or a file of tests, that is skipped as failed",
    )


def fail_if_skipped(report, config):
    """The report, made one of a failure if it is one of a skip and skips are not wanted."""
    expected = hasattr(report, "wasxfail")
    if report.skipped and not expected and config.getoption("no_skips"):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[-1]}: with --no-skips that is a failure."
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return fail_if_skipped((yield), collector.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    return fail_if_skipped((yield), item.config)
