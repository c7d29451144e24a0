"""The parts of the depth benchmark: each trains nets and returns tables and curves to draw."""

import functools
from dataclasses import dataclass

import numpy as np
from _depth_measures import layer_norms, signal_rows
from _depth_nets import MLPS, OURS, RECIPE, ROWS, WIDTH, train
from _harness import quiet

__all__ = ["FULL", "PARTS", "QUICK", "Bench", "Scale"]


@dataclass(frozen=True)
class Scale:
    """Epochs of each part; for "depths" by number of layers."""

    recipe: int
    defaults: int
    solvers: int
    depths: dict


FULL = Scale(recipe=50, defaults=20, solvers=5, depths={2: 10, 5: 10, 10: 10, 20: 10, 50: 20})
#: Digits have 45 times fewer rows than MNIST, so an epoch has 45 times fewer steps.
QUICK = Scale(recipe=50, defaults=20, solvers=20, depths={2: 20, 5: 20, 10: 20, 20: 20, 50: 30})

#: Test accuracy of the code of arXiv:1708.01911 on MNIST: two seeds, double precision.
REFERENCE = [0.9820, 0.9799]
REFERENCE_SECONDS = 4.9
#: Learning rates of the part about solvers.
RATES = (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
#: Training loss and test % of the reference with plain gradients at these rates.
REFERENCE_SOLVERS = {
    "reference: sgd": (
        *("2.303 / 10.1", "2.302 / 10.1", "2.300 / 9.8", "2.294 / 10.1"),
        *("0.926 / 70.7", "1.449 / 51.5", "diverged"),
    ),
    "reference: sgd + momentum": (
        *("2.303 / 10.1", "2.302 / 10.1", "2.300 / 9.8", "2.294 / 10.1"),
        *("0.735 / 78.4", "0.457 / 86.6", "diverged"),
    ),
}
#: Changes to the published recipe, which has a momentum of 0.9. The reference's momentum averages
#: gradients, so its steps are about as long as ours at a tenth of the rate.
SOLVERS = {
    "sgd": lambda rate: {"solver": "sgd", "momentum": 0.0, "learning_rate_init": rate},
    "sgd + momentum": lambda rate: {"solver": "sgd", "learning_rate_init": 0.1 * rate},
    "rmsprop": lambda rate: {"solver": "rmsprop", "learning_rate_init": rate},
    "adam": lambda rate: {"solver": "adam", "learning_rate_init": rate},
}
#: Rows that gradients are computed on, and hidden layers of the nets.
GRADIENT_ROWS, GRADIENT_DEPTH = 1_000, 20


def percent(accuracy):
    return f"{100 * accuracy:.2f}"


def mean_percent(results):
    """Mean test accuracy with its standard deviation over seeds; "diverged" if any run did."""
    if any(result["diverged"] for result in results):
        return "diverged"
    accuracies = [result["test accuracy"] for result in results]
    spread = f" ± {100 * np.std(accuracies, ddof=1):.2f}" if len(accuracies) > 1 else ""
    return percent(np.mean(accuracies)) + spread


class Bench:
    """The images, the epochs to train for, and the ledger that keeps results."""

    def __init__(self, images, scale, ledger, n_seeds):
        self.images, self.scale, self.ledger = images, scale, ledger
        self.seeds = range(n_seeds)

    def train(self, one, hidden, epochs, seed, dtype=np.float32, note="", **more):
        """The result of one training run; the progress report shows `note` behind the name."""
        key = f"{one.key(hidden, epochs, seed, **more)} | {np.dtype(dtype).name}"
        size = f"{len(hidden)} x {hidden[0]}, {epochs} epochs, seed {seed}, {np.dtype(dtype).name}"
        return self.ledger.run(
            f"{self.images.name} | {key}",
            f"{one.name}{note}, {size}",
            lambda: train(one.make(hidden, epochs, seed, **more), self.images, dtype),
            own=one.is_ours,
        )

    def seeds_row(self, one, hidden, epochs, dtype=np.float32):
        """A table row about a net over all seeds."""
        results = [self.train(one, hidden, epochs, seed, dtype) for seed in self.seeds]
        return {
            "net": one.name,
            "precision": np.dtype(dtype).name,
            "test %, mean": mean_percent(results),
            "each": ", ".join(mean_percent([result]) for result in results),
            "test loss": float(np.mean([result["test loss"] for result in results])),
            "epoch, s": float(np.median([result["seconds"] for result in results])),
        }


# Parts --------------------------------------------------------------------------------------------


def recipe(bench):
    """The published recipe beside the reference and MLPClassifier."""
    hidden, epochs = (WIDTH, WIDTH), bench.scale.recipe
    rows = [bench.seeds_row(RECIPE, hidden, epochs, dtype) for dtype in (np.float64, np.float32)]
    rows += [bench.seeds_row(one, hidden, epochs) for one in MLPS]
    if bench.images.name == "mnist":
        rows.insert(
            0,
            {
                "net": "the reference, on its machine",
                "precision": "float64",
                "test %, mean": percent(np.mean(REFERENCE)),
                "each": ", ".join(map(percent, REFERENCE)),
                "test loss": 0.0728,
                "epoch, s": REFERENCE_SECONDS,
            },
        )
    return {f"The published recipe: 100-100, {epochs} epochs": rows}, {}


def defaults(bench):
    """Ours beside MLPClassifier, both at their defaults."""
    hidden, epochs = (WIDTH, WIDTH), bench.scale.defaults
    rows = [bench.seeds_row(one, hidden, epochs) for one in (OURS, *MLPS)]
    return {f"Defaults: 100-100, {epochs} epochs": rows}, {}


def depth(bench):
    """Test accuracy by number of hidden layers."""
    rows, curves = [], {}
    for n_layers, epochs in bench.scale.depths.items():
        row = {"hidden layers": n_layers, "epochs": epochs}
        for one in (OURS, ROWS, RECIPE, *MLPS):
            hidden = (WIDTH,) * n_layers
            results = [bench.train(one, hidden, epochs, seed) for seed in bench.seeds]
            row[one.name] = mean_percent(results)
            curve = curves.setdefault(one.name, {"x": [], "y": []})
            curve["x"].append(n_layers)
            curve["y"].append(float(np.mean([result["test accuracy"] for result in results])))
        rows.append(row)
    return {"Depth: test %": rows}, curves


def signal(bench):
    """How much of the classes the outputs of untrained layers retain."""
    return {
        "Before training: class information in a layer's outputs": signal_rows(bench.images)
    }, {}


def gradient_run(one, images, rate=None):
    """Norms of gradients by layer after one epoch; a tiny rate gives those at the start."""
    more = {} if rate is None else {"learning_rate_init": rate}
    model = one.make((WIDTH,) * GRADIENT_DEPTH, 1, 0, **more)
    with quiet():
        # partial_fit keeps the full rate; fit would lower it to zero within the epoch.
        model.partial_fit(images.X, images.y, classes=np.unique(images.y))
    rows = np.random.default_rng(0).permutation(len(images.X))[:GRADIENT_ROWS]
    return {"norms": layer_norms(model, images.X[rows], images.y[rows])}


def gradients(bench):
    """Norm of the gradient of each layer, at the start and after an epoch."""
    n_layers, rows, by_layer, curves = GRADIENT_DEPTH, [], [], {}
    stages = {"start": 1e-12, "after an epoch": None}
    for one in (OURS, ROWS, RECIPE, *MLPS):
        row = {"net": one.name}
        for stage, rate in stages.items():
            norms = bench.ledger.run(
                f"gradients, {stage} | {one.key((WIDTH,) * n_layers, 1, 0)}",
                f"gradients, {stage}: {one.name}",
                functools.partial(gradient_run, one, bench.images, rate),
                own=one.is_ours,
            )["norms"]
            hidden = norms[:-1]
            row |= {
                f"{stage}: first": f"{norms[0]:.1e}",
                f"{stage}: last hidden": f"{hidden[-1]:.1e}",
                f"{stage}: output": f"{norms[-1]:.1e}",
                f"{stage}: largest / smallest": times(hidden),
            }
            curves[f"{one.name}, {stage}"] = {"x": list(range(1, n_layers + 1)), "y": hidden}
        rows.append(row)
    for layer in sorted({1, 2, 3, *range(5, n_layers + 1, 5), n_layers}):
        named = {name: f"{curve['y'][layer - 1]:.1e}" for name, curve in curves.items()}
        by_layer.append({"hidden layer": layer} | named)
    return {
        f"Norm of the gradient in {n_layers} hidden layers": rows,
        "The same, layer by layer": by_layer,
    }, curves


def times(norms):
    """How many times larger the largest norm is than the smallest."""
    if not min(norms) > 0:
        return "infinite"
    factor = max(norms) / min(norms)
    return f"{factor:.1f}" if factor < 10 else f"{factor:,.0f}" if factor < 1e6 else f"{factor:.0e}"


def solvers(bench):
    """Training loss and test accuracy by solver and learning rate, on the reference's net."""
    scale, rows, curves = bench.scale, [], {}
    for name, settings in SOLVERS.items():
        row, curve = {"solver": name}, {"x": [], "y": [], "diverged": []}
        for rate in RATES:
            result = bench.train(
                RECIPE,
                (WIDTH, WIDTH),
                scale.solvers,
                0,
                note=f", {name} at {rate:g}",
                learning_rate="constant",
                alpha=0.0,
                **settings(rate),
            )
            row[f"{rate:g}"] = "diverged"
            if result["diverged"]:
                curve["diverged"].append(rate)
            else:
                accuracy = result["test accuracy"]
                row[f"{rate:g}"] = f"{result['train loss']:.3f} / {100 * accuracy:.1f}"
                curve["x"].append(rate)
                curve["y"].append(accuracy)
        rows.append(row)
        curves[name] = curve
    if bench.images.name == "mnist" and scale is FULL:
        for name, cells in REFERENCE_SOLVERS.items():
            rows.append({"solver": name} | {f"{r:g}": c for r, c in zip(RATES, cells)})
            known = [(r, c.split(" / ")[1]) for r, c in zip(RATES, cells) if " / " in c]
            curves[name] = {
                "x": [rate for rate, _ in known],
                "y": [float(accuracy) / 100 for _, accuracy in known],
                "diverged": [rate for rate in RATES if rate not in dict(known)],
            }
    return {
        f"Solvers at constant learning rates, {scale.solvers} epochs: train loss / test %": rows
    }, curves


PARTS = {
    "recipe": recipe,
    "defaults": defaults,
    "depth": depth,
    "signal": signal,
    "gradients": gradients,
    "solvers": solvers,
}
