"""Partitions of Dask collections, and what is computed from one of them."""

import math
from dataclasses import dataclass
from typing import Any

import dask.array
import dask.dataframe
import numpy as np
from scipy.sparse import issparse, vstack

from .._base.validation import check_sample_weight


@dataclass(frozen=True)
class Partition:
    """A partition; each field but the number is delayed."""

    number: int
    X: Any
    y: Any
    sample_weight: Any

    @property
    def delayed(self):
        """The data, for the arguments of a task."""
        return self.X, self.y, self.sample_weight


def partitions_of(X, y, sample_weight=None, suffix=""):
    """Return the partitions of collections that have the same ones.

    The suffix is that of their names, for messages.
    """
    named = {f"X{suffix}": (X, (2,)), f"y{suffix}": (y, (1, 2))}
    if sample_weight is not None:
        named[f"sample_weight{suffix}"] = sample_weight, (1,)
    for name, (data, n_dims) in named.items():
        check_collection(data, name, n_dims)
    blocks = [blocks_of(data, name, X, f"X{suffix}") for name, (data, _) in named.items()]
    for name, own in zip(named, blocks):
        if len(own) != len(blocks[0]):
            raise ValueError(
                f"'X{suffix}' has {len(blocks[0])} partitions and {name!r} has {len(own)}: they "
                "must have the same rows in each; repartition one of them."
            )
    if sample_weight is None:
        blocks.append([None] * len(blocks[0]))
    return [Partition(number, *parts) for number, parts in enumerate(zip(*blocks, strict=True))]


def check_collection(data, name, n_dims):
    """Raise a TypeError or ValueError unless `data` is a Dask collection of rows."""
    kinds = dask.array.Array, dask.dataframe.DataFrame, dask.dataframe.Series
    if not isinstance(data, kinds):
        raise TypeError(
            f"{name!r} must be a Dask array or a Dask data frame; got {type(data).__name__}. For "
            "data in memory use the estimator without 'Dask' in its name."
        )
    if data.ndim not in n_dims:
        wanted = " or ".join(map(str, n_dims))
        raise ValueError(f"{name!r} must have {wanted} dimensions; got {data.ndim}.")


def blocks_of(data, name, X, name_of_x):
    """Return the delayed blocks of rows of a collection, divided as the rows of X if possible."""
    if not isinstance(data, dask.array.Array):
        return data.to_delayed()
    chunks: dict = {1: -1} if data.ndim == 2 else {}
    if data.ndim == 2 and math.isnan(data.shape[1]):
        raise ValueError(
            f"{name!r} is an array whose number of columns is unknown: call its method "
            "'compute_chunk_sizes' first."
        )
    # Unknown numbers of rows are NaN.
    sizes = data.shape[0], X.shape[0] if isinstance(X, dask.array.Array) else math.nan
    if not any(map(math.isnan, sizes)):
        if sizes[0] != sizes[1]:
            raise ValueError(f"{name_of_x!r} has {sizes[1]} rows and {name!r} has {sizes[0]}.")
        chunks[0] = X.chunks[0]
    return data.rechunk(chunks).to_delayed().ravel().tolist()


# Inside a task ------------------------------------------------------------------------------------


def row_keys(seed, number, n_rows):
    """Return a random number from [0, 1) for each row of a partition, always the same.

    They decide about samples and held-out rows.
    """
    # The orders and masks of shards have other last numbers. Zeros at the end make no difference.
    return np.random.default_rng((seed, number, 0, 3)).random(n_rows)


def take_rows(data, rows):
    """Return rows of an array, a sparse matrix or a data frame."""
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    return data.tocsr()[rows] if issparse(data) else data[rows]


def concatenated(parts):
    """Return arrays, sparse matrices or data frames of rows as one."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "iloc"):
        import pandas

        return pandas.concat(parts, ignore_index=True)
    return vstack(parts, format="csr") if issparse(parts[0]) else np.concatenate(parts)


def check_lengths(number, X, y, sample_weight):
    """Raise a ValueError unless a partition's data have the same number of rows."""
    n_rows = X.shape[0]
    for name, data in {"y": y, "sample_weight": sample_weight}.items():
        if data is not None and len(data) != n_rows:
            raise ValueError(
                f"In partition {number}: 'X' has {n_rows} rows and {name!r} has {len(data)}."
            )


def checked_rows(estimator, number, X, y, sample_weight):
    """Return a partition's X, y and weights as `fit` validates them, weights as float64 or None.

    Levels of categories and names of features are then those that the estimator has, or else the
    partition's own. Errors name the partition.
    """
    try:
        n_rows = X.shape[0]
        X, y, _ = estimator._check_data(X, y, None)
        if sample_weight is None:
            return X, y, None
        weights = np.asarray(sample_weight, dtype=np.float64)
        # A partition may have no rows of positive weight, unlike all of them together.
        if weights.shape != (n_rows,) or weights.any():
            checked = check_sample_weight(weights, n_rows)
            if checked.max() != weights.max():
                # `fit` divides them by the largest, which differs between partitions.
                raise ValueError(
                    "The largest 'sample_weight' must be from 1e-150 to 1e150; "
                    f"got {weights.max()}."
                )
        return X, y, weights
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"In partition {number}: {error}") from error
