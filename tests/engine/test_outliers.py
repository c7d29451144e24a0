"""Values far out do not set the scale of a column, and are compressed."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_wine

from skdistnet import DistanceNetClassifier
from skdistnet.engine import input_scaling
from skdistnet.engine.input_scaling import KNEE, InputMap, compress, expand

FAR = 1_000.0


def draw(n_rows=200, n_columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


def fit_map(X, weights=None, standardize=True, dtype=np.float64):
    weights = np.ones(X.shape[0]) if weights is None else weights
    return InputMap.fit(X, weights / weights.sum(), standardize, np.dtype(dtype))


def apply(input_map, X, dtype=np.float64, **options):
    out = np.full(X.shape, np.nan, dtype=dtype)
    input_map.apply(X, out, **options)
    return out


def same_maps(first, second, **options):
    np.testing.assert_allclose(first.shift, second.shift, **options)
    np.testing.assert_allclose(first.scale, second.scale, **options)


# Fences -------------------------------------------------------------------------------------------


def test_values_beyond_the_fences_count_as_on_them():
    column = np.arange(101.0)  # quartiles 25 and 75, outer fences -125 and 225
    column[[0, 100]] = -999.0, 226.0
    expected = np.clip(column, -125.0, 225.0)
    input_map = fit_map(column[:, np.newaxis])
    np.testing.assert_allclose(input_map.shift, expected.mean())
    np.testing.assert_allclose(input_map.scale, expected.std())


def test_values_within_the_fences_change_nothing():
    column = np.arange(101.0)
    column[[0, 100]] = -125.0, 225.0
    input_map = fit_map(column[:, np.newaxis])
    np.testing.assert_allclose(input_map.shift, column.mean(), rtol=1e-15)
    np.testing.assert_allclose(input_map.scale, column.std(), rtol=1e-15)


def test_fences_of_mostly_zero_column_use_outer_quantiles():
    column = np.zeros(100)
    column[:20] = np.arange(1.0, 21.0)  # quantile .95 is 15, so that the upper fence is 60
    column[19] = 500.0
    expected = np.clip(column, -45.0, 60.0)
    np.testing.assert_allclose(fit_map(column[:, np.newaxis]).scale, expected.std())


@pytest.mark.parametrize("share", [0.255, 0.3, 0.45])
def test_quartile_at_the_median_sets_no_fence(share):
    """The range of the quartiles is then that of a few values next to the most common one."""
    column = np.zeros(400)
    n_positive = round(400 * share)
    column[:n_positive] = np.linspace(0.001, 1.0, n_positive)
    np.testing.assert_allclose(fit_map(column[:, np.newaxis]).scale, column.std())


def test_outlier_hardly_changes_the_map():
    X = draw()
    clean, spoilt = fit_map(X), X.copy()
    spoilt[7, 1], spoilt[8, 2] = FAR, -1e300
    spoilt_map = fit_map(spoilt)
    assert spoilt_map.scale[0] == clean.scale[0]
    np.testing.assert_allclose(spoilt_map.scale, clean.scale, rtol=0.1)
    np.testing.assert_allclose(spoilt_map.shift, clean.shift, atol=0.1)


def test_weights_count_as_repeated_rows():
    X = draw(60)
    X[[3, 4], 0] = FAR, -FAR
    repeats = np.arange(60) % 3 + 1
    same_maps(fit_map(X, repeats), fit_map(np.repeat(X, repeats, axis=0)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.04, 0.06, 0.2, 0.5, 0.99])
def test_binary_columns_keep_mean_and_deviation(share):
    column = (np.arange(1_000) < 1_000 * share).astype(float)
    input_map = fit_map(column[:, np.newaxis])
    np.testing.assert_allclose(input_map.shift, column.mean(), rtol=1e-12)
    np.testing.assert_allclose(input_map.scale, column.std(), rtol=1e-12)


def test_missing_values_are_left_out():
    X = draw(300)
    X[5, 1] = FAR
    incomplete = np.vstack([X, np.full((50, 3), np.nan)])
    same_maps(fit_map(incomplete), fit_map(X), rtol=1e-12, atol=1e-12)
    mapped = apply(fit_map(incomplete), incomplete)
    np.testing.assert_array_equal(np.isnan(mapped), np.isnan(incomplete))


def test_column_of_nan_has_no_fences():
    X = draw()
    X[:, 1], X[0, 2] = np.nan, FAR
    input_map = fit_map(X)
    assert np.isnan(input_map.shift).tolist() == [False, True, False]
    assert input_map.scale[1] == 1.0


@pytest.mark.parametrize("n_rows", [200, 700])
def test_sparse_columns_equal_dense_ones(n_rows, monkeypatch):
    monkeypatch.setattr(input_scaling, "QUANTILE_ROWS", 300)
    shares = np.array([0.01, 0.045, 0.055, 0.2, 0.9])
    X = draw(n_rows, 5) * (np.random.default_rng(1).random((n_rows, 5)) < shares)
    X[:3] *= FAR
    X[4, 4] = FAR
    dense, sparse = fit_map(X), fit_map(csr_array(X))
    same_maps(sparse, dense, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(apply(sparse, csr_array(X)), apply(dense, X), rtol=1e-12)
    assert dense.scale[4] < 0.2 * X[:, 4].std()


def test_quantiles_of_some_rows_serve_for_many(monkeypatch):
    X = draw(2_000)
    X[11, 0] = FAR
    every = fit_map(X)
    monkeypatch.setattr(input_scaling, "QUANTILE_ROWS", 500)
    same_maps(fit_map(X), every, rtol=0.02, atol=0.02)


def test_rounding_noise_beside_an_outlier_is_not_scaled_up():
    noise = 1e-3 * np.random.default_rng(0).integers(-1, 2, size=200)
    column = (1e4 + noise).astype(np.float32)
    column[5] = -1e4
    input_map = fit_map(column[:, np.newaxis], dtype=np.float32)
    np.testing.assert_allclose(input_map.scale, column.astype(float).std(), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_outlier_is_mapped_to_finite_squares(dtype):
    X = draw().astype(dtype)
    X[5, 1] = 1e-3 * np.finfo(dtype).max
    mapped = apply(fit_map(X, dtype=dtype), X, dtype)
    assert np.isfinite(mapped * mapped).all()
    assert np.argmax(mapped[:, 1]) == 5


def test_columns_of_one_unit_are_left_alone():
    rng = np.random.default_rng(3)
    pixels = np.where(rng.random((300, 12)) < 0.3, rng.random((300, 12)) ** 8, 0.0)
    pixels[0], pixels[1] = 0.0, 1.0  # far beyond the fences
    input_map = fit_map(pixels)
    np.testing.assert_allclose(input_map.shift, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(input_map.scale, np.sqrt(np.mean(pixels.var(axis=0))), rtol=1e-12)


# Invariance ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [-200, -3, 100])
def test_power_of_two_scales_the_map_exactly(exponent):
    X = draw()
    X[9] = FAR
    plain, scaled = fit_map(X), fit_map(np.ldexp(X, exponent))
    np.testing.assert_array_equal(scaled.scale, np.ldexp(plain.scale, exponent))
    np.testing.assert_array_equal(apply(scaled, np.ldexp(X, exponent)), apply(plain, X))


def test_shift_moves_the_map():
    X = np.round(draw(), 3)
    X[9] = FAR
    plain, shifted = fit_map(X), fit_map(X + 512.0)
    np.testing.assert_allclose(shifted.shift, plain.shift + 512.0, rtol=1e-12)
    np.testing.assert_allclose(apply(shifted, X + 512.0), apply(plain, X), rtol=1e-9, atol=1e-10)


# Compression --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compression_is_monotone_and_smooth(dtype):
    points = np.linspace(-30, 30, 6_001, dtype=dtype)
    compressed = compress(points)
    assert compressed.dtype == dtype
    near = np.abs(points) <= KNEE
    np.testing.assert_array_equal(compressed[near], points[near])
    steps = np.diff(compressed.astype(float)) / np.diff(points.astype(float))
    assert steps.min() > 0
    assert np.abs(np.diff(steps)).max() < 0.02
    np.testing.assert_allclose(compressed, -compressed[::-1], rtol=1e-5)


def test_expansion_inverts_compression():
    magnitudes = np.concatenate([[0.0, 1.0, KNEE], KNEE + np.logspace(-6, 300, 50)])
    points = np.concatenate([magnitudes, -magnitudes, [np.nan]])
    compressed = compress(points)
    np.testing.assert_allclose(expand(compressed), points, rtol=1e-12)
    assert np.nanmax(compressed) < 1_000


def test_points_return_to_input_units():
    X = draw()
    X[9] = FAR
    input_map = fit_map(X)
    np.testing.assert_allclose(input_map.unscale_points(input_map.scale_points(X)), X, rtol=1e-9)
    np.testing.assert_allclose(input_map.scale_points(X), apply(input_map, X), rtol=1e-12)


def test_columns_without_values_far_out_stay_linear():
    X = draw()
    X[9, 1] = FAR
    input_map, rows = fit_map(X), FAR * draw(5, seed=1)
    mapped, linear = apply(input_map, rows), (rows - input_map.shift) / input_map.scale
    np.testing.assert_allclose(mapped[:, [0, 2]], linear[:, [0, 2]], rtol=1e-12)
    assert np.abs(mapped[:, 1]).max() < 20
    assert fit_map(draw()).far_out is None


def test_nothing_is_compressed_without_standardize():
    X = draw()
    X[9] = FAR
    input_map = fit_map(X, standardize=False)
    np.testing.assert_array_equal(input_map.scale, 1.0)
    np.testing.assert_array_equal(apply(input_map, X), X - input_map.shift)
    np.testing.assert_allclose(input_map.unscale_points(input_map.scale_points(X)), X, atol=1e-12)


def test_inputs_can_be_mapped_without_compression():
    X = draw()
    X[9] = FAR
    input_map = fit_map(X)
    mapped = apply(input_map, X, linear=True)
    np.testing.assert_allclose(mapped, (X - input_map.shift) / input_map.scale, rtol=1e-12)


# Estimators ---------------------------------------------------------------------------------------


def test_outlier_hardly_changes_the_predictions():
    X, y = load_wine(return_X_y=True)
    spoilt = X.copy()
    spoilt[0, :5] = 1e9
    settings = {"max_iter": 20, "early_stopping": False, "random_state": 0}
    clean = DistanceNetClassifier(20, **settings).fit(X, y)
    net = DistanceNetClassifier(20, **settings).fit(spoilt, y)
    difference = clean.predict_proba(X[1:]) - net.predict_proba(X[1:])
    assert np.abs(difference).mean() < 0.02


def test_novelty_score_falls_with_the_distance_beyond_the_knee():
    X, y = load_wine(return_X_y=True)
    X[-1] = 100 * X[-1]  # in each column a value far out
    net = DistanceNetClassifier(20, max_iter=20, random_state=0).fit(X, y)
    direction = X.std(axis=0)
    inputs = np.array([apply(net._input_map, X[:1] + far * direction) for far in (1e3, 1e6)])
    assert np.abs(inputs[1] / inputs[0]).max() < 3
    scores = net.score_samples(X[0] + np.array([[1e3], [1e6]]) * direction)
    assert scores[1] < 1.5 * scores[0] < net.novelty_threshold_
