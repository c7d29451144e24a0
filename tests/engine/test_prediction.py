"""Outputs for rows in input units: independent of chunks and of other rows, always finite."""

import numpy as np
import pytest
from scipy import sparse

from skdistnet.engine import KERNELS, Network, prediction
from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.prediction import layer_output, layer_outputs

N_INPUTS = 3
MAP = InputMap(np.array([1.0, -2.0, 30.0]), np.array([0.1, 1.0, 5.0]), np.zeros(N_INPUTS))


def make(dtype=np.float64, hidden=(4, 5), **options):
    network = Network([N_INPUTS, *hidden, 2], dtype=dtype, **options)
    rng = np.random.default_rng(0)
    return network, rng.normal(size=network.n_parameters).astype(dtype)


def rows(n_rows=11):
    return np.random.default_rng(1).normal(size=(n_rows, N_INPUTS)) * MAP.scale + MAP.shift


@pytest.mark.parametrize("layer", [0, 1, 2, -1])
@pytest.mark.parametrize("chunk_rows", [1, 4, 11, 50])
def test_chunk_size_does_not_change_outputs(layer, chunk_rows, monkeypatch):
    monkeypatch.setattr(prediction, "CHUNK", chunk_rows * 5)
    network, theta = make()
    expected = network.forward(theta, (rows() - MAP.shift) / MAP.scale)[layer]
    actual = layer_output(network, theta, MAP, rows(), layer)
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


def test_very_wide_layers_use_chunks_of_one_row(monkeypatch):
    monkeypatch.setattr(prediction, "CHUNK", 2)
    network, theta = make()
    assert layer_output(network, theta, MAP, rows(3)).shape == (3, 2)


def test_blocks_of_rows_do_not_change_outputs(monkeypatch):
    network, theta = make()
    expected = layer_output(network, theta, MAP, rows())
    monkeypatch.setattr(prediction, "BLOCK_ROWS", 4)
    actual = layer_output(network, theta, MAP, rows())
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("linear_part", [False, True])
def test_missing_values_may_begin_in_any_chunk(linear_part, monkeypatch):
    network, theta = make(linear_part=linear_part)
    X = rows()
    X[6, 1] = X[9, 2] = np.nan
    expected = layer_output(network, theta, MAP, X)
    alone = np.concatenate([layer_output(network, theta, MAP, X[[row]]) for row in range(len(X))])
    np.testing.assert_allclose(alone, expected, rtol=1e-11, atol=1e-13)
    monkeypatch.setattr(prediction, "CHUNK_ROWS", 4)
    actual = layer_output(network, theta, MAP, X)
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


def test_no_rows_give_no_outputs():
    network, theta = make()
    assert layer_output(network, theta, MAP, rows(0)).shape == (0, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows_dtype", [np.float32, np.float64])
def test_output_has_the_networks_dtype(dtype, rows_dtype):
    network, theta = make(dtype)
    actual = layer_output(network, theta, MAP, rows().astype(rows_dtype))
    assert actual.dtype == dtype
    exact = layer_output(*make(), MAP, rows())
    np.testing.assert_allclose(actual, exact, rtol=1e-3, atol=1e-3)


def test_parameters_and_rows_are_not_changed():
    network, theta = make()
    X, theta_before = rows(), theta.copy()
    layer_output(network, theta, MAP, X)
    np.testing.assert_array_equal(theta, theta_before)
    np.testing.assert_array_equal(X, rows())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("activation", [*KERNELS, "relu", "tanh"])
@pytest.mark.parametrize("output_layer", ["distance", "linear"])
def test_rows_too_far_to_square_give_finite_outputs(dtype, radius_type, activation, output_layer):
    network, theta = make(
        dtype, activations=activation, radius_type=radius_type, output_layer=output_layer
    )
    far = np.array([[1e300, -1e300, 1e300], [1.7e308, 0.0, 0.0], [1e160, 1e160, -1e160]])
    assert np.isfinite(layer_output(network, theta, MAP, far)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_rows_do_not_overflow_after_dense_layers(dtype):
    network, theta = make(dtype, hidden=(8, 8, 8, 4), activations=["relu"] * 3 + ["gaussian"])
    far = np.array([[1e300, -1e300, 1e300], [-1e300, 1e300, -1e300]])
    assert np.isfinite(layer_output(network, theta, MAP, far)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, 11])
@pytest.mark.parametrize("output_layer", ["distance", "linear"])
@pytest.mark.parametrize("activation", ["gaussian", "relu"])
def test_huge_parameters_give_outputs_with_finite_differences(
    activation, output_layer, n_rows, dtype
):
    network, theta = make(dtype, activations=activation, output_layer=output_layer)
    theta *= float(np.finfo(dtype).max) ** 0.24
    actual = layer_output(network, theta, MAP, 1e6 * rows(n_rows))
    assert np.isfinite(actual).all()
    assert np.isfinite(actual[:, 0] - actual[:, 1]).all()


@pytest.mark.parametrize("n_rows", [1, 3, 4, 11])
def test_one_pass_gives_several_layers_outputs(n_rows):
    network, theta = make()
    layers = [-2, 0, -1]
    outputs = layer_outputs(network, theta, MAP, rows(n_rows), layers)
    for layer, output in zip(layers, outputs, strict=True):
        separate = layer_output(network, theta, MAP, rows(n_rows), layer)
        np.testing.assert_array_equal(output, separate)


# Independence of other rows -----------------------------------------------------------------------

SPREADS = {
    np.float32: [1.0, 1e4, 1e9, 1e15, 1e17, 1e18, 1e19, 1e25, 1e37],
    np.float64: [1.0, 1e9, 1e76, 1e140, 1e153, 1e154, 1e160, 1e250, 1e306],
}
HYBRIDS = [*KERNELS, "relu", "tanh", ["relu", "cauchy"], ["gaussian", "relu"]]


def far_rows(dtype, missing=False):
    """Return rows at growing distances, two at each, in random order."""
    rng = np.random.default_rng(2)
    X = rng.uniform(0.1, 1, size=(2 * len(SPREADS[dtype]), N_INPUTS)) * rng.choice([-1, 1])
    X *= np.repeat(SPREADS[dtype], 2)[:, np.newaxis]
    if missing:
        X[::3, 1] = np.nan
    return rng.permutation(X.astype(dtype))


def check_rows_are_independent(network, theta, X, layers=(-1,)):
    """Assert that all rows at once, five at a time and single ones have the same outputs."""
    tolerance = 1e-5 if network.dtype == np.float32 else 1e-11
    batch = layer_outputs(network, theta, MAP, X, layers)
    for size in (1, 5):
        parts = [
            layer_outputs(network, theta, MAP, X[start : start + size], layers)
            for start in range(0, len(X), size)
        ]
        for output, part in zip(batch, map(np.concatenate, zip(*parts))):
            scale = np.abs(output).max(axis=1, keepdims=True) + 1e-4
            assert np.isfinite(output).all()
            assert np.all(np.abs(output / scale - part / scale) < tolerance)


@pytest.mark.parametrize("dtype", SPREADS)
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("output_layer", ["distance", "linear"])
@pytest.mark.parametrize("activation", HYBRIDS, ids=str)
def test_outputs_do_not_depend_on_other_rows(dtype, radius_type, output_layer, activation):
    options = {"radius_type": radius_type, "output_layer": output_layer}
    network, theta = make(dtype, activations=activation, **options)
    check_rows_are_independent(network, theta, far_rows(dtype), [0, 1, -1])


@pytest.mark.parametrize("dtype", SPREADS)
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("missing", [False, True])
def test_outputs_without_hidden_layers_ignore_other_rows(dtype, radius_type, missing):
    network, theta = make(dtype, hidden=(), radius_type=radius_type)
    check_rows_are_independent(network, theta, far_rows(dtype, missing))


@pytest.mark.parametrize("dtype", SPREADS)
@pytest.mark.parametrize("activation", KERNELS)
def test_outputs_with_missing_values_ignore_other_rows(dtype, activation):
    network, theta = make(dtype, activations=activation)
    check_rows_are_independent(network, theta, far_rows(dtype, missing=True), [0, -1])


def test_far_sparse_rows_equal_dense_rows():
    network, theta = make(np.float32, hidden=())
    X = far_rows(np.float32)
    np.testing.assert_array_equal(
        layer_output(network, theta, MAP, sparse.csr_array(X)), layer_output(network, theta, MAP, X)
    )


@pytest.mark.parametrize("dtype", SPREADS)
def test_nan_does_not_change_other_kernel_values(dtype):
    u = np.array([-1e3, -1.0, np.nan], dtype=dtype)
    with_nan, without = np.empty_like(u), np.empty_like(u)
    KERNELS["gaussian"].value(u.copy(), with_nan)
    KERNELS["gaussian"].value(u[:2].copy(), without[:2])
    np.testing.assert_array_equal(with_nan[:2], without[:2])
    assert np.isnan(with_nan[2])


@pytest.mark.parametrize("n_rows", [2, 20])
def test_tiny_activations_are_zero_however_many_rows(n_rows):
    network, theta = make(np.float32, activations="gaussian")
    X = np.concatenate([rows(n_rows - 1), [[20.0, 40.0, 500.0]]])
    hidden = layer_output(network, theta, MAP, X, 0)
    assert not hidden[-1].any()


def test_only_rows_that_overflow_are_computed_alone(monkeypatch):
    counts, network, theta = [], *make(np.float32, hidden=())
    compute = network.layers[0].__class__.forward_row
    monkeypatch.setattr(
        network.layers[0].__class__,
        "forward_row",
        lambda *args: counts.append(1) or compute(*args),
    )
    layer_output(network, theta, MAP, rows(200).astype(np.float32))
    assert counts == []
    layer_output(network, theta, MAP, np.concatenate([rows(200), 1e30 * rows(3)]))
    assert len(counts) == 6  # each once more, bounded


def test_hidden_outputs_that_hardly_vary_keep_precision():
    rng = np.random.default_rng(0)
    network = Network([3, 4, 2], "logistic", "distance", dtype=np.float32)
    hidden = 0.5 + 1e-3 * rng.normal(size=(2, 4))
    theta = network.pack(
        coefs=[1e-3 * rng.normal(size=(3, 4)), None],
        intercepts=[np.zeros(4), None],
        centroids=[None, hidden],
        inverse_radii=[None, np.full((2, 4), 500.0)],
    )
    X = rows(50).astype(np.float32)
    batch = layer_output(network, theta, MAP, X)
    single = np.concatenate([layer_output(network, theta, MAP, row[np.newaxis]) for row in X])
    np.testing.assert_allclose(batch, single, rtol=1e-5, atol=1e-5)
