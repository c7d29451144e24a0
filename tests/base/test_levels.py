"""Levels: which values are one level, and what changes as levels come and go."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from category_tables import ONE_FIT, SMALL, fitted, regressor

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

N_ROWS = 80
CODES = np.arange(N_ROWS) % 4
Y = np.arange(N_ROWS) % 2
SIZES = np.random.default_rng(0).normal(size=N_ROWS)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_entries_of_a_list_are_missing(missing):
    X = [["a" if code else missing, size] for code, size in zip(CODES, SIZES)]
    net = fitted(X, Y, categorical_features=[0])
    assert net.categories_[0].tolist() == ["a"]


VALUES = {
    "decimals": ([Decimal("1.0"), Decimal("2.5"), Decimal(3)], [1, 2.5, 3]),
    "single precision": (list(np.float32([0.1, 0.7, 3.0])), [0.1, 0.7, 3]),
    "integers": (list(np.int8([1, 2, 3])), [1, 2, 3]),
    "strings": (["1", "2", "3"], ["1", "2", "3"]),
    "booleans": ([True, False, 3], [0, 1, 3]),
    "lists": ([[1], [2], [3, 4]], ["[1]", "[2]", "[3, 4]"]),
}


@pytest.mark.parametrize("name", VALUES)
def test_equal_values_of_other_types_are_one_level(name):
    values, levels = VALUES[name]
    X = pd.DataFrame({"value": pd.Series([values[code % 3] for code in CODES], dtype=object)})
    X = X.assign(size=SIZES)
    net = fitted(X, Y, categorical_features=["value"])
    assert net.categories_[0].tolist() == levels
    text = X.assign(value=[str(values[code % 3]) for code in CODES])
    if name in ("integers", "strings", "lists"):
        np.testing.assert_array_equal(net.predict_proba(text), net.predict_proba(X))


def test_single_precision_finds_the_same_levels():
    values = np.array([0.1, 0.7, 0.3, 2.0])[CODES]
    X = np.column_stack([values, SIZES])
    net = fitted(X.astype(np.float32), Y, categorical_features=[0])
    assert net.categories_[0].tolist() == [0.1, 0.3, 0.7, 2]
    np.testing.assert_allclose(
        net.predict_proba(X), net.predict_proba(X.astype(np.float32)), atol=1e-6
    )


def test_lists_of_polars_can_be_levels():
    X = pl.DataFrame({"parts": [[code] for code in CODES.tolist()], "size": SIZES})
    net = fitted(X, Y, categorical_features=["parts"])
    assert net.categories_[0].tolist() == ["[0]", "[1]", "[2]", "[3]"]


@pytest.mark.parametrize("n_levels", [2, 3, 20, 24])
def test_levels_without_weight_change_nothing(n_levels):
    codes = np.arange(N_ROWS) % n_levels
    X = pd.DataFrame({"level": [f"l{code:02}" for code in codes], "size": SIZES})
    extra = pd.concat([X, pd.DataFrame({"level": ["a new one", "l00"], "size": [0.0, 1.0]})])
    weights, y = np.r_[np.ones(N_ROWS), 0.0, 0.0], np.r_[Y, 1, 0]
    weighted = DistanceNetClassifier(**ONE_FIT).fit(extra, y, sample_weight=weights)
    np.testing.assert_array_equal(weighted.predict_proba(X), fitted(X, Y).predict_proba(X))
    assert weighted.categories_[0].tolist() == fitted(X, Y).categories_[0].tolist()


def test_second_level_of_a_constant_column_has_usual_radii():
    X = pd.DataFrame({"level": ["a"] * N_ROWS, "size": SIZES})
    net = DistanceNetClassifier(**ONE_FIT, warm_start=True).fit(X, Y)
    assert net._input_map.varying.tolist() == [True, False]
    varied = X.assign(level=np.array(["a", "b"])[Y])
    input_map, new = net._input_map.extended(np.column_stack([Y, SIZES]).astype(float))
    assert new.tolist() == [1]
    assert input_map.varying.all()
    net.fit(varied, Y)
    radii = np.abs(net._network.views(net._theta_)[0]["inverse_radii"])
    assert np.median(radii[:, 1]) < 5 * np.median(radii[:, 0])


def test_new_level_keeps_locations_of_folds():
    codes = np.arange(N_ROWS) % 30
    X = pd.DataFrame({"level": [f"l{code:02}" for code in codes], "size": SIZES})
    net = DistanceNetRegressor(**ONE_FIT, warm_start=True).fit(X, SIZES + codes)
    before = net._input_locations_[0]["of_folds"]
    net.fit(X.assign(level=["a new one", *X["level"][1:]]), SIZES + codes)
    after = net._input_locations_[0]["of_folds"]
    assert after.shape == (before.shape[0], 31, before.shape[2])
    np.testing.assert_array_equal(after[:, :30], before)
    np.testing.assert_array_equal(after[:, 30], 0.0)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_levels_not_trained_on_are_one_to_predictions(weight):
    codes = np.arange(N_ROWS) % 30
    X = pd.DataFrame({"level": [f"l{code:02}" for code in codes], "size": SIZES})
    net = DistanceNetClassifier(**ONE_FIT, warm_start=True).fit(X, Y)
    later = X.assign(level=["weightless", *X["level"][1:]])
    net.fit(later, Y, sample_weight=np.r_[weight, np.ones(N_ROWS - 1)])
    rows = [X[:5].assign(level=level) for level in ("never", "l00", "weightless")]
    never, first, weightless = map(net.predict_proba, rows)
    assert np.abs(weightless - first).max() > 1e-6
    if weight == 0.0:
        np.testing.assert_array_equal(weightless, never)


def test_error_in_predict_says_that_the_column_held_numbers():
    X = pd.DataFrame({"size": SIZES, "other": SIZES})
    net = regressor(X, SIZES)
    with pytest.raises(ValueError, match="The column held numbers when the estimator was fitted"):
        net.predict(X.assign(other="a"))


def test_failed_block_adds_no_levels():
    X = pd.DataFrame({"level": ["a", "b"] * (N_ROWS // 2), "size": SIZES})
    net = DistanceNetClassifier(**SMALL).fit(X, Y)
    before = net.predict_proba(X)
    with pytest.raises(ValueError, match="classes"):
        net.partial_fit(X.assign(level="c"), np.full(N_ROWS, 7))
    assert net.categories_[0].tolist() == ["a", "b"]
    np.testing.assert_array_equal(net.predict_proba(X), before)
