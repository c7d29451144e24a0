"""Predictions for Dask collections: lazy arrays, computed block by block where the rows lie."""

import math
from itertools import pairwise

import dask
import dask.array
import numpy as np

from .partitions import blocks_of, check_collection, partitions_of


def predict_lazily(net, method, X):
    """Return what a method of a fitted net returns for X, as a Dask array or a list of them."""
    check_collection(X, "X", n_dims=(2,))
    example = getattr(net, method)(example_rows(net, X))
    sizes = [one.shape[1] for one in example] if isinstance(example, list) else None
    joined = join_columns(example)
    shared, blocks = dask.delayed(net), blocks_of(X, "X", X, "X")
    lengths = [math.nan] * len(blocks)
    if isinstance(X, dask.array.Array):
        lengths = X.chunks[0]
    empty = joined[:0]
    parts = [
        dask.array.from_delayed(
            dask.delayed(predict_block)(shared, method, block, empty),
            shape=(length, *joined.shape[1:]),
            meta=empty,
        )
        for block, length in zip(blocks, lengths, strict=True)
    ]
    predicted = dask.array.concatenate(parts, allow_unknown_chunksizes=True)
    if sizes is None:
        return predicted
    bounds = np.cumsum([0, *sizes]).tolist()
    return [predicted[:, slice(*pair)] for pair in pairwise(bounds)]


def score_collections(client, net, X, y, sample_weight):
    """Return the score of a fitted net, a float, computed by a client or, for None, as Dask is set.

    Targets and predictions, but not X, are brought to one worker.
    """
    parts = partitions_of(X, y, sample_weight)
    shared = dask.delayed(net)
    columns = [
        dask.delayed(predicted_and_true)(shared, one.X, one.y, one.sample_weight) for one in parts
    ]
    score = dask.delayed(score_of)(shared, columns)
    if client is None:
        return score.compute()
    future = client.compute(score)
    try:
        return future.result()
    finally:
        future.release()  # the traceback of an error would keep it


def example_rows(net, X):
    """Return a few rows that X might have."""
    if isinstance(X, dask.array.Array):
        return np.zeros((1, net.n_features_in_), dtype=X.dtype)
    return X._meta_nonempty


def join_columns(predicted):
    """Return predictions as an array, side by side if there are several outputs."""
    if isinstance(predicted, list):
        return np.concatenate(predicted, axis=1)
    return np.asarray(predicted)  # a data frame if scikit-learn is configured so


# Tasks --------------------------------------------------------------------------------------------


def predict_block(net, method, rows, empty):
    """Return the predictions for a block, whose outputs are side by side."""
    return join_columns(getattr(net, method)(rows)) if rows.shape[0] else empty


def predicted_and_true(net, X, y, sample_weight):
    """Return predictions, targets and weights of a partition's rows; None if there are none."""
    if not len(y):
        return None
    weights = None if sample_weight is None else np.asarray(sample_weight)
    return net.predict(X), np.asarray(y), weights


def score_of(net, columns):
    """Return the score of predictions for all partitions."""
    columns = [one for one in columns if one is not None]
    if not columns:
        raise ValueError("'X' must have rows to compute a score; it has none.")
    predicted, y = (np.concatenate([one[part] for one in columns]) for part in (0, 1))
    weights = None if columns[0][2] is None else np.concatenate([one[2] for one in columns])
    return net._score_of(predicted, y, weights)
