"""Many levels of a column lie at their mean target, found without the fold of the row."""

import numpy as np
import pandas as pd
import pytest
from category_tables import ONE_FIT, fitted, regressor
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import locations
from skdistnet.engine.training import Rows

N_ROWS, N_LEVELS = 240, 40
NAMES = np.array([f"level {number:03}" for number in range(300)])
EFFECTS = np.random.default_rng(1).normal(size=N_LEVELS)


def draw_levels(n_rows=N_ROWS, seed=0, n_levels=N_LEVELS):
    """Return a frame of one column, and its codes; each level has a row if rows suffice."""
    codes = np.random.default_rng(seed).permutation(np.arange(n_rows) % n_levels)
    return pd.DataFrame({"level": NAMES[codes]}), codes


def draw_labels(codes, seed=0, n_classes=2):
    """Return labels that depend on the level, with noise."""
    noise = np.random.default_rng(seed).logistic(size=(len(codes), n_classes))
    effects = 2.5 * np.random.default_rng(2).normal(size=(N_LEVELS, n_classes))
    return (effects[codes] + noise).argmax(axis=1)


def training_inputs(net, recorded):
    """Return the inputs of a net in its last training run, which it keeps to go on, and targets."""
    rows, _ = recorded[-1]
    inputs = np.empty((len(rows), net._network.sizes[0]))
    net._input_map.apply(rows.X, inputs)
    return inputs, rows.target


def correlation(one, other):
    return np.corrcoef(np.ravel(one), np.ravel(other))[0, 1]


# Which columns ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_levels", "n_inputs"), [(2, 1), (3, 3), (20, 20), (21, 1), (40, 1)])
def test_more_than_twenty_levels_lie_by_target(n_levels, n_inputs):
    X, codes = draw_levels(n_levels=n_levels)
    assert regressor(X, EFFECTS[codes])._network.sizes[0] == n_inputs


@pytest.mark.parametrize(("most", "n_inputs"), [(45, 12 + 8 + 15), (30, 12 + 8 + 1), (9, 8 + 2)])
def test_longest_of_many_long_columns_lie_by_target(most, n_inputs, monkeypatch):
    monkeypatch.setattr(locations, "MOST_LEVELS", most)
    sizes = [12, 8, 15]
    columns = [draw_levels(seed=seed, n_levels=size) for seed, size in enumerate(sizes)]
    X = pd.concat([frame for frame, _ in columns], axis=1)
    X.columns = ["a", "b", "c"]
    net = regressor(X, EFFECTS[columns[0][1]])
    assert net._network.sizes[0] == n_inputs
    assert np.isfinite(net.predict(X)).all()


def test_streams_have_an_input_for_each_level():
    X, codes = draw_levels(n_levels=25)
    net = DistanceNetRegressor(**ONE_FIT).partial_fit(X, EFFECTS[codes])
    assert net._network.sizes[0] == 32


CODES = draw_levels()[1]
NORMAL = np.random.default_rng(0).normal(size=(N_ROWS, 12))
QUANTILES = {"loss": "quantile", "quantile": [0.1, 0.9]}
TARGETS = {
    "two classes": (DistanceNetClassifier, CODES % 2, {}, 1),
    "three classes": (DistanceNetClassifier, CODES % 3, {}, 2),
    "thirty classes": (DistanceNetClassifier, CODES % 30, {}, 8),
    "one class": (DistanceNetClassifier, CODES * 0, {}, 1),
    "labels": (DistanceNetClassifier, NORMAL[:, :3] > 0, {}, 3),
    "columns of classes": (DistanceNetClassifier, np.stack([CODES % 2, CODES % 3], 1), {}, 3),
    "one number": (DistanceNetRegressor, NORMAL[:, 0], {}, 1),
    "twelve numbers": (DistanceNetRegressor, NORMAL, {}, 8),
    "equal columns": (DistanceNetRegressor, NORMAL[:, [0, 0, 1]], {}, 2),
    "a constant": (DistanceNetRegressor, CODES * 0 + 3.0, {}, 1),
    "quantiles": (DistanceNetRegressor, NORMAL[:, 0], QUANTILES, 1),
    "counts": (DistanceNetRegressor, CODES, {"loss": "poisson"}, 1),
}


@pytest.mark.parametrize(("kind", "y", "options", "n_inputs"), TARGETS.values(), ids=TARGETS)
def test_locations_have_directions_of_the_target(kind, y, options, n_inputs):
    X, _ = draw_levels()
    net = kind(**ONE_FIT | {"max_iter": 2} | options).fit(X.assign(size=NORMAL[:, 0]), y * 1)
    assert net._network.sizes[0] == 1 + n_inputs
    for rows in (X, X.assign(level="new"), X.assign(level=None)):
        assert np.isfinite(net.predict(rows.assign(size=0.0))).all()
    assert net.feature_relevances_.sum() == pytest.approx(1)


# Where they are -----------------------------------------------------------------------------------


def test_levels_lie_at_shrunken_means(runs):
    X, codes = draw_levels()
    y = EFFECTS[codes] + np.random.default_rng(3).normal(size=N_ROWS)
    net = regressor(X, y, warm_start=True)
    centered = (y - y.mean()) / y.std()
    encoder = TargetEncoder(target_type="continuous").fit(codes[:, np.newaxis], centered)
    (points,) = (each["points"] for each in net._input_locations_)
    assert abs(correlation(points, encoder.encodings_[0])) == pytest.approx(1)
    inputs, _ = training_inputs(net, runs)
    assert inputs.var() == pytest.approx(1)


def test_rows_are_trained_without_their_fold(runs):
    X, codes = draw_levels()
    y = EFFECTS[codes] + np.random.default_rng(3).normal(size=N_ROWS)
    net = regressor(X, y, warm_start=True)
    inputs, _ = training_inputs(net, runs)
    folds = locations.folds_of(N_ROWS)
    assert np.bincount(folds).tolist() == [N_ROWS // 5] * 5
    (points,) = (each["points"] for each in net._input_locations_)
    centered, scale = (y - y.mean()) / y.std(), np.ptp(points)
    encoder = TargetEncoder(target_type="continuous")
    full = encoder.fit(codes[:, np.newaxis], centered).encodings_[0]
    scale = scale / np.ptp(full) * np.sign(correlation(points, full))
    for fold in range(5):
        rest = folds != fold
        encoder.fit(codes[rest, np.newaxis], centered[rest])
        expected = encoder.transform(codes[~rest, np.newaxis])
        np.testing.assert_allclose(inputs[~rest], scale * expected, atol=1e-9)


def test_centroids_start_where_rows_are_trained():
    X, codes = draw_levels()
    options = {"init": "sample", "max_iter": 1, "learning_rate_init": 1e-12, "warm_start": True}
    net = regressor(X, EFFECTS[codes] + NORMAL[:, 0], **options)
    ((known, without_folds),) = (
        (each["points"], each["of_folds"]) for each in net._input_locations_
    )
    centroids = net._network.views(net._theta_)[0]["centroids"]
    from_folds, from_known = (
        np.nanmin(np.abs(points.ravel() - centroids), axis=1) for points in (without_folds, known)
    )
    assert np.mean(from_folds < 1e-9) > 0.7  # duplicates have been moved
    assert (from_known > 1e-6).all()


def test_noise_does_not_show_in_training_inputs(runs):
    X, _ = draw_levels(n_levels=120)  # two rows each
    y = np.random.default_rng(3).integers(0, 2, N_ROWS)
    net = fitted(X, y, warm_start=True)
    inputs, target = training_inputs(net, runs)
    observed = ~np.isnan(inputs[:, 0])
    assert observed.mean() > 0.5
    assert abs(correlation(inputs[observed, 0], target[observed, 0])) < 0.2
    # Means of all rows would tell the class.
    inputs = np.empty((N_ROWS, 1))
    net._input_map.apply(net._check_rows(X), inputs)
    assert abs(correlation(inputs, y)) > 0.6


def test_locations_depend_on_no_seed():
    X, codes = draw_levels()
    y = draw_labels(codes)
    one, other = (fitted(X, y, random_state=seed) for seed in (0, 1))
    np.testing.assert_array_equal(
        one._input_locations_[0]["points"], other._input_locations_[0]["points"]
    )


# What nets learn from them ------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
def test_effects_of_levels_are_learned(n_classes):
    """Rows are equal if their level and class are; inputs must not show what is left out."""
    X, codes = draw_levels(600)
    rows, codes_of_rows = draw_levels(600, seed=1)
    net = DistanceNetClassifier(20, max_iter=20, random_state=0)
    net.fit(X, draw_labels(codes, 0, n_classes))
    y = draw_labels(codes_of_rows, 1, n_classes)
    assert net.score(rows, y) > max(0.6, np.bincount(y).max() / len(y) + 0.1)


def test_effects_on_numbers_are_learned():
    X, codes = draw_levels(400)
    rows, codes_of_rows = draw_levels(400, seed=1)
    noise = np.random.default_rng(3).normal(size=400)
    net = DistanceNetRegressor(20, max_iter=20, random_state=0).fit(X, EFFECTS[codes] + 0.5 * noise)
    assert net.score(rows, EFFECTS[codes_of_rows]) > 0.7


@pytest.mark.parametrize("n_levels", [250, 125])
def test_levels_of_noise_cost_little(n_levels):
    rng = np.random.default_rng(4)
    x = rng.normal(size=500)
    y = (x + 0.5 * rng.normal(size=500) > 0).astype(int)
    X = pd.DataFrame({"x": x, "noise": NAMES[rng.permutation(np.arange(500) % n_levels)]})
    net = DistanceNetClassifier(20, max_iter=20, random_state=0)
    alone = net.fit(X[["x"]][:250], y[:250]).score(X[["x"]][250:], y[250:])
    assert net.fit(X[:250], y[:250]).score(X[250:], y[250:]) > alone - 0.05


def test_levels_in_one_fold_are_missing_in_training():
    X, codes = draw_levels()
    X.loc[7, "level"] = "only once"
    net = regressor(X.assign(size=NORMAL[:, 0]), EFFECTS[codes])
    assert len(net.categories_[0]) == 41
    assert np.isfinite(net.predict(X.assign(size=NORMAL[:, 0]))).all()
    assert np.isfinite(net.loss_curve_).all()


def test_light_rows_hardly_move_locations():
    X, codes = draw_levels()
    heavy = np.arange(N_ROWS) % 2 == 0
    others = np.random.default_rng(5).permutation(EFFECTS)
    y = np.where(heavy, EFFECTS[codes], 10.0 * others[codes])
    weights = np.where(heavy, 1.0, 1e-3)
    net = DistanceNetRegressor(**ONE_FIT).fit(X, y, sample_weight=weights)
    locations_of_levels = net._input_locations_[0]["points"][:, 0]
    assert abs(correlation(locations_of_levels, EFFECTS)) > 0.8


@given(st.lists(st.integers(1, 4), min_size=30, max_size=60), st.integers(0, 9))
def test_means_by_weight_are_those_of_repeated_rows(repeats, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 25, len(repeats)).astype(float)
    y = rng.normal(size=(len(repeats), 2))
    levels, weights = [list(range(25))], np.array(repeats, dtype=float)
    directions = locations.TargetDirections(np.zeros(2), np.eye(2))
    (sums,) = locations.level_sums(Rows(codes[:, np.newaxis], y), weights, levels, directions)
    again, y_again = np.repeat(codes, repeats), np.repeat(y, repeats, axis=0)
    means, seen = sums.means(slice(None)), np.isin(np.arange(25), codes)
    for column, wanted in zip(means.T, y_again.T):
        encoder = TargetEncoder(target_type="continuous").fit(again[:, np.newaxis], wanted)
        found = encoder.categories_[0] >= 0
        np.testing.assert_allclose(column[seen], encoder.encodings_[0][found], atol=1e-9)
    assert np.isnan(means[~seen]).all()


@given(st.integers(2, 5), st.integers(0, 9))
def test_sums_of_parts_add_up(n_parts, seed):
    rng = np.random.default_rng(seed)
    codes, y = rng.integers(0, 30, (60, 1)).astype(float), rng.normal(size=(60, 1))
    arguments = [list(range(30))], locations.TargetDirections(np.zeros(1), np.eye(1))
    parts = [
        locations.level_sums(Rows(codes[part], y[part]), np.ones(len(part)), *arguments)[0]
        for part in np.array_split(rng.permutation(60), n_parts)
    ]
    together = locations.level_sums(Rows(codes, y), np.ones(60), *arguments)[0]
    added = sum(parts[1:], parts[0])
    # Folds differ: each part deals its own rows to them.
    for one, other in zip(vars(added).values(), vars(together).values()):
        np.testing.assert_allclose(one.sum(axis=0), other.sum(axis=0), atol=1e-12)
