"""X may be a memory-mapped file, of which training never makes a whole copy."""

import tracemalloc

import numpy as np
import pytest

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import input_scaling as inputs
from skdistnet.engine.training import mapped_rows

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
    """Return the largest number of bytes allocated at a time during the call."""
    tracemalloc.start()
    try:
        call(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@both_kinds
def test_no_copy_of_the_file_is_made(kind, mapped, y, monkeypatch):
    # Make the file larger than the cache and than the rows processed at a time.
    monkeypatch.setattr(mapped_rows, "CACHE_BYTES", 0)
    monkeypatch.setattr(inputs, "PART", 50_000)
    monkeypatch.setattr(mapped_rows, "PART", 50_000)
    net = kind(**SMALL)
    assert peak_of(net.fit, mapped, y) < mapped.nbytes / 2
    assert peak_of(net.predict, mapped) < mapped.nbytes / 2
    assert peak_of(np.array, mapped) >= mapped.nbytes


@both_kinds
def test_memory_mapped_rows_give_the_same_net(kind, mapped, y):
    rows = np.array(mapped)
    net, other = kind(**SMALL).fit(mapped, y), kind(**SMALL).fit(rows, y)
    np.testing.assert_array_equal(net.predict(mapped), other.predict(rows))
    assert net.loss_curve_ == other.loss_curve_
