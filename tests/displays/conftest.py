"""Fixture that draws plots in memory and closes them."""

import matplotlib
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def in_memory():
    """Use the backend without windows, and close all figures afterwards."""
    matplotlib.use("Agg")
    yield
    plt.close("all")
