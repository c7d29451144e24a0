"""What is flushed to zero, and that nothing else is."""

import numpy as np
import pytest

from skdistnet.engine.numerics.denormals import (
    flush_activations,
    flush_averages,
    flush_slopes,
    settle,
)

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def smallest(flush, dtype):
    """The smallest number that `flush` leaves of all magnitudes."""
    tiny = np.finfo(dtype).tiny
    values = np.geomspace(tiny, 1.0, 20_000).astype(dtype)
    flush(values)
    return np.abs(values[values != 0]).min()


@every_dtype
def test_a_slope_times_a_squared_activation_is_a_normal_number(dtype):
    """So many are multiplied in a gradient that subnormal ones would be most of its time."""
    activation = smallest(flush_activations, dtype)
    product = smallest(flush_slopes, dtype) * activation * activation
    assert product >= np.finfo(dtype).tiny


@every_dtype
def test_averages_stay_normal_through_the_steps_between_two_sweeps(dtype):
    assert smallest(flush_averages, dtype) * 0.7**16 >= np.finfo(dtype).tiny


@every_dtype
@pytest.mark.parametrize("flush", [flush_activations, flush_averages, flush_slopes])
def test_numbers_around_one_keep_their_last_bits_but_few(dtype, flush):
    values = np.random.default_rng(0).uniform(0.1, 1.0, 1000).astype(dtype)
    kept = values.copy()
    flush(values)
    np.testing.assert_allclose(values, kept, rtol=0, atol=np.finfo(dtype).eps)


@every_dtype
def test_what_settles_has_no_averages_left_and_nothing_else_changes(dtype):
    rng = np.random.default_rng(0)
    parameters, average = rng.normal(size=(2, 100)).astype(dtype)
    tiny = np.finfo(dtype).tiny
    parameters[:4] = 0, tiny, tiny, -(tiny**0.5)
    radii = np.arange(100) % 2 == 1
    kept = parameters.copy(), average.copy()
    settle(parameters, [average], radii)
    np.testing.assert_array_equal(parameters[[0, 2]], 0)
    np.testing.assert_array_equal(np.sign(parameters[[1, 3]]), [1, -1])
    assert (np.abs(parameters[[1, 3]]) < 1e-11).all()
    np.testing.assert_array_equal(average[:4], 0)
    for array, before in zip((parameters, average), kept, strict=True):
        np.testing.assert_array_equal(array[4:], before[4:])


@every_dtype
def test_a_squared_radius_that_has_settled_is_normal_in_products(dtype):
    radius = np.zeros(1, dtype)
    settle(radius, [], np.ones(1, bool))
    slope = smallest(flush_slopes, dtype)
    assert radius**2 * slope >= np.finfo(dtype).tiny
