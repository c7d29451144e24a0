"""Trials of a fit: what they train on, what they find, and what the fit makes of it."""

from itertools import count
from time import perf_counter

import numpy as np
import pytest
from interrupted_fits import same
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import start, training, trial
from skdistnet.engine import SCHEDULES
from skdistnet.engine.losses import REGRESSION_LOSSES
from skdistnet.engine.training.monitor import TrainingResult
from skdistnet.recipes import inverse_time_decay

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "init_median_activation": 0.5,
    "max_iter": 12,
    "random_state": 0,
    "batch_size": 30,
}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def keys(rows):
    """Return a key for each row of X and the target, equal for equal rows."""
    X = rows.X if isinstance(rows.X, np.ndarray) else rows.X.toarray()
    return [x.tobytes() + t.tobytes() for x, t in zip(X, rows.target)]


def assert_same_net(net, other):
    np.testing.assert_array_equal(net._theta_, other._theta_)
    assert net.loss_curve_ == other.loss_curve_


# What a trial is ----------------------------------------------------------------------------------


@both_kinds
def test_fit_is_one_by_hand_for_epochs_found(kind, X, y):
    net = kind(**SMALL).fit(X, y)
    n_epochs = net.trial_["n_epochs"]
    by_hand = kind(**SMALL | {"early_stopping": False, "max_iter": n_epochs}).fit(X, y)
    assert by_hand.trial_ is None
    assert net.n_iter_ == n_epochs
    assert_same_net(net, by_hand)


@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
def test_trials_are_fits_with_validation_rows(kind, runs):
    """Targets of "poisson" are not scaled, so that part of them is the same target."""
    options = SMALL | ({"loss": "poisson"} if kind is DistanceNetRegressor else {})
    trial_ = kind(**options).fit(WINE, WINE_Y).trial_
    assert trial_["n_trials"] == len(runs) - 1 == 5
    losses, scores, held_out_twice = [], [], np.zeros(len(WINE), dtype=int)
    for parts in runs[:-1]:
        rows, held_out = (np.flatnonzero(np.isin(keys_of(WINE), keys_of(part.X))) for part in parts)
        assert len(rows) + len(held_out) == len(WINE)
        held_out_twice[held_out] += 1
        by_hand = kind(**options | {"early_stopping": False, "n_iter_no_change": 25, "tol": 1e-9})
        by_hand.fit(WINE[rows], WINE_Y[rows], X_val=WINE[held_out], y_val=WINE_Y[held_out])
        losses.append(by_hand.validation_loss_curve_)
        scores.append(by_hand.validation_scores_)
    assert held_out_twice.max() == 1
    np.testing.assert_array_equal(trial_["validation_loss_curve"], np.mean(losses, axis=0))
    np.testing.assert_array_equal(trial_["validation_scores"], np.mean(scores, axis=0))


def keys_of(X):
    return [x.tobytes() for x in X]


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
@both_kinds
def test_share_of_rows_is_set_aside(kind, X, y, fraction):
    trial_ = kind(**SMALL, validation_fraction=fraction).fit(X, y).trial_
    n_trials = trial_["n_trials"]
    assert n_trials == min(5, int(1 / fraction), -(-500 // int(fraction * len(X))))
    expected = n_trials * fraction * len(X)
    assert trial_["n_validation_samples"] == pytest.approx(expected, abs=2 * n_trials)
    assert trial_["n_samples"] == pytest.approx((1 - fraction) * len(X), abs=1)


@pytest.mark.parametrize("early_stopping", [True, False])
@both_kinds
def test_other_settings_make_no_trial(kind, X, y, early_stopping, runs):
    assert kind(**SMALL, early_stopping=early_stopping).fit(X, y).trial_ is None
    assert len(runs) == 1


@both_kinds
def test_trial_uses_the_given_validation_rows(kind, X, y, runs):
    net = kind(**SMALL).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    for rows, validation in runs:
        np.testing.assert_array_equal(rows.X, X[::2])
        np.testing.assert_array_equal(validation.X, X[1::2])
    assert len(runs) == 2
    assert net.trial_["n_samples"] == len(X[::2])
    assert len(net.validation_loss_curve_) == net.n_iter_ == net.trial_["n_epochs"]


@both_kinds
def test_several_starts_share_the_trials(kind, X, y, runs):
    net = kind(**SMALL, n_init=3).fit(X, y)
    n_trials = net.trial_["n_trials"]
    assert [len(rows) == len(X) for rows, _ in runs] == [False] * n_trials + [True] * 3
    assert len(net.init_scores_) == 3
    assert net.trial_ == kind(**SMALL).fit(X, y).trial_


@both_kinds
def test_fits_with_trials_are_bitwise_equal(kind, X, y):
    net, again = (kind(**SMALL).fit(X, y) for _ in range(2))
    assert same(net, again)
    other = kind(**SMALL | {"random_state": 1}).fit(X, y)
    assert net.trial_["validation_loss_curve"] != other.trial_["validation_loss_curve"]


@both_kinds
def test_scorer_selects_the_best_epoch(kind, X, y):
    def falling(net, X, y):
        return -next(numbers)

    numbers = count()
    net = kind(**SMALL, scoring=falling).fit(X, y)
    assert net.trial_["best_epoch"] == 1
    assert net.n_iter_ == trial.FEWEST_EPOCHS


# Rows ---------------------------------------------------------------------------------------------


@both_kinds
def test_few_distinct_rows_have_no_trial(kind, X, y):
    every = slice(None, None, len(X) // 60)
    X, y = X[every][:60], y[every][:60]
    assert kind(**SMALL).fit(X, y).trial_ is not None
    for times in (1, 3):
        repeated = (np.repeat(part[:59], times, axis=0) for part in (X, y))
        assert kind(**SMALL).fit(*repeated).trial_ is None


@pytest.mark.parametrize("make", [np.asarray, csr_array])
@pytest.mark.parametrize("incomplete", [False, True])
@both_kinds
def test_equal_rows_are_on_one_side(kind, X, y, make, incomplete, runs):
    drawn = np.random.default_rng(0).integers(len(X), size=len(X))
    X, y = np.where(np.eye(*X.shape, dtype=bool), np.nan if incomplete else 0.0, X)[drawn], y[drawn]
    kind(**SMALL).fit(make(X), y)
    trained, held_out = map(keys, runs[0])
    assert len(trained) + len(held_out) == len(X)
    assert len(set(trained)) < len(trained)
    assert not set(trained) & set(held_out)


def test_signs_of_zero_do_not_matter(runs):
    X = np.repeat(np.where(np.median(WINE, axis=0) > WINE, 0.0, WINE), 2, axis=0)
    X[::2] = np.where(X[::2] == 0, -0.0, X[::2])
    DistanceNetClassifier(**SMALL).fit(X, np.repeat(WINE_Y, 2))
    trained, held_out = (keys_of(part.X + 0.0) for part in runs[0])
    assert not set(trained) & set(held_out)


@both_kinds
def test_weights_reach_both_parts(kind, X, y, runs):
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(X)) * (np.arange(len(X)) % 4 > 0)
    net = kind(**SMALL).fit(X, y, weights)
    given = dict(zip(keys_of(X), weights))
    for part in runs[0]:
        assert [given[key] for key in keys_of(part.X)] == pytest.approx(part.weights)
    assert sum(map(len, runs[0])) == np.count_nonzero(weights)
    weightless = kind(**SMALL).fit(X, y)
    assert net.trial_["validation_loss_curve"] != weightless.trial_["validation_loss_curve"]


def test_class_weights_reach_both_parts(runs):
    class_weight = {0: 1.0, 1: 5.0, 2: 0.5}
    DistanceNetClassifier(**SMALL, class_weight=class_weight, label_smoothing=0.0).fit(WINE, WINE_Y)
    for part in runs[0]:
        np.testing.assert_array_equal(part.weights, part.target @ [1.0, 5.0, 0.5])


def test_balanced_weights_are_those_of_all_rows(runs):
    y = np.minimum(WINE_Y, 1)
    DistanceNetClassifier(**SMALL, class_weight="balanced", label_smoothing=0.0).fit(WINE, y)
    expected = len(y) / (2 * np.bincount(y))
    for part in runs[0]:
        np.testing.assert_allclose(part.weights, part.target @ expected)


def test_row_of_a_rare_class_is_trained_on(runs):
    y = np.where(np.arange(len(WINE)) == 100, 3, WINE_Y)
    net = DistanceNetClassifier(**SMALL, label_smoothing=0.0).fit(WINE, y)
    trained, held_out = runs[0]
    assert trained.target[:, 3].sum() == 1
    assert not held_out.target[:, 3].any()
    assert np.isfinite(net.predict_proba(WINE)).all()


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_one_row_of_each_class_has_no_trial():
    net = DistanceNetClassifier(**SMALL).fit(WINE, np.arange(len(WINE)))
    assert net.trial_ is None
    assert net.n_iter_ == SMALL["max_iter"]


@both_kinds
def test_sparse_rows_are_tried_like_dense_rows(kind, X, y):
    X = np.where(np.median(X, axis=0) < X, X, 0.0)
    dense, sparse = kind(**SMALL).fit(X, y), kind(**SMALL).fit(csr_array(X), y)
    np.testing.assert_allclose(
        sparse.trial_["validation_loss_curve"], dense.trial_["validation_loss_curve"], rtol=1e-6
    )
    assert sparse.trial_["n_epochs"] == dense.trial_["n_epochs"]


def test_wide_sparse_rows_are_never_dense():
    X = csr_array((np.ones(100), (np.arange(100), 97 * np.arange(100))), shape=(100, 10**6))
    rows = training.Rows(X, np.zeros((100, 1)))
    began = perf_counter()
    distinct, group = trial.distinct_rows(rows)
    assert perf_counter() - began < 5
    np.testing.assert_array_equal(distinct, group)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@both_kinds
def test_incomplete_rows_are_tried(kind, X, y, dtype):
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    net = kind(**SMALL, dtype=dtype).fit(X, y)
    assert np.isfinite(net.trial_["validation_loss_curve"]).all()
    assert net.n_iter_ == net.trial_["n_epochs"]


TARGETS = {
    "multilabel": (DistanceNetClassifier, np.column_stack([WINE_Y == 0, WINE[:, 0] > 13]) * 1),
    "several columns": (DistanceNetClassifier, np.column_stack([WINE_Y, WINE[:, 0] > 13])),
    "one class": (DistanceNetClassifier, np.zeros(len(WINE))),
    "several targets": (DistanceNetRegressor, WINE[:, :3] ** 2),
    "constant target": (DistanceNetRegressor, np.full(len(WINE), 3.0)),
}


@pytest.mark.parametrize(("kind", "y"), TARGETS.values(), ids=TARGETS)
def test_targets_of_any_form_are_tried(kind, y):
    net = kind(**SMALL).fit(WINE, y)
    assert np.isfinite(net.trial_["validation_loss_curve"]).all()
    assert 1 <= net.n_iter_ == net.trial_["n_epochs"] <= SMALL["max_iter"]
    by_hand = kind(**SMALL | {"early_stopping": False, "max_iter": net.n_iter_}).fit(WINE, y)
    assert_same_net(net, by_hand)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize("quantile", [0.5, [0.1, 0.9]])
def test_every_loss_is_tried(loss, quantile):
    net = DistanceNetRegressor(**SMALL, loss=loss, quantile=quantile).fit(DIABETES, DIABETES_Y)
    curve = net.trial_["validation_loss_curve"]
    assert net.trial_["best_epoch"] == 1 + int(np.argmin(curve))
    assert min(curve) < curve[0]


@pytest.mark.parametrize(
    ("kind", "best_epoch"), [(DistanceNetClassifier, 3), (DistanceNetRegressor, 2)]
)
def test_best_epoch_of_a_classifier_has_few_errors(kind, best_epoch):
    net = kind(**SMALL).fit(WINE, WINE_Y)
    curves = {
        "validation_loss_curve": [0.5, 0.30, 0.31, 0.4],
        "validation_scores": [0.7, 0.8, 0.9, 0.9],
    }
    sizes, result = (142, 36), TrainingResult(net._theta_, **curves)
    assert trial.findings(net, [sizes], sizes[1], [result], 178)["best_epoch"] == best_epoch


# Large data ---------------------------------------------------------------------------------------


@pytest.fixture
def few_rows(monkeypatch):
    """Try on at most 100 rows instead of 4000."""
    monkeypatch.setattr(trial, "MOST_ROWS", 100)


@both_kinds
def test_large_data_are_tried_on_a_part(kind, X, y, few_rows):
    net = kind(**SMALL).fit(X, y)
    trial_ = net.trial_
    assert trial_["n_samples"] == 80
    assert 95 <= trial_["n_validation_samples"] <= 100
    validated = kind(**SMALL).fit(X[::-1], y[::-1], X_val=X[:30], y_val=y[:30]).trial_
    assert (validated["n_samples"], validated["n_validation_samples"]) == (100, 30)


def test_at_most_4000_rows_are_tried():
    X = np.random.default_rng(0).normal(size=(6000, 2))
    options = SMALL | {"max_iter": 2, "batch_size": 1000}
    trial_ = DistanceNetRegressor(**options).fit(X, X[:, 0]).trial_
    assert (trial_["n_samples"], trial_["n_validation_samples"]) == (3200, 800)


def test_class_missing_in_the_drawn_rows_is_learned(few_rows):
    y = np.where(np.arange(len(WINE)) == 100, 3, WINE_Y)
    net = DistanceNetClassifier(**SMALL).fit(WINE, y)
    assert np.isfinite(net.trial_["validation_loss_curve"]).all()
    assert net.predict_proba(WINE).shape == (len(WINE), 4)


def test_more_rows_are_trained_for_fewer_epochs():
    net = DistanceNetClassifier(**SMALL | {"max_iter": 200}).fit(WINE, WINE_Y)
    n_rows = 100, 4000, 20_000, 10**9
    n_epochs = [trial.epochs_for_all_rows(net, 60, 3200, number) for number in n_rows]
    assert n_epochs[0] == n_epochs[1] >= 60
    assert n_epochs[2] == pytest.approx(n_epochs[0] * (3200 / 20_000) ** 0.5, abs=1)
    assert n_epochs[3] == trial.FEWEST_OF_MANY_ROWS
    assert trial.epochs_for_all_rows(net, 1, 3200, 10**9) == trial.FEWEST_EPOCHS


# Epochs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learning_rate", [*SCHEDULES, inverse_time_decay])
@pytest.mark.parametrize("best_epoch", [1, 7, 50, 100])
def test_rates_of_all_epochs_have_the_same_sum(learning_rate, best_epoch):
    net = DistanceNetClassifier(**SMALL | {"max_iter": 100}, learning_rate=learning_rate)
    net.fit(WINE, WINE_Y)
    found = trial.epochs_for_all_rows(net, best_epoch, 142, 178)
    assert trial.FEWEST_EPOCHS <= found <= 100
    if found > trial.FEWEST_EPOCHS:
        config = start.training_config(net, 142, 100)
        wanted = trial.sum_of_rates(config, 142, 100, best_epoch)
        sums = [trial.sum_of_rates(config, 142, n, n) for n in (found - 1, found)]
        assert sums[0] < wanted <= sums[1] + 1e-9


def test_falling_rate_needs_up_to_twice_the_epochs():
    net = DistanceNetClassifier(**SMALL | {"max_iter": 1000}).fit(WINE, WINE_Y)
    assert trial.epochs_for_all_rows(net, 20, 142, 178) == pytest.approx(40, abs=1)
    assert trial.epochs_for_all_rows(net, 1000, 142, 178) == 1000
    net.set_params(learning_rate="constant")
    assert trial.epochs_for_all_rows(net, 20, 142, 178) == 20


@pytest.mark.parametrize("max_iter", [1, 3, 8])
@both_kinds
def test_max_iter_is_an_upper_bound(kind, X, y, max_iter):
    net = kind(**SMALL | {"max_iter": max_iter}).fit(X, y)
    assert len(net.trial_["validation_loss_curve"]) <= max_iter
    assert net.trial_["n_epochs"] == net.n_iter_ <= max_iter


@both_kinds
def test_huge_max_iter_costs_no_time(kind, X, y):
    net = kind(**SMALL | {"max_iter": 10**9}).fit(X, y)
    assert net.n_iter_ <= 2 * net.trial_["best_epoch"]
    n_tried = len(net.trial_["validation_loss_curve"])
    assert n_tried <= net.trial_["best_epoch"] + 200


@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_trial_ends_where_nothing_can_improve(scoring):
    y = np.full(len(DIABETES), 3.0)
    net = DistanceNetRegressor(**SMALL | {"max_iter": 10**9}, scoring=scoring).fit(DIABETES, y)
    assert len(net.trial_["validation_loss_curve"]) < 200


@pytest.mark.parametrize("factor", [2.0**-9, 2.0**20])
@both_kinds
def test_powers_of_two_change_no_trial(kind, X, y, factor):
    assert kind(**SMALL).fit(factor * X, y).trial_ == kind(**SMALL).fit(X, y).trial_


@both_kinds
def test_shift_changes_no_trial(kind, X, y, runs):
    first, moved = kind(**SMALL).fit(X, y), kind(**SMALL).fit(X + 100.0, y)
    for of_first, of_moved in zip(runs[:3], runs[len(runs) // 2 :], strict=False):
        np.testing.assert_array_equal(of_moved[0].target, of_first[0].target)
    assert moved.trial_["n_epochs"] == first.trial_["n_epochs"]
    np.testing.assert_allclose(
        moved.trial_["validation_loss_curve"], first.trial_["validation_loss_curve"], rtol=1e-4
    )


@pytest.mark.filterwarnings("ignore:The loss after training")
def test_noise_is_trained_on_for_fewer_epochs_than_signal():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    noise, signal = rng.normal(size=300), np.sin(2 * X[:, 0]) * X[:, 1]
    options = {"hidden_layer_sizes": 30, "random_state": 0}
    epochs = [DistanceNetRegressor(**options).fit(X, y).n_iter_ for y in (noise, signal)]
    assert epochs[0] < 0.5 * epochs[1]
