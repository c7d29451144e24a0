"""Examples that draw a picture run from beginning to end and write it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
#: Arguments by example; those that take more than ten seconds have no place among the tests.
EXAMPLES = {
    "plot_checkpoints.py": [],
    "plot_two_moons.py": [],
    "plot_digit_centroids.py": [],
    "plot_loss_curve.py": [],
    "plot_missing_values.py": [],
    "plot_multilabel.py": [],
    "plot_novelty.py": [],
    "plot_quantiles.py": [],
    "plot_time_series.py": ["--quick"],
}


@pytest.mark.parametrize(("name", "arguments"), EXAMPLES.items(), ids=EXAMPLES)
def test_writes_its_picture(name, arguments, tmp_path):
    picture = tmp_path / "picture.png"
    # In a process of its own, as a user runs it: matplotlib's backend is a state of the process.
    run = subprocess.run(
        [sys.executable, FOLDER / name, picture, *arguments],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Warning" not in run.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
