"""Each example runs from beginning to end and draws a figure."""

import importlib
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parents[2]
#: Examples of more than ten seconds run in the build of the gallery only.
SLOW = {"calibration", "checkpoints", "gradient_flow", "hybrid", "missing_values", "out_of_core"}
SLOW |= {"pruning", "recurrent", "rejection", "relevances", "trial"}
#: So do examples that need optional packages.
SLOW |= {"dask_training", "forecasting", "optuna_pruning"}
NAMES = sorted(path.stem.removeprefix("plot_") for path in ROOT.glob("examples/plot_*.py"))


@pytest.fixture
def draw(monkeypatch):
    """Return the function that runs an example, and restore what it changes in matplotlib."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    monkeypatch.setattr(plt, "show", plt.show)
    with plt.rc_context():
        yield importlib.import_module("draw_images").draw
    plt.close("all")


@pytest.mark.filterwarnings("error")  # those, too, that tests ignore
@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_example_draws_its_figure(name, draw, tmp_path, capfd):
    draw(name, tmp_path)
    assert "Warning" not in capfd.readouterr().err
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_slow_examples_exist():
    assert set(NAMES) >= SLOW
