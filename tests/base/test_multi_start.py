"""Several starts are reproducible, and the best one is kept, in any number of processes."""

from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import start as base_start
from skdistnet._base import training as base_training
from skdistnet.engine.training import loop as training
from skdistnet.engine.training.monitor import TrainingResult

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "max_iter": 8,
    "random_state": 0,
    "batch_size": 30,
    "early_stopping": False,
}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def raw_output(net, X):
    return net.predict(X) if isinstance(net, DistanceNetRegressor) else net.decision_function(X)


def seeds(random_state, number):
    rng = np.random.RandomState(random_state)
    return [int(rng.randint(np.iinfo(np.int32).max)) for _ in range(number)]


def single_fits(net, X, y, number, monkeypatch):
    """Return the fits of a single start each that the starts must equal."""
    fits = []
    for seed in seeds(net.random_state, number):
        with monkeypatch.context() as patch:
            patch.setattr(type(net), "_draw_seeds", lambda self, n, seed=seed: [seed] * n)
            fits.append(clone(net).set_params(n_init=1).fit(X, y))
    return fits


@both_kinds
def test_best_start_is_chosen_by_training_loss(kind, X, y, monkeypatch):
    net = kind(**SMALL, n_init=4).fit(X, y)
    fits = single_fits(net, X, y, 4, monkeypatch)
    assert net.init_scores_ == [-fit.loss_ for fit in fits]
    best = fits[int(np.argmax(net.init_scores_))]
    np.testing.assert_array_equal(raw_output(net, X), raw_output(best, X))
    assert net.loss_curve_ == best.loss_curve_
    assert len(set(net.init_scores_)) == 4


@both_kinds
@pytest.mark.parametrize("scoring", ["loss", "score"])
def test_best_start_is_chosen_by_monitored_score(kind, X, y, scoring):
    monitored = "loss"
    if scoring == "score":
        monitored = "r2" if kind is DistanceNetRegressor else "neg_log_loss"
    held = np.arange(len(X)) % 3 == 0
    validation = {"X_val": X[held], "y_val": y[held]}
    net = kind(**SMALL, n_init=4, scoring=monitored).fit(X[~held], y[~held], **validation)
    best = max(net.init_scores_)
    assert len(set(net.init_scores_)) == 4
    if scoring == "loss":
        assert best == -min(net.validation_loss_curve_)
    else:
        assert best == net.best_validation_score_ == max(net.validation_scores_)


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_first_start_equals_single_fit(kind, X, y, early_stopping):
    options = SMALL | {"early_stopping": early_stopping}
    single, several = (kind(**options, n_init=n_init).fit(X, y) for n_init in (1, 3))
    assert single.init_scores_ == several.init_scores_[:1]


@both_kinds
@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_processes_and_threads_give_same_result(kind, X, y, backend, early_stopping):
    options = SMALL | {"early_stopping": early_stopping, "n_init": 3}
    alone = kind(**options).fit(X, y)
    with parallel_config(backend=backend):
        shared = kind(**options, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(raw_output(alone, X), raw_output(shared, X))
    assert alone.init_scores_ == shared.init_scores_
    assert alone.loss_curve_ == shared.loss_curve_
    assert vars(alone).keys() == vars(shared).keys()


def test_parameters_keep_identity_with_processes():
    def rows_in_order(X, n_units, random_state):
        return X[:n_units] + 0.01 * random_state.normal(size=(n_units, X.shape[1]))

    random_state = np.random.RandomState(0)
    net = DistanceNetClassifier(**SMALL | {"random_state": random_state}, n_init=2, n_jobs=2)
    net.set_params(init=rows_in_order).fit(WINE, WINE_Y)
    assert net.random_state is random_state
    assert net.init is rows_in_order


@both_kinds
def test_warm_start_has_one_start(kind, X, y):
    options = SMALL | {"learning_rate": "constant", "dropout": 0.0}
    net = kind(**options, n_init=3, warm_start=True).fit(X, y)
    scores, loss = net.init_scores_, net.loss_
    assert loss == -max(scores)
    net.fit(X, y)
    assert net.n_iter_ == 2 * SMALL["max_iter"]
    assert net.init_scores_ == scores
    assert net.loss_ < loss


@both_kinds
def test_interrupt_ends_remaining_starts(kind, X, y, monkeypatch):
    epochs, original = [], training.Trainer.train_epoch

    def epoch(self):
        epochs.append(1)
        if len(epochs) == SMALL["max_iter"] + 3:
            raise KeyboardInterrupt
        return original(self)

    monkeypatch.setattr(training.Trainer, "train_epoch", epoch)
    net = kind(**SMALL, n_init=4)
    with pytest.warns(UserWarning, match="interrupted"):
        net.fit(X, y)
    # The first start was complete, and is the better one.
    assert len(net.init_scores_) == 2
    assert net.n_iter_ == SMALL["max_iter"]


def test_diverged_start_is_not_chosen(monkeypatch):
    starts, start = [], base_start.initialize_network
    original = training.Trainer.train_epoch

    def count(*args):
        starts.append(1)
        return start(*args)

    def epoch(self):
        return float("nan") if len(starts) == 1 else original(self)

    monkeypatch.setattr(base_start, "initialize_network", count)
    monkeypatch.setattr(training.Trainer, "train_epoch", epoch)
    net = DistanceNetClassifier(**SMALL, n_init=3).fit(WINE, WINE_Y)
    assert net.init_scores_[0] == -np.inf
    assert net.score(WINE, WINE_Y) > 0.9


def test_start_without_improvement_ranks_last():
    """The score of its last epoch is not that of the parameters it keeps."""
    outcome = TrainingResult(np.zeros(1), [1.0], [0.1], [1.0], best_epoch=0, reason="diverged")
    for scoring in ("loss", "accuracy"):
        copy = DistanceNetClassifier(scoring=scoring)
        assert base_training.start_score(copy, outcome) == -np.inf
        assert np.isfinite(base_training.start_score(copy, replace(outcome, best_epoch=1)))
