"""The option --no-skips makes skipped tests fail, so that continuous integration notices them."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

FILE = "import pytest\npytest.importorskip('no_such_package')\n"
TESTS = """
import pytest

@pytest.mark.skip(reason='why not')
def test_marked(): pass

def test_within(): pytest.skip('why not')

@pytest.mark.xfail
def test_expected_to_fail(): assert False
"""


@pytest.fixture
def run(pytester):
    pytester.makeconftest((Path(__file__).parents[1] / "conftest.py").read_text())
    pytester.makepyfile(test_file=FILE, test_each=TESTS)
    return pytester.runpytest_inprocess


def test_skips_fail_with_the_option(run):
    result = run("--no-skips", "--continue-on-collection-errors")
    result.assert_outcomes(errors=2, failed=1, xfailed=1)
    assert result.ret != 0
    assert result.stdout.str().count("with --no-skips that is a failure") >= 3


def test_skips_pass_without_the_option(run):
    result = run()
    result.assert_outcomes(skipped=3, xfailed=1)
    assert result.ret == 0
