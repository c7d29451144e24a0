from dataclasses import replace

import numpy as np
import pytest
from finite_differences import central_differences

from skdistnet.engine.layers import LAYERS, Dense, Distance
from skdistnet.engine.layers.activations import ACTIVATIONS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.layers.kernels import KERNELS

N_ROWS, N_INPUTS, N_UNITS = 5, 3, 4

CASES = [
    *(kind(N_INPUTS, N_UNITS) for kind in LAYERS.values()),
    *(
        Distance(N_INPUTS, N_UNITS, kernel, radius_type)
        for kernel in [None, *KERNELS]
        for radius_type in RADIUS_TYPES
    ),
    *(Dense(N_INPUTS, N_UNITS, activation) for activation in ACTIVATIONS),
]
every_layer = pytest.mark.parametrize("layer", dict.fromkeys(CASES), ids=str)


def run(layer, block, X, d_out=None):
    """Return the output of a layer, or given `d_out` its gradients by parameters and input."""
    params, work = layer.views(block), layer.workspace(len(X), X.dtype)
    out = np.full((len(X), layer.n_units), np.nan, dtype=X.dtype)
    work.X[...] = X
    layer.prepare(params, work)
    layer.forward(params, work, out)
    if d_out is None:
        return out
    gradient, d_input, d_out = np.full_like(block, np.nan), np.full_like(X, np.nan), d_out.copy()
    layer.backward(params, work, out, d_out, layer.views(gradient))
    layer.input_gradient(params, work, d_out, d_input)
    return gradient, d_input


def sample(layer, dtype=np.float64):
    rng = np.random.default_rng(5)
    block = rng.normal(size=layer.n_parameters).astype(dtype)
    X = rng.normal(size=(N_ROWS, N_INPUTS)).astype(dtype)
    return block, X, rng.normal(size=(N_ROWS, N_UNITS)).astype(dtype)


@every_layer
def test_parameter_gradient_matches_central_differences(layer):
    block, X, d_out = sample(layer)
    gradient, _ = run(layer, block, X, d_out)
    expected = central_differences(lambda moved: float((run(layer, moved, X) * d_out).sum()), block)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


@every_layer
def test_input_gradient_matches_central_differences(layer):
    block, X, d_out = sample(layer)
    _, d_input = run(layer, block, X, d_out)
    expected = central_differences(lambda moved: float((run(layer, block, moved) * d_out).sum()), X)
    np.testing.assert_allclose(d_input, expected, rtol=1e-6, atol=1e-8)


@every_layer
def test_float32_gradients_are_close_to_float64(layer):
    block, X, d_out = sample(layer, np.float32)
    actual = run(layer, block, X, d_out)
    exact = run(layer, *(array.astype(np.float64) for array in (block, X, d_out)))
    for single, double in zip(actual, exact):
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4)


@every_layer
def test_views_name_every_parameter_once_and_write_through(layer):
    block = np.zeros(layer.n_parameters)
    views = layer.views(block)
    assert tuple(views) == layer.parameter_names
    assert set(layer.decayed_names) <= set(layer.parameter_names)
    for view in views.values():
        view += 1.0
    np.testing.assert_array_equal(block, np.ones_like(block))


@every_layer
def test_rows_do_not_influence_each_other(layer):
    block, X, _ = sample(layer)
    single = np.vstack([run(layer, block, row[np.newaxis]) for row in X])
    np.testing.assert_allclose(run(layer, block, X), single, rtol=1e-12, atol=1e-13)


@every_layer
@pytest.mark.parametrize("in_columns", [False, True])
def test_expansion_gives_output_and_further_functions(layer, in_columns):
    block, X, _ = sample(layer)
    functions = np.random.default_rng(6).normal(size=(2, N_INPUTS))
    expansion = layer.expand(layer.views(block), functions)
    Z = X.T.copy() if in_columns else X.T
    u, out = np.empty((N_UNITS + 2, N_ROWS)), np.empty((N_UNITS, N_ROWS))
    expansion.write(Z, np.empty_like(Z), u)
    np.testing.assert_allclose(u[N_UNITS:], functions @ X.T, rtol=1e-12, atol=1e-13)
    actual = layer.activate(u[:N_UNITS], out).T
    np.testing.assert_allclose(actual, run(layer, block, X), rtol=1e-11, atol=1e-13)


@every_layer
def test_backward_does_not_change_parameters_or_input(layer):
    block, X, d_out = sample(layer)
    before, work = block.copy(), layer.workspace(N_ROWS, X.dtype)
    out = np.empty_like(d_out)
    work.X[...] = X
    layer.prepare(layer.views(block), work)
    layer.forward(layer.views(block), work, out)
    layer.backward(layer.views(block), work, out, d_out, layer.views(np.empty_like(block)))
    layer.input_gradient(layer.views(block), work, d_out, np.empty_like(X))
    np.testing.assert_array_equal(block, before)
    np.testing.assert_array_equal(work.X, X)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_one_shape_are_equal(name):
    """A layer keeps no state, so that two of one shape are interchangeable."""
    layer = LAYERS[name](N_INPUTS, N_UNITS)
    block, X, d_out = sample(layer)
    run(layer, block, X, d_out)
    assert layer == LAYERS[name](N_INPUTS, N_UNITS)
    assert replace(layer, n_units=N_UNITS + 1) != layer


def test_dense_layer_is_an_activated_affine_map():
    layer = Dense(2, 1, "relu")
    block = np.zeros(layer.n_parameters)
    views = layer.views(block)
    views["coefs"][...] = [[2.0], [-1.0]]
    views["intercepts"][...] = 0.5
    np.testing.assert_allclose(run(layer, block, np.array([[1.0, 1.0], [0.0, 3.0]])), [[1.5], [0]])


@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
def test_distance_layer_is_a_kernel_of_squared_distance(radius_type):
    X = np.array([[3.0, 4.0]])
    for activation, expected in [(None, -50.0), ("gaussian", np.exp(-50.0)), ("cauchy", 1 / 101)]:
        layer = Distance(2, 1, activation, radius_type)
        block = np.zeros(layer.n_parameters)
        layer.views(block)["inverse_radii"][...] = 2.0
        np.testing.assert_allclose(run(layer, block, X), [[expected]], rtol=1e-13)


def test_decay_spares_intercepts_only():
    for layer in CASES:
        assert set(layer.parameter_names) - set(layer.decayed_names) <= {"intercepts"}
    assert "intercepts" not in Dense.decayed_names


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kernel", KERNELS)
def test_distance_layer_outputs_have_no_subnormal_squares(kernel, dtype):
    """Arithmetic with subnormal numbers is many times slower."""
    layer = Distance(1, 1, kernel)
    block = np.ones(2, dtype=dtype)
    X = np.linspace(0, 50, 2_001, dtype=dtype)[:, np.newaxis]
    out = run(layer, block, X)
    _, d_input = run(layer, block, X, np.full_like(out, 1e-3))
    activations = layer.activate(np.linspace(-1e9, 0, 2_001, dtype=dtype), np.empty(2_001, dtype))
    for values in (out, d_input, activations):
        squares = (values * values)[values != 0]
        assert squares.min() >= np.finfo(dtype).tiny
