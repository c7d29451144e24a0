"""The published recipe, trained by the estimator, makes the steps of the reference."""

import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits

from skdistnet import DistanceNetClassifier, published_recipe
from skdistnet.recipes import DECAY_RATE, compounded_decay, inverse_time_decay

LAYERS = range(1, 7)
KINDS = ("centroids", "radii")


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parent / "data" / "golden_a.npz", allow_pickle=False) as file:
        return dict(file)


def started_net(golden):
    """Return a net of the golden vectors' shape, started on the first minibatch.

    The golden steps all have the rate 0.01. The recipe's rate falls after each epoch, and here
    every partial_fit is an epoch of one batch, so that the rate must be constant.
    """
    sizes = golden["layers"].tolist()
    changes = {
        "hidden_layer_sizes": tuple(sizes[1:-1]),
        "batch_size": int(golden["mb"]),
        "learning_rate": "constant",
        "random_state": 0,
    }
    net = DistanceNetClassifier(**published_recipe() | changes)
    return net.partial_fit(golden["step_X"][0], labels(golden, 0), classes=range(sizes[-1]))


def labels(golden, step):
    return golden["step_y"][step].argmax(axis=1)


def pack(net, golden, what, step, moved=0.0):
    """Return the flat vector of a step, with `moved` subtracted from the first centroids."""
    centroids, radii = (
        [golden[f"step_{what}{kind}_{layer}"][step] for layer in LAYERS] for kind in KINDS
    )
    centroids[0] = centroids[0] - moved
    return net._network.pack(centroids=centroids, inverse_radii=radii)


def set_state(net, golden, step):
    """Give the net the state of the reference after `step`."""
    net._theta_ = pack(net, golden, "", step, moved=net._input_map.shift)
    net._progress_["solver_state"] = {
        "momentum": pack(net, golden, "momentum_", step),
        "mean_square": pack(net, golden, "magnitude_", step) ** 2,
    }


def assert_state(net, golden, step):
    for layer in LAYERS:
        for kind, actual in zip(KINDS, (net.centroids_, net.inverse_radii_)):
            expected = golden[f"step_{kind}_{layer}"][step]
            expected = np.abs(expected) if kind == "radii" else expected
            np.testing.assert_allclose(actual[layer - 1], expected, rtol=1e-9, atol=1e-12)


def test_partial_fit_reproduces_golden_steps(golden):
    net = started_net(golden)
    assert net.alpha == golden["lambda"]
    assert net.learning_rate_init == golden["alpha"]
    set_state(net, golden, 0)
    assert_state(net, golden, 0)
    for step in range(1, 5):
        net.partial_fit(golden["step_X"][step], labels(golden, step))
        assert_state(net, golden, step)
    np.testing.assert_allclose(net.predict_proba(golden["X"]), golden["probs_final"], rtol=1e-9)


def test_decoupled_penalty_misses_golden_steps(golden):
    net = started_net(golden)
    set_state(net, golden, 0)
    net.set_params(penalty="decoupled")
    net.partial_fit(golden["step_X"][1], labels(golden, 1))
    with pytest.raises(AssertionError):
        assert_state(net, golden, 1)


def test_initial_weights_reproduce_golden_probabilities(golden):
    net = started_net(golden)
    centroids, radii = ([golden[f"{kind}_{layer}"] for layer in LAYERS] for kind in KINDS)
    centroids[0] = centroids[0] - net._input_map.shift
    net._theta_ = net._network.pack(centroids=centroids, inverse_radii=radii)
    np.testing.assert_allclose(net.decision_function(golden["X"]), golden["logits"], rtol=1e-9)
    np.testing.assert_allclose(net.predict_proba(golden["X"]), golden["probs"], rtol=1e-9)


def test_recipe_sets_only_classifier_parameters():
    recipe = published_recipe()
    assert set(recipe) <= set(DistanceNetClassifier().get_params())
    assert recipe.items() <= DistanceNetClassifier(**recipe).get_params().items()
    assert clone(DistanceNetClassifier(**recipe)).get_params()["penalty"] == "coupled"


def test_each_call_returns_a_new_dict():
    published_recipe()["alpha"] = 7.0
    assert published_recipe()["alpha"] == 0.001


def test_recipe_starts_as_published_and_learns():
    X, y = load_digits(return_X_y=True)
    X, recipe = X / 16, published_recipe() | {"random_state": 0}
    net = DistanceNetClassifier(**recipe | {"max_iter": 1, "learning_rate_init": 1e-12})
    net.fit(X[:200], y[:200])
    for centroids, radii in zip(net.centroids_, net.inverse_radii_):
        assert centroids.min() >= 0.5 - 1e-9
        assert centroids.max() < 0.8
        typical = np.sqrt(2 * np.log(10) / centroids.shape[1])
        assert radii.mean() == pytest.approx(typical, rel=0.1)
    learned = DistanceNetClassifier(**recipe | {"max_iter": 15}).fit(X[:1000], y[:1000])
    assert learned.score(X[1000:], y[1000:]) > 0.85


# The learning rate -------------------------------------------------------------------------------


def compounded(n_epochs):
    """Return the factor after `n_epochs`, by the rule of the reference, one epoch at a time."""
    factor = 1.0
    for epoch in range(1, n_epochs + 1):
        factor /= 1.0 + DECAY_RATE * epoch
    return factor


@settings(deadline=None)
@given(
    step=st.integers(0, 10**5),
    steps_per_epoch=st.integers(1, 1000),
    total_steps=st.integers(1, 10**5) | st.none(),
)
def test_decay_lies_between_zero_and_one(step, steps_per_epoch, total_steps):
    assert 0.0 <= inverse_time_decay(step, steps_per_epoch, total_steps) <= 1.0


def test_decay_starts_at_one_and_never_rises():
    factors = [inverse_time_decay(step, 7, 200) for step in range(220)]
    assert factors[0] == 1.0
    assert all(later <= earlier for earlier, later in pairwise(factors))


def test_decay_does_not_depend_on_total_steps():
    assert len({inverse_time_decay(30, 10, total) for total in (100, 400, None)}) == 1


@settings(deadline=None)
@given(epochs=st.integers(0, 60), within=st.integers(0, 6))
def test_decay_compounds_over_completed_epochs(epochs, within):
    factor = inverse_time_decay(7 * epochs + within, 7, 1)
    assert factor == pytest.approx(compounded(epochs), rel=1e-9, abs=0.0)


@pytest.mark.parametrize("rate", [0.0, 1e-300, 1e-15, 1e-12, 1e-9, 1e-6, 0.1, 2.0])
def test_decay_is_exact_at_any_rate(rate, monkeypatch):
    monkeypatch.setattr("skdistnet.recipes.DECAY_RATE", rate)
    monkeypatch.setitem(globals(), "DECAY_RATE", rate)
    factor = compounded_decay.__wrapped__(20)
    assert factor == pytest.approx(compounded(20), rel=1e-9)


@pytest.mark.parametrize(("epoch", "rate"), [(1, 0.01), (20, 1.7e-3), (50, 2.5e-7)])
def test_decay_has_the_rates_of_the_reference(epoch, rate):
    """Epochs count from 1; all steps of one have the same rate, here 600 steps of 100 rows."""
    for step in (600 * (epoch - 1), 600 * epoch - 1):
        actual = 0.01 * inverse_time_decay(step, 600, 30_000)
        assert float(f"{actual:.1e}") == rate


def test_recipe_lowers_its_rate_after_each_epoch(capsys):
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 3)), np.arange(40) % 2
    changes = {"max_iter": 9, "verbose": True, "hidden_layer_sizes": (3,), "batch_size": 10}
    net = DistanceNetClassifier(**published_recipe() | changes, random_state=0).fit(X, y)
    rates = [
        float(line.split("rate ")[1].split()[0]) for line in capsys.readouterr().out.splitlines()
    ]
    expected = [net.learning_rate_init * compounded(epoch) for epoch in range(9)]
    np.testing.assert_allclose(rates, expected, rtol=0.05)
    assert rates[-1] < 0.75 * rates[0]


def test_recipe_can_be_pickled():
    """Its schedule is a module-level function, found by name."""
    recipe = pickle.loads(pickle.dumps(published_recipe()))
    assert recipe["learning_rate"] is inverse_time_decay
