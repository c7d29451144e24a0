"""Novelty scores and thresholds: far and plausible novelty, errors, arithmetic."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._novelty import score as novelty
from skdistnet._novelty.score import TiedGaussians
from skdistnet.engine import projection

IRIS = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": 20, "max_iter": 10, "random_state": 0}
KINDS = [DistanceNetClassifier, DistanceNetRegressor]
both_kinds = pytest.mark.parametrize("kind", KINDS)

NETS = {
    "one layer": {},
    "deep": {"hidden_layer_sizes": (12, 10, 8)},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "cauchy": {"activation": "cauchy"},
    "spherical": {"radius_type": "spherical"},
    "tied": {"radius_type": "tied"},
    "hybrid": {"hidden_layer_sizes": (12, 10), "activation": ["gaussian", "relu"]},
    "float32": {"dtype": "float32"},
    "input units": {"standardize": False},
}


def directions(n_features, n_random=50):
    """Return unit vectors, along the axes and at random."""
    drawn = np.random.default_rng(0).normal(size=(n_random, n_features))
    axes = np.eye(n_features)
    return np.vstack([drawn / np.linalg.norm(drawn, axis=1, keepdims=True), axes, -axes])


# Far rows -----------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("options", NETS.values(), ids=NETS)
def test_far_rows_are_novel_in_every_direction(kind, options):
    X, y = IRIS
    if kind is DistanceNetRegressor and options.get("hidden_layer_sizes") == ():
        pytest.skip("its only layer is affine")
    net = kind(**SMALL | options).fit(X, y)
    before = net.novelty_threshold_
    for distance in (1e3, 1e6, 1e12, 1e90):
        if distance > 1e12 and options.get("dtype") == "float32":
            continue
        scores = net.score_samples(X.mean(axis=0) + distance * directions(4) * X.std(axis=0))
        assert np.isfinite(scores).all()
        assert scores.max() < before
        before = scores.max()


@both_kinds
def test_far_digits_are_novel_despite_constant_columns(kind):
    X, y = (part[:400] for part in load_digits(return_X_y=True))
    net = kind(**SMALL).fit(X, y)
    spread = np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    for distance in (1e3, 1e6):
        scores = net.score_samples(X.mean(axis=0) + distance * directions(64) * spread)
        assert scores.max() < net.novelty_threshold_


@both_kinds
def test_change_of_a_constant_column_is_novel(kind):
    X, y = IRIS
    X = np.column_stack([X, np.full(len(X), 7.0)])
    net = kind(**SMALL).fit(X, y)
    usual = net.score_samples(X)
    X[:, -1] += 3.0
    unusual = net.score_samples(X)
    assert (unusual < usual).all()
    assert (unusual < net.novelty_threshold_).all()


# Plausible novelty --------------------------------------------------------------------------------


def test_classes_left_out_are_novel():
    X, y = load_digits(return_X_y=True)
    areas = []
    for digit in (0, 3, 8):
        known = np.flatnonzero(y != digit)
        net = DistanceNetClassifier(max_iter=20, random_state=0).fit(X[known[::2]], y[known[::2]])
        rows = np.vstack([X[known[1::2]], X[y == digit]])
        areas.append(roc_auc_score(np.arange(len(rows)) < len(known) // 2, net.score_samples(rows)))
    assert np.mean(areas) > 0.88


def test_permuted_columns_are_novel_to_a_regressor():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(600, 2))
    X = latent @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(600, 6))
    net = DistanceNetRegressor(max_iter=20, random_state=0).fit(X[:400], latent[:400, 0])
    # The distribution of each column stays the same.
    rows = np.vstack([X[400:], rng.permuted(X[400:], axis=0)])
    assert roc_auc_score(np.arange(400) < 200, net.score_samples(rows)) > 0.9


# Contract -----------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("after_fit", [False, True])
def test_partial_fit_discards_the_calibration(kind, after_fit):
    X, y = IRIS
    net = kind(**SMALL)
    if after_fit:
        net.fit(X, y)
    net.partial_fit(X, y, **({} if kind is DistanceNetRegressor else {"classes": [0, 1, 2]}))
    assert not hasattr(net, "novelty_threshold_")
    with pytest.raises(NotFittedError, match=f"score_samples of {kind.__name__} .* partial_fit"):
        net.score_samples(X)
    with pytest.raises(NotFittedError, match=r"novelty_threshold_ of .* partial_fit"):
        net.novelty_threshold_  # noqa: B018
    with pytest.raises(NotFittedError, match=r"novelty_threshold of .* partial_fit"):
        net.novelty_threshold(0.1)
    assert net.fit(X, y).score_samples(X).shape == (len(X),)


def test_scores_and_thresholds_require_a_fit():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        DistanceNetClassifier().score_samples(IRIS[0])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        DistanceNetClassifier().novelty_threshold(0.1)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        DistanceNetClassifier().novelty_threshold_  # noqa: B018


def test_unknown_attributes_keep_their_error():
    with pytest.raises(AttributeError, match=r"'DistanceNetClassifier' object has no .* 'nothing'"):
        DistanceNetClassifier().nothing  # noqa: B018


def test_dot_product_nets_need_another_fit_for_scores():
    net = DistanceNetClassifier(**SMALL, activation="relu").fit(*IRIS)
    net.set_params(activation="gaussian")
    with pytest.raises(AttributeError, match=r"and call 'fit' again; got .*\('relu',\)"):
        net.novelty_threshold_  # noqa: B018
    assert net.fit(*IRIS).score_samples(IRIS[0]).shape == (150,)


@pytest.mark.parametrize(
    ("net", "advice"),
    [
        (
            DistanceNetClassifier(activation="relu"),
            r"set 'activation', or its first entry, to one of \['cauchy', 'gaussian'\]; got",
        ),
        (DistanceNetRegressor(()), "layer at the input: give 'hidden_layer_sizes' a layer; got"),
        (
            DistanceNetClassifier((), output_layer="linear"),
            "give 'hidden_layer_sizes' a layer or set 'output_layer' to 'distance'",
        ),
    ],
)
def test_unfitted_dot_product_nets_have_no_threshold(net, advice):
    assert not hasattr(net, "novelty_threshold_")
    with pytest.raises(AttributeError, match=advice):
        net.novelty_threshold_  # noqa: B018


@pytest.mark.parametrize(
    "net",
    [
        DistanceNetClassifier(**SMALL, activation="relu"),
        DistanceNetRegressor(**SMALL | {"hidden_layer_sizes": ()}),
        DistanceNetClassifier(**SMALL | {"hidden_layer_sizes": ()}, output_layer="linear"),
        DistanceNetRegressor(
            **SMALL | {"hidden_layer_sizes": (5, 5)}, activation=["tanh", "gaussian"]
        ),
    ],
)
def test_fitted_dot_product_nets_have_no_scores(net):
    net.fit(*IRIS)
    assert not hasattr(net, "score_samples")
    assert not hasattr(net, "novelty_threshold")
    assert not hasattr(net, "novelty_threshold_")
    with pytest.raises(AttributeError) as caught:
        net.score_samples(IRIS[0])
    advice = "set 'activation', or its first entry, to one of ['cauchy', 'gaussian']"
    if not net.hidden_layer_sizes:
        advice = "give 'hidden_layer_sizes' a layer"
    assert f"needs a distance layer at the input: {advice}" in str(caught.value.__cause__)


@both_kinds
def test_scores_are_equal_alone_and_after_saving(kind):
    X, y = IRIS
    net = kind(**SMALL).fit(X, y)
    scores = net.score_samples(X)
    assert scores.max() <= 0.0
    one_by_one = np.concatenate([net.score_samples(row[np.newaxis]) for row in X])
    np.testing.assert_allclose(one_by_one, scores, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).score_samples(X), scores)


@both_kinds
@pytest.mark.parametrize("n_rows", [2, 3, 5])
def test_few_training_rows_suffice_for_far_rows(kind, n_rows):
    X, y = IRIS[0][::30][:n_rows], np.arange(n_rows) % 2
    net = kind(**SMALL).fit(X, y)
    assert net.score_samples(X + 1e3).max() < net.novelty_threshold_


def test_chunks_do_not_change_scores(monkeypatch):
    net = DistanceNetClassifier(**SMALL).fit(*IRIS)
    scores = net.score_samples(IRIS[0])
    monkeypatch.setattr(novelty, "CHUNK", 800)
    np.testing.assert_allclose(net.score_samples(IRIS[0]), scores, rtol=1e-9, atol=1e-9)


@both_kinds
def test_sparse_and_dense_scores_are_equal(kind):
    X, y = (part[:300] for part in load_digits(return_X_y=True))
    net = kind(**SMALL).fit(csr_array(X), y)
    scores = net.score_samples(csr_array(X))
    np.testing.assert_allclose(scores, net.score_samples(X), rtol=1e-9, atol=1e-9)
    assert np.mean(scores < net.novelty_threshold_) < 0.1
    assert net.score_samples(csr_array(X * 1e4)).max() < net.novelty_threshold_


@both_kinds
def test_scores_use_only_observed_values(kind):
    X, y = IRIS
    missing = np.random.default_rng(0).uniform(size=X.shape) < 0.1
    X = np.where(missing, np.nan, X)
    X = np.column_stack([X, np.full(len(X), np.nan)])  # a column without observed values
    net = kind(**SMALL).fit(X, y)
    scores = net.score_samples(X)
    assert np.isfinite(scores).all()
    assert np.mean(scores < net.novelty_threshold_) < 0.2
    assert net.score_samples(X + 1e3)[~np.isnan(X).all(axis=1)].max() < net.novelty_threshold_


ONE_HOT = np.eye(3, dtype=int)[IRIS[1]]


@pytest.mark.parametrize(
    ("net", "target", "n_groups"),
    [
        (DistanceNetClassifier(**SMALL), IRIS[1], 3),
        (DistanceNetClassifier(**SMALL), ONE_HOT, 1),
        (DistanceNetClassifier(**SMALL), np.column_stack([IRIS[1], IRIS[1] > 0]), 1),
        # Counts are not standardised, so the network's target is one-hot, too.
        (DistanceNetRegressor(**SMALL, loss="poisson"), ONE_HOT, 1),
    ],
    ids=["classes", "multilabel", "multi-output", "counts"],
)
def test_only_single_class_labels_group_rows(net, target, n_groups):
    net.fit(IRIS[0], target)
    assert {len(layer["means"]) for layer in net._novelty_["layers"]} == {n_groups}


def test_multilabel_nets_have_scores():
    X, y = IRIS
    labels = np.column_stack([y == 0, y > 0, y == 2]).astype(int)
    net = DistanceNetClassifier(**SMALL).fit(X, labels)
    assert net.score_samples(X + 1e3).max() < net.novelty_threshold_


@pytest.fixture
def one_hot():
    """Return rows of many levels, most of which a single row has, as columns of zeros and ones."""
    levels = np.where(np.arange(100) < 70, np.arange(100), 70 + np.arange(100) % 5)
    return np.eye(75)[np.random.default_rng(0).permutation(levels)]


@pytest.fixture
def trial_maps(monkeypatch):
    """Return a list that receives each trial's map, and the one whose units its scores have."""
    maps, of_trial = [], novelty.NoveltyScorer.of_trial

    def record(self, network, theta, trial_map, input_map, *args, **options):
        maps.append((trial_map, input_map))
        return of_trial(self, network, theta, trial_map, input_map, *args, **options)

    monkeypatch.setattr(novelty.NoveltyScorer, "of_trial", record)
    return maps


@both_kinds
@pytest.mark.parametrize("word", [False, True])
def test_fit_may_project_where_trials_do_not(kind, word, one_hot, trial_maps, monkeypatch):
    monkeypatch.setattr(projection, "MANY_RARE_COLUMNS", 74)  # trials have fewer that vary
    X, y = pd.DataFrame(one_hot).add_prefix("x"), np.arange(100) % 2
    if word:
        X["word"] = np.array(["a", "b", "c"])[np.arange(100) % 3]
    net = kind(**SMALL).fit(X, y)
    assert net._input_components_ is not None
    assert not any(own.rotates for own, _ in trial_maps)
    assert np.isfinite(net.score_samples(X)).all()
    assert np.mean(net.score_samples(X) < net.novelty_threshold_) < 0.2


@both_kinds
def test_trials_may_project_where_fit_does_not(kind, one_hot, trial_maps, monkeypatch):
    monkeypatch.setattr(projection, "MANY_RARE_COLUMNS", 40)
    one_hot[7, 3] = np.nan  # a row that one trial holds out
    net = kind(**SMALL).fit(one_hot, np.arange(100) % 2)
    assert net._input_components_ is None
    assert any(own.rotates for own, _ in trial_maps)
    assert np.mean(net.score_samples(one_hot) < net.novelty_threshold_) < 0.2


@pytest.mark.parametrize("word", [False, True])
def test_trials_score_levels_by_their_own_locations(word, trial_maps):
    X = pd.DataFrame(IRIS[0], columns=list("abcd"))
    net = DistanceNetClassifier(**SMALL).fit(X.assign(d="x") if word else X, IRIS[1])
    assert len(trial_maps) == 5
    assert np.isfinite(net.novelty_threshold_)
    assert {used is own for own, used in trial_maps} == {word}


# Arithmetic ---------------------------------------------------------------------------------------


def features(n_rows=60, n_columns=7):
    rng = np.random.default_rng(0)
    groups = np.arange(n_rows) % 3
    spread = np.arange(1, n_columns + 1)
    return rng.normal(size=(n_rows, n_columns)) * spread + groups[:, np.newaxis], groups


def test_shrinkage_is_ledoit_and_wolfs():
    F, _ = features()
    F -= F.mean(axis=0)
    shrinkage = 1.0 - novelty.whiten(F)[1]
    assert shrinkage == pytest.approx(ledoit_wolf_shrinkage(F, assume_centered=True), rel=1e-9)


def test_held_out_distances_equal_fits_without_the_row():
    F, groups = features()
    F[:, 0] += 1e3 * groups  # so that each row is nearest to its own group
    _, log_distance = TiedGaussians.fit(F, groups)
    means = np.stack([F[groups == group].mean(axis=0) for group in range(3)])
    residual = F - means[groups]
    covariance = residual.T @ residual / len(F)
    shrinkage = 1.0 - novelty.whiten(residual)[1]
    sphere = shrinkage * np.trace(covariance) / F.shape[1] * np.eye(F.shape[1])
    for row in range(len(F)):
        others = np.arange(len(F)) != row
        own = others & (groups == groups[row])
        means = [F[others & (groups == group)].mean(axis=0) for group in range(3)]
        residual = F[others] - np.stack(means)[groups[others]]
        without = (1.0 - shrinkage) * (residual.T @ residual) / len(F) + sphere
        deviation = F[row] - F[own].mean(axis=0)
        expected = deviation @ np.linalg.solve(without, deviation)
        assert log_distance[row] == pytest.approx(np.log(expected), abs=1e-7)


def test_box_distances_are_in_column_ranges():
    bounds = np.array([[0.0, 5.0], [10.0, 5.0]])
    X = np.array([[0.0, 5.0], [10.0, 5.0], [12.0, 5.0], [-5.0, 5.2], [3.0, 8.0]])
    outside = np.exp(novelty.log_distance_outside_box(X, bounds)) - novelty.BOX_MARGIN
    np.testing.assert_allclose(outside, [0.0, 0.0, 0.2, 0.5, 3.0], atol=1e-12)


def test_scores_are_sums_of_log_tail_shares():
    rng = np.random.default_rng(0)
    centers, scales = np.array([3.0, -1.0, 0.0]), np.array([2.0, 0.1, 1.0])
    known = rng.laplace(centers, scales, (1_000_000, 3)).T
    rows = np.array([[3.0, 9.0, 1.0], [-1.0, -1.1, -0.7], [0.0, 2.0, 3.0]])
    shares = [
        [np.mean(kind > number) for number in numbers]
        for kind, numbers in zip(known, rows, strict=True)
    ]
    logs = np.log(shares)
    for n_layers in (1, 2):
        scores = novelty.combine(rows, n_layers, centers, scales)
        expected = logs[:n_layers].mean(axis=0) + logs[n_layers:].sum(axis=0)
        np.testing.assert_allclose(scores, expected, atol=0.05)


def test_every_large_statistic_lowers_the_score():
    statistics = np.full((3, 5), -5.0)
    statistics[1, 1:] = statistics[2, 2:] = 2.0
    statistics[2, 3:] = [50.0, 1e6]
    scores = novelty.combine(statistics, 1, np.zeros(3), np.ones(3))
    assert (np.diff(scores) < -1.0).all()
    assert scores[-1] == pytest.approx(-1e6, rel=1e-4)
