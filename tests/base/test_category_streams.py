"""Streams, and fits that go on, learn the levels that come later."""

import joblib
import numpy as np
import pandas as pd
import pytest
from category_tables import (
    SMALL,
    both_kinds,
    draw_frame,
    fitted,
    in_polars,
    predict,
    target_of,
)

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

FRAME, Y = draw_frame()
ROWS, _ = draw_frame(seed=1)


def stream(net, X, y, size=20, **first):
    for start in range(0, len(y), size):
        part = slice(start, start + size)
        net.partial_fit(X[part], y[part], **({} if start else first))
    return net


@both_kinds
@pytest.mark.parametrize("container", [pd.DataFrame, in_polars], ids=["pandas", "polars"])
def test_streams_learn_levels_that_come_later(kind, container):
    X, y = container(FRAME), np.asarray(target_of(kind, FRAME))
    classes = {"classes": ["no", "yes"]} if kind is DistanceNetClassifier else {}
    net = stream(kind(20, random_state=0), X, y, **classes)
    high = "yes" if classes else 3.0
    violet, before = FRAME.assign(color="violet"), net.n_iter_
    unseen = predict(net, violet)
    np.testing.assert_array_equal(unseen, predict(net, FRAME.assign(color=None)))
    for _ in range(3):
        stream(net, container(violet), np.full(len(y), high))
    assert net.n_iter_ > before
    assert net.categories_[0].tolist() == ["blue", "green", "red", "violet"]
    learned = predict(net, violet)
    if classes:
        assert learned[:, 1].mean() > max(0.9, unseen[:, 1].mean() + 0.1)
    else:
        assert np.abs(learned - 3).mean() < 0.5 * np.abs(unseen - 3).mean()
    # Known levels are still told apart.
    red, blue = (predict(net, ROWS.assign(color=color)).ravel() for color in ("red", "blue"))
    assert np.abs(red - blue).mean() > 0.05


def test_streams_hold_more_levels_than_inputs():
    names = np.array([f"n{number}" for number in range(60)])
    rng, net = np.random.default_rng(0), DistanceNetRegressor(30, random_state=0)
    effects = rng.normal(size=60)
    for block in range(60):
        codes = rng.integers(0, min(60, 3 + 4 * block), 50)
        net.partial_fit(pd.DataFrame({"name": names[codes]}), effects[codes])
    assert len(net.categories_[0]) == 60
    assert net.n_features_in_ == 1
    predicted = net.predict(pd.DataFrame({"name": names}))
    assert np.corrcoef(predicted, effects)[0, 1] > 0.8


def test_blocks_may_lack_levels_and_numbers():
    X = FRAME.assign(word=FRAME["color"].astype("string"))
    X.loc[:59, "word"], X.loc[:59, "size"] = None, np.nan
    y = target_of(DistanceNetClassifier, FRAME)
    net = stream(DistanceNetClassifier(8, random_state=0), X, y, classes=["no", "yes"])
    assert net.categories_[5].tolist() == ["blue", "green", "red"]
    assert np.isfinite(net.predict_proba(X)).all()
    assert net.feature_relevances_.shape == (6,)


@both_kinds
def test_stream_goes_on_from_a_fit(kind):
    X = FRAME.assign(city=np.where(FRAME["city"] > "c20", "c00", FRAME["city"]))
    net = fitted(X, target_of(kind, FRAME), kind)
    net.partial_fit(FRAME.assign(color="violet"), target_of(kind, FRAME))
    assert net.categories_[0].tolist() == ["blue", "green", "red", "violet"]
    assert set(net.categories_[3]) == set(FRAME["city"])
    assert np.isfinite(predict(net, ROWS)).all()
    assert not hasattr(net, "novelty_threshold_")


def test_refused_block_adds_no_level():
    net = stream(DistanceNetClassifier(**SMALL), FRAME, Y, 60, classes=["no", "yes"])
    before = joblib.hash(vars(net))
    with pytest.raises(ValueError, match="could not convert"):
        net.partial_fit(FRAME.assign(color="violet", size="a"), Y)
    with pytest.raises(ValueError, match="classes"):
        net.partial_fit(FRAME.assign(color="violet"), np.full(len(Y), "maybe"))
    assert joblib.hash(vars(net)) == before


@both_kinds
def test_warm_start_keeps_levels_and_learns_more(kind):
    net = fitted(FRAME, target_of(kind, FRAME), kind, warm_start=True)
    before, sizes = net.categories_, net._network.sizes
    violet = ROWS.assign(color=ROWS["color"].replace("red", "violet"))
    net.fit(violet, target_of(kind, ROWS))
    assert net.categories_[0].tolist() == ["blue", "green", "red", "violet"]
    np.testing.assert_array_equal(net.categories_[3][: len(before[3])], before[3])
    assert net._network.sizes == sizes
    assert net.n_iter_ == 10
    assert not np.array_equal(predict(net, violet), predict(net, violet.assign(color=None)))


def test_new_levels_of_weightless_rows_stay_missing():
    net = fitted(FRAME, Y, warm_start=True)
    X = FRAME.assign(city=np.where(FRAME["flag"], FRAME["city"], "weightless"))
    net.fit(X, Y, FRAME["flag"] * 1.0)
    assert net.categories_[3][-1] == "weightless"
    missing, weightless = (predict(net, ROWS.assign(city=city)) for city in (None, "weightless"))
    np.testing.assert_array_equal(weightless, missing)
