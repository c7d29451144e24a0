"""Tests of RelevanceDisplay: sorted bars with the names of the features."""

import numpy as np
import pytest
from sklearn.datasets import load_wine

from skdistnet import DistanceNetClassifier
from skdistnet.displays import RelevanceDisplay

X, Y = load_wine(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def net():
    return DistanceNetClassifier(6, max_iter=3, random_state=0).fit(X, Y)


def names_of(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def lengths_of(display):
    return [bar.get_width() for bar in display.bars_]


def test_bars_are_sorted_and_named_by_frame(net):
    display = RelevanceDisplay.from_estimator(net)
    order = np.argsort(-net.feature_relevances_)
    assert lengths_of(display) == net.feature_relevances_[order].tolist()
    assert names_of(display) == X.columns[order].tolist()
    low, high = display.ax_.get_ylim()
    assert low > high  # the first bar is on top
    assert display.ax_.get_xlabel() == "relevance, as a share"


def test_bars_are_sorted_for_any_dtype():
    for relevances in (np.array([0, 3, 1], np.uint8), np.array([False, True, False])):
        display = RelevanceDisplay(relevances=relevances, feature_names=["a", "b", "c"]).plot()
        assert lengths_of(display) == sorted(relevances.tolist(), reverse=True)


def test_most_relevant_features_and_their_total_share(net):
    display = RelevanceDisplay.from_estimator(net, features=3)
    largest = np.sort(net.feature_relevances_)[::-1][:3]
    assert lengths_of(display) == largest.tolist()
    assert f"these 3 of 13 have {100 * largest.sum():.0f} %" in display.ax_.get_xlabel()


@pytest.mark.parametrize("features", [["hue", "ash"], [10, 2], np.array([10, 2])], ids=str)
def test_features_are_selected_by_name_or_index(net, features):
    display = RelevanceDisplay.from_estimator(net, features=features)
    assert sorted(names_of(display)) == ["ash", "hue"]
    assert sorted(display.features_) == [2, 10]


def test_names_are_given_or_numbered(net):
    plain = DistanceNetClassifier(6, max_iter=3, random_state=0).fit(X.to_numpy(), Y)
    assert set(names_of(RelevanceDisplay.from_estimator(plain))) == {f"x{i}" for i in range(13)}
    given = RelevanceDisplay.from_estimator(plain, feature_names=list("abcdefghijklm"))
    assert set(names_of(given)) == set("abcdefghijklm")
    with pytest.raises(ValueError, match=r"'feature_names' .* 13 features; got 2 names"):
        RelevanceDisplay.from_estimator(net, feature_names=["a", "b"])


@pytest.mark.parametrize(
    "features", [0, True, 2.5, [], ["color"], [13], [-1], "hue", [[1]]], ids=str
)
def test_unknown_features_raise(net, features):
    with pytest.raises(ValueError, match=r"'features' parameter of RelevanceDisplay .* 13 .*got "):
        RelevanceDisplay.from_estimator(net, features=features)


def test_bars_accept_a_style(net):
    display = RelevanceDisplay.from_estimator(net, bar_kw={"height": 0.5})
    assert display.bars_[0].get_height() == pytest.approx(0.5)
