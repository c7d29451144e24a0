"""Dropout: its masks, and that it preserves mean distances."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from finite_differences import central_differences
from training_runs import CONFIG, IDENTITY, NETWORK, make_rows, make_state

from skdistnet.engine import LOSSES, Network
from skdistnet.engine.layers import Dense, Distance
from skdistnet.engine.layers.activations import ACTIVATIONS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.layers.dropout import Dropout, drop_centered
from skdistnet.engine.layers.kernels import KERNELS
from skdistnet.engine.losses import normalized_weights
from skdistnet.engine.training.loop import Trainer
from skdistnet.engine.training.mapped_rows import BatchedRows

N_ROWS = 7


def draw_masks(network, share, n_rows, seed=0):
    """Return masks and the share that they keep."""
    dropout, rng = Dropout(network, n_rows, 3 * n_rows), np.random.default_rng(seed)
    dropout.refresh(share, rng)
    return dropout.draw(n_rows, rng), dropout.keep_prob


@pytest.mark.parametrize("share", [0.1, 0.5, 0.998, 1.0 - 1e-9])
@pytest.mark.parametrize("n_rows", [400, 4000])
@pytest.mark.parametrize("widths", [(100,), (100, 50), (60,) * 10])
def test_dropout_cuts_the_requested_share_of_paths(share, n_rows, widths):
    masks, keep_prob = draw_masks(Network([2, *widths, 3]), share, n_rows)
    assert keep_prob == pytest.approx((1 - share) ** (1 / len(widths)), abs=0.005)
    assert [mask.shape for mask in masks] == [(n_rows, width) for width in widths]
    for mask in masks:
        kept = mask > 0
        assert kept.mean() == pytest.approx(keep_prob, abs=0.01)
        np.testing.assert_allclose(mask[kept], 1 / keep_prob, rtol=1e-15)


@pytest.mark.parametrize("n_rows", [1, 7, 20])
def test_every_batch_and_epoch_has_another_mask(n_rows):
    network, rng = Network([2, 30, 3], dtype=np.float32), np.random.default_rng(0)
    dropout, seen = Dropout(network, n_rows, 20 * n_rows), set()
    for _ in range(3):
        dropout.refresh(0.5, rng)
        for _ in range(20):
            (mask,) = dropout.draw(n_rows, rng)
            assert mask.dtype == np.float32
            seen.add(mask.tobytes())
    assert len(seen) > 55


@pytest.mark.parametrize("share", [0.0, 1e-6])
def test_a_negligible_share_draws_no_random_numbers(share):
    dropout, rng = Dropout(Network([2, 30, 3]), N_ROWS, N_ROWS), np.random.default_rng(0)
    dropout.refresh(share, rng)
    assert (dropout.draw(N_ROWS, rng), dropout.keep_prob) == ([], 1.0)
    assert rng.bytes(8) == np.random.default_rng(0).bytes(8)


def test_without_hidden_layers_nothing_is_dropped():
    assert draw_masks(Network([2, 3]), 0.5, N_ROWS) == ([], 1.0)


def test_dropped_numbers_become_the_mean_of_their_column():
    numbers = np.array([[1.0, 5.0], [2.0, 6.0], [6.0, 10.0]])  # means 3 and 7
    mask, out = np.array([[0.0, 2.0], [2.0, 0.0], [0.0, 2.0]]), np.empty((3, 2))
    np.testing.assert_allclose(drop_centered(numbers, mask, out), [3, 7], rtol=1e-15)
    np.testing.assert_allclose(out, [[0, -4], [-2, 0], [0, 6]], rtol=1e-15)


def draw_layer(kind, n_inputs, n_units, rng, **options):
    layer = kind(n_inputs, n_units, **options)
    return layer, layer.views(rng.normal(size=layer.n_parameters))


def forward(layer, params, rows, mask=None, keep_prob=1.0):
    """Return the output of a layer of three units, with dropout if there is a mask."""
    work, out = layer.workspace(len(rows), rows.dtype, keep_prob), np.empty((len(rows), 3))
    work.input[...] = rows
    layer.prepare(params, work)
    if mask is not None:
        layer.drop(params, work, mask)
    layer.forward(params, work, out)
    return out


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Dense, {"activation": "identity"}),
        *((Distance, {"activation": None, "radius_type": name}) for name in RADIUS_TYPES),
    ],
)
def test_dropout_keeps_mean_distances(kind, options):
    n_inputs, keep_prob, rng = 4, 0.7, np.random.default_rng(0)
    rows = rng.normal(size=(N_ROWS, n_inputs))
    layer, params = draw_layer(kind, n_inputs, 3, rng, **options)
    total = 0.0
    for factors in product([0.0, 1.0 / keep_prob], repeat=n_inputs):
        mask = np.tile(factors, (N_ROWS, 1))
        probability = np.prod([keep_prob if factor else 1 - keep_prob for factor in factors])
        total = total + probability * forward(layer, params, rows, mask, keep_prob)
    np.testing.assert_allclose(total, forward(layer, params, rows), rtol=1e-12, atol=1e-13)


def naive(network, theta, X, masks, constants):
    """Return the raw output with numbers h and squares s dropped around constants.

    The constants are the means, and the excess of each u over 0. They are appended to `constants`,
    or read from it if it is not empty.
    """
    h, s, recorded = X, X**2, iter(list(constants))

    def constant(value):
        if (earlier := next(recorded, None)) is not None:
            return earlier
        constants.append(value)
        return value

    for number, (layer, params) in enumerate(zip(network.layers, network.views(theta))):
        if isinstance(layer, Dense):
            out = h @ params["coefs"] + params["intercepts"]
            ACTIVATIONS[layer.activation].value(out)
        else:
            c = params["centroids"]
            r = np.broadcast_to(params["inverse_radii"], c.shape)
            out = -0.5 * (s @ (r**2).T - 2 * h @ (r**2 * c).T + (r**2 * c**2).sum(axis=1))
            if layer.kernel is not None:
                out = out - constant(np.maximum(out, 0))
                layer.kernel.value(out.copy(), out)
        if number < len(masks):
            mean = constant(out.mean(axis=0))
            h = mean + masks[number] * (out - mean)
            s = mean**2 + masks[number] * (out**2 - mean**2)
    return out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("output_layer", ["distance", "linear"])
@pytest.mark.parametrize(
    "activations", [*([name] * 2 for name in KERNELS), ["gaussian", "tanh"], ["relu", "gaussian"]]
)
def test_dropout_gradient_takes_means_for_constants(activations, output_layer, radius_type, seed):
    network = Network([3, 6, 5, 2], activations, output_layer, radius_type)
    rng = np.random.default_rng(2)
    theta, X = 0.4 * rng.normal(size=network.n_parameters), rng.normal(size=(N_ROWS, 3))
    Y, weights = np.eye(2)[rng.integers(2, size=N_ROWS)], normalized_weights(None, N_ROWS, float)
    (masks, keep_prob), loss = draw_masks(network, 0.4, N_ROWS, seed), LOSSES["log_loss"]()
    work, gradient, constants = network.workspace(N_ROWS, keep_prob), np.empty_like(theta), []
    work.X[...] = X
    network.prepare(network.views(theta), work)
    raw = network.run_forward(network.views(theta), work, masks)
    np.testing.assert_allclose(raw, naive(network, theta, X, masks, constants), rtol=1e-10)
    loss.value_and_gradient(raw, Y, weights, out=work.d_outputs[-1])
    network.run_backward(network.views(theta), work, network.views(gradient), masks)
    expected = central_differences(
        lambda moved: loss.value(naive(network, moved, X, masks, constants), Y, weights), theta
    )
    largest = np.abs(expected).max()
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6 * largest)


def test_dropout_is_constant_over_epochs():
    config = replace(CONFIG, dropout=0.4, max_iter=5)
    batched = BatchedRows(NETWORK, IDENTITY, make_rows(), config.batch_size)
    trainer = Trainer(NETWORK, batched, config, make_state(config))
    for _ in range(config.max_iter):
        trainer.state.rate_factor *= 0.9  # as "adaptive" does, and a rollback after divergence
        assert np.isfinite(trainer.train_epoch())
        assert trainer.dropout.keep_prob == pytest.approx(0.6, abs=1 / 65536)


@pytest.mark.parametrize("n_layers", [1, 10, 20, 53, 54, 100])
def test_share_of_cut_paths_is_independent_of_depth(n_layers):
    dropout = Dropout(Network([2, *[3] * n_layers, 2]), N_ROWS, N_ROWS)
    dropout.refresh(0.1, np.random.default_rng(0))
    assert dropout.keep_prob**n_layers == pytest.approx(0.9, abs=0.001)


@pytest.mark.parametrize("n_layers", [2, 20])
def test_layers_have_independent_masks_in_single_batch_epochs(n_layers):
    dropout, rng = Dropout(Network([2, *[30] * n_layers, 3]), 50, 50), np.random.default_rng(0)
    dropout.refresh(0.9, rng)
    masks = dropout.draw(50, rng)
    for one, other in pairwise(masks):
        agreement = np.mean((one > 0) == (other > 0))
        assert agreement == pytest.approx(
            dropout.keep_prob**2 + (1 - dropout.keep_prob) ** 2, abs=0.06
        )
