"""The recurrent distance layer and its readout: output, gradients, skipped steps."""

from itertools import pairwise

import numpy as np
import pytest
from finite_differences import central_differences
from recurrent_networks import (
    N_INPUTS,
    N_OUTPUTS,
    N_SEQUENCES,
    N_STEPS,
    N_UNITS,
    both_outputs,
    draw_parameters,
    draw_sequences,
    every_kernel,
    every_kind_of_missing,
    every_radius_type,
    make_layer,
    make_network,
    output_naively,
    run,
    states_naively,
)

from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.layers.kernels import KERNELS
from skdistnet.engine.layers.readout import Readout

#: Not trained by gradients.
FIXED = {"shift", "scale"}
IDENTITY = InputMap(np.zeros(N_INPUTS), np.ones(N_INPUTS), np.zeros(N_INPUTS))


def direction(network, seed=2):
    """Return weights of the raw output, whose weighted sum is the loss."""
    n_rows = N_STEPS if network.by_step else 1
    return np.random.default_rng(seed).normal(size=(N_SEQUENCES, n_rows * N_OUTPUTS))


def trained(network):
    """Return the mask of parameters that gradients train."""
    return ~network.parameter_mask(FIXED)


def test_naive_kernels_are_all_kernels():
    assert set(KERNELS) == {"gaussian", "cauchy"}, "states_naively lacks a kernel"


@both_outputs
@every_kernel
@every_radius_type
@every_kind_of_missing
def test_forward_equals_the_naive_loop(kernel, radius_type, by_step, missing):
    network, X = make_network(kernel, radius_type, by_step), draw_sequences(missing)
    theta = draw_parameters(network)
    raw, states = run(network, theta, X), network.states(theta, IDENTITY, X)
    for sequence, own_raw, own_states in zip(X, raw, states):
        expected_raw, expected_states = output_naively(network, theta, sequence)
        np.testing.assert_allclose(own_raw, expected_raw, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(own_states, expected_states, rtol=1e-11, atol=1e-12)


@both_outputs
@every_kernel
@every_radius_type
@every_kind_of_missing
def test_gradient_matches_central_differences(kernel, radius_type, by_step, missing):
    network, X = make_network(kernel, radius_type, by_step), draw_sequences(missing)
    theta, d_raw = draw_parameters(network), direction(network)
    gradient = run(network, theta, X, d_raw)
    expected = central_differences(
        lambda moved: float((run(network, moved, X) * d_raw).sum()), theta
    )
    mask = trained(network)
    np.testing.assert_allclose(gradient[mask], expected[mask], rtol=2e-6, atol=1e-8)
    assert not gradient[~mask].any()
    assert np.count_nonzero(gradient) == np.count_nonzero(mask)


@both_outputs
def test_given_leaking_rates_have_no_gradient(by_step):
    network = make_network(by_step=by_step, trains_leaks=False)
    theta, X, d_raw = draw_parameters(network), draw_sequences(), direction(network)
    mask = network.parameter_mask({"leak_logits"})
    gradient = run(network, theta, X, d_raw)
    assert not gradient[mask].any()
    free = run(make_network(by_step=by_step), theta, X, d_raw)
    assert free[mask].all()
    np.testing.assert_array_equal(gradient[~mask], free[~mask])


@both_outputs
@every_kernel
@every_radius_type
def test_single_precision_is_close_to_double(kernel, radius_type, by_step):
    single, double = (make_network(kernel, radius_type, by_step, each) for each in "fd")
    theta, X = draw_parameters(single, dtype="f"), draw_sequences("both missing", dtype="f")
    d_raw = direction(single).astype("f")
    for given in (None, d_raw):
        actual = run(single, theta, X, given)
        assert actual.dtype == np.float32
        exact = run(
            double, *(each if each is None else each.astype("d") for each in (theta, X, given))
        )
        np.testing.assert_allclose(actual, exact, rtol=1e-3, atol=1e-4)


# Steps and sequences ------------------------------------------------------------------------------


@both_outputs
@every_kernel
@every_radius_type
def test_sequences_do_not_influence_each_other(kernel, radius_type, by_step):
    network, X = make_network(kernel, radius_type, by_step), draw_sequences("both missing")
    theta, d_raw = draw_parameters(network), direction(network)
    alone = [run(network, theta, X[[i]]) for i in range(len(X))]
    np.testing.assert_allclose(run(network, theta, X), np.vstack(alone), rtol=1e-11, atol=1e-13)
    gradients = [run(network, theta, X[[i]], d_raw[[i]]) for i in range(len(X))]
    expected = np.sum(gradients, axis=0)
    np.testing.assert_allclose(run(network, theta, X, d_raw), expected, rtol=1e-9, atol=1e-12)


@both_outputs
@pytest.mark.parametrize("truncation", [None, 1, 2, 4])
def test_padding_changes_neither_output_nor_gradient(by_step, truncation):
    network, X = make_network(by_step=by_step), draw_sequences("features missing")
    theta, d_raw = draw_parameters(network), direction(network)
    n_padding = 5
    padded = np.pad(X, ((0, 0), (0, n_padding), (0, 0)), constant_values=np.nan)
    padded_d = np.pad(d_raw, ((0, 0), (0, n_padding * N_OUTPUTS * by_step)))

    def truncate(work):
        work.truncation = truncation

    raw = run(network, theta, padded)[:, : d_raw.shape[1]]
    np.testing.assert_allclose(raw, run(network, theta, X), rtol=1e-12, atol=1e-13)
    gradient = run(network, theta, padded, padded_d, truncate)
    expected = run(network, theta, X, d_raw, truncate)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("truncation", [None, 1, 2, 4])
def test_missing_steps_equal_their_deletion(truncation):
    network, X = make_network(), draw_sequences()
    theta, d_raw = draw_parameters(network), direction(network)
    with_gaps = np.insert(X, [0, 2, 2, 5], np.nan, axis=1)

    def truncate(work):
        work.truncation = truncation

    np.testing.assert_allclose(run(network, theta, with_gaps), run(network, theta, X), rtol=1e-12)
    gradient = run(network, theta, with_gaps, d_raw, truncate)
    np.testing.assert_allclose(
        gradient, run(network, theta, X, d_raw, truncate), rtol=1e-9, atol=1e-13
    )


def test_a_workspace_forgets_the_masks_before():
    network, X = make_network(), draw_sequences()
    theta, work = draw_parameters(network), network.workspace(N_SEQUENCES, N_STEPS)
    params = network.views(theta)
    for rows in (draw_sequences("both missing"), X):
        network.load(rows, work)
        network.prepare(params, work)
        raw = network.run_forward(params, work)
    np.testing.assert_array_equal(raw, run(network, theta, X))


@both_outputs
@every_kernel
@every_kind_of_missing
@pytest.mark.parametrize("size", [1e10, 1e20, 1e38])
def test_huge_parameters_give_finite_output(by_step, kernel, missing, size):
    network, X = make_network(kernel, by_step=by_step, dtype=np.float32), draw_sequences(missing)
    theta = (size * draw_parameters(network)).astype(np.float32)
    for sequences in (X, 1e30 * X):
        assert np.isfinite(network.raw_output(theta, IDENTITY, sequences)).all()
        assert np.isfinite(network.states(theta, IDENTITY, sequences)).all()


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_faded_states_are_zero(dtype):
    network = make_network(dtype=dtype)
    theta, X = draw_parameters(network, dtype=dtype), draw_sequences(n_steps=200, dtype=dtype)
    params = network.views(theta)[0]
    params["leak_logits"][...], params["inverse_radii"][...] = 2.0, 1e3
    states = network.states(theta, IDENTITY, X)
    # Their squares times gradients would be denormal.
    np.testing.assert_array_equal(states[:, -1], 0)
    assert states[:, 0].all()


# Windows and truncation ---------------------------------------------------------------------------


def states_and_gradient(layer, block, X, d_H, first=None, truncation=None, is_step=None):
    """Return the states of all steps, and the gradient of their sum weighted by `d_H`."""
    params, work = layer.views(block), layer.workspace(X.shape[1], X.shape[0], X.dtype)
    work.X[...] = X.transpose(1, 0, 2)
    work.truncation, work.is_step = truncation, is_step
    if first is not None:
        work.continued, work.first_states = np.arange(len(X)), first
    layer.prepare(params, work)
    layer.forward(params, work)
    states = work.H[1:].copy()
    work.d_H[...] = d_H
    gradient = np.empty_like(block)
    layer.backward(params, work, layer.views(gradient))
    return states, gradient


@every_kernel
@every_radius_type
@pytest.mark.parametrize("truncation", [1, 2, 3, 4, 6, 9])
def test_truncated_gradient_takes_boundary_states_as_constants(kernel, radius_type, truncation):
    layer, X = make_layer(kernel, radius_type), draw_sequences()
    block = draw_parameters(layer)
    d_H = np.random.default_rng(3).normal(size=(N_STEPS, N_SEQUENCES, N_UNITS))
    states, actual = states_and_gradient(layer, block, X, d_H, truncation=truncation)
    # Segments of this length, counted from the end, each of which starts from constant states.
    bounds = [*range(N_STEPS, 0, -truncation), 0][::-1]
    expected = 0.0
    for start, end in pairwise(bounds):
        first = states[start - 1] if start else None
        expected += states_and_gradient(layer, block, X[:, start:end], d_H[start:end], first)[1]
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
    if truncation >= N_STEPS:
        full = states_and_gradient(layer, block, X, d_H)[1]
        np.testing.assert_array_equal(actual, full)


def test_windows_continue_from_given_states():
    layer, X = make_layer(), draw_sequences()
    block = draw_parameters(layer)
    params, work = layer.views(block), layer.workspace(N_STEPS, N_SEQUENCES, X.dtype)
    work.X[...] = X.transpose(1, 0, 2)
    work.continued = np.array([0, 2])
    work.first_states = np.random.default_rng(4).random((2, N_UNITS))
    layer.prepare(params, work)
    layer.forward(params, work)
    first = {0: work.first_states[0], 2: work.first_states[1]}
    for number, sequence in enumerate(X):
        expected = states_naively(params, "gaussian", sequence, first.get(number))
        np.testing.assert_allclose(work.H[1:, number], expected, rtol=1e-12)


def test_given_states_have_no_gradient():
    network, X = make_network(), draw_sequences()
    theta, d_raw = draw_parameters(network), direction(network)
    first = np.random.default_rng(4).random((2, N_UNITS))

    def continue_two(work):
        work.continued, work.first_states = np.array([0, 2]), first

    def loss(moved):
        return float((run(network, moved, X, prepare=continue_two) * d_raw).sum())

    gradient = run(network, theta, X, d_raw, continue_two)
    expected, mask = central_differences(loss, theta), trained(network)
    np.testing.assert_allclose(gradient[mask], expected[mask], rtol=2e-6, atol=1e-8)


# Parameters ---------------------------------------------------------------------------------------


@both_outputs
@every_radius_type
def test_views_name_every_parameter_once(by_step, radius_type):
    network = make_network(radius_type=radius_type, by_step=by_step)
    theta = np.zeros(network.n_parameters)
    for layer, views in zip(network.layers, network.views(theta)):
        assert views.keys() == set(layer.parameter_names)
        assert set(layer.decayed_names) <= views.keys()
        for view in views.values():
            view += 1.0
    np.testing.assert_array_equal(theta, np.ones_like(theta))


def test_decay_spares_leaks_states_and_intercepts():
    network = make_network()
    spared = {"leak_logits", "initial_state", "intercepts", *FIXED}
    np.testing.assert_array_equal(network.decay_mask() == 0, network.parameter_mask(spared))


def test_readout_is_affine_in_standardised_features():
    readout = Readout(2, 1)
    block = np.arange(1.0, readout.n_parameters + 1)
    params, work = readout.views(block), readout.workspace(3, block.dtype)
    features = np.array([[0.0, 1.0], [2.0, -1.0], [5.0, 5.0]])
    work.features[...] = features
    readout.forward(params, work)
    standardised = (features - params["shift"]) / params["scale"]
    expected = standardised @ params["coefs"] + params["intercepts"]
    np.testing.assert_allclose(work.out, expected, rtol=1e-14)
