"""BLAS products and sums in place equal those of NumPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistnet.engine.numerics import blas as products
from skdistnet.engine.numerics.blas import add_scaled, average, multiply

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
TOLERANCE = {np.float32: 1e-4, np.float64: 1e-11}


def draw(rng, shape, dtype, transpose=False):
    return rng.normal(size=shape[::-1] if transpose else shape).astype(dtype)


@every_dtype
@pytest.mark.parametrize(
    ("scale", "keep"), list(itertools.product([1.0, -0.5], [0.0, 1.0, -1.0])), ids=str
)
@given(st.tuples(*[st.integers(1, 9)] * 3), st.booleans(), st.booleans(), st.integers(0, 99))
def test_multiply_adds_the_scaled_product(
    dtype, scale, keep, sizes, transpose_a, transpose_b, seed
):
    rng = np.random.default_rng(seed)
    m, k, n = sizes
    a, b = draw(rng, (m, k), dtype, transpose_a), draw(rng, (k, n), dtype, transpose_b)
    out = draw(rng, (m, n), dtype)
    left, right = a.T if transpose_a else a, b.T if transpose_b else b
    expected = keep * out.astype(np.float64) + scale * (left.astype(np.float64) @ right)
    multiply(a, b, out, transpose_a, transpose_b, scale, keep)
    np.testing.assert_allclose(out, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@every_dtype
def test_large_products_equal_small_ones(dtype, monkeypatch):
    rng = np.random.default_rng(0)
    a, b, outs = draw(rng, (4, 3), dtype), draw(rng, (3, 5), dtype), []
    for limit in (0, 10**9):
        monkeypatch.setattr(products, "LARGE", limit)
        outs.append(np.full((4, 5), np.nan, dtype))
        multiply(a, b, outs[-1])
    np.testing.assert_allclose(*outs, rtol=TOLERANCE[dtype])


@every_dtype
def test_multiply_overwrites_nan_unless_kept(dtype):
    a, out = np.ones((2, 3), dtype), np.full((2, 2), np.nan, dtype)
    multiply(a, a, out, transpose_b=True, scale=2.0)
    np.testing.assert_array_equal(out, np.full((2, 2), 6.0))


@every_dtype
@given(st.integers(1, 50), st.floats(0, 1))
def test_average_is_the_weighted_mean_in_place(dtype, size, weight):
    rng = np.random.default_rng(size)
    old, new = draw(rng, (size,), dtype), draw(rng, (size,), dtype)
    expected = weight * old.astype(np.float64) + (1 - weight) * new
    average(old, new, weight)
    np.testing.assert_allclose(old, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@every_dtype
def test_add_scaled_adds_into_a_view(dtype):
    y = np.zeros(5, dtype)
    add_scaled(np.arange(3, dtype=dtype), y[1:4], -2.0)
    np.testing.assert_array_equal(y, [0, 0, -2, -4, 0])


def strided(size):
    return np.zeros(2 * size)[::2]


def read_only(shape):
    out = np.zeros(shape)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((3, 2)).T,
        np.zeros((4, 3))[::2],
        np.zeros((2, 6))[:, ::2],
        read_only((2, 3)),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), int),
        np.zeros((2, 3), ">f8"),
    ],
    ids=["transposed", "rows", "columns", "read-only", "float32", "int", "other byte order"],
)
@pytest.mark.parametrize("keep", [0.0, 1.0])
def test_multiply_refuses_outputs_that_blas_would_copy(out, keep):
    with pytest.raises(AssertionError):
        multiply(np.ones((2, 4)), np.ones((4, 3)), out, keep=keep)


@pytest.mark.parametrize("a", [np.ones((2, 4), np.float32), np.ones((2, 4), int)])
def test_multiply_refuses_factors_of_another_dtype(a):
    with pytest.raises(AssertionError):
        multiply(a, np.ones((4, 3)), np.zeros((2, 3)))


@pytest.mark.parametrize(
    "vector",
    [strided(3), np.zeros(3, int), read_only(3), np.zeros(4)],
    ids=["strided", "int", "read-only", "longer"],
)
def test_vectors_that_blas_would_copy_are_refused(vector):
    with pytest.raises(AssertionError):
        add_scaled(np.ones(3), vector, 2.0)
    with pytest.raises(AssertionError):
        average(vector, np.ones(3), 0.5)
