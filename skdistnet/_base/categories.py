"""Columns of categories: which they are, their levels, and the codes of these.

Rows with categories are validated to arrays in which levels are codes: 0, 1 and so on, -1 for a
level that was not seen in training, NaN for a missing one. All that follows works on such arrays.
"""

from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from functools import lru_cache
from numbers import Integral, Real

import numpy as np
from scipy.sparse import csr_array, hstack, issparse
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ..engine.categories import column_of
from ..engine.numerics.statistics import make_dense

#: If there are more columns of booleans, they count as numbers, which `fit` can project.
MOST_BOOLEANS = 256

ADVICE = "turn it into numbers or strings, or leave it out"
DATE_ADVICE = (
    "turn it into numbers, for example by skrub's DatetimeEncoder, or leave it out; or list the "
    "column in 'categorical_features' to take each value as a level"
)


# Columns ------------------------------------------------------------------------------------------


def is_pandas(X):
    return hasattr(X, "iloc") and hasattr(X, "columns")


def is_polars(X):
    return hasattr(X, "get_columns") and hasattr(X, "schema")


def has_dtypes(X):
    """Return whether X is a data frame, whose columns have dtypes of their own."""
    return is_pandas(X) or is_polars(X)


def as_columns(X):
    """Return X as a data frame, a sparse matrix in CSR or an array of two dimensions."""
    if has_dtypes(X):
        return X
    if not hasattr(X, "dtype") and np.asarray(X).dtype.kind in "US":
        X = np.asarray(X, dtype=object)  # in a string, NaN would be a word
    return check_array(X, accept_sparse="csr", dtype=None, ensure_all_finite=False)


def column_at(X, number):
    """Return a column of a data frame or an array."""
    if is_pandas(X):
        return X.iloc[:, number]
    if is_polars(X):
        return X.to_series(number)
    return make_dense(X[:, [number]])[:, 0]


def as_list(column):
    """Return a column as a list."""
    return column.tolist() if hasattr(column, "tolist") else column.to_list()


def factorize(column):
    """Return each row's number of its value, -1 for a missing one, and the list of values."""
    if isinstance(column, np.ndarray) and column.dtype != object:
        values, numbers = np.unique(column, return_inverse=True)
        return numbers, list(values)
    with suppress(TypeError, OverflowError):  # values without a hash, and very large integers
        if hasattr(column, "factorize"):  # pandas
            numbers, values = column.factorize()
            return numbers, list(values)
        return factorize_values(as_list(column))
    return factorize_values([None if is_missing(one) else str(one) for one in as_list(column)])


def factorize_values(values):
    found: dict = {}
    numbers = [found.setdefault(value, len(found)) for value in values]
    return np.array(numbers, dtype=np.intp), list(found)


def is_missing(value):
    """Return whether a value is None, NaN, or pandas' NA or NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (Real, Decimal, np.generic)) and bool(value != value)


def level_of(value):
    """Return the level that a value stands for: a string, bool, int or float."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, (Real, Decimal)):
        # 0.1 in single precision is the level 0.1, too.
        number = float(str(value) if isinstance(value, np.floating) else value)
        return int(number) if number.is_integer() else number
    return str(value)


def is_number(level):
    return not isinstance(level, str)


def key_of(level):
    """Return the string that equal levels share: 1, 1.0, "1" and True are the same level."""
    return str(int(level)) if isinstance(level, bool) else str(level)


def order_of(column):
    """Return the keys of a column's declared categories, in their order; empty if it has none."""
    dtype = getattr(column, "dtype", None)
    # The categories of polars' Categorical are those of all columns of the program so far.
    if type(dtype).__name__ not in ("CategoricalDtype", "Enum"):
        return {}
    declared = getattr(dtype, "categories", ())
    return {key_of(level_of(one)): number for number, one in enumerate(list(declared))}


def sorted_levels(column, known=()):
    """Return the levels of a column: known ones, then the others in order."""
    values = [level_of(value) for value in factorize(column)[1] if not is_missing(value)]
    # A number takes precedence over an equal string, whatever their order in the column.
    levels = {key_of(level): level for level in sorted(values, key=is_number)}
    keys, declared = {key_of(one) for one in known}, order_of(column)

    def position(key):
        return declared.get(key, len(declared)), not is_number(levels[key]), levels[key]

    return [*known, *(levels[key] for key in sorted(levels.keys() - keys, key=position))]


@lru_cache(maxsize=128)
def codes_by_key(levels):
    """Return the codes of levels by their keys; cached, since each prediction needs them."""
    return {key_of(level): code for code, level in enumerate(levels)}


def codes_of(column, levels):
    """Return the codes (n_rows,) of a column's values."""
    by_key, (numbers, values) = codes_by_key(tuple(levels)), factorize(column)
    codes = [
        np.nan if is_missing(value) else by_key.get(key_of(level_of(value)), -1) for value in values
    ]
    return np.array([*codes, np.nan])[numbers]


# Which columns are categories ---------------------------------------------------------------------


def find_categories(X, categorical_features, name):
    """Return a mask of the columns of X that are categories, or None if there are none.

    `name` is that of the estimator, for messages.
    """
    if isinstance(categorical_features, str):
        kinds = [kind_of_column(X, number, name) for number in range(X.shape[1])]
        mask, booleans = np.array(kinds) == "category", np.array(kinds) == "boolean"
        if np.count_nonzero(booleans) <= MOST_BOOLEANS:
            mask |= booleans
    else:
        mask = mask_of(X, categorical_features, name)
    return mask if mask.any() else None


def kind_of_column(X, number, name):
    """Return "number", "boolean" or "category" for a column of a data frame."""
    column = column_at(X, number)
    text, label = str(column.dtype).lower().removeprefix("large_"), list(X.columns)[number]
    words = "category", "categorical", "enum", "string", "utf8", "dictionary", "interval"
    if text == "str" or text.startswith(words):
        return "category"
    if text.startswith("bool"):
        return "boolean"
    if text.startswith(("datetime", "timedelta", "period", "date", "time", "duration")):
        raise_for(label, str(column.dtype), DATE_ADVICE, name)
    if not text.startswith(("object", "list", "array", "struct", "null", "binary", "map", "fixed")):
        return "number"
    kinds = set()
    for value in as_objects(column):
        kind = kind_of_value(value)
        if kind == "date":
            raise_for(label, type(value).__name__, DATE_ADVICE, name)
        if kind is None:
            raise_for(label, type(value).__name__, ADVICE, name)
        kinds.add(kind)
    # A column without values is one of words: what it holds later, if anything, is unseen.
    return next((kind for kind in ("category", "boolean", "number") if kind in kinds), "category")


def as_objects(column):
    """Return the observed values of a column of objects."""
    values = column.tolist() if hasattr(column, "isna") else column.to_list()
    return [value for value in values if not is_missing(value)]


def kind_of_value(value):
    """Return "category" for a string, "boolean", "number", "date", or None, for a single value."""
    if isinstance(value, str):
        return "category"
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    if isinstance(value, (Real, Decimal)):
        return "number"
    is_date = isinstance(value, (date, time, timedelta, np.datetime64, np.timedelta64))
    return "date" if is_date or type(value).__name__ == "Period" else None


def raise_for(label, kind, advice, name):
    raise ValueError(
        f"Column {label!r} of X holds values of type {kind}, which {name} does not take as they "
        f"are: {advice}."
    )


def mask_of(X, categorical_features, name):
    """Return the mask of columns that are listed by a mask, by indices or by names."""
    listed, n_columns = np.asarray(categorical_features), X.shape[1]
    labels = [str(label) for label in X.columns] if hasattr(X, "columns") else []
    where = f"The 'categorical_features' parameter of {name}"
    mask = np.zeros(n_columns, dtype=bool)
    if listed.dtype.kind == "b":
        if listed.shape != (n_columns,):
            raise ValueError(
                f"{where}, as a mask, must have one entry for each of the {n_columns} features; "
                f"got shape {listed.shape}."
            )
        return listed
    if listed.dtype.kind in "iu":
        if listed.size and (listed.min() < 0 or listed.max() >= n_columns):
            raise ValueError(
                f"{where}, as indices, must be in [0, {n_columns - 1}]; got {listed.tolist()}."
            )
        mask[listed] = True
        return mask
    unknown = [label for label in listed.tolist() if label not in labels]
    if unknown:
        known = f"got {unknown} and features {labels}" if labels else "X has no feature names"
        raise ValueError(f"{where}, as names, must be among the names of the features; {known}.")
    return np.isin(labels, listed)


# Codes --------------------------------------------------------------------------------------------


def find_levels(X, mask):
    """Return for each column of X the list of its levels, None for numbers."""
    return [sorted_levels(column_at(X, at)) if own else None for at, own in enumerate(mask)]


def with_new_levels(X, levels):
    """Return `levels` followed, in each column, by those of X that are not among them."""
    return [
        None if known is None else sorted_levels(column_at(X, at), known)
        for at, known in enumerate(levels)
    ]


def without_unused_levels(X, levels):
    """Return rows with codes, and levels, without those that no row has."""
    is_sparse = issparse(X)
    kept: list[list | None] = []
    X = X.tolil(copy=True) if is_sparse else X.copy()
    for at, known in enumerate(levels):
        if known is None:
            kept.append(None)
            continue
        codes = column_of(X, at)
        used = np.unique(codes[codes >= 0]).astype(int)
        kept.append([known[code] for code in used])
        X[:, [at]] = np.where(codes >= 0, np.searchsorted(used, codes), codes)[:, np.newaxis]
    return (X.tocsr() if is_sparse else X), kept


def encode(X, levels, check_numbers):
    """Return X as an array with codes of levels; `check_numbers` makes one of other columns."""
    coded = [at for at, known in enumerate(levels) if known is not None]
    others = [at for at, known in enumerate(levels) if known is None]
    codes = np.empty((X.shape[0], len(coded)))
    for part, at in enumerate(coded):
        codes[:, part] = codes_of(column_at(X, at), levels[at])
    if not others:
        return codes
    if is_pandas(X):
        numbers = X.iloc[:, others]
    else:
        numbers = X.select([X.columns[at] for at in others]) if is_polars(X) else X[:, others]
    numbers = check_numbers(numbers)
    order = np.argsort([*others, *coded])
    if issparse(numbers):
        return hstack([numbers, csr_array(codes)]).tocsr()[:, order].astype(numbers.dtype)
    return np.hstack([numbers, codes.astype(numbers.dtype)])[:, order]


def levels_of_codes(levels):
    """Return the codes as levels, for rows that are encoded already."""
    return levels and [None if known is None else list(range(len(known))) for known in levels]


def decode(points, levels):
    """Return points (n_points, n_features) as objects, with levels in place of codes."""
    decoded = points.astype(object)
    for at, known in enumerate(levels):
        if known is not None:
            names = dict(enumerate(known))
            decoded[:, at] = [names.get(code) for code in points[:, at].tolist()]
    return decoded


# Fitted attributes --------------------------------------------------------------------------------


class CategoricalColumns:
    """Mixin of fitted nets for the attributes that describe columns of categories."""

    n_features_in_: int
    #: For each column of X its levels, or None.
    _levels_: list | None = None

    @property
    def is_categorical_(self):
        """Mask of the features that are categories, (n_features,); None if none are."""
        check_is_fitted(self, "n_features_in_")
        if self._levels_ is None:
            return None
        return np.array([levels is not None for levels in self._levels_])

    @property
    def categories_(self):
        """For each feature an array of its levels, None for numbers; None without categories."""
        check_is_fitted(self, "n_features_in_")
        if self._levels_ is None:
            return None
        return [None if one is None else np.array(one, dtype=object) for one in self._levels_]

    def decode_levels(self, points):
        """Return rows of numbers, such as centroids, with levels in place of codes.

        Parameters
        ----------
        points : array-like of shape (n_points, n_features)
            Such as ``centroids_[0]``, which in a feature of categories holds the position in
            ``categories_`` of the level that is nearest to the centroid.

        Returns
        -------
        decoded : ndarray of object, of shape (n_points, n_features)
            Numbers, and levels of categories; None for a code that stands for no level.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for another number of features.

        Examples
        --------
        >>> import pandas as pd
        >>> from skdistnet import DistanceNetClassifier
        >>> X = pd.DataFrame({"size": [1.0, 2.0, 9.0], "color": ["red", "red", "blue"]})
        >>> net = DistanceNetClassifier(4, max_iter=5, random_state=0).fit(X, [0, 0, 1])
        >>> sorted(set(net.decode_levels(net.centroids_[0])[:, 1]))
        ['blue', 'red']
        """
        check_is_fitted(self)
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.n_features_in_:
            raise ValueError(
                f"decode_levels of {type(self).__name__} takes points of shape (n_points, "
                f"{self.n_features_in_}); got shape {points.shape}."
            )
        levels = self._levels_ or [None] * self.n_features_in_
        return decode(points, levels)
