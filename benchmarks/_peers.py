"""What an epoch is measured against: its matrix products alone, and the same net in PyTorch."""

import importlib.util
import itertools

import numpy as np
from _harness import seconds

__all__ = ["bare_products", "has_torch", "torch_epoch"]


def layer_products(n_inputs, n_units, batch, dtype, radius_type, first):
    """Triples (a, b, out) of the products that one layer needs for one batch."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.random(shape).astype(dtype)

    triples = []
    # Radii for each input ask for everything twice: with the rows, and with their squares.
    for _ in range(2 if radius_type == "diag" else 1):
        rows, weights, slopes = draw(batch, n_inputs), draw(n_units, n_inputs), draw(batch, n_units)
        triples.append((rows, weights.T, np.empty_like(slopes)))
        triples.append((slopes.T, rows, np.empty_like(weights)))
        if not first:
            triples.append((slopes, weights, np.empty_like(rows)))
    return triples


def bare_products(sizes, n_rows, batch, dtype, radius_type):
    """Seconds that the matrix products of one epoch take, with nothing between them.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, units of each hidden layer, outputs.
    n_rows, batch : int
    dtype : str
    radius_type : {"diag", "spherical"}
        "diag" needs two products forward, two for the gradient by parameters and, but in the first
        layer, two for the gradient by inputs; "spherical" needs one of each.
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
    # The first pass touches the memory of the results: it does not count.
    run(1, full + last)
    return seconds(lambda: (run(steps, full), run(1, last)))


def has_torch():
    """Whether PyTorch is installed; it is imported when it is measured, no earlier."""
    return importlib.util.find_spec("torch") is not None


def torch_layers(torch, sizes, X):
    """Centroids and inverse radii of each layer, and the forward pass over them."""
    torch.manual_seed(0)
    layers, H = [], X[:1000]
    for n_units in sizes[1:]:
        # Rows as centroids and radii to their median distance, as our start: a net whose units
        # all answer zero would compute with subnormal numbers, which are slow.
        centroids = H[torch.randint(len(H), (n_units,))].clone()
        median = (torch.cdist(H, centroids) ** 2).median()
        layers.append((centroids, torch.full_like(centroids, float((1.4 / median) ** 0.5))))
        H = torch.exp(torch_distance(H, *layers[-1]))
    for parameters in layers:
        for parameter in parameters:
            parameter.requires_grad_()
    return layers


def torch_distance(H, centroids, radii):
    """-1/2 squared distance of rows to centroids, by the expansion of the squares."""
    squared = radii * radii
    linear = squared * centroids
    u = (H * H) @ (-0.5 * squared).T + H @ linear.T - 0.5 * (linear * centroids).sum(1)
    return u.clamp(max=0)


def torch_epoch(sizes, X, y, batch, dtype, flush=False):
    """Seconds of one epoch of the distance net in eager PyTorch, on the CPU, with one thread.

    PyTorch computes with subnormal numbers, which are slow, unless told otherwise; `flush` tells
    it, as few users do. It holds for all of the thread, so for no longer than the epoch.
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

    # A few batches to warm up: the solver makes its averages in the first.
    epoch(torch.arange(min(len(X), 5 * batch)))
    torch.set_flush_denormal(flush)
    try:
        return seconds(lambda: epoch(torch.randperm(len(X))))
    finally:
        torch.set_flush_denormal(False)
