"""Tests of LossCurveDisplay and GradientFlowDisplay."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.displays import GradientFlowDisplay, LossCurveDisplay
from skdistnet.inspection import gradient_flow

X, Y = load_wine(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0}


def fitted(**options):
    return DistanceNetClassifier(**SMALL | options).fit(X, Y)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# Losses -------------------------------------------------------------------------------------------


def test_loss_curves_and_best_epoch_are_drawn():
    net = fitted(early_stopping=True)
    display = LossCurveDisplay.from_estimator(net)
    training, validation = display.lines_
    np.testing.assert_array_equal(training.get_xdata(), np.arange(1, net.n_iter_ + 1))
    np.testing.assert_array_equal(training.get_ydata(), net.loss_curve_)
    np.testing.assert_array_equal(validation.get_ydata(), net.validation_loss_curve_)
    best = int(np.argmin(net.validation_loss_curve_)) + 1
    assert list(display.best_epoch_line_.get_xdata()) == [best, best]
    assert labels(display.ax_) == ["training", "validation", f"best epoch: {best}"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss")


def test_single_line_without_validation():
    net = DistanceNetRegressor(6, max_iter=3, random_state=0).fit(*load_diabetes(return_X_y=True))
    display = LossCurveDisplay.from_estimator(net)
    assert len(display.lines_) == 1
    assert display.best_epoch_line_ is None
    assert labels(display.ax_) == ["training"]


def test_epochs_without_validation_leave_a_gap():
    net = DistanceNetClassifier(**SMALL)
    net.partial_fit(X, Y, classes=[0, 1, 2])
    net.partial_fit(X, Y, X_val=X, y_val=Y)
    display = LossCurveDisplay.from_estimator(net)
    assert np.isnan(display.lines_[1].get_ydata()).tolist() == [True, False]
    assert display.best_epoch_line_.get_xdata()[0] == 2


def test_single_epoch_has_a_marker():
    assert LossCurveDisplay.from_estimator(fitted(max_iter=1)).lines_[0].get_marker() == "."
    assert LossCurveDisplay.from_estimator(fitted()).lines_[0].get_marker() == "None"


def test_names_distinguish_nets_on_the_same_axes():
    _, ax = plt.subplots()
    for name in ("first", "second"):
        LossCurveDisplay(loss_curve=[2.0, 1.0], name=name).plot(ax, line_kw={"color": "red"})
    assert labels(ax) == ["first, training", "second, training"]
    assert all(same_color(line.get_color(), "red") for line in ax.lines)


# Gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["gradient_norm", "coefs_gradient_norm", "dead_share"])
def test_each_quantity_matches_gradient_flow(quantity):
    net = fitted(hidden_layer_sizes=(6, 5), activation=["gaussian", "relu"])
    expected = gradient_flow(net, X, Y)[quantity]
    display = GradientFlowDisplay.from_estimator(net, X, Y, quantity=quantity)
    np.testing.assert_array_equal(display.line_.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(display.line_.get_ydata(), expected)
    assert display.ax_.get_yscale() == ("linear" if quantity == "dead_share" else "log")
    assert (display.ax_.get_ylim() == (-0.02, 1.02)) == (quantity == "dead_share")
    kinds = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert kinds == ["1\ngaussian", "2\nrelu", "3\ndistance"]


def test_weights_are_used():
    net, weights = fitted(), np.linspace(0, 1, len(X))
    display = GradientFlowDisplay.from_estimator(net, X, Y, sample_weight=weights)
    expected = gradient_flow(net, X, Y, weights).gradient_norm
    np.testing.assert_array_equal(display.line_.get_ydata(), expected)


def test_zero_gradients_have_a_linear_axis():
    flow = {"kind": ["relu", "linear"], "gradient_norm": np.zeros(2)}
    assert GradientFlowDisplay(flow=flow).plot().ax_.get_yscale() == "linear"
    flow["gradient_norm"] = np.array([0.0, 1e-3])
    assert GradientFlowDisplay(flow=flow).plot().ax_.get_yscale() == "log"


def test_layers_of_deep_nets_have_int_ticks():
    flow = {"kind": ["gaussian"] * 21, "gradient_norm": np.logspace(-3, 0, 21)}
    display = GradientFlowDisplay(flow=flow, name="deep").plot()
    assert all(float(tick).is_integer() for tick in display.ax_.get_xticks())
    assert labels(display.ax_) == ["deep"]


def test_unknown_quantity_raises_with_known_ones():
    with pytest.raises(ValueError, match=r"'quantity' .* one of \['activation_mean', .*'kind'"):
        GradientFlowDisplay.from_estimator(fitted(), X, Y, quantity="kind")
    assert not plt.get_fignums()
