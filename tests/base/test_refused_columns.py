"""Columns and rows that are not taken as they are, and what the errors advise."""

from datetime import date, time, timedelta

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from category_tables import draw_frame, fitted, in_polars, predict

FRAME, Y = draw_frame()
ROWS, _ = draw_frame(seed=1)
CATEGORIES = [0, 2, 3]


DATES = {
    "times": pd.date_range("2020", periods=len(FRAME)),
    "times of a zone": pd.date_range("2020", periods=len(FRAME), tz="UTC"),
    "durations": pd.to_timedelta(np.arange(len(FRAME)), "D"),
    "periods": pd.period_range("2020", periods=len(FRAME), freq="D"),
    "Arrow's times": pd.array(pd.date_range("2020", periods=len(FRAME)), "timestamp[ns][pyarrow]"),
    "dates as objects": pd.Series([None, date(2020, 1, 1)] * 60, dtype=object),
    "polars' dates": pl.Series([date(2020, 1, 1)] * len(FRAME)),
    "polars' times": pl.Series([time(1)] * len(FRAME)),
    "polars' durations": pl.Series([timedelta(1)] * len(FRAME)),
}
OTHERS = {
    "lists": pd.Series([[1]] * len(FRAME), dtype=object),
    "arrays": pd.Series([np.arange(2)] * len(FRAME), dtype=object),
    "dicts": pd.Series([{}] * len(FRAME), dtype=object),
    "bytes": pd.Series([b"a"] * len(FRAME), dtype=object),
    "a list beside words": pd.Series(["a"] * (len(FRAME) - 1) + [[1]], dtype=object),
    "polars' lists": pl.Series([[1, 2]] * len(FRAME)),
    "polars' arrays": pl.Series([[1, 2]] * len(FRAME), dtype=pl.Array(pl.Int64, 2)),
    "polars' structs": pl.Series([{"a": 1}] * len(FRAME)),
    "polars' bytes": pl.Series([b"a"] * len(FRAME)),
}
REFUSED = {
    **{name: (column, "DatetimeEncoder.*'categorical_features'") for name, column in DATES.items()},
    **{name: (column, "numbers or strings, or leave it out") for name, column in OTHERS.items()},
}


@pytest.mark.parametrize(("column", "advice"), REFUSED.values(), ids=REFUSED)
def test_other_values_are_refused_with_advice(column, advice):
    net = fitted(FRAME, Y)
    before = joblib.hash(vars(net))
    if isinstance(column, pl.Series):
        X = in_polars(FRAME).with_columns(column.alias("when"))
    else:
        X = FRAME.assign(when=column)
    message = f"Column 'when' of X holds values of type .* which DistanceNetClassifier .*{advice}"
    with pytest.raises(ValueError, match=message):
        net.fit(X, Y)
    assert joblib.hash(vars(net)) == before


def test_listed_dates_are_levels():
    days = pd.Series(pd.date_range("2020", periods=2)).repeat(60).to_numpy()
    frame = FRAME[["size"]].assign(own=days)
    for X in (frame, in_polars(frame)):
        net = fitted(X, Y, categorical_features=["own"])
        assert [level[:10] for level in net.categories_[1]] == ["2020-01-01", "2020-01-02"]
        assert np.isfinite(predict(net, X)).all()


ROWS_REFUSED = {
    "one dimension": (np.zeros(5), "Expected 2D array, got 1D array"),
    "a column": (FRAME["city"], "2-dimensional|2D"),
    "a column left out": (FRAME.drop(columns="city"), "now missing:\n- city"),
    "another order": (FRAME[FRAME.columns[::-1]], "same order"),
    "words among numbers": (FRAME.assign(size="a"), "could not convert string to float"),
    "infinity": (FRAME.assign(size=np.inf), "infinity"),
    "no row": (FRAME[:0], "0 sample"),
}


@pytest.mark.parametrize("container", [lambda X: X, in_polars], ids=["pandas", "polars"])
def test_frame_without_columns_is_refused(container):
    with pytest.raises(ValueError, match=r"0 feature|0 sample|at least one"):
        fitted(container(FRAME[[]]), Y)


def test_array_of_another_width_is_refused():
    net = fitted(FRAME.to_numpy(), Y, categorical_features=CATEGORIES)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 5"):
        net.predict(ROWS.to_numpy()[:, :3])


@pytest.mark.parametrize(("rows", "message"), ROWS_REFUSED.values(), ids=ROWS_REFUSED)
def test_unsuitable_rows_are_refused(rows, message):
    net = fitted(FRAME, Y)
    before = joblib.hash(vars(net))
    with pytest.raises(ValueError, match=message):
        net.predict(rows)
    assert joblib.hash(vars(net)) == before
