"""Data frames with categories, numbers and gaps, and the same frames in other dtypes."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 5, "batch_size": 50, "random_state": 0}
#: Without trials, which train on part of the rows.
ONE_FIT = SMALL | {"early_stopping": False}
N_CITIES = 30
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])


def draw_frame(n_rows=120, seed=0, missing=0.1):
    """Return a frame with a few levels, many levels, booleans and numbers, and two classes."""
    rng = np.random.default_rng(seed)
    color, size = rng.choice(["blue", "green", "red"], n_rows), rng.normal(size=n_rows)
    flag, city = rng.random(n_rows) < 0.5, rng.integers(0, N_CITIES, n_rows)
    effects = np.random.default_rng(9).normal(size=N_CITIES)
    score = 1.5 * (color == "red") + size * (1 + flag) + effects[city]
    frame = pd.DataFrame(
        {
            "color": pd.Series(color, dtype=object),
            "size": size,
            "flag": flag,
            "city": pd.Series([f"c{number:02}" for number in city], dtype=object),
            "count": rng.integers(0, 5, n_rows),
        }
    )
    frame.loc[rng.random(n_rows) < missing, "color"] = None
    frame.loc[rng.random(n_rows) < missing, "size"] = np.nan
    return frame, np.where(score > 0.5, "yes", "no")


def target_of(kind, frame):
    """Return a target that depends on the color and the size, for either kind of net."""
    y = (frame["color"] == "red") + frame["size"].fillna(0)
    return y if kind is DistanceNetRegressor else np.where(y > 0.5, "yes", "no")


def in_polars(frame):
    return pl.from_pandas(frame, nan_to_null=True)


def with_missing(frame, value):
    """Return the frame with another object in place of missing colors."""
    color = [value if each is None else each for each in frame["color"]]
    return frame.assign(color=pd.Series(color, dtype=object))


def arrow(frame, strings):
    types = {"color": strings, "city": strings, "flag": pa.bool_(), "size": pa.float64()}
    return frame.astype({name: pd.ArrowDtype(each) for name, each in types.items()})


#: Forms of the frame of `draw_frame`, in all of which it holds the same values.
FORMS = {
    "pandas' categories": lambda X: X.astype({"color": "category", "city": "category"}),
    "integers as objects": lambda X: X.astype({"count": object, "flag": object}),
    "pandas' strings": lambda X: X.astype({"color": "string", "city": "str"}),
    "pandas' booleans": lambda X: X.astype({"flag": "boolean", "count": "Int16"}),
    "objects and NaN": lambda X: with_missing(X, np.nan),
    "objects and NA": lambda X: with_missing(X, pd.NA),
    "Arrow's strings": lambda X: arrow(X, pa.string()),
    "Arrow's large strings": lambda X: arrow(X, pa.large_string()),
    "Arrow's dictionaries": lambda X: arrow(X, pa.dictionary(pa.int32(), pa.string())),
    "polars' strings": in_polars,
    "polars' categories": lambda X: in_polars(X).cast(
        {"color": pl.Categorical, "city": pl.Categorical}
    ),
    "polars' enums": lambda X: in_polars(X).with_columns(
        pl.col("city").cast(pl.Enum([f"c{number:02}" for number in range(N_CITIES)]))
    ),
}


def predict(net, rows):
    return net.predict_proba(rows) if hasattr(net, "predict_proba") else net.predict(rows)


def fitted(X, y, kind=DistanceNetClassifier, **options):
    """Return a small net, fitted without trials unless `early_stopping` is given."""
    return kind(**ONE_FIT | options).fit(X, y)


def regressor(X, y, **options):
    return fitted(X, y, DistanceNetRegressor, **options)
