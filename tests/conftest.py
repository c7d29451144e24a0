"""An option of the command line by which a skipped test is a failure.

Tests of an optional package are skipped where it is missing. Where it has just been installed for
them, a skip means that nothing was tested.
"""

import pytest


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
