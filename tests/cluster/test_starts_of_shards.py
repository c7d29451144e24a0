"""Input units, classes, levels, target units and weights are those of a local fit."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe")

from cluster_fits import (
    DIABETES,
    DIABETES_Y,
    DIGITS,
    DIGITS_Y,
    KINDS,
    fitted,
    fitted_locally,
    mixed_frame,
)

from skdistnet._dask import start
from skdistnet._dask.fit import divide_rows
from skdistnet._dask.partitions import take_rows
from skdistnet._dask.summary import merge, summarize
from skdistnet.dask import DaskDistanceNetClassifier, DaskDistanceNetRegressor

ONE_EPOCH = {"max_iter": 1}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), KINDS.values(), ids=KINDS)


def values_of(state):
    """Return all arrays, numbers and other values in nested containers."""
    if isinstance(state, dict):
        return [one for name in sorted(state) for one in values_of(state[name])]
    if isinstance(state, (list, tuple)):
        return [one for each in state for one in values_of(each)]
    if hasattr(state, "__dict__"):
        return values_of(vars(state))
    return [state]


def assert_close(one, other):
    for a, b in zip(values_of(one), values_of(other), strict=True):
        if isinstance(a, (float, np.floating)) or getattr(a, "dtype", np.dtype(object)).kind == "f":
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        else:
            np.testing.assert_array_equal(a, b)


def assert_same_start(net, local):
    for name in ("_input_shift_", "_input_scale_", "_input_origin_", "_input_varied_"):
        assert_close(getattr(net, name), getattr(local, name))
    # Of a target that varies, the value in the first row does not matter.
    own, expected = (dict(one._target_state_, constant=None) for one in (net, local))
    assert_close(own, expected)
    assert net._theta_.shape == local._theta_.shape
    if hasattr(local, "classes_"):
        assert_close(net.classes_, local.classes_)
    assert net.n_features_in_ == local.n_features_in_
    assert net._levels_ == local._levels_ or values_of(net._levels_) == values_of(local._levels_)


@both_kinds
@pytest.mark.parametrize("weighted", [False, True])
def test_start_is_that_of_local_fit(client, kind, X, y, weighted):
    weights = np.random.default_rng(1).random(len(y)) if weighted else None
    net = fitted(client, kind, X, y, weights, **ONE_EPOCH)
    assert_same_start(net, fitted_locally(kind, X, y, weights, **ONE_EPOCH))


@pytest.mark.parametrize("weighted", [False, True])
def test_start_with_class_weights_is_local_one(client, weighted):
    X, y = DIGITS[:600], np.where(DIGITS_Y[:600] == 3, "three", "other")
    weights = np.random.default_rng(1).random(len(y)) if weighted else None
    options = ONE_EPOCH | {"class_weight": "balanced"}
    net = fitted(client, DaskDistanceNetClassifier, X, y, weights, **options)
    assert_same_start(net, fitted_locally(DaskDistanceNetClassifier, X, y, weights, **options))


def test_levels_with_class_weights_are_local_ones(client):
    X, y = mixed_frame(600)
    X, options = X[["color", "size"]], ONE_EPOCH | {"class_weight": {"yes": 5.0, "no": 1.0}}
    net = fitted(client, DaskDistanceNetClassifier, X, y, **options)
    local = fitted_locally(DaskDistanceNetClassifier, X, y, **options)
    assert_same_start(net, local)
    assert_close(net._input_locations_, local._input_locations_)


@both_kinds
def test_start_of_unbalanced_partitions_is_the_same(client, kind, X, y):
    bounds = [0, 1, 1, 300, 310, len(y), len(y)]
    frames = pd.DataFrame(X), pd.Series(y)
    net = fitted(client, kind, *frames, bounds=bounds, **ONE_EPOCH)
    assert_same_start(net, fitted_locally(kind, *frames, **ONE_EPOCH))


def test_large_offset_keeps_its_units(client):
    X = DIABETES + 1e6 * np.arange(1, 11)
    net = fitted(client, DaskDistanceNetRegressor, X, 1e9 + DIABETES_Y, **ONE_EPOCH)
    local = fitted_locally(DaskDistanceNetRegressor, X, 1e9 + DIABETES_Y, **ONE_EPOCH)
    np.testing.assert_allclose(net._input_scale_, local._input_scale_, rtol=1e-7)
    np.testing.assert_allclose(net._input_shift_, local._input_shift_, rtol=1e-14)


def test_missing_values_leave_units_alone(client):
    X = np.where(np.random.default_rng(0).random(DIABETES.shape) < 0.2, np.nan, DIABETES)
    X[:120, 3] = np.nan  # a whole partition
    X[:, 5] = np.nan
    net = fitted(client, DaskDistanceNetRegressor, X, DIABETES_Y, **ONE_EPOCH)
    assert_same_start(net, fitted_locally(DaskDistanceNetRegressor, X, DIABETES_Y, **ONE_EPOCH))


def test_sorted_classes_are_all_found(client):
    order = np.argsort(DIGITS_Y, kind="stable")
    X, y = DIGITS[order], DIGITS_Y[order]
    net = fitted(client, DaskDistanceNetClassifier, X, y, bounds=10, n_shards=5, **ONE_EPOCH)
    assert_same_start(net, fitted_locally(DaskDistanceNetClassifier, X, y, **ONE_EPOCH))


@pytest.mark.parametrize("labels", ["U4", "f8", "i2", "O"])
def test_classes_keep_the_type_of_labels(client, labels):
    y = DIGITS_Y[:400].astype(str if labels == "O" else labels).astype(labels)
    net = fitted(client, DaskDistanceNetClassifier, DIGITS[:400], y, **ONE_EPOCH)
    np.testing.assert_array_equal(net.classes_, np.unique(y))
    assert net.classes_.dtype == np.unique(y).dtype
    assert net.to_local().predict(DIGITS[:5]).dtype == y.dtype


def test_strings_of_different_lengths_are_united(client):
    y = np.array(["a"] * 60 + ["longer"] * 60 + ["z"] * 60)
    net = fitted(client, DaskDistanceNetClassifier, DIGITS[:180], y, bounds=3, **ONE_EPOCH)
    np.testing.assert_array_equal(net.classes_, ["a", "longer", "z"])


def test_class_of_weight_zero_is_known(client):
    X, y = DIGITS[:600], DIGITS_Y[:600]
    weights = (y != 3) * 1.0
    net = fitted(client, DaskDistanceNetClassifier, X, y, weights, **ONE_EPOCH)
    local = fitted_locally(DaskDistanceNetClassifier, X, y, weights, **ONE_EPOCH)
    assert_same_start(net, local)
    assert 3 in net.classes_
    assert net.to_local().predict_proba(X)[:, 3].max() < 0.1


@pytest.mark.parametrize("weighted", [False, True])
def test_levels_are_those_of_all_rows(client, weighted):
    X, y = mixed_frame()
    weights = pd.Series(np.random.default_rng(1).random(len(y))) if weighted else None
    net = fitted(client, DaskDistanceNetClassifier, X, y, weights, **ONE_EPOCH)
    local = fitted_locally(DaskDistanceNetClassifier, X, y, weights, **ONE_EPOCH)
    assert_same_start(net, local)
    np.testing.assert_array_equal(net.feature_names_in_, X.columns)


def test_levels_lie_at_mean_targets_of_rows(client):
    """Those of all rows; folds depend on shards, so that the scale differs a little."""
    X, y = mixed_frame(2000)
    net = fitted(client, DaskDistanceNetClassifier, X, y, n_shards=1, **ONE_EPOCH)
    local = fitted_locally(DaskDistanceNetClassifier, X, y, **ONE_EPOCH)
    own, expected = (
        np.concatenate([np.ravel(each) for each in map(points_of, one._input_map.locations)])
        for one in (net, local)
    )
    assert own.shape == expected.shape
    assert all(one["of_folds"] is None for one in net._input_locations_)
    assert np.corrcoef(own, expected)[0, 1] > 0.99


def points_of(locations):
    return locations.points


# Weights of rows ----------------------------------------------------------------------------------


def encoded(kind, X, y, weights=None, n_shards=3, n_parts=4, **options):
    """Return the rows of shards, as the tasks of a fit encode them."""
    net, bounds = kind(**options), np.linspace(0, len(y), n_parts + 1).astype(int)
    parts = [
        [one if one is None else take_rows(one, slice(*pair)) for one in (X, y, weights)]
        for pair in pairwise(bounds)
    ]
    summary = merge([summarize(net, 0, number, *part) for number, part in enumerate(parts)])
    encoder, sizes, _ = start.fit_encoder(net, summary)
    return encoder, [
        start.encode_shard(encoder, 0, pieces, [parts[number] for number, _ in pieces], (0.0, 1.0))
        for pieces in divide_rows(sizes, n_shards)
    ]


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0, 7: 0.5}, None])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights_are_those_of_local_fit(class_weight, weighted):
    X, y = np.arange(len(DIGITS_Y), dtype=float)[:, np.newaxis], np.sort(DIGITS_Y)
    weights = np.random.default_rng(1).integers(0, 3, len(y)) if weighted else None
    kind, options = KINDS["classifier"][0], {"class_weight": class_weight, "random_state": 0}
    _, shards = encoded(kind._local_class, X, y, weights, **options)
    local = kind._local_class(early_stopping=False, **options)
    rows = local._prepare_fit(X, y, weights, (None, None, None))[1].rows
    found = [np.ones(len(one)) if one.weights is None else one.weights for one in shards]
    order = np.argsort(np.concatenate([one.X[:, 0] for one in shards]))
    own = np.concatenate(found)[order]
    expected = np.ones(len(rows)) if rows.weights is None else rows.weights
    np.testing.assert_array_equal(np.concatenate([one.X for one in shards])[order], rows.X)
    np.testing.assert_array_equal(
        np.concatenate([one.target for one in shards])[order], rows.target
    )
    np.testing.assert_allclose(own / own.mean(), expected / expected.mean(), rtol=1e-9)


def test_targets_of_shards_are_in_local_units():
    kind = KINDS["regressor"][0]._local_class
    _, shards = encoded(kind, DIABETES, DIABETES_Y, standardize=True)
    rows = kind(early_stopping=False)._prepare_fit(DIABETES, DIABETES_Y, None, (None,) * 3)[1].rows
    own = np.sort(np.concatenate([one.target for one in shards]), axis=0)
    np.testing.assert_allclose(own, np.sort(rows.target, axis=0), rtol=1e-9)


def test_rows_are_held_out_once():
    kind = KINDS["classifier"][0]._local_class
    numbers = np.arange(1000.0)[:, np.newaxis]
    encoder, _ = encoded(kind, numbers, DIGITS_Y[:1000])
    pieces, parts = [(0, slice(0, 1000))], [(numbers, DIGITS_Y[:1000], None)]
    trained = start.encode_shard(encoder, 0, pieces, parts, (0.0, 0.9))
    selected = start.select_rows(0, *pieces[0], parts[0], (0.9, 1.0))
    held = start.encode_held_out(encoder, [selected])
    assert 70 < len(held) < 130
    both = np.concatenate([trained.X[:, 0], held.X[:, 0]])
    np.testing.assert_array_equal(np.sort(both), numbers[:, 0])
    np.testing.assert_array_equal(held.y, DIGITS_Y[held.X[:, 0].astype(int)])
