"""Displays and gradients of nets for sequences, given as arrays and as lists, with weights."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sequences import both_kinds, cut_to_lengths, draw_X, draw_y, every_case, fitted

from skdistnet.displays import GradientFlowDisplay, LossCurveDisplay, TrialDisplay
from skdistnet.engine import recurrent_network
from skdistnet.inspection import gradient_flow

LENGTHS = [8, 3, 5] * 8


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@every_case
def test_loss_curves_are_drawn(kind, X, y):
    net = fitted(kind, X, y, early_stopping=True)
    display = LossCurveDisplay.from_estimator(net)
    training, validation = display.lines_
    np.testing.assert_array_equal(training.get_ydata(), net.loss_curve_)
    np.testing.assert_array_equal(validation.get_ydata(), net.validation_loss_curve_)
    assert display.best_epoch == net.best_epoch_


@both_kinds
@pytest.mark.parametrize("by_step", [False, True])
def test_trials_are_drawn(kind, by_step):
    X = draw_X(8, 20) if by_step else draw_X(70)
    net = fitted(kind, X, draw_y(kind, X, by_step), early_stopping="auto")
    display = TrialDisplay.from_estimator(net)
    np.testing.assert_array_equal(display.line_.get_ydata(), net.trial_["validation_loss_curve"])
    assert display.median_ax_ is None


@every_case
def test_fits_without_a_trial_raise_with_advice(kind, X, y):
    net = fitted(kind, X, y, early_stopping=False)
    with pytest.raises(ValueError, match=r"'auto' on .*60 targets for steps; got a Recurrent"):
        TrialDisplay.from_estimator(net)


@every_case
def test_gradients_of_lists_are_drawn_with_weights(kind, X, y):
    sequences, targets, _ = cut_to_lengths(X, y, LENGTHS)
    net, weights = fitted(kind, sequences, targets), np.arange(24)
    display = GradientFlowDisplay.from_estimator(net, sequences, targets, sample_weight=weights)
    drawn = display.line_.get_ydata()
    flow = gradient_flow(net, np.repeat(np.array(sequences, object), weights), repeated(targets))
    np.testing.assert_allclose(drawn, flow.output_gradient_norm, rtol=1e-9)
    assert not np.allclose(drawn, gradient_flow(net, sequences, targets).output_gradient_norm)


@every_case
def test_batches_change_no_gradients(kind, X, y, monkeypatch):
    net = fitted(kind, X, y)
    whole = gradient_flow(net, X, y, np.arange(24))
    monkeypatch.setattr(recurrent_network, "CHUNK_SEQUENCES", 7)
    for name, values in gradient_flow(net, X, y, np.arange(24)).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-9)


def repeated(targets):
    """Return each target as often as its number."""
    return [each for number, each in enumerate(targets) for _ in range(number)]


def test_other_estimators_raise():
    for draw in (LossCurveDisplay.from_estimator, TrialDisplay.from_estimator):
        with pytest.raises(TypeError, match=r"RecurrentDistanceNetRegressor; got str"):
            draw("net")
    with pytest.raises(TypeError, match=r"RecurrentDistanceNetRegressor; got str"):
        gradient_flow("net", [], [])
