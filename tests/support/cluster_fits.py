"""Data in partitions, and small nets that are trained on a cluster; needs Dask."""

from itertools import pairwise

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, load_digits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.dask import DaskDistanceNetClassifier, DaskDistanceNetRegressor

ORDER = np.random.default_rng(0).permutation(1797)
DIGITS, DIGITS_Y = (each[ORDER] for each in load_digits(return_X_y=True))
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
#: Two shards whatever the workers, and no trial on part of the rows.
SMALL = {
    "hidden_layer_sizes": (8,),
    "max_iter": 3,
    "random_state": 0,
    "early_stopping": False,
    "n_shards": 2,
}
KINDS = {
    "classifier": (DaskDistanceNetClassifier, DIGITS[:600], DIGITS_Y[:600]),
    "regressor": (DaskDistanceNetRegressor, DIABETES, DIABETES_Y),
}
LOCAL = {
    DaskDistanceNetClassifier: DistanceNetClassifier,
    DaskDistanceNetRegressor: DistanceNetRegressor,
}


def partitioned(data, bounds=4):
    """Return data as a Dask collection with these bounds, or about this number, of partitions.

    A pandas object becomes a data frame or series, whose partitions may be empty.
    """
    if isinstance(bounds, int):
        bounds = [number * len(data) // bounds for number in range(bounds + 1)]
    if hasattr(data, "iloc"):
        parts = [data.iloc[slice(*pair)] for pair in pairwise(bounds)]
        return dd.from_delayed([dask.delayed(part) for part in parts], meta=data.iloc[:0])
    chunks = tuple(high - low for low, high in pairwise(bounds))
    return da.from_array(data, chunks=(chunks, *((n,) for n in data.shape[1:])))


def fitted(client, kind, X, y, weights=None, bounds=4, **options):
    """Return a small net that is fitted to data in partitions."""
    data = [partitioned(each, bounds) for each in (X, y)]
    weights = None if weights is None else partitioned(weights, bounds)
    return kind(**SMALL | options, client=client).fit(*data, weights)


def fitted_locally(kind, X, y, weights=None, **options):
    options = {k: v for k, v in (SMALL | options).items() if k not in ("n_shards", "local_steps")}
    return LOCAL[kind](**options).fit(X, y, weights)


def mixed_frame(n_rows=240, seed=0):
    """Return a frame with few levels, more than 20 levels, numbers and gaps, and two classes."""
    rng = np.random.default_rng(seed)
    color, city = rng.choice(["blue", "green", "red"], n_rows), rng.integers(0, 30, n_rows)
    size = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "color": pd.Series(color, dtype=object),
            "size": np.where(rng.random(n_rows) < 0.1, np.nan, size),
            "city": pd.Series([f"c{number:02}" for number in city], dtype="category"),
        }
    )
    frame.loc[rng.random(n_rows) < 0.1, "color"] = None
    effect = np.random.default_rng(9).normal(size=30)[city]
    score = 1.5 * (color == "red") + size + effect
    return frame, pd.Series(np.where(score > 0.5, "yes", "no"), dtype=object)
