"""Tiny numbers are flushed to zero, and no others."""

import numpy as np
import pytest

from skdistnet.engine.numerics.denormals import (
    flush_activations,
    flush_averages,
    flush_gradients,
    flush_parameters,
)

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def smallest(flush, dtype):
    """Return the smallest magnitude that `flush` does not set to zero."""
    tiny = np.finfo(dtype).tiny
    values = np.geomspace(tiny, 1.0, 20_000).astype(dtype)
    flush(values)
    return np.abs(values[values != 0]).min()


@every_dtype
def test_gradient_times_squared_activation_is_normal(dtype):
    """A gradient has so many products that subnormal ones would take most of the time."""
    activation = smallest(flush_activations, dtype)
    product = smallest(flush_gradients, dtype) * activation * activation
    assert product >= np.finfo(dtype).tiny


@every_dtype
def test_averages_stay_normal_between_two_sweeps(dtype):
    assert smallest(flush_averages, dtype) * 0.7**16 >= np.finfo(dtype).tiny


@every_dtype
@pytest.mark.parametrize("flush", [flush_activations, flush_averages, flush_gradients])
def test_numbers_around_one_stay_within_rounding(dtype, flush):
    values = np.random.default_rng(0).uniform(0.1, 1.0, 1000).astype(dtype)
    before = values.copy()
    flush(values)
    np.testing.assert_allclose(values, before, rtol=0, atol=np.finfo(dtype).eps)


@every_dtype
def test_faded_parameters_lose_their_averages_others_stay(dtype):
    rng = np.random.default_rng(0)
    parameters, average = rng.normal(size=(2, 100)).astype(dtype)
    tiny = np.finfo(dtype).tiny
    parameters[:4] = 0, tiny, tiny, -(tiny**0.5)
    radii = np.arange(100) % 2 == 1
    copies = parameters.copy(), average.copy()
    flush_parameters(parameters, [average], radii)
    np.testing.assert_array_equal(parameters[[0, 2]], 0)
    np.testing.assert_array_equal(np.sign(parameters[[1, 3]]), [1, -1])
    assert (np.abs(parameters[[1, 3]]) < 1e-11).all()
    np.testing.assert_array_equal(average[:4], 0)
    for array, before in zip((parameters, average), copies, strict=True):
        np.testing.assert_array_equal(array[4:], before[4:])


@every_dtype
def test_squared_faded_radius_is_normal_in_products(dtype):
    radius = np.zeros(1, dtype)
    flush_parameters(radius, [], np.ones(1, bool))
    gradient = smallest(flush_gradients, dtype)
    assert radius**2 * gradient >= np.finfo(dtype).tiny
