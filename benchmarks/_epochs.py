"""The nets of the speed benchmark, and the time of one of their epochs.

For comparison: the bare matrix products of an epoch, and the same net in PyTorch.
"""

import functools
import importlib.util
import itertools

import numpy as np
from _harness import seconds
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier

__all__ = [
    "bare_products",
    "epoch_seconds",
    "has_torch",
    "make_data",
    "mlp",
    "ours",
    "torch_epoch",
]


@functools.lru_cache(maxsize=2)
def make_data(n_rows, n_features, n_classes, dtype):
    """Rows around well separated class centers: nets train on random labels in another way."""
    rng = np.random.default_rng(0)
    centers = rng.random((n_classes, n_features)).astype(dtype)
    y = rng.integers(n_classes, size=n_rows)
    # In place, since the memory benchmark must not see more memory than X itself.
    X = rng.standard_normal((n_rows, n_features), dtype=dtype)
    X *= 0.5
    for start in range(0, n_rows, 1000):
        part = slice(start, start + 1000)
        X[part] += centers[y[part]]
    return X, y


def mlp(hidden, batch):
    """A function that makes an MLPClassifier of exactly `max_iter` epochs."""
    return lambda max_iter: MLPClassifier(
        hidden, batch_size=batch, max_iter=max_iter, tol=0, n_iter_no_change=10**6, random_state=0
    )


def ours(hidden, batch, **options):
    """A function that makes a DistanceNetClassifier of exactly `max_iter` epochs."""
    options = {"early_stopping": False, "random_state": 0} | options
    return lambda max_iter: DistanceNetClassifier(
        hidden, batch_size=batch, max_iter=max_iter, **options
    )


def epoch_seconds(make, X, y):
    """Time of one epoch of the estimator that `make` makes for a number of epochs."""
    # Short epochs need many, or the noise in the time of a fit's start would hide them.
    epochs = min(30, max(6, 6_000_000 // X.size))
    # The first fit also pays for memory that is new to the process.
    make(1).fit(X, y)
    short = seconds(lambda: make(1).fit(X, y))
    return (seconds(lambda: make(1 + epochs).fit(X, y)) - short) / epochs


# Matrix products ----------------------------------------------------------------------------------


def layer_products(n_inputs, n_units, batch, dtype, radius_type, first):
    """Triples (a, b, out) of the products that one layer needs for one batch."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.random(shape).astype(dtype)

    triples = []
    # A radius for each input doubles all products: with the rows, and with their squares.
    for _ in range(2 if radius_type == "diag" else 1):
        rows, weights, slopes = draw(batch, n_inputs), draw(n_units, n_inputs), draw(batch, n_units)
        triples.append((rows, weights.T, np.empty_like(slopes)))
        triples.append((slopes.T, rows, np.empty_like(weights)))
        if not first:
            triples.append((slopes, weights, np.empty_like(rows)))
    return triples


def bare_products(sizes, n_rows, batch, dtype, radius_type):
    """Seconds that the matrix products of one epoch take, with nothing between them.

    Of each layer, "diag" needs two products forward, two for the gradient by parameters and, except
    in the first layer, two for the gradient by inputs; "spherical" needs one of each. `sizes` are
    the inputs, the units of each hidden layer and the outputs.
    """

    def prepare(n):
        return [
            triple
            for number, (n_inputs, n_units) in enumerate(itertools.pairwise(sizes))
            for triple in layer_products(n_inputs, n_units, n, dtype, radius_type, number == 0)
        ]

    def run(steps, triples):
        for _ in range(steps):
            for a, b, out in triples:
                np.matmul(a, b, out=out)

    steps, rest = divmod(n_rows, batch)
    full, last = prepare(batch), prepare(rest) if rest else []
    # A first pass, not measured, touches the memory of the results.
    run(1, full + last)
    return seconds(lambda: (run(steps, full), run(1, last)))


# PyTorch ------------------------------------------------------------------------------------------


def has_torch():
    """Whether PyTorch is installed, without importing it."""
    return importlib.util.find_spec("torch") is not None


def torch_layers(torch, sizes, X):
    """Centroids and inverse radii of each layer."""
    torch.manual_seed(0)
    layers, H = [], X[:1000]
    for n_units in sizes[1:]:
        # Rows as centroids, with radii by the median distance, as our start: a net whose
        # activations are all zero would compute with subnormal numbers, which are slow.
        centroids = H[torch.randint(len(H), (n_units,))].clone()
        median = (torch.cdist(H, centroids) ** 2).median()
        layers.append((centroids, torch.full_like(centroids, float((1.4 / median) ** 0.5))))
        H = torch.exp(torch_distance(H, *layers[-1]))
    for parameters in layers:
        for parameter in parameters:
            parameter.requires_grad_()
    return layers


def torch_distance(H, centroids, inverse_radii):
    """-1/2 squared distance of rows to centroids, by expanding the squares."""
    squared = inverse_radii * inverse_radii
    linear = squared * centroids
    u = (H * H) @ (-0.5 * squared).T + H @ linear.T - 0.5 * (linear * centroids).sum(1)
    return u.clamp(max=0)


def torch_epoch(sizes, X, y, batch, dtype, flush=False):
    """Seconds of one epoch of the distance net in eager PyTorch, on the CPU, with one thread.

    By default PyTorch computes with subnormal numbers, which are slow; `flush` sets them to zero.
    That is a setting of the thread, so it is reset after the epoch.
    """
    import torch

    torch.set_num_threads(1)
    X, y = torch.as_tensor(np.asarray(X, dtype=dtype)), torch.as_tensor(y)
    layers = torch_layers(torch, sizes, X)
    solver = torch.optim.RMSprop(
        [parameter for layer in layers for parameter in layer],
        lr=0.01,
        alpha=0.7,
        momentum=0.9,
        eps=1e-9,
    )

    def epoch(order):
        for rows in order.split(batch):
            H = X[rows]
            for layer in layers[:-1]:
                H = torch.exp(torch_distance(H, *layer))
            loss = torch.nn.functional.cross_entropy(torch_distance(H, *layers[-1]), y[rows])
            solver.zero_grad()
            loss.backward()
            solver.step()

    # Warm up: the solver allocates its averages in the first batch.
    epoch(torch.arange(min(len(X), 5 * batch)))
    torch.set_flush_denormal(flush)
    try:
        return seconds(lambda: epoch(torch.randperm(len(X))))
    finally:
        torch.set_flush_denormal(False)
