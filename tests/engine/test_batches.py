"""Batches of an epoch: their rows, and the weight of each row in its batch."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistnet.engine.training.batches import LARGEST_SHARE, Batches, mean_weight


@st.composite
def settings(draw):
    """Weights of up to six orders of magnitude, and a batch size."""
    exponents = st.lists(st.floats(-3, 3), min_size=1, max_size=80)
    weights = 10.0 ** np.array(draw(exponents))
    return weights, draw(st.integers(1, 100))


def make_epoch(weights, batch_size, n_rows=None, mean=None, seed=0):
    """Return the batches of an epoch, each as indices of rows, weights and total weight."""
    n_rows = len(weights) if n_rows is None else n_rows
    batches = Batches(weights, n_rows, batch_size, mean)
    epoch = list(batches.epoch(np.random.default_rng(seed)))
    assert len(epoch) == batches.n_batches
    return [(np.arange(n_rows)[batch], *others) for batch, *others in epoch]


def row_weights(batch, weights, total):
    return np.full(len(batch), 1 / len(batch)) if weights is None else weights


@given(settings())
def test_every_row_is_in_some_batch(setting):
    weights, batch_size = setting
    epoch = make_epoch(weights, batch_size)
    visited = np.concatenate([batch for batch, *_ in epoch])
    np.testing.assert_array_equal(np.unique(visited), np.arange(len(weights)))
    sizes = [len(batch) for batch, *_ in epoch]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1


@given(settings())
def test_rows_have_their_share_of_an_epoch(setting):
    """The mean of the batches' gradients is the gradient of all rows, whatever the weights."""
    weights, batch_size = setting
    epoch = make_epoch(weights, batch_size)
    share = np.zeros(len(weights))
    for each in epoch:
        # Gradients are sums over rows, so that batches of 7 and of 8 rows count as such.
        np.add.at(share, each[0], row_weights(*each) * len(each[0]))
    share /= sum(len(batch) for batch, *_ in epoch)
    np.testing.assert_allclose(share, weights / weights.sum(), rtol=1e-9)
    assert share.sum() == pytest.approx(1.0)


@given(settings())
def test_batch_totals_are_sums_of_weights(setting):
    for batch, weights, total in make_epoch(*setting):
        assert total == pytest.approx(row_weights(batch, weights, total).sum() * len(batch))


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_a_row_are_in_different_batches(seed):
    weights = np.ones(400)
    weights[[3, 200, 390]] = 30, 60, 1000
    epoch = make_epoch(weights, 40, seed=seed)
    for batch, *_ in epoch:
        assert max(Counter(batch.tolist()).values()) == 1
    assert sum(390 in batch for batch, *_ in epoch) > len(epoch) / 2


def test_batches_weigh_nearly_the_same():
    weights = np.ones(4000)
    weights[:8] = 500.0  # half of all weight
    totals = [row_weights(*each).sum() for each in make_epoch(weights, 200)]
    assert np.mean(totals) == pytest.approx(1.0, rel=0.01)
    assert np.std(totals) < 0.2
    heaviest = max(row_weights(*each).max() for each in make_epoch(weights, 200))
    assert heaviest < 2 * LARGEST_SHARE


@pytest.mark.parametrize("weight", [1.0, 0.3, 1e-9, 7e8])
@pytest.mark.parametrize("batch_size", [1, 7, 23, 100])
def test_equal_weights_are_no_weights(weight, batch_size):
    weighted = make_epoch(np.full(23, weight), batch_size)
    plain = make_epoch(None, batch_size, n_rows=23)
    for (batch, weights, total), (expected, _, expected_total) in zip(weighted, plain, strict=True):
        np.testing.assert_array_equal(batch, expected)
        assert weights is None
        assert total == expected_total == len(batch)


@given(settings(), st.integers(-30, 30))
def test_scaling_weights_changes_nothing(setting, exponent):
    weights, batch_size = setting
    scaled = 2.0**exponent * weights
    pairs = zip(make_epoch(weights, batch_size), make_epoch(scaled, batch_size), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(row_weights(*one), row_weights(*other))


def test_mean_of_all_data_scales_weights():
    """Weights of rows in a stream are relative to all rows so far."""
    weights = np.array([2.0, 2.0, 4.0])
    ((_, relative, total),) = make_epoch(weights, 10, mean=8.0)
    np.testing.assert_array_equal(relative, weights / 8 / 3)
    assert total == 1.0
    ((_, relative, _),) = make_epoch(np.full(3, 8.0), 10, mean=8.0)
    assert relative is None


@pytest.mark.parametrize("weight", [0.1, 1 / 3, 1e-300])
def test_mean_of_equal_weights_is_exact(weight):
    assert mean_weight(np.full(1001, weight)) == weight
    assert mean_weight(np.array([1.0, 2.0])) == 1.5


@pytest.mark.parametrize("batch_size", [1, 5, 50])
def test_rows_of_ordinary_weight_are_not_split(batch_size):
    """Otherwise weights that hardly differ would double the steps of an epoch."""
    weights = np.random.default_rng(0).uniform(0.5, 1.5, 100)
    assert len(make_epoch(weights, batch_size)) == 100 // batch_size
