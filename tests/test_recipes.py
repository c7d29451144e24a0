"""The published recipe, through the estimator's own way to train, makes the reference's steps."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from skdistnet import DistanceNetClassifier, published_recipe

LAYERS = range(1, 7)
KINDS = ("centroids", "radii")


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parent / "data" / "golden_a.npz", allow_pickle=False) as file:
        return dict(file)


def started_net(golden):
    """A net of the golden vectors' shape, started on the first minibatch.

    The golden steps all have the rate 0.01. The recipe's rate falls after each epoch, and here
    every partial_fit is an epoch of one batch, so that `decay_rate` must be 0.
    """
    sizes = golden["layers"].tolist()
    changes = {
        "hidden_layer_sizes": tuple(sizes[1:-1]),
        "batch_size": int(golden["mb"]),
        "shuffle": False,
        "decay_rate": 0.0,
        "random_state": 0,
    }
    net = DistanceNetClassifier(**published_recipe() | changes)
    return net.partial_fit(golden["step_X"][0], labels(golden, 0), classes=range(sizes[-1]))


def labels(golden, step):
    return golden["step_y"][step].argmax(axis=1)


def pack(net, golden, what, step, moved=0.0):
    """A vector over all parameters; centroids of the first layer less `moved`."""
    centroids, radii = (
        [golden[f"step_{what}{kind}_{layer}"][step] for layer in LAYERS] for kind in KINDS
    )
    centroids[0] = centroids[0] - moved
    return net._network.pack(centroids=centroids, inverse_radii=radii)


def go_on_from(net, golden, step):
    """Put the net where the reference was after `step`."""
    net._theta_ = pack(net, golden, "", step, moved=net._input_map.shift)
    net._progress_["solver_state"] = {
        "momentum": pack(net, golden, "momentum_", step),
        "mean_square": pack(net, golden, "magnitude_", step) ** 2,
    }


def assert_at(net, golden, step):
    for layer in LAYERS:
        for kind, found in zip(KINDS, (net.centroids_, net.inverse_radii_)):
            expected = golden[f"step_{kind}_{layer}"][step]
            expected = np.abs(expected) if kind == "radii" else expected
            np.testing.assert_allclose(found[layer - 1], expected, rtol=1e-9, atol=1e-12)


def test_golden_steps_are_made_by_partial_fit(golden):
    net = started_net(golden)
    assert net.alpha == golden["lambda"]
    assert net.learning_rate_init == golden["alpha"]
    go_on_from(net, golden, 0)
    assert_at(net, golden, 0)
    for step in range(1, 5):
        net.partial_fit(golden["step_X"][step], labels(golden, step))
        assert_at(net, golden, step)
    np.testing.assert_allclose(net.predict_proba(golden["X"]), golden["probs_final"], rtol=1e-9)


def test_golden_steps_are_missed_where_decay_is_decoupled(golden):
    net = started_net(golden)
    go_on_from(net, golden, 0)
    net.set_params(decay="decoupled")
    net.partial_fit(golden["step_X"][1], labels(golden, 1))
    with pytest.raises(AssertionError):
        assert_at(net, golden, 1)


def test_golden_probabilities_are_those_of_the_starting_weights(golden):
    net = started_net(golden)
    centroids, radii = ([golden[f"{kind}_{layer}"] for layer in LAYERS] for kind in KINDS)
    centroids[0] = centroids[0] - net._input_map.shift
    net._theta_ = net._network.pack(centroids=centroids, inverse_radii=radii)
    np.testing.assert_allclose(net.decision_function(golden["X"]), golden["logits"], rtol=1e-9)
    np.testing.assert_allclose(net.predict_proba(golden["X"]), golden["probs"], rtol=1e-9)


def test_every_argument_of_the_recipe_is_a_parameter_of_the_classifier():
    recipe = published_recipe()
    assert set(recipe) <= set(DistanceNetClassifier().get_params())
    assert recipe.items() <= DistanceNetClassifier(**recipe).get_params().items()
    assert clone(DistanceNetClassifier(**recipe)).get_params()["decay"] == "coupled"


def test_each_call_returns_a_recipe_of_its_own():
    published_recipe()["alpha"] = 7.0
    assert published_recipe()["alpha"] == 0.001


def test_the_recipe_starts_where_the_paper_says_and_learns():
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


def test_the_rate_of_the_recipe_shrinks_after_each_epoch_as_the_reference_says(capsys):
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 3)), np.arange(40) % 2
    changes = {"max_iter": 4, "verbose": True, "hidden_layer_sizes": (3,), "batch_size": 10}
    changes |= {"learning_rate_init": 1.0, "decay_rate": 1.0}
    DistanceNetClassifier(**published_recipe() | changes, random_state=0).fit(X, y)
    rates = [
        float(line.split("rate ")[1].split()[0]) for line in capsys.readouterr().out.splitlines()
    ]
    np.testing.assert_allclose(rates, [1, 1 / 2, 1 / 6, 1 / 24], rtol=0.05)
