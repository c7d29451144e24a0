"""Weights of features, by their effect on the nets of trials."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_friedman1

from skdistnet import (
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)
from skdistnet._base import trial
from skdistnet.engine.quantile_map import QuantileMap

SMALL = {"hidden_layer_sizes": (20,), "max_iter": 30}


def weights_of(ensemble):
    return [net._feature_weights_ for net in ensemble.estimators_]


def test_features_without_effect_weigh_little():
    X, y = make_friedman1(400, n_features=10, random_state=0)  # the last five have no effect
    nets = DistanceNetEnsembleRegressor(DistanceNetRegressor(**SMALL), random_state=0).fit(X, y)
    found = [weights for weights in weights_of(nets) if weights is not None]
    assert len(found) == sum(kind.weighted for kind in nets._kinds) > 0
    for weights in found:
        np.testing.assert_array_equal(weights, found[0])
    assert np.mean(found[0] ** 2) == pytest.approx(1.0, rel=0.1)
    assert found[0][:5].min() > 2 * found[0][5:].max()


def test_novelty_follows_trials_of_the_same_inputs():
    X, y = make_friedman1(200, n_features=6, random_state=0)
    nets = DistanceNetEnsembleRegressor(DistanceNetRegressor(**SMALL), random_state=0).fit(X, y)
    for net, kind in zip(nets.estimators_, nets._kinds):
        n_held_out = net._novelty_["n_held_out"]
        assert n_held_out == (0 if kind.weighted else nets.trial_["n_validation_samples"])


def test_inputs_of_members_are_those_of_their_kinds():
    X, y = make_friedman1(200, n_features=6, random_state=0)
    options = SMALL | {"max_iter": 1, "learning_rate_init": 1e-12}
    nets = DistanceNetEnsembleRegressor(DistanceNetRegressor(**options), random_state=0).fit(X, y)
    for net, kind in zip(nets.estimators_, nets._kinds):
        assert isinstance(net._input_map, QuantileMap) == kind.ranked
        assert (net._input_map.feature_weights is not None) == kind.weighted
        # Centroids start at rows, whatever their units inside.
        distances = np.abs(net.centroids_[0][:, np.newaxis] - X).max(axis=2)
        np.testing.assert_allclose(distances.min(axis=1), 0.0, atol=1e-9)


def test_centroids_and_radii_are_in_units_of_columns():
    X, y = make_friedman1(300, n_features=6, random_state=0)
    scales = np.array([1.0, 10.0, 0.1, 5.0, 1e3, 1e-3])
    nets, scaled = (
        DistanceNetEnsembleRegressor(DistanceNetRegressor(**SMALL), random_state=0).fit(data, y)
        for data in (X, X * scales)
    )
    for net, other in zip(nets.estimators_, scaled.estimators_):
        np.testing.assert_allclose(net.centroids_[0] * scales, other.centroids_[0], rtol=1e-3)
        np.testing.assert_allclose(
            net.inverse_radii_[0] / scales, other.inverse_radii_[0], rtol=1e-3
        )


def test_no_weights_without_trials_or_scales():
    X, y = load_iris(return_X_y=True)
    for options in ({"early_stopping": False}, {"standardize": False}):
        net = DistanceNetEnsembleClassifier._member_class(**SMALL, **options)
        nets = DistanceNetEnsembleClassifier(net, random_state=0).fit(X, y)
        assert all(weights is None for weights in weights_of(nets))


@pytest.mark.parametrize("is_centered", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3, 16])
def test_combinations_keep_squares_of_all_outputs(n_outputs, is_centered):
    outputs = np.random.default_rng(0).normal(size=n_outputs)
    combinations = trial.output_combinations(n_outputs, is_centered)
    expected = outputs - outputs.mean() if is_centered else outputs
    assert ((combinations @ outputs) ** 2).sum() == pytest.approx((expected**2).sum())


def test_random_signs_stand_for_many_outputs():
    outputs = np.random.default_rng(0).normal(size=(200, 100))
    combinations = trial.output_combinations(100, False)
    assert combinations.shape == (trial.MOST_COMBINATIONS, 100)
    squares = ((outputs @ combinations.T) ** 2).mean()
    assert squares == pytest.approx((outputs**2).sum(axis=1).mean(), rel=0.1)
