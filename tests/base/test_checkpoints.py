"""A fit that was cut off resumes from its checkpoint to the same result, bit for bit."""

import os
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interrupted_fits import (
    N_EPOCHS,
    SMALL,
    WINE,
    WINE_Y,
    CutOff,
    both_kinds,
    checkpoint_every,
    checkpointed,
    count_epochs,
    cut_off_and_resumed,
    same,
)
from joblib import parallel_config
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base.callbacks import fitted_attributes
from skdistnet._base.hashing import digest
from skdistnet.engine import SCHEDULES, SOLVERS

pytestmark = pytest.mark.filterwarnings("ignore:Training was interrupted")


@pytest.fixture(autouse=True)
def frequent_checkpoints():
    with checkpoint_every(2):
        yield


# Single fits --------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize(("solver", "learning_rate"), list(product(SOLVERS, SCHEDULES)))
def test_every_solver_and_schedule_resumes_bit_for_bit(kind, X, y, solver, learning_rate, tmp_path):
    # A tolerance that makes "adaptive" lower the rate, and others stop.
    options = {"solver": solver, "learning_rate": learning_rate, "n_iter_no_change": 2, "tol": 0.5}
    net = kind(**SMALL, **options)
    uninterrupted = clone(net).fit(X, y)
    fatal = max(1, uninterrupted.n_iter_ - 1)
    resumed, epochs = cut_off_and_resumed(net, tmp_path, fatal, X, y)
    assert same(resumed, uninterrupted)
    assert len(epochs) == uninterrupted.n_iter_ - (fatal - 1) // 2 * 2


OPTIONS = {
    "dropout": {"dropout": 0.4},
    "decoupled penalty": {"alpha": 0.1, "penalty": "decoupled"},
    "coupled penalty": {"alpha": 0.1, "penalty": "coupled"},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 3},
    "early stopping by score": {"early_stopping": True, "scoring": "score"},
    "single precision": {"dtype": "float32"},
    "no hidden layers": {"hidden_layer_sizes": ()},
    "a hybrid": {"activation": ["relu", "cauchy"]},
    "k-means": {"init": "kmeans"},
    "full batches": {"batch_size": 10**6},
    "rates that diverge": {"learning_rate_init": 1e6, "standardize": False, "solver": "sgd"},
    "a generator": {"random_state": np.random.RandomState(7)},
}


@both_kinds
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.filterwarnings("ignore:Training diverged")
def test_any_settings_resume_bit_for_bit(kind, X, y, options, tmp_path):
    options = dict(options)
    if options.get("scoring") == "score":
        options["scoring"] = "r2" if kind is DistanceNetRegressor else "accuracy"
    net = kind(**SMALL | options)
    uninterrupted = clone(net).fit(X, y)
    for fatal in (4, 9):
        net = kind(**SMALL | options)
        if not isinstance(net.random_state, int):
            # A restarted program creates the generator again.
            net.random_state = np.random.RandomState(7)
            interrupted = checkpointed(net, tmp_path)
            with count_epochs(fatal), pytest.raises(CutOff):
                interrupted.fit(X, y)
            resumed = checkpointed(net, tmp_path).fit(X, y)
        else:
            resumed, _ = cut_off_and_resumed(net, tmp_path, fatal, X, y)
        assert same(resumed, uninterrupted)


@both_kinds
@settings(deadline=None, max_examples=8)
@given(
    fatal=st.integers(1, N_EPOCHS),
    every=st.integers(1, N_EPOCHS + 1),
    error=st.sampled_from([CutOff, KeyboardInterrupt]),
)
def test_fit_resumes_after_interruption_at_any_epoch(
    kind, X, y, fatal, every, error, tmp_path_factory
):
    net, folder = kind(**SMALL), tmp_path_factory.mktemp("checkpoints")
    with checkpoint_every(every):
        resumed, epochs = cut_off_and_resumed(net, folder, fatal, X, y, error=error)
    assert same(resumed, net.fit(X, y))
    assert len(epochs) == N_EPOCHS - (fatal - 1) // every * every


@both_kinds
def test_repeatedly_interrupted_fit_gives_same_result(kind, X, y, tmp_path):
    net, uninterrupted = checkpointed(kind(**SMALL), tmp_path), kind(**SMALL).fit(X, y)
    for _ in range(3):
        with count_epochs(4), pytest.raises(CutOff):
            net.fit(X, y)
    assert same(net.fit(X, y), uninterrupted)


@both_kinds
def test_weights_sparse_rows_and_validation_rows_resume(kind, X, y, tmp_path):
    net, held = kind(**SMALL), np.arange(len(X)) % 4 == 0
    weights = np.random.default_rng(0).random(len(X))
    held_out = {
        "X_val": csr_array(X[held]),
        "y_val": y[held],
        "sample_weight_val": weights[held],
    }
    data = csr_array(X[~held]), y[~held], weights[~held]
    resumed, _ = cut_off_and_resumed(net, tmp_path, 6, *data, **held_out)
    assert same(resumed, clone(net).fit(*data, **held_out))


@both_kinds
def test_many_outputs_resume(kind, X, y, tmp_path):
    both = np.column_stack([y, X[:, 0] > np.median(X[:, 0])])
    resumed, _ = cut_off_and_resumed(kind(**SMALL), tmp_path, 6, X, both)
    assert same(resumed, kind(**SMALL).fit(X, both))


@both_kinds
def test_warm_start_resumes(kind, X, y, tmp_path):
    net = kind(**SMALL, warm_start=True, learning_rate="constant")
    uninterrupted = clone(net).fit(X, y).fit(X, y)
    resumed = checkpointed(net, tmp_path).fit(X, y)
    before = digest(fitted_attributes(resumed))
    with count_epochs(6), pytest.raises(CutOff):
        resumed.fit(X, y)
    assert digest(fitted_attributes(resumed)) == before
    with count_epochs() as epochs:
        resumed.fit(X, y)
    assert len(epochs) == N_EPOCHS - 4
    assert same(resumed, uninterrupted)


# Starts and searches ------------------------------------------------------------------------------


@both_kinds
def test_completed_starts_are_not_trained_again(kind, X, y, tmp_path):
    net = kind(**SMALL | {"early_stopping": True}, n_init=3)
    resumed, epochs = cut_off_and_resumed(net, tmp_path, N_EPOCHS + 6, X, y)
    assert same(resumed, clone(net).fit(X, y))
    assert len(epochs) == 2 * N_EPOCHS - 4


@both_kinds
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_parallel_starts_resume(kind, X, y, backend, tmp_path, monkeypatch):
    # A relative path is valid in processes started in another folder.
    monkeypatch.chdir(tmp_path)
    net = kind(**SMALL, n_init=3)
    interrupted = checkpointed(net, "checkpoints")
    with checkpoint_every(4), count_epochs(N_EPOCHS + 6), pytest.raises(CutOff):
        interrupted.fit(X, y)
    assert len(os.listdir("checkpoints")) == 2
    resumed = interrupted.set_params(n_jobs=2)
    with parallel_config(backend=backend):
        resumed.fit(X, y)
    assert same(resumed, net.fit(X, y))
    assert os.listdir("checkpoints") == []


def test_interrupted_search_resumes(tmp_path):
    grid = {"hidden_layer_sizes": [(4,), (6,)]}
    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)
    search = GridSearchCV(net, grid, cv=2, error_score="raise")
    with count_epochs(2 * N_EPOCHS + 8), pytest.raises(CutOff):
        search.fit(WINE, WINE_Y)
    assert len(os.listdir(tmp_path)) == 1
    # Two fits are complete and their files removed, so the search trains these again.
    with count_epochs() as epochs:
        search.fit(WINE, WINE_Y)
    assert len(epochs) == 5 * N_EPOCHS - 6
    assert os.listdir(tmp_path) == []
    plain = GridSearchCV(DistanceNetClassifier(**SMALL), grid, cv=2).fit(WINE, WINE_Y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    assert digest(search.best_estimator_._theta_) == digest(plain.best_estimator_._theta_)
