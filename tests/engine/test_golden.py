"""The engine reproduces the numbers of the authors' implementation (tests/data)."""

from pathlib import Path

import numpy as np
import pytest

from skdistnet.engine import LOSSES, SOLVERS, Network

DATA = Path(__file__).parents[1] / "data"
NAMES = {"centroids": "centroids", "inverse_radii": "radii"}


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


class Golden:
    """The contents of a file, with lists over layers."""

    def __init__(self, path):
        with np.load(path, allow_pickle=False) as file:
            self.file = dict(file)
        self.net = Network(self["layers"], output_layer="distance", dtype=np.float64)
        self.decay = float(self["lambda"][0])

    def __getitem__(self, name):
        return self.file[name]

    def layers(self, prefix, suffix="", n=None):
        return [self[f"{prefix}_{layer}{suffix}"] for layer in range(1, (n or self.n_layers) + 1)]

    @property
    def n_layers(self):
        return len(self["layers"]) - 1

    def pack(self, prefix="", step=None):
        """Return the flat vector of the arrays under `prefix`, or of one of their steps."""
        parts = {ours: self.layers(prefix + theirs) for ours, theirs in NAMES.items()}
        if step is not None:
            parts = {name: [array[step] for array in arrays] for name, arrays in parts.items()}
        return self.net.pack(**parts)

    def printed_penalty(self, theta, m):
        """Return the penalty that the reference prints: twice that of radii, without centroids."""
        radii = self.net.unpack(theta).inverse_radii
        return 2.0 * self.decay / (2.0 * m) * sum(np.sum(r**2) for r in radii)


@pytest.fixture(scope="module", params=["golden_a.npz", "golden_b.npz"])
def golden(request):
    return Golden(DATA / request.param)


def test_forward_pass(golden):
    *hidden, logits = golden.net.forward(golden.pack(), golden["X"])
    assert len(hidden) == golden.n_layers - 1
    for actual, expected in zip(hidden, golden.layers("act", n=len(hidden))):
        assert_close(actual, expected)
    assert_close(logits, golden["logits"])
    assert_close(LOSSES["log_loss"]().inverse_link(logits), golden["probs"])


def test_loss(golden):
    theta = golden.pack()
    value, _ = golden.net.loss_and_grad(theta, golden["X"], golden["y"])
    assert_close(value, golden["J_data"][0])
    assert_close(value + golden.printed_penalty(theta, int(golden["m"])), golden["J"][0])


@pytest.mark.parametrize("prefix", ["grad_", "grad0_"])
def test_gradients_with_and_without_decay(golden, prefix):
    decay = golden.decay / int(golden["m"]) if prefix == "grad_" else 0.0
    _, gradient = golden.net.loss_and_grad(golden.pack(), golden["X"], golden["y"], decay=decay)
    views = golden.net.unpack(gradient)
    for ours, theirs in NAMES.items():
        for actual, expected in zip(views[ours], golden.layers(prefix + theirs)):
            assert_close(actual, expected)


def test_five_steps_of_rmsprop(golden):
    """The reference starts with a plain gradient step, which is done by hand here."""
    net, m, alpha = golden.net, int(golden["mb"]), float(golden["alpha"][0])
    solver = SOLVERS["rmsprop"](rho=0.7, momentum=0.9, epsilon=1e-9)
    theta = golden.pack()
    state = solver.init(theta)
    n_steps = len(golden["step_J"])
    assert n_steps == 5
    for step in range(n_steps):
        X, Y = golden["step_X"][step], golden["step_y"][step]
        value, _ = net.loss_and_grad(theta, X, Y)
        assert_close(value + golden.printed_penalty(theta, m), golden["step_J"][step])
        _, gradient = net.loss_and_grad(theta, X, Y, decay=golden.decay / m)
        assert_close(gradient, golden.pack("step_grad_", step))
        if step == 0:
            theta -= alpha * gradient
            state["momentum"][...] = gradient
            state["mean_square"][...] = gradient**2
        else:
            solver.step(theta, gradient, state, alpha)
        assert_close(theta, golden.pack("step_", step))
        assert_close(state["momentum"], golden.pack("step_momentum_", step))
        assert_close(np.sqrt(state["mean_square"]), golden.pack("step_magnitude_", step))
    value, _ = net.loss_and_grad(theta, golden["X"], golden["y"])
    penalty = golden.printed_penalty(theta, int(golden["m"]))
    assert_close(value + penalty, golden["J_final"][0])
    logits = net.forward(theta, golden["X"])[-1]
    assert_close(LOSSES["log_loss"]().inverse_link(logits), golden["probs_final"])
