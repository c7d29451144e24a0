"""Pictures are drawn in memory, and closed."""

import matplotlib
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def in_memory():
    """No window, no picture left over."""
    matplotlib.use("Agg")
    yield
    plt.close("all")
