"""A small network, its rows and a configuration, for the tests of the training loop."""

import numpy as np

from skdistnet.engine import LOSSES, SCHEDULES, SOLVERS, Network
from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.training.config import Rows, TrainingConfig, TrainingState

N_ROWS, N_INPUTS = 23, 3
NETWORK = Network([N_INPUTS, 4, 1], output_layer="linear")
IDENTITY = InputMap(np.zeros(N_INPUTS), np.ones(N_INPUTS), np.zeros(N_INPUTS))
CONFIG = TrainingConfig(
    loss=LOSSES["squared_error"](),
    solver=SOLVERS["rmsprop"](),
    schedule=SCHEDULES["constant"](),
    learning_rate_init=0.01,
    batch_size=5,
    max_iter=6,
)


def make_rows(seed=0, n_rows=N_ROWS, weighted=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_INPUTS))
    weights = rng.random(n_rows) + 0.5 if weighted else None
    return Rows(X, np.sin(X.sum(axis=1, keepdims=True)), weights)


def make_state(config, network=NETWORK, seed=0):
    theta = 0.7 * np.random.default_rng(3).normal(size=network.n_parameters)
    return TrainingState(theta, config.solver.init(theta), np.random.default_rng(seed))


def standstill():
    """Return a network, rows and a function for states with zero loss and gradient."""
    network = Network([N_INPUTS, 1], output_layer="linear")
    theta = network.pack(coefs=[[[1.0], [-2.0], [3.0]]], intercepts=[[0.0]])
    rows = Rows(np.zeros((8, N_INPUTS)), np.zeros((8, 1)))
    return (
        network,
        rows,
        lambda config: TrainingState(
            theta.copy(), config.solver.init(theta), np.random.default_rng(0)
        ),
    )
