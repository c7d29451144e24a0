"""Tests of TrialDisplay."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.displays import TrialDisplay

X, Y = load_wine(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0}
#: What a trial may have found, with a median activation other than that of the least error.
FOUND = {
    "n_trials": 1,
    "n_samples": 80,
    "n_validation_samples": 20,
    "validation_loss_curve": [0.9, 0.5, 0.6],
    "validation_scores": [0.3, 0.6, 0.7],
    "median_activation_errors": [[0.5, 0.4], [0.0625, 0.3], [0.5**16, 0.29]],
    "best_epoch": 2,
    "n_epochs": 5,
}


@pytest.fixture(scope="module")
def net():
    return DistanceNetClassifier(**SMALL).fit(X, Y)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_loss_and_numbers_of_epochs_are_drawn(net):
    display, trial = TrialDisplay.from_estimator(net), net.trial_
    curve = trial["validation_loss_curve"]
    np.testing.assert_array_equal(display.line_.get_xdata(), np.arange(1, len(curve) + 1))
    np.testing.assert_array_equal(display.line_.get_ydata(), curve)
    assert display.best_epoch_line_.get_xdata()[0] == trial["best_epoch"]
    assert display.n_epochs_line_.get_xdata()[0] == trial["n_epochs"] == net.n_iter_
    assert labels(display.ax_) == [
        f"validation, mean of {trial['n_trials']} trials",
        f"best epoch: {trial['best_epoch']}",
        f"epochs on all data: {trial['n_epochs']}",
    ]


def test_errors_of_medians_are_drawn_beside(net):
    display = TrialDisplay.from_estimator(net)
    medians, errors = zip(*net.trial_["median_activation_errors"])
    assert display.figure_.axes == [display.ax_, display.median_ax_]
    np.testing.assert_array_equal(display.errors_line_.get_ydata(), errors)
    ticks = [label.get_text() for label in display.median_ax_.get_xticklabels()]
    assert [float(tick) for tick in ticks] == pytest.approx(medians, rel=0.05)
    chosen = medians.index(net.init_median_activation_)
    np.testing.assert_array_equal(display.chosen_line_.get_xydata(), [[chosen, errors[chosen]]])


def test_chosen_median_is_marked_whatever_its_error():
    display = TrialDisplay(trial=FOUND, median_activation=0.0625).plot()
    np.testing.assert_array_equal(display.chosen_line_.get_xydata(), [[1, 0.3]])
    assert labels(display.median_ax_) == ["chosen: 0.062"]
    assert TrialDisplay(trial=FOUND).plot().chosen_line_ is None


@pytest.mark.parametrize(
    "net",
    [
        DistanceNetClassifier(**SMALL, init_median_activation=0.3),
        DistanceNetClassifier(**SMALL | {"activation": "relu"}),
    ],
    ids=["fixed", "no distance layer"],
)
def test_loss_alone_without_a_choice_of_medians(net):
    display = TrialDisplay.from_estimator(net.fit(X, Y))
    assert display.figure_.axes == [display.ax_]
    assert display.median_ax_ is display.errors_line_ is display.chosen_line_ is None


def test_one_axes_shows_the_loss_and_two_both(net):
    figure, axes = plt.subplots(1, 2)
    single = TrialDisplay.from_estimator(net, ax=axes[0])
    assert single.median_ax_ is single.errors_line_ is None
    assert not axes[1].has_data()
    pair = TrialDisplay.from_estimator(net, ax=axes)
    assert (pair.ax_, pair.median_ax_) == tuple(axes)
    assert pair.errors_line_ in axes[1].lines
    assert pair.figure_ is figure


def test_names_distinguish_nets_on_the_same_axes():
    _, axes = plt.subplots(1, 2)
    for name in ("first", "second"):
        TrialDisplay(trial=FOUND, median_activation=0.5, name=name).plot(axes)
    assert labels(axes[0])[::3] == ["first, validation", "second, validation"]
    assert labels(axes[1]) == ["first, chosen: 0.5", "second, chosen: 0.5"]


@pytest.mark.parametrize(
    "net",
    [
        DistanceNetClassifier(**SMALL, early_stopping=False).fit(X, Y),
        DistanceNetRegressor(**SMALL).fit(X[:50], X[:50, 0]),
        DistanceNetRegressor(**SMALL).partial_fit(X, X[:, 0]),
    ],
    ids=["early_stopping=False", "few rows", "partial_fit"],
)
def test_nets_without_a_trial_raise_with_advice(net):
    with pytest.raises(ValueError, match=r"early_stopping='auto'.*60 different rows or .*; got"):
        TrialDisplay.from_estimator(net)
    assert not plt.get_fignums()
