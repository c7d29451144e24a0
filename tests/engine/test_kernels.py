import math

import numpy as np
import pytest
from finite_differences import central_differences
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistnet.engine.layers.kernels import KERNELS

FAR = -np.concatenate([[0.0], np.geomspace(1e-12, 1e30, 500)])
NEAR = -np.concatenate([[0.1], np.linspace(0.2, 20.0, 40)])

every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=list(KERNELS))
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def evaluate(kernel, u):
    out = np.full_like(u, np.nan)
    kernel.value(u, out)
    return out


@every_kernel
@every_dtype
def test_value_is_one_at_the_centroid(kernel, dtype):
    assert evaluate(kernel, np.zeros(3, dtype=dtype)).tolist() == [1.0, 1.0, 1.0]


@every_kernel
@every_dtype
def test_values_fall_from_one_towards_zero_with_distance(kernel, dtype):
    values = evaluate(kernel, FAR.astype(dtype))
    assert values.min() >= 0.0
    assert values.max() <= 1.0
    assert np.all(np.diff(values) <= 0.0)
    assert values[-1] < 1e-6


@every_kernel
@every_dtype
def test_no_value_is_a_subnormal_number(kernel, dtype):
    values = evaluate(kernel, -np.linspace(0.0, 2000.0, 20_001, dtype=dtype))
    assert values[values != 0].min() >= np.finfo(dtype).tiny


@every_kernel
@every_dtype
def test_values_fall_strictly_where_units_work(kernel, dtype):
    assert np.all(np.diff(evaluate(kernel, NEAR.astype(dtype))) < 0.0)


@every_kernel
def test_value_does_not_change_its_argument(kernel):
    u = NEAR.copy()
    evaluate(kernel, u)
    np.testing.assert_array_equal(u, NEAR)


@every_kernel
def test_derivative_matches_central_differences(kernel):
    incoming = np.random.default_rng(0).normal(size=NEAR.shape)
    value = evaluate(kernel, NEAR)
    before, gradient = value.copy(), incoming.copy()
    kernel.multiply_by_derivative(value, gradient)
    expected = central_differences(lambda u: float(incoming @ evaluate(kernel, u)), NEAR)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(value, before)


@every_kernel
@every_dtype
def test_derivative_is_bounded_and_never_negative(kernel, dtype):
    u = FAR.astype(dtype)
    derivative = np.ones_like(u)
    kernel.multiply_by_derivative(evaluate(kernel, u), derivative)
    assert derivative.dtype == dtype
    assert derivative.min() >= 0.0
    assert derivative.max() <= 10.0


@every_kernel
def test_inverse_recovers_u_from_the_value(kernel):
    values = evaluate(kernel, NEAR)
    inverses = [kernel.inverse(value) for value in values.tolist()]
    np.testing.assert_allclose(inverses, NEAR, rtol=1e-12)


@every_kernel
@settings(deadline=None)
@given(level=st.floats(1e-3, 0.999))
def test_value_at_the_inverse_is_the_level(kernel, level):
    u = kernel.inverse(level)
    assert u < 0.0
    np.testing.assert_allclose(evaluate(kernel, np.array([u])), level, rtol=1e-12)


@every_dtype
def test_gaussian_is_the_exponential(dtype):
    """Limiting tiny values does not change the others."""
    u = np.linspace(-30.0, 0.0, 301, dtype=dtype)
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(evaluate(KERNELS["gaussian"], u), np.exp(u), rtol=tolerance)


def test_cauchy_equals_its_closed_form():
    distance = np.linspace(0.0, 9.0, 40)
    values = evaluate(KERNELS["cauchy"], -0.5 * distance**2)
    np.testing.assert_allclose(values, 1.0 / (1.0 + distance**2), rtol=1e-14)


def test_half_value_is_at_a_known_distance():
    assert KERNELS["gaussian"].inverse(0.5) == pytest.approx(-math.log(2.0))
    assert KERNELS["cauchy"].inverse(0.5) == pytest.approx(-0.5)


@every_kernel
def test_kernel_falls_most_steeply_at_steepest(kernel):
    distance = np.linspace(0.0, 5.0, 5001)
    values = evaluate(kernel, -0.5 * distance**2)
    steepest = values[np.argmin(np.gradient(values, distance))]
    assert steepest == pytest.approx(kernel.steepest, abs=1e-3)
