"""The time left of a comparison, and how it is shown."""

import io

import pytest
from rich.console import Console

from skdistnet.compare import progress
from skdistnet.compare.progress import Progress, TimeLeft, format_time


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose last entry is the time."""
    times = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: times[-1])
    return times


def test_time_is_unknown_before_each_model_has_run(clock):
    time_left = TimeLeft(["net", "MLP", "net", "MLP"], 1)
    time_left.finish("net", 10.0)
    assert time_left.seconds() is None
    assert str(time_left) == "time left: not known yet"
    time_left.finish("MLP", 2.0)
    assert time_left.seconds() == 12.0
    assert str(time_left) == "12 s left"


def test_processes_share_jobs_but_no_job(clock):
    time_left = TimeLeft(["net", "net", "net"], 2)
    time_left.finish("net", 10.0)
    assert time_left.seconds() == 10.0
    time_left.finish("net", 20.0)
    assert time_left.seconds() == 15.0  # the mean of both, as one process runs the last job


def test_time_counts_down_between_jobs(clock):
    time_left = TimeLeft(["net", "net"], 1)
    time_left.finish("net", 10.0)
    clock.append(4.0)
    assert time_left.seconds() == 6.0
    clock.append(40.0)
    assert time_left.seconds() == 0.0


def test_no_time_is_left_after_the_last_job(clock):
    time_left = TimeLeft(["net"], 2)
    time_left.finish("net", 10.0)
    assert time_left.seconds() == 0.0


def test_long_times_are_in_minutes():
    assert format_time(89.4) == "89 s"
    assert format_time(150) == "2 min"


def test_terminal_shows_a_bar(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    with Progress("comparing", ["net", "net"], 1) as shown:
        shown.finish("net", 7.0, "[bold]net: accuracy 0.9")
        shown.bar.refresh()
    assert "1/2" in screen.getvalue()
    assert "7 s left" in screen.getvalue()
    assert "[bold]net: accuracy 0.9" in screen.getvalue()
