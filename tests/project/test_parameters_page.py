"""docs/parameters.md lists every constructor parameter with its default."""

import ast
import re
from pathlib import Path

import pytest

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

PAGE = Path(__file__).parents[2] / "docs" / "parameters.md"
ROW = re.compile(r"^\| `(\w+)`(?: \((C|R)\))? \| (.+?) \| .+ \|$", re.MULTILINE)


def documented_defaults(estimator):
    """Return the defaults in the tables of the page; "C" and "R" mark classifier and regressor."""
    defaults = {}
    for name, only, cell in ROW.findall(PAGE.read_text(encoding="utf-8")):
        if only in ("", estimator):
            own = re.search(rf"{estimator}: `(.+?)`", cell) or re.fullmatch("`(.+)`", cell)
            defaults[name] = ast.literal_eval(own[1])
    return defaults


@pytest.mark.parametrize(
    ("estimator", "cls"), [("C", DistanceNetClassifier), ("R", DistanceNetRegressor)]
)
def test_page_lists_parameters_and_defaults(estimator, cls):
    assert documented_defaults(estimator) == cls().get_params()
