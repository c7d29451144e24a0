"""Novelty thresholds: false alarms of new rows, held-out rows of the trial, arithmetic."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits, load_iris, make_blobs, make_friedman1

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._novelty.thresholds import quantiles, threshold
from skdistnet.engine.training import loop

IRIS = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": 20, "max_iter": 10, "random_state": 0}
KINDS = [DistanceNetClassifier, DistanceNetRegressor]
both_kinds = pytest.mark.parametrize("kind", KINDS)
RATES = (0.01, 0.05, 0.1)


def known_scores(net):
    return net._novelty_["known_scores"]


# False alarms -------------------------------------------------------------------------------------


def one_hot_rows(n_rows, seed):
    """Return rows with five one-hot columns of ten levels, and a target."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 10, size=(n_rows, 5))
    X = (levels[:, :, np.newaxis] == np.arange(10)).reshape(n_rows, 50).astype(float)
    return X, rng.normal(size=10)[levels[:, 0]] + rng.normal(size=n_rows) > 0


def digits(n_rows, seed):
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))[:n_rows]
    return X[order], y[order]


def friedman(n_rows, seed):
    return make_friedman1(n_rows, 10, noise=1.0, random_state=seed)


@pytest.mark.parametrize(
    ("kind", "draw", "n_rows"),
    [
        (DistanceNetClassifier, one_hot_rows, 500),
        (DistanceNetClassifier, digits, 300),
        (DistanceNetRegressor, friedman, 200),
    ],
)
def test_false_alarms_have_the_rate_in_the_mean(kind, draw, n_rows):
    shares = []
    for seed in range(12):
        X, y = draw(n_rows + 1000, seed)
        net = kind(40, random_state=seed).fit(X[:n_rows], y[:n_rows])
        scores = net.score_samples(X[n_rows:])
        shares.append([np.mean(scores < net.novelty_threshold(rate)) for rate in RATES])
    # The mean of 12 fits has a standard error of about 0.01 at the rate 0.05.
    np.testing.assert_array_less(np.abs(np.mean(shares, axis=0) - RATES), [0.01, 0.02, 0.03])


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.2])
@pytest.mark.parametrize("early_stopping", ["auto", True, False])
def test_false_alarms_of_new_rows_match_the_rate(rate, early_stopping):
    X, y = make_blobs(4000, 5, centers=3, random_state=0)
    net = DistanceNetClassifier(**SMALL, early_stopping=early_stopping).fit(X[:2000], y[:2000])
    alarms = np.mean(net.score_samples(X[2000:]) < net.novelty_threshold(rate))
    assert 0.3 * rate < alarms < 2.0 * rate


# Rows that count ----------------------------------------------------------------------------------


@both_kinds
def test_held_out_rows_of_the_trial_count(kind):
    net = kind(**SMALL).fit(*IRIS)
    assert net._novelty_["n_held_out"] == net.trial_["n_validation_samples"]
    assert (net._novelty_["held_out_scores"] < 0).all()


@both_kinds
def test_validation_rows_count_if_given(kind):
    X, y = IRIS
    net = kind(**SMALL).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    expected = np.sort(net.score_samples(X[1::2]))
    np.testing.assert_array_equal(net._novelty_["held_out_scores"], expected)
    net = kind(**SMALL, early_stopping=True, validation_fraction=0.4).fit(X, y)
    assert net._novelty_["n_held_out"] == 60
    differences = net._novelty_["held_out_scores"][:, np.newaxis] - net.score_samples(X)
    np.testing.assert_allclose(np.abs(differences).min(axis=1), 0, atol=1e-9)


@both_kinds
def test_training_rows_count_without_a_trial(kind):
    X, y = IRIS
    for net in (kind(**SMALL, early_stopping=False).fit(X, y), kind(**SMALL).fit(X[::3], y[::3])):
        assert net._novelty_["n_held_out"] == 0
        for rate in (0.01, 0.05, 0.5):
            assert net.novelty_threshold(rate) == np.quantile(known_scores(net), rate)


@pytest.mark.filterwarnings("ignore:Training was interrupted")
@both_kinds
@pytest.mark.parametrize("in_trial", [True, False])
def test_interrupted_fits_count_held_out_rows(kind, in_trial, monkeypatch):
    X, y = IRIS
    epochs, original, last = [], loop.Trainer.train_epoch, None

    def train_epoch(self):
        epochs.append(1)
        if len(epochs) == last:
            raise KeyboardInterrupt
        return original(self)

    monkeypatch.setattr(loop.Trainer, "train_epoch", train_epoch)
    complete = kind(**SMALL).fit(X, y)
    last = 2 if in_trial else len(epochs) - complete.n_iter_ + 2
    epochs.clear()
    net = kind(**SMALL).fit(X, y)
    assert len(epochs) == last
    # Each trial holds out a fifth of the rows, and an interrupted one is the last.
    n_held_out = complete.trial_["n_validation_samples"]
    assert net._novelty_["n_held_out"] == pytest.approx(30 if in_trial else n_held_out, abs=1)
    # Only the trial's own net scores rows that it was not trained on.
    scores = net._novelty_["held_out_scores"][:, np.newaxis]
    distances = np.abs(scores - net.score_samples(X)).min(axis=1)
    assert (distances.max() < 1e-6) == in_trial


@both_kinds
def test_sparse_and_dense_thresholds_are_equal(kind):
    X, y = digits(300, 0)
    sparse = kind(**SMALL).fit(csr_array(X), y).novelty_threshold_
    assert sparse == pytest.approx(kind(**SMALL).fit(X, y).novelty_threshold_, rel=1e-6)


@both_kinds
def test_trial_does_not_change_scores(kind):
    X, y = IRIS
    tried = kind(**SMALL).fit(X, y)
    chosen = {
        "max_iter": tried.trial_["n_epochs"],
        "init_median_activation": tried.init_median_activation_,
    }
    plain = kind(**SMALL | chosen, early_stopping=False).fit(X, y)
    np.testing.assert_array_equal(plain.score_samples(X), tried.score_samples(X))
    np.testing.assert_array_equal(known_scores(plain), known_scores(tried))


@both_kinds
@pytest.mark.parametrize("missing", [False, True])
def test_thresholds_ignore_shift_and_scale(kind, missing):
    X, y = IRIS
    if missing:
        X = np.where(np.random.default_rng(0).uniform(size=X.shape) < 0.1, np.nan, X)
    expected = kind(**SMALL).fit(X, y).novelty_threshold_
    moved = kind(**SMALL).fit(64.0 * X - 1024.0, y).novelty_threshold_
    assert moved == pytest.approx(expected, rel=1e-3)


def test_state_is_small_and_saved():
    X, y = make_blobs(12_000, 3, centers=2, random_state=0)
    net = DistanceNetClassifier(**SMALL | {"max_iter": 2}).fit(X, y)
    assert net._novelty_["n_held_out"] == 800
    net = DistanceNetClassifier(**SMALL | {"max_iter": 2}).fit(X, y, X_val=X, y_val=y)
    assert net._novelty_["n_held_out"] == 12_000
    assert len(net._novelty_["held_out_scores"]) == len(known_scores(net)) == 1001
    assert pickle.loads(pickle.dumps(net)).novelty_threshold_ == net.novelty_threshold_


# Arithmetic ---------------------------------------------------------------------------------------


@both_kinds
def test_lower_rates_give_lower_thresholds(kind):
    X, y = IRIS
    net = kind(**SMALL).fit(X, y)
    predictions, scores = net.predict(X), net.score_samples(X)
    assert net.novelty_threshold(0.01) < net.novelty_threshold(0.3)
    assert net.novelty_threshold(0.05) == net.novelty_threshold_
    np.testing.assert_array_equal(net.predict(X), predictions)
    np.testing.assert_array_equal(net.score_samples(X), scores)


@pytest.mark.parametrize("n_rows", [20, 1001, 1002, 4000])
def test_five_percent_threshold_is_the_exact_quantile(n_rows):
    scores = -np.random.default_rng(n_rows).exponential(size=n_rows)
    kept = quantiles(scores)
    assert len(kept) == min(n_rows, 1001)
    assert threshold(kept, np.empty(0), 0, 0.05) == np.quantile(scores, 0.05)
    for rate in (0.002, 0.0123, 0.5, 0.999):
        exact = np.quantile(scores, [rate - 0.001, rate, rate + 0.001 * (rate < 0.999)])
        found = threshold(kept, np.empty(0), 0, rate)
        assert exact[0] <= found <= exact[2]
        assert found == pytest.approx(exact[1], rel=0.05)


@pytest.mark.parametrize("n_held_out", [1, 40, 4000])
def test_kth_score_has_the_conformal_share(n_held_out):
    rng = np.random.default_rng(n_held_out)
    scores, known = np.sort(-rng.exponential(size=n_held_out)), -rng.exponential(size=100)
    stored = quantiles(known), quantiles(scores), n_held_out
    for k in {1, n_held_out // 4, n_held_out} - {0}:
        found = threshold(*stored, k / (n_held_out + 1))
        assert found == pytest.approx(scores[k - 1], rel=0.01)


def test_rates_below_held_out_rows_follow_the_training_tail():
    known = quantiles(-np.random.default_rng(0).exponential(size=1000))
    held_out = np.linspace(-2.0, -1.0, 9)
    rates = [0.1, 0.099, 0.01, 1e-3, 1e-6]
    found = [threshold(known, held_out, 9, rate) for rate in rates]
    assert found[0] == -2.0
    assert (np.diff(found) < 0).all()
    # A tenth of the rate has a tenth of the training rows that are below -2.
    shares = [np.mean(known < each) for each in found[:3]]
    assert shares[2] == pytest.approx(shares[0] / 10, abs=2e-3)
    # No training row is below the lowest held-out one.
    assert threshold(np.array([-1.0, -0.5]), held_out, 9, 1e-3) == -2.0


@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5, np.nan, "0.05", None, True])
def test_rates_outside_zero_and_one_raise(rate):
    net = DistanceNetClassifier(**SMALL).fit(*IRIS)
    with pytest.raises(ValueError, match=r"'false_alarm_rate' .* a float in \(0, 1\); got"):
        net.novelty_threshold(rate)
