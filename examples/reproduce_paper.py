"""
Reproduce the experiments of the paper
======================================

T. Kurbiel and S. Khaleghian, "Training of Deep Neural Networks based on Distance Measures using
RMSProp", arXiv:1708.01911, train a net of two layers of 100 distance units on MNIST and report that
RMSProp trains it where plain gradient descent hardly does. This script runs three experiments:

1. their recipe, `published_recipe()`, with the test accuracy after each epoch;
2. the same net and start with plain gradient descent and with RMSProp, at several learning rates
   (at rates of 1 and more plain gradients do train the net, slowly);
3. more layers: this package's defaults, the published recipe and MLPClassifier.

With a file of MNIST (arrays X, y, X_test, y_test; X of bytes) the first table shows the figures of
the authors' own code beside ours, and the script takes some minutes. Without it, on the small
images that come with scikit-learn, it takes less than one. It prints tables and writes a picture::

    python examples/reproduce_paper.py
    python examples/reproduce_paper.py --mnist mnist.npz --figure reproduced.png
    python examples/reproduce_paper.py --show
"""

import argparse
import warnings
from dataclasses import dataclass
from time import perf_counter

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier, published_recipe

#: Test accuracy of the authors' Octave code on MNIST after so many epochs, in %, with two seeds.
REFERENCE = {
    1: (94.70, 94.25),
    2: (95.16, 95.64),
    3: (96.27, 96.22),
    5: (97.00, 96.68),
    10: (97.39, 97.10),
    20: (98.08, 97.72),
    30: (98.15, 97.99),
    50: (98.20, 97.99),
}
RATES = (0.001, 0.01, 0.1, 1.0, 3.0)
DEPTHS = (2, 5, 10, 20)
COLORS = ["#0072B2", "#D55E00", "#444444", "#A0A0A0"]


@dataclass
class Images:
    """Images with pixels between 0 and 1, and how long to train on them."""

    name: str
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    solver_epochs: int  # of the second experiment
    depth_epochs: int  # of the third


def load_images(path):
    """MNIST from a file, or scikit-learn's digits."""
    if path is None:
        X, y = load_digits(return_X_y=True)
        X = (X / 16).astype(np.float32)
        X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
        # An epoch has 14 steps here, and 600 on MNIST; plain gradients need thousands.
        return Images("digits", X, y, X_test, y_test, solver_epochs=200, depth_epochs=20)
    with np.load(path, allow_pickle=False) as file:
        X, X_test = (file[k].reshape(len(file[k]), -1) for k in ("X", "X_test"))
        y, y_test = file["y"], file["y_test"]
    pixels = [part.astype(np.float32) / 255 for part in (X, X_test)]
    return Images("MNIST", pixels[0], y, pixels[1], y_test, solver_epochs=5, depth_epochs=5)


def test_percent(model, images):
    return 100 * model.score(images.X_test, images.y_test)


def print_table(title, header, rows):
    """Print rows of cells in columns as wide as they need."""
    table = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    print(f"\n{title}")
    for row in table:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
    print(flush=True)


# The experiments ----------------------------------------------------------------------------------


def follow_recipe(images):
    """Train with the published recipe and return the test accuracy after each epoch."""
    epochs = max(REFERENCE)
    net, scores = DistanceNetClassifier(**published_recipe(), random_state=0), []
    print(f"1. The published recipe: {len(images.X):,} rows, {epochs} epochs", flush=True)
    classes, start = np.unique(images.y), perf_counter()
    for epoch in range(1, epochs + 1):
        # The learning rate of the recipe falls with the number of epochs over all calls.
        net.partial_fit(images.X, images.y, classes=classes)
        scores.append(test_percent(net, images))
        if epoch in REFERENCE:
            seconds = perf_counter() - start
            print(f"   epoch {epoch:2}: test {scores[-1]:.2f} %, {seconds:.0f} s", flush=True)
    header, rows = ["epoch", "test %"], [[epoch, f"{scores[epoch - 1]:.2f}"] for epoch in REFERENCE]
    if images.name == "MNIST":
        header += ["the authors' code, seed 1", "seed 2"]
        rows = [[*row, *(f"{score:.2f}" for score in REFERENCE[row[0]])] for row in rows]
    print_table("The published recipe, epoch by epoch", header, rows)
    return scores


def compare_solvers(images):
    """Test accuracy by solver and learning rate; None where the loss became infinite."""
    print(f"2. Plain gradient descent against RMSProp, {images.solver_epochs} epochs", flush=True)
    # The recipe without its penalty and its falling rate, which would blur the comparison.
    plain = published_recipe() | {
        "alpha": 0.0,
        "learning_rate": "constant",
        "max_iter": images.solver_epochs,
        "n_iter_no_change": images.solver_epochs,
        "random_state": 0,
    }
    solvers = {
        "plain gradient": {"solver": "sgd", "momentum": 0.0},
        "RMSProp": {"solver": "rmsprop"},
    }
    scores = {}
    for name, changes in solvers.items():
        scores[name] = []
        for rate in RATES:
            net = DistanceNetClassifier(**plain | changes | {"learning_rate_init": rate})
            net.fit(images.X, images.y)
            # Nothing else ends these fits early.
            diverged = net.n_iter_ < images.solver_epochs
            scores[name].append(None if diverged else test_percent(net, images))
            print(f"   {name} at {rate:g}: {describe(scores[name][-1])}", flush=True)
    rows = [[name, *map(describe, of_name)] for name, of_name in scores.items()]
    print_table("Test % by learning rate", ["solver", *(f"{rate:g}" for rate in RATES)], rows)
    return scores


def compare_depths(images):
    """Test accuracy by number of hidden layers of 100."""
    print(f"3. Deeper nets, {images.depth_epochs} epochs", flush=True)
    common = {"batch_size": 100, "max_iter": images.depth_epochs, "random_state": 0}
    mlp = common | {"n_iter_no_change": images.depth_epochs}  # exactly as many epochs
    makers = {
        "distance net, defaults": lambda: DistanceNetClassifier(**common),
        "published recipe": lambda: DistanceNetClassifier(**published_recipe() | common),
        "MLP, relu": lambda: MLPClassifier(**mlp),
        "MLP, logistic": lambda: MLPClassifier(activation="logistic", **mlp),
    }
    scores = {name: [] for name in makers}
    for n_layers in DEPTHS:
        for name, make in makers.items():
            net = make().set_params(hidden_layer_sizes=(100,) * n_layers)
            net.fit(images.X, images.y)
            scores[name].append(test_percent(net, images))
            print(f"   {n_layers:2} layers, {name}: {describe(scores[name][-1])}", flush=True)
    rows = [[name, *map(describe, of_name)] for name, of_name in scores.items()]
    print_table("Test % by number of hidden layers", ["net", *map(str, DEPTHS)], rows)
    return scores


def describe(score):
    return "diverged" if score is None else f"{score:.1f}"


# The picture --------------------------------------------------------------------------------------


def draw(plt, images, scores, by_solver, by_depth):
    """Draw a panel for each experiment."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    epochs = range(1, len(scores) + 1)
    axes[0].plot(epochs, scores, color=COLORS[0], label="published recipe, here")
    if images.name == "MNIST":
        for seed, marker in enumerate("sD"):
            points = [scores_of_seeds[seed] for scores_of_seeds in REFERENCE.values()]
            label = f"the authors' code, seed {seed + 1}"
            axes[0].plot([*REFERENCE], points, marker, color=COLORS[1 + seed], label=label)
    axes[0].set(title="1. The published recipe", xlabel="epoch", ylabel="test accuracy, %")
    for (name, of_name), color in zip(by_solver.items(), (COLORS[1], COLORS[0])):
        points = [np.nan if score is None else score for score in of_name]
        axes[1].plot(RATES, points, "o-", color=color, label=name)
    axes[1].set(title="2. The same net and start", xlabel="learning rate", xscale="log")
    for (name, of_name), color in zip(by_depth.items(), COLORS):
        axes[2].plot(DEPTHS, of_name, "o-", color=color, label=name)
    axes[2].set(title="3. Deeper nets", xlabel="hidden layers of 100")
    axes[2].set_xticks(DEPTHS)
    for ax in axes:
        ax.grid(alpha=0.3)
        # Lines end at the top or the bottom right, with room between.
        ax.legend(loc=(0.4, 0.22) if ax is axes[2] else "best")
    for ax in axes[1:]:
        ax.set_ylim(0, 102)
    figure.suptitle(f"Nets of distance units on {images.name}")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    parser.add_argument("--mnist", metavar="FILE", help="MNIST as .npz; default: digits")
    parser.add_argument("--figure", metavar="FILE", default="reproduce_paper.png")
    parser.add_argument("--show", action="store_true", help="open the picture in a window as well")
    args = parser.parse_args()
    if not args.show:
        matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    try:
        images = load_images(args.mnist)
    except (OSError, KeyError, ValueError) as error:
        parser.error(f"--mnist {args.mnist} cannot be read: {error}")
    with warnings.catch_warnings():
        # In short fits the loss still falls, and tables show what diverged.
        warnings.simplefilter("ignore", ConvergenceWarning)
        results = follow_recipe(images), compare_solvers(images), compare_depths(images)
    draw(plt, images, *results).savefig(args.figure, dpi=110)
    print(f"wrote {args.figure}")
    if args.show:
        plt.show()


if __name__ == "__main__":
    main()
