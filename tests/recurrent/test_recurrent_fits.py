"""Fits of nets for sequences: seeds, settings, attributes, starts and warm starts."""

import copy

import joblib
import numpy as np
import pytest
from interrupted_fits import same
from joblib import parallel_config
from sequences import SMALL, both_kinds, draw_X, draw_y, every_case, fitted, raw_output

from skdistnet import RecurrentDistanceNetClassifier
from skdistnet.engine import SCHEDULES, SOLVERS
from skdistnet.engine.init.recurrent import STATE_INITIALIZERS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.layers.kernels import KERNELS


@every_case
@pytest.mark.parametrize("truncation", ["auto", 3, 1, None])
def test_equal_seeds_give_equal_fits(kind, X, y, truncation):
    net, other, third = (
        fitted(kind, X, y, truncation=truncation, random_state=seed) for seed in (1, 1, 2)
    )
    assert same(net, other)
    assert (raw_output(net, X) != raw_output(third, X)).any()


@every_case
def test_fit_changes_neither_data_nor_parameters(kind, X, y):
    X, weights = X.copy(), np.ones(24)
    X[0, 3] = X[1, 5:] = np.nan
    before = joblib.hash((X, y, weights))
    net = kind(**SMALL)
    parameters = net.get_params()
    net.fit(X, y, weights)
    assert joblib.hash((X, y, weights)) == before
    assert net.get_params() == parameters


@every_case
@pytest.mark.parametrize("activation", KERNELS)
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("init", STATE_INITIALIZERS)
def test_training_reduces_the_loss(kind, X, y, activation, radius_type, init):
    options = {"activation": activation, "radius_type": radius_type, "init": init, "max_iter": 20}
    net = fitted(kind, X, y, **options)
    assert net.loss_curve_[-1] < 0.9 * net.loss_curve_[0]
    assert net.n_iter_ == len(net.loss_curve_) == 20
    assert net.t_ == 20 * 24


@every_case
@pytest.mark.parametrize(
    ("solver", "learning_rate"),
    [*((solver, "cosine") for solver in SOLVERS), *(("rmsprop", each) for each in SCHEDULES)],
)
def test_every_solver_and_schedule_trains(kind, X, y, solver, learning_rate):
    options = {"learning_rate_init": 0.002} if solver == "sgd" else {}
    net = fitted(kind, X, y, solver=solver, learning_rate=learning_rate, **options)
    assert net.loss_curve_[-1] < net.loss_curve_[0]


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64", None])
def test_dtype_is_that_of_parameters_and_predictions(kind, X, y, dtype):
    net = fitted(kind, X.astype(np.float32), y, dtype=dtype)
    expected = np.dtype(dtype or np.float32)
    assert net._theta_.dtype == net.hidden_states(X).dtype == expected
    assert net.centroids_.dtype == net.leaking_rates_.dtype == expected
    if kind is RecurrentDistanceNetClassifier:
        assert net.predict_proba(X).dtype == net.decision_function(X).dtype == expected


@every_case
def test_fitted_attributes_describe_the_units(kind, X, y):
    net = fitted(kind, X, y)
    expected = {
        "centroids_": (5, 2),
        "inverse_radii_": (5, 2),
        "state_centroids_": (5, 5),
        "state_inverse_radii_": (5, 5),
        "initial_state_": (5,),
        "leaking_rates_": (5,),
    }
    for name, shape in expected.items():
        array = getattr(net, name)
        assert array.shape == shape
        assert not array.flags.writeable
        assert np.isfinite(array).all()
    assert net.n_features_in_ == 2
    is_classifier = kind is RecurrentDistanceNetClassifier
    assert net.n_outputs_ == (2 if is_classifier else 1)
    assert net.out_activation_ == ("softmax" if is_classifier else "identity")
    assert not hasattr(kind(**SMALL), "centroids_")


@every_case
def test_states_follow_from_fitted_attributes(kind, X, y):
    net = fitted(kind, X, y)
    h, states = net.initial_state_, net.hidden_states(X)
    for t in range(X.shape[1]):
        d = ((X[:, t, np.newaxis] - net.centroids_) * net.inverse_radii_) ** 2
        previous = np.broadcast_to(h, (24, 5))[:, np.newaxis]
        d_states = ((previous - net.state_centroids_) * net.state_inverse_radii_) ** 2
        value = np.exp(-0.5 * (d.sum(axis=2) + d_states.sum(axis=2)))
        h = (1 - net.leaking_rates_) * h + net.leaking_rates_ * value
        np.testing.assert_allclose(states[:, t], h, rtol=1e-9)


@both_kinds
def test_descriptions_are_of_parameters_and_methods(kind):
    for absent in ("partial_fit", "categorical_features", "hidden_layer_sizes"):
        assert not hasattr(kind(), absent)
        assert absent not in kind.__doc__


@every_case
def test_radii_of_states_grow_again_from_zero(kind, X, y):
    options = {"warm_start": True, "batch_size": 2, "learning_rate": "constant", "momentum": 0.0}
    net = fitted(kind, X, y, **options)
    net._network.views(net._theta_)[0]["state_inverse_radii"][...] = 0
    assert (net.fit(X, y).state_inverse_radii_ > 0).all()


# Starts and warm starts ---------------------------------------------------------------------------


@every_case
def test_best_of_several_starts_is_kept(kind, X, y):
    net = fitted(kind, X, y, n_init=3)
    assert len(net.init_scores_) == 3
    assert max(net.init_scores_) == -net.loss_
    assert same(net, fitted(kind, X, y, n_init=3, n_jobs=1))
    with parallel_config(backend="threading"):
        assert same(net, fitted(kind, X, y, n_init=3, n_jobs=2))


@both_kinds
def test_trials_in_parallel_give_the_same(kind):
    X = draw_X(70)
    y, options = draw_y(kind, X), {"early_stopping": "auto"}
    with parallel_config(backend="threading"):
        parallel = fitted(kind, X, y, **options, n_jobs=2)
    assert same(parallel, fitted(kind, X, y, **options))


@every_case
def test_warm_start_continues(kind, X, y):
    net = fitted(kind, X, y, warm_start=True, learning_rate="constant")
    before = copy.deepcopy(net)
    net.fit(X, y)
    assert net.loss_curve_[:3] == before.loss_curve_
    assert net.n_iter_ == len(net.loss_curve_) == 6
    assert net.loss_curve_[3] < net.loss_curve_[0]
    # Sequences of other lengths are as good.
    net.fit(X[:, :5], y if y.ndim == 1 else y[:, :5])
    assert net.n_iter_ == 9


@every_case
@pytest.mark.parametrize(
    "changed",
    [
        {"n_units": 6},
        {"activation": "cauchy"},
        {"radius_type": "tied"},
        {"dtype": "float32"},
        {"leaking_rate": 0.5},
    ],
    ids=str,
)
def test_warm_start_refuses_another_network(kind, X, y, changed):
    net = fitted(kind, X, y, warm_start=True).set_params(**changed)
    before = joblib.hash(vars(net))
    with pytest.raises(ValueError, match="must stay the same under warm_start; got"):
        net.fit(X, y)
    assert joblib.hash(vars(net)) == before
    assert net.set_params(warm_start=False).fit(X, y).n_iter_ == 3


@both_kinds
def test_warm_start_refuses_another_form(kind):
    X = draw_X()
    by_step, single = (draw_y(kind, X, form) for form in (True, False))
    for one, other in [(by_step, single), (single, by_step)]:
        net = fitted(kind, X, one, warm_start=True)
        before = joblib.hash(vars(net))
        with pytest.raises(ValueError, match=r"'y' must have shape .* as before; got shape"):
            net.fit(X, other)
        assert joblib.hash(vars(net)) == before
        net.set_params(warm_start=False).fit(X, other)


@both_kinds
def test_warm_start_checks_settings_of_steps(kind):
    X = draw_X()
    net = fitted(kind, X, draw_y(kind, X, True), warm_start=True).set_params(scoring="r2")
    with pytest.raises(ValueError, match=r"'scoring' parameter .* must be 'loss'"):
        net.fit(X, draw_y(kind, X, True))
