"""Displays of nets on data frames with categories show columns, and name levels."""

import numpy as np
import pandas as pd
import pytest
from category_tables import draw_frame, fitted

from skdistnet.displays import CentroidDisplay, NoveltyDisplay, RelevanceDisplay

FRAME, Y = draw_frame()


@pytest.fixture(scope="module")
def net():
    return fitted(FRAME, Y)


def texts(artists):
    return [artist.get_text() for artist in artists]


def test_table_names_the_nearest_level(net):
    display = CentroidDisplay.from_estimator(net)
    decoded = net.decode_levels(net.centroids_[0])[display.units]
    named = [str(level) for column in (0, 2, 3) for level in decoded[:, column]]
    assert texts(display.levels_) == named
    position = display.levels_[9].get_position()
    assert position == (1, 2)  # the second unit's flag
    assert texts(display.ax_.get_yticklabels()) == FRAME.columns.tolist()
    display.figure_.canvas.draw()


def test_table_has_colors_of_numbers_only(net):
    display = CentroidDisplay.from_estimator(net)
    colors = np.ma.getmaskarray(display.squares_.get_array()).reshape(8, 5)
    np.testing.assert_array_equal(colors, np.tile(net.is_categorical_, (8, 1)))
    assert display.shares.shape == (8, 5)
    np.testing.assert_allclose(display.shares.sum(axis=1), 1)


def test_long_levels_are_shortened():
    X = FRAME.assign(color=FRAME["color"].fillna("blue") + "-ish")
    display = CentroidDisplay.from_estimator(fitted(X, Y), features=["color", "size", "flag"])
    assert set(texts(display.levels_)) <= {"blue-…", "green…", "red-i…", "False", "True"}


def test_column_without_levels_has_no_text():
    X = FRAME.assign(gaps=pd.Categorical([None] * len(FRAME), categories=["a"]))
    net = fitted(X, Y)
    display = CentroidDisplay.from_estimator(net, features=["gaps", "size", "count"])
    assert texts(display.levels_) == [""] * 8


def test_numbers_alone_have_no_texts():
    net = fitted(FRAME[["size", "count", "flag"]].astype(float), Y)
    display = CentroidDisplay.from_estimator(net)
    assert display.levels_ == []
    assert not np.ma.is_masked(display.squares_.get_array())


def test_ellipses_have_ticks_at_levels(net):
    display = CentroidDisplay.from_estimator(net, FRAME, features=["color", "size"])
    assert display.ax_.get_xticks().tolist() == [0, 1, 2]
    assert texts(display.ax_.get_xticklabels()) == ["blue", "green", "red"]
    assert len(display.ax_.get_yticklabels()) != 3
    low, high = display.ax_.get_xlim()
    assert low < 0
    assert high > 2
    codes = FRAME["color"].map({"blue": 0, "green": 1, "red": 2})
    drawn = np.ma.getdata(display.points_.get_offsets())[:, 0]
    np.testing.assert_array_equal(drawn, codes)
    for unit, ellipse in zip(display.units, display.ellipses_):
        assert ellipse.center[0] == net.centroids_[0][unit, 0]
        assert ellipse.width == pytest.approx(2 / net.inverse_radii_[0][unit, 0])
    display.figure_.canvas.draw()


def test_two_categories_make_ellipses(net):
    display = CentroidDisplay.from_estimator(net, features=["flag", "color"])
    assert texts(display.ax_.get_xticklabels()) == ["False", "True"]
    assert texts(display.ax_.get_yticklabels()) == ["blue", "green", "red"]


def test_relevances_are_of_columns(net):
    display = RelevanceDisplay.from_estimator(net)
    assert sorted(texts(display.ax_.get_yticklabels())) == sorted(FRAME.columns)
    assert sum(bar.get_width() for bar in display.bars_) == pytest.approx(1)


def test_novelty_is_shown_for_frames(net):
    rows = {"known": FRAME, "new": FRAME.assign(city="new")}
    display = NoveltyDisplay.from_estimator(net, rows)
    assert len(display.histograms_) == 2
