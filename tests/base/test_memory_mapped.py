"""X may be a file that is mapped into memory, of which nothing is copied as a whole."""

import tracemalloc

import numpy as np
import pytest

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import input_scaling as inputs

SMALL = {"hidden_layer_sizes": 4, "max_iter": 1, "random_state": 0, "batch_size": 500}
SHAPE = (150_000, 80)
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    path = tmp_path_factory.mktemp("mapped") / "rows.dat"
    X = np.memmap(path, dtype=np.float32, mode="w+", shape=SHAPE)
    X[:] = np.random.default_rng(0).normal(size=SHAPE)
    X.flush()
    return np.memmap(path, dtype=np.float32, mode="r", shape=SHAPE)


@pytest.fixture
def y(mapped):
    return np.asarray(mapped[:, 0] > mapped[:, 1], dtype=np.float32)


def peak_of(call, *args):
    """Most bytes that were allocated at the same time within the call."""
    tracemalloc.start()
    try:
        call(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@both_kinds
def test_no_copy_of_the_file_is_held(kind, mapped, y, monkeypatch):
    # As if the file were larger than what is kept mapped, and worked on at a time.
    monkeypatch.setattr(inputs, "CACHE_BYTES", 0)
    monkeypatch.setattr(inputs, "PART", 50_000)
    net = kind(**SMALL)
    assert peak_of(net.fit, mapped, y) < mapped.nbytes / 2
    assert peak_of(net.predict, mapped) < mapped.nbytes / 2
    assert peak_of(np.array, mapped) >= mapped.nbytes


@both_kinds
def test_the_net_is_that_of_an_array(kind, mapped, y):
    rows = np.array(mapped)
    net, other = kind(**SMALL).fit(mapped, y), kind(**SMALL).fit(rows, y)
    np.testing.assert_array_equal(net.predict(mapped), other.predict(rows))
    assert net.loss_curve_ == other.loss_curve_
