"""The hypothesis profiles, options of the command line, and fixtures: training runs, files.

`HYPOTHESIS_PROFILE=long` or `--hypothesis-profile=long` generates many cases; the default is few.
Tests of an optional package are skipped if it is missing. With `--no-skips` a skip is a failure,
for runs in which all optional packages are installed. With `--all-combinations` tests of pairs of
options test every combination.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from skdistnet._base import training

# The workers of pytest-xdist share the cores: otherwise threads of BLAS and of k-means would wait
# for each other, and most fits take longer. Child processes read the variable.
N_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
if N_WORKERS > 1 and "OMP_NUM_THREADS" not in os.environ:
    threads_of_worker = max((os.cpu_count() or 1) // N_WORKERS, 1)
    os.environ["OMP_NUM_THREADS"] = str(threads_of_worker)
    threadpool_limits(threads_of_worker)

# Fits take any time, and the data are slow to generate.
COMMON = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
# The short profile is deterministic, so that only a change of the code makes it fail.
settings.register_profile("short", max_examples=25, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=150, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


def pytest_addoption(parser):
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="count a test, or a file of tests, that is skipped as failed",
    )
    parser.addoption(
        "--all-combinations",
        action="store_true",
        help="test every combination of options instead of every pair",
    )


def fail_if_skipped(report, config):
    """Return the report, turned into a failure if it is a skip and --no-skips is set."""
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


@pytest.fixture
def runs(monkeypatch):
    """Training and validation rows of each training run so far, in a list."""
    recorded = []

    def record(network, input_map, rows, config, *args, validation=None, **options):
        recorded.append((rows, validation))
        return train(network, input_map, rows, config, *args, validation=validation, **options)

    train = training.train
    monkeypatch.setattr(training, "train", record)
    return recorded


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a file to a folder of its own and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write_file(content, name="a.csv", encoding="utf-8"):
        if isinstance(content, str):
            content = content.encode(encoding)
        (tmp_path / name).write_bytes(content)
        return name

    return write_file
