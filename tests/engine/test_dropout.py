"""Dropout: what it draws, and that it changes no distance in the mean."""

from itertools import product

import numpy as np
import pytest
from finite_differences import central_differences

from skdistnet.engine import LOSSES, Network
from skdistnet.engine.activations import ACTIVATIONS
from skdistnet.engine.distances import RADIUS_TYPES
from skdistnet.engine.dropout import Dropout, thin
from skdistnet.engine.kernels import KERNELS
from skdistnet.engine.layers import Dense, Distance
from skdistnet.engine.losses import normalized_weights
from skdistnet.engine.missing import fill_missing

N_ROWS = 7


def draw_masks(network, share, n_rows, input_share=0.0, seed=0):
    """Masks of the inputs of each layer, and the shares that they keep."""
    dropout = Dropout(network, share, input_share, n_rows, 3 * n_rows)
    rng = np.random.default_rng(seed)
    dropout.refresh(rng)
    return dropout.draw(n_rows, rng), dropout.kept


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.998, 1.0 - 1e-9])
@pytest.mark.parametrize("n_rows", [400, 4000])
@pytest.mark.parametrize("widths", [(100,), (100, 50), (60,) * 10])
def test_the_share_asked_for_is_cut_of_the_ways_through_the_network(share, n_rows, widths):
    masks, shares_kept = draw_masks(Network([2, *widths, 3]), share, n_rows)
    assert masks[0] is None
    assert shares_kept[0] == 1.0
    for mask, share_kept, width in zip(masks[1:], shares_kept[1:], widths, strict=True):
        assert share_kept == pytest.approx((1 - share) ** (1 / len(widths)), abs=0.005)
        check_mask(mask, share_kept, (n_rows, width))


def check_mask(mask, share_kept, shape):
    if share_kept == 1.0:
        assert mask is None
        return
    kept = mask > 0
    assert mask.shape == shape
    assert kept.mean() == pytest.approx(share_kept, abs=0.01)
    np.testing.assert_allclose(mask[kept], 1 / share_kept, rtol=1e-15)


@pytest.mark.parametrize("hidden", [(), (30,), (30, 20)])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_inputs_have_a_share_of_their_own(share, hidden):
    masks, shares_kept = draw_masks(Network([50, *hidden, 3]), share, 400, input_share=0.2)
    assert len(masks) == len(shares_kept) == len(hidden) + 1
    assert shares_kept[0] == pytest.approx(0.8, abs=0.005)
    check_mask(masks[0], shares_kept[0], (400, 50))
    assert [mask is not None for mask in masks[1:]] == [share > 0] * len(hidden)


@pytest.mark.parametrize("n_rows", [1, 7, 20])
def test_every_batch_of_an_epoch_and_every_epoch_drops_others(n_rows):
    network, rng = Network([2, 30, 3], dtype=np.float32), np.random.default_rng(0)
    dropout, seen = Dropout(network, 0.5, 0.0, n_rows, 20 * n_rows), set()
    for _ in range(3):
        dropout.refresh(rng)
        for _ in range(20):
            _, mask = dropout.draw(n_rows, rng)
            assert mask.dtype == np.float32
            seen.add(mask.tobytes())
    assert len(seen) > 55


def test_without_hidden_layers_nothing_is_dropped():
    assert draw_masks(Network([2, 3]), 0.5, N_ROWS) == ([None], [1.0])


def test_what_is_dropped_is_its_columns_mean_and_what_is_kept_is_farther_from_it():
    numbers = np.array([[1.0, 5.0], [2.0, 6.0], [6.0, 10.0]])  # means 3 and 7
    mask, out = np.array([[0.0, 2.0], [2.0, 0.0], [0.0, 2.0]]), np.empty((3, 2))
    np.testing.assert_allclose(thin(numbers, mask, out), [3, 7], rtol=1e-15)
    np.testing.assert_allclose(out, [[0, -4], [-2, 0], [0, 6]], rtol=1e-15)


def draw_layer(kind, n_inputs, n_units, rng, **options):
    layer = kind(n_inputs, n_units, **options)
    return layer, layer.views(rng.normal(size=layer.n_parameters))


def answer(layer, params, rows, mask=None, kept=1.0):
    """What a layer without nonlinearity answers to the rows that `mask` leaves."""
    work, out = layer.workspace(len(rows), rows.dtype, kept), np.empty((len(rows), 3))
    work.whole[...] = rows
    if np.isnan(rows).any():
        fill_missing(work)
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
@pytest.mark.parametrize("has_holes", [False, True])
def test_the_mean_over_all_masks_is_the_answer_without_dropout(kind, options, has_holes):
    n_inputs, kept, rng = 4, 0.7, np.random.default_rng(0)
    rows = rng.normal(size=(N_ROWS, n_inputs))
    if has_holes and kind is Distance:
        rows[0, 0] = rows[1, :3] = rows[2] = np.nan
    layer, params = draw_layer(kind, n_inputs, 3, rng, **options)
    total = 0.0
    for cut in product([0.0, 1.0 / kept], repeat=n_inputs):
        mask = np.tile(cut, (N_ROWS, 1))
        likelihood = np.prod([kept if number else 1 - kept for number in cut])
        total = total + likelihood * answer(layer, params, rows, mask, kept)
    np.testing.assert_allclose(total, answer(layer, params, rows), rtol=1e-12, atol=1e-13)


def naive(network, theta, X, masks, constants):
    """Raw output with numbers h and squares s dropped around constants, found if not given."""
    out = X
    for number, (layer, params) in enumerate(zip(network.layers, network.views(theta))):
        h, s = out, out**2
        if masks[number] is not None:
            mean = constants.setdefault(number, out.mean(axis=0))
            h = mean + masks[number] * (out - mean)
            s = mean**2 + masks[number] * (out**2 - mean**2)
        if isinstance(layer, Dense):
            out = h @ params["coefs"] + params["intercepts"]
            ACTIVATIONS[layer.activation].value(out)
        else:
            c = params["centroids"]
            r = np.broadcast_to(params["inverse_radii"], c.shape)
            out = -0.5 * (s @ (r**2).T - 2 * h @ (r**2 * c).T + (r**2 * c**2).sum(axis=1))
            if layer.kernel is not None:
                out = np.minimum(out, 0)
                layer.kernel.value(out.copy(), out)
    return out


@pytest.mark.parametrize("input_share", [0.0, 0.3])
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("output_layer", ["distance", "linear"])
@pytest.mark.parametrize(
    "activations", [*([name] * 2 for name in KERNELS), ["gaussian", "tanh"], ["relu", "gaussian"]]
)
def test_the_gradient_with_dropout_takes_means_for_constants(
    activations, output_layer, radius_type, input_share
):
    network = Network([3, 6, 5, 2], activations, output_layer, radius_type)
    rng = np.random.default_rng(2)
    theta, X = 0.4 * rng.normal(size=network.n_parameters), rng.normal(size=(N_ROWS, 3))
    if input_share:
        # So far from the centroids no squared distance is made negative, and cut off there.
        X = 2.5 + 0.3 * X
    Y, weights = np.eye(2)[rng.integers(2, size=N_ROWS)], normalized_weights(None, N_ROWS, float)
    (masks, kept), loss = draw_masks(network, 0.4, N_ROWS, input_share), LOSSES["log_loss"]()
    work, gradient, constants = network.workspace(N_ROWS, kept), np.empty_like(theta), {}
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
