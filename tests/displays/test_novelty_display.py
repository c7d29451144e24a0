"""Tests of NoveltyDisplay: histograms hold every row once, beside the threshold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_wine

from skdistnet import DistanceNetClassifier
from skdistnet.displays import NoveltyDisplay

X, Y = load_wine(return_X_y=True)


@pytest.fixture(scope="module")
def net():
    return DistanceNetClassifier(6, max_iter=20, random_state=0).fit(X, Y)


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_histogram_and_share_below_threshold_per_set(net):
    sets = {"known": X, "shifted": X + 3 * X.std(axis=0), "far": csr_array(X * 1e6)}
    display = NoveltyDisplay.from_estimator(net, sets, bins=25)
    assert len(display.histograms_) == 3
    for histogram, (name, rows), label in zip(display.histograms_, sets.items(), labels(display)):
        shares, edges, _ = histogram.get_data()
        scores = net.score_samples(rows)
        np.testing.assert_array_equal(display.scores[name], scores)
        assert len(shares) in (25, 26)
        assert net.novelty_threshold_ in edges
        assert shares.sum() == pytest.approx(1)
        np.testing.assert_allclose(shares * len(scores), np.histogram(scores, edges)[0])
        assert label == f"{name}: {100 * np.mean(scores < net.novelty_threshold_):.0f} % below"
    assert display.threshold_line_.get_xdata()[0] == net.novelty_threshold_
    assert display.ax_.get_xscale() == "symlog"


def test_single_set_without_name_on_linear_axis(net):
    display = NoveltyDisplay.from_estimator(net, X)
    assert labels(display)[0].startswith("rows: ")
    assert display.ax_.get_xscale() == "linear"


@pytest.mark.parametrize("score", [-2.0, 0.0, -1e100])
@pytest.mark.parametrize("threshold", [-2.0, 0.0, -1e-9])
def test_single_row_is_always_in_a_bin(score, threshold):
    display = NoveltyDisplay(scores={"one": [score]}, threshold=threshold).plot()
    assert display.histograms_[0].get_data().values.sum() == 1


def test_bins_have_equal_widths_on_each_side(net):
    display = NoveltyDisplay.from_estimator(net, {"known": X, "far": X + 1e5})
    edges = display.histograms_[0].get_data().edges
    assert (edges[0], edges[-1]) == (display.scores["far"].min(), display.scores["known"].max())
    drawn = display.ax_.transData.transform(np.column_stack([edges, edges]))[:, 0]
    for side in (edges <= display.threshold, edges >= display.threshold):
        widths = np.diff(drawn[side])
        np.testing.assert_allclose(widths, widths[0], rtol=1e-6)


def test_histograms_accept_a_style(net):
    display = NoveltyDisplay.from_estimator(net, X, stairs_kw={"alpha": 0.2})
    assert display.histograms_[0].get_alpha() == 0.2


@pytest.mark.parametrize("bins", [0, -3, 2.5, True])
def test_bins_must_be_a_positive_int(net, bins):
    with pytest.raises(ValueError, match=r"'bins' .* an int in \[1, .*; got "):
        NoveltyDisplay.from_estimator(net, X, bins=bins)
    assert not plt.get_fignums()


def test_threshold_splits_a_single_bin(net):
    assert len(NoveltyDisplay.from_estimator(net, X, bins=1).histograms_[0].get_data().edges) == 3


def test_empty_dict_of_rows_raises(net):
    with pytest.raises(ValueError, match="NoveltyDisplay needs rows in 'X'; got an empty dict"):
        NoveltyDisplay.from_estimator(net, {})
