"""The linear part of a network: gradients, parameters, outputs and the least-squares solution."""

from dataclasses import replace

import numpy as np
import pytest
from finite_differences import central_differences
from initial_networks import start
from training_runs import CONFIG, IDENTITY, N_INPUTS, N_ROWS, make_rows

from skdistnet.engine import ACTIVATIONS, KERNELS, LOSSES, SOLVERS, Network
from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.network import OUTPUT_LAYERS
from skdistnet.engine.prediction import layer_output
from skdistnet.engine.training.config import Rows, TrainingState
from skdistnet.engine.training.loop import train

HIDDEN = [(), *((name,) for name in [*KERNELS, *ACTIVATIONS]), ("relu", "cauchy", "gaussian")]
every_hidden = pytest.mark.parametrize("hidden", HIDDEN, ids="-".join)
every_output = pytest.mark.parametrize("output_layer", OUTPUT_LAYERS)
every_radius_type = pytest.mark.parametrize("radius_type", RADIUS_TYPES)


def make(hidden=("gaussian",), output_layer="distance", radius_type="diag", **options):
    sizes = [N_INPUTS, *range(4, 4 + len(hidden)), 2]
    return Network(sizes, hidden, output_layer, radius_type, **{"linear_part": True} | options)


def sample(network, n_rows=7):
    """Return parameters, rows, one-hot rows (a target for any loss) and uneven weights."""
    rng = np.random.default_rng(2)
    theta = 0.7 * rng.normal(size=network.n_parameters)
    X, Y = rng.normal(size=(n_rows, N_INPUTS)), np.eye(2)[rng.integers(2, size=n_rows)]
    return theta.astype(network.dtype), X, Y, rng.uniform(0.2, 3.0, n_rows)


# Gradients and outputs ----------------------------------------------------------------------------


@every_hidden
@every_output
@every_radius_type
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_match_central_differences(hidden, output_layer, radius_type, loss):
    network = make(hidden, output_layer, radius_type)
    theta, X, Y, weights = sample(network)

    def value(theta, X):
        return network.loss_and_grad(theta, X, Y, weights, decay=0.3, loss=loss)[0]

    _, gradient = network.loss_and_grad(theta, X, Y, weights, decay=0.3, loss=loss)
    expected = central_differences(lambda moved: value(moved, X), theta)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-8)
    d_input = network.input_gradient(theta, X, Y, weights, loss=loss)
    expected = central_differences(lambda moved: value(theta, moved), X)
    np.testing.assert_allclose(d_input, expected, rtol=1e-5, atol=1e-8)


@every_hidden
@every_output
def test_linear_function_is_added_to_the_output(hidden, output_layer):
    network = make(hidden, output_layer)
    theta, X, *_ = sample(network)
    smaller = make(hidden, output_layer, linear_part=False)
    coefs = network.unpack(theta).linear_coefs
    *hidden_outputs, raw = network.forward(theta, X)
    *expected, raw_without = smaller.forward(theta[: smaller.n_parameters], X)
    np.testing.assert_allclose(raw, raw_without + X @ coefs, rtol=1e-12, atol=1e-12)
    for actual, other in zip(hidden_outputs, expected, strict=True):
        np.testing.assert_allclose(actual, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_rows", [2, 50])  # alone and by products
@pytest.mark.parametrize("hidden", [(), ("gaussian",), ("cauchy", "relu")], ids="-".join)
def test_missing_values_count_as_zero(n_rows, hidden):
    network, input_map = make(hidden), InputMap(np.ones(3), np.full(3, 2.0), np.zeros(3))
    theta, X, *_ = sample(network, n_rows)
    X[::2, 1] = np.nan
    X[1] = np.nan
    smaller = make(hidden, linear_part=False)
    part = theta[: smaller.n_parameters]
    actual = layer_output(network, theta, input_map, X)
    expected = layer_output(smaller, part, input_map, X)
    expected += np.nan_to_num((X - 1) / 2) @ network.unpack(theta).linear_coefs
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def test_missing_values_add_no_gradient_in_training():
    network = make(output_layer="linear")
    rows = make_rows()
    X = np.where(np.arange(N_INPUTS) == 1, np.nan, rows.X)
    config = replace(CONFIG, solver=SOLVERS["sgd"](momentum=0.0), batch_size=N_ROWS, max_iter=1)
    theta = sample(network)[0]
    before = theta.copy()
    state = TrainingState(theta, config.solver.init(theta), np.random.default_rng(0))
    target = np.tile(rows.target, 2)
    train(network, IDENTITY, Rows(X, target), config, state)
    change = network.unpack(state.theta - before).linear_coefs
    np.testing.assert_array_equal(change[1], 0)
    residual = layer_output(network, before, IDENTITY, X) - target
    expected = -config.learning_rate_init * np.nan_to_num(X).T @ residual / (2 * N_ROWS)
    np.testing.assert_allclose(change, expected, rtol=1e-9, atol=1e-15)


def test_output_of_huge_rows_is_finite():
    network = make(output_layer="linear")
    theta, X, *_ = sample(network, 6)
    X[::2] *= 1e300
    assert np.isfinite(layer_output(network, theta, IDENTITY, X)).all()


def test_single_precision_is_kept():
    single, double = make(dtype=np.float32), make()
    theta, X, Y, _ = sample(double)
    raw = single.forward(theta, X)[-1]
    assert raw.dtype == single.loss_and_grad(theta, X, Y)[1].dtype == np.float32
    np.testing.assert_allclose(raw, double.forward(theta, X)[-1], rtol=1e-4, atol=1e-5)


# Least squares ------------------------------------------------------------------------------------


def residuals_of_least_squares(network, theta, rows):
    """Set the coefficients that minimise the squared error, and return their residuals."""
    coefs = network.unpack(theta).linear_coefs
    coefs[...] = 0
    rest = rows.target - network.forward(theta, rows.X)[-1]
    coefs[...] = np.linalg.lstsq(rows.X, rest, rcond=None)[0]
    return rest - rows.X @ coefs


@every_hidden
@every_output
def test_gradient_is_zero_at_least_squares(hidden, output_layer):
    network, rows = make(hidden, output_layer), make_rows()
    rows = replace(rows, target=np.hstack([rows.target, rows.X[:, :1] ** 2]))
    theta = sample(network)[0]
    residuals_of_least_squares(network, theta, rows)
    _, gradient = network.loss_and_grad(theta, rows.X, rows.target, loss="squared_error")
    np.testing.assert_allclose(gradient[network.linear_slice], 0, atol=1e-12)
    assert np.abs(gradient).max() > 0.01


def test_units_without_influence_leave_least_squares():
    """Far from every row, units are silent and without gradient, so only the rest is trained."""
    network = Network([N_INPUTS, 4, 1], output_layer="linear", linear_part=True)
    rows, theta = make_rows(), np.zeros(network.n_parameters)
    views = network.views(theta)
    views[0]["centroids"][...], views[0]["inverse_radii"][...] = 1e3, 1.0
    config = replace(
        CONFIG, solver=SOLVERS["sgd"](), learning_rate_init=0.1, batch_size=N_ROWS, max_iter=2000
    )
    config = replace(config, n_iter_no_change=10**4)
    state = TrainingState(theta, config.solver.init(theta), np.random.default_rng(0))
    train(network, IDENTITY, rows, config, state)
    design = np.hstack([rows.X, np.ones((N_ROWS, 1))])
    expected = np.linalg.lstsq(design, rows.target, rcond=None)[0]
    unpacked = network.unpack(state.theta)
    np.testing.assert_allclose(unpacked.linear_coefs, expected[:-1], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(unpacked.intercepts[1], expected[-1], rtol=1e-6, atol=1e-9)


# Parameters ---------------------------------------------------------------------------------------


def test_network_has_no_linear_part_by_default():
    network = Network([3, 4, 2])
    assert not network.linear_part
    assert "linear_coefs" not in network.unpack(np.zeros(network.n_parameters))
    assert make().n_parameters == Network([3, 4, 2], "gaussian").n_parameters + 3 * 2


def test_coefficients_are_the_last_parameters():
    network = make()
    theta, *_ = sample(network)
    unpacked = network.unpack(theta)
    np.testing.assert_array_equal(unpacked.linear_coefs, theta[-6:].reshape(3, 2))
    np.testing.assert_array_equal(network.pack(**unpacked), theta)
    del unpacked["linear_coefs"]
    np.testing.assert_array_equal(network.pack(**unpacked)[-6:], 0)


@pytest.mark.parametrize("linear_part", [False, True])
def test_packing_coefficients_of_wrong_shape_raises(linear_part):
    network = make(linear_part=linear_part)
    parts = network.unpack(np.zeros(network.n_parameters))
    shape = r"\(3, 2\)" if linear_part else "None"
    with pytest.raises(ValueError, match=rf"'linear_coefs' must have shape {shape}.*got \(2, 3\)"):
        network.pack(**dict(parts) | {"linear_coefs": np.zeros((2, 3))})


def test_decay_acts_on_coefficients():
    network = make(output_layer="linear")
    np.testing.assert_array_equal(network.decay_mask()[network.linear_slice], 1)


@pytest.mark.parametrize("init", ["sample", "uniform"])
def test_coefficients_start_at_zero(init):
    network = make()
    _, X, Y, _ = sample(network, 20)
    theta = start(network, X, Y, init)
    np.testing.assert_array_equal(theta[network.linear_slice], 0)
