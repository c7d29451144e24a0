"""Each example runs from beginning to end and draws a figure."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Examples of more than ten seconds run in the build of the gallery only.
SLOW = {"calibration", "checkpoints", "gradient_flow", "hybrid", "missing_values", "out_of_core"}
SLOW |= {"pruning", "rejection", "relevances", "time_series", "trial"}
#: So do examples that need optional packages.
SLOW |= {"dask_training", "optuna_pruning"}
NAMES = sorted(path.stem.removeprefix("plot_") for path in ROOT.glob("examples/plot_*.py"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_example_draws_its_figure(name, tmp_path):
    # In a separate process, because matplotlib's backend is a state of the process.
    run = subprocess.run(
        [sys.executable, ROOT / "docs" / "draw_images.py", "--folder", tmp_path, name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Warning" not in run.stderr
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_slow_examples_exist():
    assert set(NAMES) >= SLOW
