"""Shift and scale of inputs are as exact as possible, and mapped rows are finite."""

import numpy as np
import pytest

from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.numerics.statistics import weighted_moments
from skdistnet.engine.training import mapped_rows

N_ROWS = 40


def draw(seed=0, n_rows=N_ROWS, n_columns=4):
    rng = np.random.default_rng(seed)
    weights = rng.random(n_rows) + 0.1
    return rng.normal(size=(n_rows, n_columns)), weights / weights.sum()


def reference_moments(X, weights):
    """Return weighted mean, standard deviation and largest deviation in extended precision."""
    X, weights = X.astype(np.longdouble), weights.astype(np.longdouble)
    mean = np.average(X, axis=0, weights=weights)
    variance = np.average((X - mean) ** 2, axis=0, weights=weights)
    return mean, np.sqrt(variance), np.abs(X - mean).max(axis=0)


def fit_map(X, standardize, dtype=np.float64, weights=None):
    weights = np.full(len(X), 1 / len(X)) if weights is None else weights
    return InputMap.fit(X, weights, standardize, np.dtype(dtype))


def apply(input_map, X, dtype=np.float64, bounded=False):
    out = np.full(X.shape, np.nan, dtype=dtype)
    with np.errstate(over="ignore"):
        input_map.apply(X, out)
    if bounded:
        input_map.bound(out)
    return out


# Moments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, -3.0, 1e6])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e30])
def test_moments_are_those_of_numpys_average(dtype, offset, scale):
    X, weights = draw()
    X = ((X + offset) * scale).astype(dtype)
    for actual, expected in zip(weighted_moments(X, weights), reference_moments(X, weights)):
        assert actual.dtype == np.float64
        # An offset costs one rounding of the mean, relative to the offset.
        atol = 1e-15 * abs(offset) * scale
        np.testing.assert_allclose(actual, expected.astype(float), rtol=1e-12, atol=atol)


def test_equal_weights_give_numpys_mean_and_std():
    X, _ = draw()
    mean, std, _ = weighted_moments(X, np.full(N_ROWS, 1 / N_ROWS))
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=0, atol=1e-15)
    np.testing.assert_allclose(std, X.std(axis=0), rtol=1e-13)


def test_weight_counts_as_repetition():
    X, _ = draw()
    repeats = np.arange(N_ROWS) % 3 + 1
    repeated = np.repeat(X, repeats, axis=0)
    equal = np.full(len(repeated), 1 / len(repeated))
    for actual, expected in zip(
        weighted_moments(X, repeats / repeats.sum()), weighted_moments(repeated, equal)
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6 - 1 / 3, 1e300, 1e-310, 5e-324])
def test_constant_column_has_its_exact_mean(value):
    X, weights = draw()
    X[:, 1] = value
    mean, std, reach = weighted_moments(X, weights)
    assert mean[1] == value
    assert std[1] == 0
    assert reach[1] == 0
    assert std[0] > 0


@pytest.mark.parametrize("exponent", [300, 1010, -500, -1000])
def test_moments_of_extreme_data_scale_exactly(exponent):
    X, weights = draw()
    for actual, expected in zip(
        weighted_moments(np.ldexp(X, exponent), weights), weighted_moments(X, weights)
    ):
        np.testing.assert_allclose(actual, np.ldexp(expected, exponent), rtol=1e-13, atol=5e-324)


def test_moments_of_denormals_are_exact():
    X, weights = draw()
    X = np.ldexp(X, -1040)
    for actual, expected in zip(weighted_moments(X, weights), reference_moments(X, weights)):
        np.testing.assert_allclose(actual, expected.astype(float), rtol=0, atol=1.5e-323)


def test_moments_do_not_depend_on_column_blocks():
    X, _ = draw(n_rows=400_001, n_columns=5)
    weights = np.full(len(X), 1 / len(X))
    mean, std, reach = weighted_moments(X, weights)
    np.testing.assert_allclose(mean, X.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(std, X.std(axis=0), rtol=1e-10)
    np.testing.assert_allclose(reach, np.abs(X - X.mean(axis=0)).max(axis=0), rtol=1e-10)


# The input map ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_standardized_rows_have_mean_zero_and_spread_one(dtype):
    X, weights = draw()
    X = (X * [1e-6, 1.0, 1e6, 3.0] + [0.0, 5.0, -1e6, 1.0]).astype(dtype)
    mapped = apply(fit_map(X, True, dtype, weights), X, dtype).astype(float)
    np.testing.assert_allclose(weights @ mapped, 0, atol=1e-5 if dtype == np.float32 else 1e-9)
    np.testing.assert_allclose(weights @ (mapped * mapped), 1, rtol=1e-5)


def test_shift_is_exact_in_float32_at_large_offset():
    X = (draw()[0] + 1e4).astype(np.float32)
    input_map = fit_map(X, False, np.float32)
    mapped = apply(input_map, X, np.float32)
    np.testing.assert_array_equal(mapped.astype(float), X.astype(float) - input_map.shift)
    assert np.abs(mapped.mean(axis=0)).max() < 1e-3


@pytest.mark.parametrize("offset", [0.0, 1e100])
def test_huge_float64_rows_fit_a_float32_network(offset):
    X, _ = draw()
    far = 1e100 * X + offset
    mapped = apply(fit_map(far, True, np.float32), far, np.float32)
    expected = apply(fit_map(X, True), X)
    np.testing.assert_allclose(mapped, expected, rtol=1e-5, atol=1e-5)


def test_tiny_float32_rows_fit_a_float64_network():
    tiny = np.ldexp(draw()[0], -135).astype(np.float32)
    input_map = fit_map(tiny, True, np.float64)
    mapped = apply(input_map, tiny)
    np.testing.assert_allclose(
        mapped, apply(input_map, tiny.astype(np.float64)), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_extreme_range_raise_or_stay_finite(dtype):
    X = np.full((N_ROWS, 2), -0.9 * np.finfo(dtype).max, dtype=dtype)
    X[0] *= -1
    try:
        input_map = fit_map(X, True, dtype)
    except ValueError as error:
        assert "overflow" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert np.isfinite(apply(input_map, X, dtype)).all()


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e20), (np.float64, 1e200)])
def test_overflowing_spread_raises_without_standardize(dtype, size):
    X = draw()[0]
    X[:, 2] *= size
    with pytest.raises(ValueError, match=r"Column 2 of X reaches .* overflow.*standardize=True"):
        fit_map(X.astype(dtype), False, dtype)
    mapped = apply(fit_map(X.astype(dtype), True, dtype), X.astype(dtype), dtype)
    assert np.abs(mapped).max() < 10


def test_rounding_noise_is_not_scaled_up():
    X, _ = draw()
    X[:, 0] = 1e16 + 2.0 * (np.arange(N_ROWS) % 2)
    X[:, 1] = 1e-200 * X[:, 1]
    input_map = fit_map(X, True)
    np.testing.assert_array_equal(input_map.scale[:2], 1.0)
    assert (input_map.scale[2:] != 1.0).all()


def test_scale_is_one_throughout_without_standardize():
    X, _ = draw()
    np.testing.assert_array_equal(fit_map(1e3 * X, False).scale, 1.0)


def test_origin_is_mapped_zero_without_standardize():
    X = draw()[0] + 7.0
    plain = fit_map(X, False)
    np.testing.assert_allclose(plain.origin, apply(plain, np.zeros((1, 4)))[0])
    np.testing.assert_array_equal(fit_map(X, True).origin, 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bounded_rows_have_finite_squared_distances(dtype):
    X, _ = draw()
    far = X.copy()
    far[0], far[1], far[2, 0] = 1e300, -1e300, 1.7e308
    mapped = apply(fit_map(X, True, dtype), far, dtype, bounded=True)
    with np.errstate(over="raise", invalid="raise"):
        distances = ((mapped[:, np.newaxis] - mapped) ** 2).sum(axis=2)
    assert np.isfinite(distances).all()
    assert (mapped[0] > 0).all()
    assert (mapped[1] < 0).all()


def test_bound_does_not_change_near_rows():
    X, _ = draw()
    input_map = fit_map(X, True)
    near = 1e6 * X
    np.testing.assert_array_equal(apply(input_map, near, bounded=True), apply(input_map, near))


def test_mapping_does_not_change_its_argument():
    X, _ = draw()
    before = X.copy()
    input_map = fit_map(X, True)
    apply(input_map, X)
    apply(input_map, 1e300 * X, bounded=True)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [slice(2, 7), np.array([5, 0, 3])], ids=["slice", "indices"])
def test_cache_does_not_change_mapped_rows(batch, dtype, monkeypatch):
    X, _ = draw()
    input_map = fit_map(X, True, dtype)
    gathered = []
    for limit in (0, 2**20):
        monkeypatch.setattr(mapped_rows, "CACHE_BYTES", limit)
        rows = mapped_rows.MappedRows(input_map, X, np.dtype(dtype))
        assert (rows.cached is None) == (limit == 0)
        out = np.full((len(X[batch]), X.shape[1]), np.nan, dtype=dtype)
        rows.gather(batch, out)
        gathered.append(out)
    np.testing.assert_array_equal(*gathered)
    np.testing.assert_allclose(gathered[0], apply(input_map, X[batch], dtype), rtol=1e-6)


# Scales -------------------------------------------------------------------------------------------


def draw_pixels(n_columns=12, n_rows=200):
    """Return columns in [0, 1] that reach both ends; each has more zeros than the one before."""
    rng = np.random.default_rng(3)
    lit = rng.random((n_rows, n_columns)) < np.geomspace(0.5, 0.05, n_columns)
    X = np.where(lit, rng.random((n_rows, n_columns)), 0.0)
    X[0], X[1] = 0.0, 1.0
    return X


def test_columns_that_share_a_range_share_a_scale():
    X = draw_pixels()
    X[:, -1] *= 0.3
    scale = fit_map(X, standardize=True).scale
    expected = np.sqrt(np.mean(X.var(axis=0)))
    np.testing.assert_allclose(scale, expected, rtol=1e-12)
    np.testing.assert_allclose(fit_map(X * 255, standardize=True).scale, 255 * expected, rtol=1e-12)


def test_column_inside_the_shared_range_keeps_its_scale():
    X = draw_pixels()
    X[:, 4] = 0.5 + 0.01 * np.sin(np.arange(len(X)))
    scale = fit_map(X, standardize=True).scale
    assert scale[4] == pytest.approx(X[:, 4].std())
    assert len(np.unique(np.delete(scale, 4))) == 1


@pytest.mark.parametrize(("n_shared", "n_others"), [(7, 0), (9, 6), (2, 2)])
def test_few_columns_of_one_range_share_nothing(n_shared, n_others):
    rng = np.random.default_rng(5)
    X = np.hstack(
        [draw_pixels(n_shared) + rng.random((200, n_shared)), rng.random((200, n_others))]
    )
    X = np.clip(X, 0.0, 1.0)
    np.testing.assert_allclose(fit_map(X, standardize=True).scale, X.std(axis=0), rtol=1e-12)


def test_constant_columns_neither_share_nor_hinder_sharing():
    X = np.hstack([draw_pixels(), np.zeros((200, 40))])
    scale = fit_map(X, standardize=True).scale
    assert len(np.unique(scale[:12])) == 1
    np.testing.assert_array_equal(scale[12:], 1.0)


@pytest.mark.parametrize(("n_columns", "spread"), [(64, 1.0), (256, 0.5), (6400, 0.1)])
def test_very_many_columns_spread_less_each(n_columns, spread):
    X = np.random.default_rng(0).random((N_ROWS, n_columns))  # nothing is far out
    mapped = apply(fit_map(X, standardize=True), X)
    np.testing.assert_allclose(mapped.std(axis=0), spread, rtol=1e-12)


def test_signed_zeros_do_not_change_the_shift():
    X = np.array([[0.0, 0.1], [0.0, -0.5], [0.0, 0.3], [-0.0, np.nan], [-0.0, 0.9]])
    for rows in (X, X[::-1], np.asfortranarray(X), np.asfortranarray(X[::-1])):
        assert not np.signbit(fit_map(rows, standardize=True).shift[0])
