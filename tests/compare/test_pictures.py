"""Pictures of a comparison as elements of a page."""

import re
import warnings
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from comparisons import CHINESE, DOLLARS, LONG, NET, RIGHT_TO_LEFT, SCRIPT, draw_table

from skdistnet import DistanceNetClassifier
from skdistnet.compare.report import pictures

CLASSES = np.array(sorted([SCRIPT, DOLLARS, LONG, RIGHT_TO_LEFT, f"{CHINESE}\n\x00\ud800"]))
RNG = np.random.default_rng(0)
TRUTH, PREDICTED = RNG.choice(CLASSES, (2, 80))
CONFIDENCE, VALUES = RNG.random(80), RNG.normal(size=(2, 80))
RIGHT = TRUTH == PREDICTED
DRAWN = {
    "reliability": ({"net": (RIGHT, CONFIDENCE), "$": (RIGHT, CONFIDENCE)}, DOLLARS, SCRIPT),
    "probabilities": ({"net": CONFIDENCE, DOLLARS: CONFIDENCE}, SCRIPT),
    "predictions": (*VALUES, 1),
    "residuals": VALUES,
    "learning_curves": ([10, 20], {"net": [0.1, np.nan], DOLLARS: [0.2, 0.3]}, SCRIPT),
    "accuracy_over_coverage": (TRUTH, PREDICTED, CONFIDENCE, DOLLARS),
    "confusions": (TRUTH, PREDICTED, CLASSES),
    "novelty": (VALUES[0], -1.0),
}
each_picture = pytest.mark.parametrize("name", DRAWN)


def draw(name, identifier="one", description="A picture."):
    return getattr(pictures, name)(identifier, description, *DRAWN[name])


@each_picture
def test_hostile_names_are_drawn_as_text(name):
    root = ElementTree.fromstring(draw(name))
    assert root.tag == "svg"
    assert {element.tag for element in root.iter()}.isdisjoint({"script", "style", "metadata"})
    shown = "".join(root.itertext())
    assert shown.isprintable()


def test_names_with_dollars_are_shown_as_they_are():
    svg = draw("confusions")
    assert DOLLARS in svg
    assert "&lt;script" in svg
    assert RIGHT_TO_LEFT in svg


@each_picture
def test_colors_are_those_of_the_page(name):
    svg = draw(name)
    assert "var(--ink)" in svg or "var(--muted)" in svg
    assert not re.search(r"#0000\d\d|#0001\d\d", svg)
    assert "font:" not in svg


@each_picture
def test_pictures_are_deterministic(name):
    assert draw(name) == draw(name)


@each_picture
def test_identifiers_begin_with_that_of_the_picture(name):
    root = ElementTree.fromstring(draw(name, "two"))
    identifiers = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert all(one.startswith("two-") for one in identifiers)
    assert len(identifiers) == len(set(identifiers))
    references = re.findall(r"(?:url\(|href=\")#([^)\"]+)", draw(name, "two"))
    assert set(references) == set(identifiers)


def test_description_is_that_of_the_element():
    root = ElementTree.fromstring(draw("novelty", description='"><script>'))
    assert root.attrib["aria-label"] == '"><script>'
    assert root.attrib["role"] == "img"


def test_settings_and_figures_of_the_user_are_kept():
    with plt.rc_context({"text.usetex": True, "font.size": 30.0}):
        before = dict(plt.rcParams)
        svg = draw("residuals")
        assert dict(plt.rcParams) == before
    assert svg == draw("residuals")
    assert plt.get_fignums() == []


def test_missing_glyphs_are_not_reported():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw("confusions")


def test_training_curve_of_a_net_without_trial():
    table = draw_table()
    net = DistanceNetClassifier(**NET, early_stopping=False).fit(table.X, table.y)
    assert "training" in pictures.training_curve("one", "A curve.", net)


def test_many_points_are_thinned():
    values = RNG.normal(size=(2, 20_000))
    truth, predicted = values > 0
    assert len(pictures.residuals("one", "", *values)) < 80_000
    confidence = RNG.random(20_000)
    assert len(pictures.accuracy_over_coverage("a", "", truth, predicted, confidence, "b")) < 30_000
