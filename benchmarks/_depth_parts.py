"""The parts of the depth benchmark: each trains its nets and returns tables, and curves to draw."""

import functools
from dataclasses import dataclass, field

import numpy as np
from _depth_gradients import layer_norms
from _depth_nets import MLPS, OURS, RECIPE, ROWS, WIDTH, train, train_and_vote
from _depth_signal import signal_rows
from _harness import quiet

__all__ = ["FULL", "PARTS", "QUICK", "Scale"]


@dataclass(frozen=True)
class Scale:
    """How much is trained.

    Parameters
    ----------
    recipe, defaults, solvers : int
        Epochs of these parts.
    depths : dict of int to int
        Epochs by number of hidden layers.
    gradient_depth : int
        Hidden layers of the nets whose gradients are looked at.
    rates : tuple of float
        Learning rates of the part about solvers.
    best : dict of str to dict
        Layers, epochs and arguments of a wide net, by name of the images.
    """

    recipe: int
    defaults: int
    solvers: int
    depths: dict
    best: dict
    gradient_depth: int = 20
    rates: tuple = field(default=(0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0))


#: Seeds of the wide nets, which vote in the end.
VOTERS = 5
#: Batches that products of wide nets are faster with, and dropout that ends with the training.
WIDE = {"batch_size": 200, "dropout_schedule": "learning_rate"}
FULL = Scale(
    recipe=50,
    defaults=20,
    solvers=5,
    depths={2: 10, 5: 10, 10: 10, 20: 10, 50: 20},
    best={
        "mnist": {
            "hidden": (1000, 1000),
            "epochs": 30,
            "arguments": WIDE | {"dropout": 0.75},
        },
        "fashion_mnist": {
            "hidden": (500, 500),
            "epochs": 20,
            "arguments": WIDE | {"dropout": 0.4},
        },
    },
)
#: Digits have 45 times fewer rows than MNIST, and as many fewer steps in an epoch.
QUICK = Scale(
    recipe=50,
    defaults=20,
    solvers=20,
    depths={2: 20, 5: 20, 10: 20, 20: 20, 50: 30},
    best={
        "digits": {
            "hidden": (400, 400),
            "epochs": 60,
            "arguments": WIDE | {"dropout": 0.75, "batch_size": 50},
        }
    },
)

#: What the reference reaches on MNIST, arXiv:1708.01911's own code: two seeds, double precision.
REFERENCE = [0.9820, 0.9799]
REFERENCE_SECONDS = 4.9
#: Its training loss and test % by plain gradients at the rates of `FULL`.
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
#: What each changes of the published recipe, whose momentum of 0.9 stays unless named. Momentum of
#: the reference is an average of gradients, which is heavy-ball momentum at a tenth of the rate.
SOLVERS = {
    "sgd": lambda rate: {"solver": "sgd", "momentum": 0.0, "learning_rate_init": rate},
    "sgd + momentum": lambda rate: {"solver": "sgd", "learning_rate_init": 0.1 * rate},
    "rmsprop": lambda rate: {"solver": "rmsprop", "learning_rate_init": rate},
    "adam": lambda rate: {"solver": "adam", "learning_rate_init": rate},
}
#: Rows that gradients are taken of.
GRADIENT_ROWS = 1_000


def percent(accuracy):
    return f"{100 * accuracy:.2f}"


def mean_percent(results):
    """Mean test accuracy and, of several, its standard deviation; "diverged" if any did."""
    if any(result["diverged"] for result in results):
        return "diverged"
    found = [result["test accuracy"] for result in results]
    spread = f" ± {100 * np.std(found, ddof=1):.2f}" if len(found) > 1 else ""
    return percent(np.mean(found)) + spread


class Bench:
    """Images, how much to train on them, and where results are kept."""

    def __init__(self, images, scale, ledger, n_seeds):
        self.images, self.scale, self.ledger = images, scale, ledger
        self.seeds = range(n_seeds)

    def train(self, one, hidden, epochs, seed, dtype=np.float32, says="", **more):
        """The result of one training, from the file if it is there; `says` adds to its name."""
        key = f"{one.key(hidden, epochs, seed, **more)} | {np.dtype(dtype).name}"
        size = f"{len(hidden)} x {hidden[0]}, {epochs} epochs, seed {seed}, {np.dtype(dtype).name}"
        return self.ledger.run(
            f"{self.images.name} | {key}",
            f"{one.name}{says}, {size}",
            lambda: train(one.make(hidden, epochs, seed, **more), self.images, dtype),
            own=one.is_ours,
        )

    def vote(self, one, hidden, epochs, **more):
        """What nets of several seeds come to alone and together."""
        key = one.key(hidden, epochs, f"0 to {VOTERS - 1}", **more)
        return self.ledger.run(
            f"{self.images.name} | {key} | vote",
            f"{one.name}, {hidden}, {epochs} epochs, vote of {VOTERS} on {self.images.name}",
            lambda: train_and_vote(
                [one.make(hidden, epochs, seed, **more) for seed in range(VOTERS)], self.images
            ),
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
    """Ours at defaults beside MLPClassifier."""
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
    """What untrained layers let through."""
    return {"Before training: what a layer's outputs tell": signal_rows(bench.images)}, {}


def gradient_run(one, images, n_layers, rate=None):
    """Norms of gradients by layer after one epoch; at a rate of next to nothing, at the start."""
    more = {} if rate is None else {"learning_rate_init": rate}
    model = one.make((WIDTH,) * n_layers, 1, 0, **more)
    with quiet():
        # An epoch at the full rate: fit would have let it fall to nothing within this one.
        model.partial_fit(images.X, images.y, classes=np.unique(images.y))
    rows = np.random.default_rng(0).permutation(len(images.X))[:GRADIENT_ROWS]
    return {"norms": layer_norms(model, images.X[rows], images.y[rows])}


def gradients(bench):
    """Norm of the gradient of each layer, at the start and after an epoch."""
    n_layers, rows, by_layer, curves = bench.scale.gradient_depth, [], [], {}
    stages = {"start": 1e-12, "after an epoch": None}
    for one in (OURS, ROWS, RECIPE, *MLPS):
        row = {"net": one.name}
        for stage, rate in stages.items():
            norms = bench.ledger.run(
                f"gradients, {stage} | {one.key((WIDTH,) * n_layers, 1, 0)}",
                f"gradients, {stage}: {one.name}",
                functools.partial(gradient_run, one, bench.images, n_layers, rate),
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
        for rate in scale.rates:
            result = bench.train(
                RECIPE,
                (WIDTH, WIDTH),
                scale.solvers,
                0,
                says=f", {name} at {rate:g}",
                learning_rate="constant",
                alpha=0.0,
                nesterovs_momentum=False,
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
            rows.append({"solver": name} | {f"{r:g}": c for r, c in zip(scale.rates, cells)})
            known = [(r, c.split(" / ")[1]) for r, c in zip(scale.rates, cells) if " / " in c]
            curves[name] = {
                "x": [rate for rate, _ in known],
                "y": [float(accuracy) / 100 for _, accuracy in known],
                "diverged": [rate for rate in scale.rates if rate not in dict(known)],
            }
    return {
        f"Solvers at constant learning rates, {scale.solvers} epochs: train loss / test %": rows
    }, curves


def best(bench):
    """Wide nets that are held back more, alone and voting, beside MLPClassifiers of their size."""
    name = bench.images.name
    if name not in bench.scale.best:
        print(f"the part best has no settings for {name}")
        return {}, {}
    chosen, rows = bench.scale.best[name], []
    hidden, epochs = chosen["hidden"], chosen["epochs"]
    for one in (OURS, MLPS[0]):
        more = chosen["arguments"] if one.is_ours else {}
        found = bench.vote(one, hidden, epochs, **more)
        minutes = [result["seconds"] * epochs / 60 for result in found["each"]]
        says = "".join(f", {key}={value!r}" for key, value in more.items())
        rows.append(
            {
                "net": one.name + says,
                "one: test %": mean_percent(found["each"]),
                "one: test loss": float(np.mean([each["test loss"] for each in found["each"]])),
                "one: fit, minutes": float(np.mean(minutes)),
                f"{VOTERS} voting: test %": percent(found["test accuracy"]),
                f"{VOTERS} voting: test loss": found["test loss"],
                f"{VOTERS} voting: fit, minutes": sum(minutes),
                "BLAS threads": found["each"][0]["threads"],
            }
        )
    layers = "-".join(map(str, hidden))
    return {f"Wide, on {name}: {layers}, {epochs} epochs, {VOTERS} seeds": rows}, {}


PARTS = {
    "recipe": recipe,
    "defaults": defaults,
    "depth": depth,
    "signal": signal,
    "gradients": gradients,
    "solvers": solvers,
    "best": best,
}
