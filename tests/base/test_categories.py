"""Which columns of data frames and arrays are categories, and what their levels are."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from category_tables import (
    FORMS,
    ONE_FIT,
    SMALL,
    both_kinds,
    draw_frame,
    fitted,
    in_polars,
    predict,
    regressor,
)
from scipy.sparse import csr_array

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

FRAME, Y = draw_frame()
ROWS, _ = draw_frame(seed=1)
CATEGORIES = [0, 2, 3]
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@pytest.fixture(scope="module")
def net():
    return fitted(FRAME, Y)


def with_column(values, dtype=object):
    """Return the number `size` and a column of these values, repeated."""
    repeated = (list(values) * len(FRAME))[: len(FRAME)]
    return pd.DataFrame({"size": FRAME["size"], "own": pd.Series(repeated, dtype=dtype)})


def levels_of(values, dtype=object):
    """Return the levels of a column of these values, None if it is one of numbers."""
    levels = fitted(with_column(values, dtype), Y).categories_
    return None if levels is None else levels[1].tolist()


# Data frames --------------------------------------------------------------------------------------


@every_form
def test_every_dtype_is_fitted_and_predicted_alike(net, form):
    expected = predict(net, ROWS)
    np.testing.assert_array_equal(predict(net, form(ROWS)), expected)
    same = fitted(form(FRAME), Y)
    np.testing.assert_array_equal(predict(same, ROWS), expected)
    for levels, of_same in zip(net.categories_, same.categories_):
        np.testing.assert_array_equal(levels, of_same)
    np.testing.assert_array_equal(same.score_samples(form(ROWS)), net.score_samples(ROWS))
    np.testing.assert_array_equal(same.transform(form(ROWS)), net.transform(ROWS))


def test_frames_have_categories_by_dtype(net):
    np.testing.assert_array_equal(np.flatnonzero(net.is_categorical_), CATEGORIES)
    assert [levels is None for levels in net.categories_] == [False, True, False, False, True]
    assert net.categories_[0].tolist() == ["blue", "green", "red"]
    assert net.categories_[2].tolist() == [False, True]
    assert net.categories_[3].tolist() == sorted(set(FRAME["city"]))
    assert net.n_features_in_ == 5
    assert net.feature_names_in_.tolist() == FRAME.columns.tolist()


@both_kinds
@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_of_numbers_are_as_arrays(kind, container):
    X = np.random.default_rng(0).normal(size=(90, 3))
    y, names = (X[:, 0] > 0) * 1, ["a", "b", "c"]
    frame = container(dict(zip(names, X.T)))
    of_frame, of_array = kind(**SMALL).fit(frame, y), kind(**SMALL).fit(X, y)
    assert of_frame.is_categorical_ is None
    assert of_frame.categories_ is None
    np.testing.assert_array_equal(predict(of_frame, frame), predict(of_array, X))
    np.testing.assert_array_equal(of_frame._theta_, of_array._theta_)


NUMBERS = {
    "integers": ([1, 2, 3], "int8"),
    "nullable integers": ([1, None, 3], "Int64"),
    "numbers as objects": ([1, 2.5, None], object),
    "decimals": ([Decimal("1.5"), Decimal(2)], object),
}


@pytest.mark.parametrize(("values", "dtype"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_stay_numbers(values, dtype):
    assert levels_of(values, dtype) is None


def test_numbers_of_polars_stay_numbers():
    X = in_polars(FRAME[["size", "count"]]).cast({"size": pl.Float32, "count": pl.UInt8})
    X = X.with_columns(pl.col("count").cast(pl.Decimal(10, 2)).alias("decimal"))
    assert fitted(X, Y).categories_ is None


@pytest.mark.parametrize("container", [lambda X: X, in_polars], ids=["pandas", "polars"])
def test_column_without_values_has_no_levels(container):
    X = container(with_column([None]))
    net = fitted(X, Y)
    assert net.categories_[1].tolist() == []
    expected = predict(net, X)
    for values in (["a", "b"], [1.0, None]):
        np.testing.assert_array_equal(predict(net, container(with_column(values))), expected)


def test_many_booleans_are_numbers_and_projected():
    rng = np.random.default_rng(0)
    flags = pd.DataFrame(rng.random((80, 257)) < 0.02).add_prefix("x")
    flags.iloc[0], flags.iloc[1] = True, False
    y = rng.integers(0, 2, 80)
    for frame in (flags, pl.DataFrame(flags), flags.astype("boolean")):
        net = fitted(frame, y)
        assert net.is_categorical_ is None
        assert net._input_components_.shape[0] == 257
    net = fitted(flags.iloc[:, 1:], y)
    assert net.is_categorical_.all()
    assert net._input_components_ is None


def test_words_stand_beside_projected_booleans():
    rng = np.random.default_rng(0)
    flags = pd.DataFrame(rng.random((80, 257)) < 0.02).add_prefix("x")
    flags.iloc[0], flags.iloc[1] = True, False
    y = rng.integers(0, 2, 80)
    net = fitted(flags.assign(word=np.where(y, "a", "b")), y, max_iter=20)
    assert np.flatnonzero(net.is_categorical_).tolist() == [257]
    assert net._network.sizes[0] == net._input_components_.shape[1] + 1
    assert net.feature_relevances_.shape == net.linear_coef_[0].shape == (258,)
    assert net.score(flags.assign(word=np.where(y, "a", "b")), y) == 1


@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
def test_later_blocks_must_have_the_same_columns(kind):
    y = np.arange(len(FRAME)) % 2
    net = kind(**ONE_FIT)
    arguments = {"classes": [0, 1]} if kind is DistanceNetClassifier else {}
    net.partial_fit(FRAME, y, **arguments)
    with pytest.raises(ValueError, match="feature names should match"):
        net.partial_fit(FRAME.iloc[:, :3], y)


def test_strings_of_a_target_are_not_columns():
    words = np.array(["a", "b"])[np.arange(len(FRAME)) % 2]
    with pytest.raises(ValueError, match=r"could not convert string to float: \S*'a'\)?$"):
        DistanceNetRegressor(**ONE_FIT).fit(FRAME[["count"]], words)


# Arrays -------------------------------------------------------------------------------------------


SELECTIONS = {
    "mask": [True, False, True, True, False],
    "array": np.array([True, False, True, True, False]),
    "indices": CATEGORIES,
    "tuple": tuple(CATEGORIES),
    "numpy": np.array(CATEGORIES, dtype=np.int8),
    "series": pd.Series([True, False, True, True, False]),
}


@pytest.mark.parametrize("selected", SELECTIONS.values(), ids=SELECTIONS)
def test_columns_of_object_arrays_can_be_listed(net, selected):
    X, rows = FRAME.to_numpy(dtype=object), ROWS.to_numpy(dtype=object)
    of_array = fitted(X, Y, categorical_features=selected)
    np.testing.assert_array_equal(of_array.is_categorical_, net.is_categorical_)
    np.testing.assert_array_equal(predict(of_array, rows), predict(net, ROWS))
    assert not hasattr(of_array, "feature_names_in_")


def test_object_arrays_have_no_categories_by_default():
    with pytest.raises(
        ValueError, match=r"could not convert string to float.*categorical_features"
    ):
        fitted(FRAME.to_numpy(dtype=object), Y)
    assert fitted(FRAME[["size", "count"]].to_numpy(dtype=object), Y).categories_ is None


@pytest.mark.parametrize("container", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_codes_in_arrays_are_levels(container):
    rng = np.random.default_rng(0)
    codes, numbers = rng.integers(0, 4, 90), rng.normal(size=90)
    X, y = np.column_stack([codes * 7 - 1, numbers]), codes % 2
    net = fitted(container(X), y, categorical_features=[0])
    assert net.categories_[0].tolist() == [-1, 6, 13, 20]
    words = pd.DataFrame({"code": np.array(list("abcd"))[codes], "number": numbers})
    np.testing.assert_allclose(predict(net, container(X)), predict(fitted(words, y), words))


@pytest.mark.parametrize("n_levels", [4, 30])
def test_sparse_codes_equal_dense_codes(n_levels):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, n_levels, 90), rng.normal(size=90), rng.random(90) < 0.1])
    y, options = rng.normal(size=90), SMALL | {"categorical_features": [0, 2]}
    X[4, 0], X[5, 1] = np.nan, np.nan
    dense = DistanceNetRegressor(**options).fit(X, y)
    sparse = DistanceNetRegressor(**options).fit(csr_array(X), y)
    X[6, 0] = 99
    for n_rows in (2, 90):
        actual = sparse.predict(csr_array(X[:n_rows]))
        np.testing.assert_allclose(actual, dense.predict(X[:n_rows]), rtol=1e-9)
    actual = sparse.score_samples(csr_array(X))
    np.testing.assert_allclose(actual, dense.score_samples(X), rtol=1e-9)


def test_names_select_columns_of_frames(net):
    named = fitted(FRAME, Y, categorical_features=["city", "color", "flag"])
    np.testing.assert_array_equal(predict(named, ROWS), predict(net, ROWS))
    indexed = fitted(FRAME, Y, categorical_features=FRAME.columns[CATEGORIES])
    np.testing.assert_array_equal(predict(indexed, ROWS), predict(net, ROWS))
    counted = fitted(FRAME, Y, categorical_features=FRAME.columns.drop("size").to_numpy())
    assert counted.categories_[4].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("selected", [None, [], [False] * 2])
def test_no_column_needs_to_be_a_category(selected):
    X = FRAME[["size", "count"]]
    net = fitted(X, Y, categorical_features=selected)
    assert net.categories_ is None
    np.testing.assert_array_equal(predict(net, X), predict(fitted(X, Y), X))


WRONG = {
    "unknown name": (["colour"], r"as names, .* got \['colour'\] and features \['color', 'size'"),
    "short mask": ([True, False], r"as a mask, .* each of the 5 features; got shape \(2,\)"),
    "large index": ([0, 5], r"as indices, must be in \[0, 4\]; got \[0, 5\]"),
    "negative index": ([-1], r"as indices, must be in \[0, 4\]; got \[-1\]"),
    "another word": ("dtype", r"\['from_dtype'\], a mask, indices or names .*; got 'dtype'"),
}


@pytest.mark.parametrize(("selected", "message"), WRONG.values(), ids=WRONG)
def test_wrong_selections_are_refused(selected, message):
    net = DistanceNetClassifier(**SMALL, categorical_features=selected)
    with pytest.raises(ValueError, match="'categorical_features' .*" + message):
        net.fit(FRAME, Y)
    assert not hasattr(net, "n_features_in_")


def test_arrays_have_no_names_to_select_by():
    with pytest.raises(ValueError, match=r"as names, .* X has no feature names"):
        fitted(FRAME.to_numpy(), Y, categorical_features=["color"])


# Levels -------------------------------------------------------------------------------------------


LEVELS = {
    "words": (["b", "a", "ä", "", None], ["", "a", "b", "ä"]),
    "bool beside NaN": ([True, np.nan, False], [False, True]),
    "bool beside a word": (["unknown", True, False], [False, True, "unknown"]),
    "mixed types": ([1, "1", 2.5, True, None, "x", 1.0], [1, 2.5, "x"]),
    "numbers beside a word": ([10, 9, -1.5, "-"], [-1.5, 9, 10, "-"]),
    "large integers": ([10**30, "a"], [10**30, "a"]),
    "one level": (["same"], ["same"]),
    "nothing but gaps": ([None], []),
}


@pytest.mark.parametrize(("values", "levels"), LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_levels_are_in_order_whatever_the_rows(values, levels, turn):
    turned = values[turn:] + values[:turn]
    assert levels_of(turned) == levels
    X = pl.DataFrame({"size": FRAME["size"]}).with_columns(
        pl.Series("own", with_column(turned)["own"].tolist(), dtype=pl.Object)
    )
    assert fitted(X, Y).categories_[1].tolist() == levels


def test_declared_order_is_the_order_of_levels():
    dtype = pd.CategoricalDtype(["small", "never", "large"], ordered=True)
    assert levels_of(["large", "small", None], dtype) == ["small", "large"]
    bins = pd.cut(FRAME["size"], [-9, -1, 1, 9])
    assert levels_of(bins, bins.dtype) == ["(-9, -1]", "(-1, 1]", "(1, 9]"]
    X = in_polars(FRAME[["size"]]).with_columns(
        pl.Series("own", ["large", "small"] * 60, dtype=pl.Enum(["small", "never", "large"]))
    )
    assert fitted(X, Y).categories_[1].tolist() == ["small", "large"]


def test_equal_values_of_other_types_are_one_level():
    X = with_column([0, 1, 2])
    of_numbers = fitted(X, Y, categorical_features=["own"])
    expected = predict(of_numbers, X)
    for values in ([0.0, 1.0, 2.0], ["0", "1", "2"], [False, True, 2]):
        np.testing.assert_array_equal(predict(of_numbers, with_column(values)), expected)


def test_order_of_rows_changes_no_level():
    order = np.random.default_rng(0).permutation(len(FRAME))
    net = fitted(FRAME, Y)
    shuffled = fitted(FRAME.iloc[order], Y[order])
    for levels, of_shuffled in zip(net.categories_, shuffled.categories_):
        np.testing.assert_array_equal(levels, of_shuffled)
    one, other = (each._input_locations_[0]["points"] for each in (net, shuffled))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_columns_without_differences_do_not_matter():
    constant = FRAME.assign(
        same="same", gaps=pd.Categorical([None] * len(FRAME), categories=["a"]), flags=True
    )
    net = fitted(constant, Y)
    assert [len(levels) for levels in net.categories_[5:]] == [1, 0, 1]
    np.testing.assert_array_equal(net.feature_relevances_[5:], 0.0)
    assert net.feature_relevances_.sum() == pytest.approx(1)
    other = constant.assign(gaps=pd.Categorical(["a"] * len(FRAME)))
    np.testing.assert_array_equal(predict(net, other), predict(net, constant))
    assert np.isfinite(net.inverse_radii_[0]).all()
    np.testing.assert_array_equal(net.decode_levels(net.centroids_[0])[:, 5], "same")
    assert set(net.decode_levels(net.centroids_[0])[:, 6]) == {None}


def test_level_of_one_row_is_learned():
    X = with_column(["a", "b"])
    X.loc[3, "own"] = "only once"
    for early_stopping in (False, True, "auto"):
        net = fitted(X, Y, early_stopping=early_stopping)
        assert net.categories_[1].tolist() == ["a", "b", "only once"]
        assert np.isfinite(predict(net, X)).all()
        assert np.isfinite(net.score_samples(X)).all()


@pytest.mark.parametrize("columns", [["color", "flag"], ["city"], ["flag"], ["color", "city"]])
def test_only_categories_are_enough(columns):
    net = regressor(FRAME[columns], (FRAME["color"] == "red") + 0.1 * FRAME["count"])
    assert net.is_categorical_.all()
    assert net.centroids_[0].shape == (8, len(columns))
    assert net.feature_relevances_.sum() == pytest.approx(1)
    assert np.isfinite(net.predict(ROWS[columns].assign(**{columns[0]: None}))).all()
