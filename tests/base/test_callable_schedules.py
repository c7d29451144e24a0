"""A module-level function as `learning_rate`: how it is called, copied, saved and searched."""

import pickle

import numpy as np
import pytest
import skops.io
from interrupted_fits import (
    N_EPOCHS,
    SMALL,
    CutOff,
    both_kinds,
    checkpoint_every,
    checkpointed,
    count_epochs,
    cut_off_and_resumed,
    same,
)
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skdistnet import TRUSTED_TYPES, DistanceNetClassifier, published_recipe
from skdistnet._base.checkpoints import parameter_digests
from skdistnet.recipes import inverse_time_decay


def constant(step, steps_per_epoch, total_steps):
    return 1.0


def falling(step, steps_per_epoch, total_steps):
    return 0.5 ** (step // steps_per_epoch)


CALLS = []


def recording(step, steps_per_epoch, total_steps):
    CALLS.append((step, steps_per_epoch, total_steps))
    return 1.0


@pytest.fixture
def calls():
    CALLS.clear()
    return CALLS


def first_call(kind):
    return {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}


@both_kinds
def test_function_of_ones_equals_constant_rate(kind, X, y):
    net = kind(**SMALL, learning_rate=constant).fit(X, y)
    assert same(net, kind(**SMALL, learning_rate="constant").fit(X, y))
    assert not same(net, kind(**SMALL, learning_rate=falling).fit(X, y))


@both_kinds
@pytest.mark.parametrize("number", [np.float64, np.float32, np.array])
def test_factor_may_be_a_numpy_number(kind, X, y, number):
    def halves(*steps):
        return number(falling(*steps))

    options = SMALL | {"dtype": "float32", "alpha": 0.1, "penalty": "decoupled"}
    net = kind(**options, learning_rate=halves).fit(X, y)
    assert same(net, kind(**options, learning_rate=falling).fit(X, y))


@both_kinds
def test_fit_passes_step_and_total_steps(kind, X, y, calls):
    net = kind(**SMALL | {"max_iter": 3, "n_iter_no_change": 9}, learning_rate=recording).fit(X, y)
    per_epoch = -(-len(X) // SMALL["batch_size"])
    assert net.n_iter_ == 3
    steps, per_epochs, totals = zip(*calls)
    assert sorted(set(steps)) == list(range(max(steps) + 1))
    assert 3 * per_epoch - 1 <= max(steps) <= 3 * per_epoch
    assert set(per_epochs) == {per_epoch}
    assert set(totals) == {3 * per_epoch}


@both_kinds
def test_partial_fit_passes_no_total_steps(kind, X, y, calls):
    net = kind(**SMALL, learning_rate=recording)
    for _ in range(3):
        net.partial_fit(X, y, **first_call(kind))
    steps, per_epochs, totals = zip(*calls)
    per_epoch = -(-len(X) // SMALL["batch_size"])
    assert set(totals) == {None}
    assert set(per_epochs) == {per_epoch}
    assert sorted(set(steps)) == list(range(max(steps) + 1))
    assert max(steps) >= 3 * per_epoch - 1


@both_kinds
def test_partial_fits_count_steps_over_all_calls(kind, X, y):
    net = kind(**SMALL | {"dropout": 0.0}, learning_rate=falling)
    for _ in range(3):
        net.partial_fit(X, y, **first_call(kind))
    whole = kind(**SMALL | {"dropout": 0.0, "max_iter": 3}, learning_rate=falling).fit(X, y)
    assert net.loss_curve_ == whole.loss_curve_


def test_rate_follows_the_recipe_of_the_reference(capsys):
    options = SMALL | {"verbose": True, "learning_rate_init": 1e-3, "n_iter_no_change": 99}
    X, y = np.random.default_rng(0).random((60, 3)), np.arange(60) % 2
    DistanceNetClassifier(**options | {"max_iter": 6}, learning_rate=inverse_time_decay).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    rates = [float(line.split("rate ")[1].split()[0]) for line in lines]
    divisors = np.cumprod([1.0, *(1 + 0.01 * epoch for epoch in range(1, 6))])
    np.testing.assert_allclose(rates, 1e-3 / divisors, rtol=0.01)


# Copies, files and searches -----------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("copy", [clone, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_keep_the_function(kind, X, y, copy):
    net = kind(**SMALL, learning_rate=falling).fit(X, y)
    copied = copy(net)
    assert copied.learning_rate is falling
    assert same(copied.fit(X, y), net)


def test_recipe_is_loaded_with_trusted_types():
    X, y = np.random.default_rng(0).random((60, 3)), np.arange(60) % 2
    recipe = published_recipe() | {"max_iter": 2, "random_state": 0}
    net = DistanceNetClassifier(**recipe).fit(X, y)
    loaded = skops.io.loads(skops.io.dumps(net), trusted=TRUSTED_TYPES)
    assert loaded.learning_rate is inverse_time_decay
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))


@both_kinds
def test_grid_search_compares_functions_and_names(kind, X, y):
    grid = {"learning_rate": [falling, inverse_time_decay, "cosine"]}
    search = GridSearchCV(kind(**SMALL), grid, cv=2, error_score="raise").fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    assert search.best_params_["learning_rate"] in grid["learning_rate"]


@both_kinds
def test_interrupted_fit_with_function_resumes(kind, X, y, tmp_path):
    net = kind(**SMALL, learning_rate=falling)
    with checkpoint_every(2):
        resumed, epochs = cut_off_and_resumed(net, tmp_path, 6, X, y)
    assert len(epochs) == N_EPOCHS - 4
    assert same(resumed, net.fit(X, y))


@both_kinds
def test_another_function_ignores_the_checkpoint(kind, X, y, tmp_path):
    net = checkpointed(kind(**SMALL, learning_rate=falling), tmp_path)
    with checkpoint_every(2), count_epochs(6), pytest.raises(CutOff):
        net.fit(X, y)
    with count_epochs() as epochs:
        net.set_params(learning_rate=constant).fit(X, y)
    assert len(epochs) == N_EPOCHS


def test_digests_of_functions_depend_on_their_names():
    nets = [DistanceNetClassifier(learning_rate=each) for each in (falling, constant, "constant")]
    digests = [parameter_digests(net)["learning_rate"] for net in nets]
    assert len(set(digests)) == 3
    copied = pickle.loads(pickle.dumps(nets[0]))
    assert parameter_digests(copied)["learning_rate"] == digests[0]
