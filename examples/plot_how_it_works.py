"""
How a distance net works
========================

Three pictures explain :class:`~skdistnet.DistanceNetClassifier`: what a single unit computes, why
the initial inverse radii decide whether a net can learn, and why RMSProp trains such a net where
plain gradient descent makes no progress. The page "How it works" of the user guide discusses them.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skdistnet import DistanceNetClassifier
from skdistnet.engine import Network

warnings.simplefilter("ignore", ConvergenceWarning)  # these nets are not trained to the end
BLUE, ORANGE, GREY = "#1f5fa8", "#c8501e", "#4d4d4d"

# %%
# A unit has a centroid c and an inverse radius r for each feature. Its activation is 1 at the
# centroid and exp(-1/2), about 0.61, on the ellipse that reaches 1 / r in the direction of each
# feature. With an inverse radius near zero the unit ignores that feature. The kernel "cauchy" falls
# off more slowly than "gaussian", so a far-away unit keeps a gradient.

centroid = np.array([0.5, -0.3])
axis = np.linspace(-3, 3, 200)
grid = np.stack(np.meshgrid(axis, axis), axis=-1)
UNITS = {
    "$r = (1,\\ 1)$": [1.0, 1.0],
    "$r = (0.5,\\ 2)$": [0.5, 2.0],
    "$r = (1.25,\\ 0.02)$": [1.25, 0.02],
}

figure, axes = plt.subplots(1, 4, figsize=(13, 3.7), layout="constrained")
for ax, (title, inverse_radii) in zip(axes, UNITS.items(), strict=False):
    u = -0.5 * np.sum((np.array(inverse_radii) * (grid - centroid)) ** 2, axis=-1)
    image = ax.pcolormesh(axis, axis, np.exp(u), cmap="Blues", vmin=0, vmax=1)
    ax.contour(axis, axis, u, levels=[-0.5], colors="black", linewidths=1.5, linestyles="solid")
    ax.plot(*centroid, "+", color=ORANGE, markersize=10, markeredgewidth=2)
    ax.set(title=title, xlabel="feature 0", aspect="equal")
axes[0].set_ylabel("feature 1")
figure.colorbar(image, ax=axes[:3], label="activation", shrink=0.85)

distance = np.linspace(0, 5, 200)
axes[3].plot(distance, np.exp(-0.5 * distance**2), color=BLUE, label='"gaussian": $e^{-d^2/2}$')
axes[3].plot(distance, 1 / (1 + distance**2), color=ORANGE, label='"cauchy": $1/(1+d^2)$')
axes[3].set(title="two kernels", xlabel="scaled distance d", ylabel="activation", ylim=(0, 1.05))
axes[3].legend()
figure.suptitle("The reach of a unit along each feature is 1 / r")

# %%
# Distances grow with the number of features. The rows here are normally distributed and 100 of them
# are the centroids of a layer. With inverse radius 1 nearly all activations are zero from some
# twenty features on, and so is the gradient: such units are dead before training starts. The
# default start scales the inverse radii until the median activation is 0.5, whatever the number of
# features.


def untrained(*args, X, y, **settings):
    """A net as it starts: one epoch at a learning rate that moves nothing."""
    net = DistanceNetClassifier(*args, max_iter=1, learning_rate_init=1e-12, **settings)
    return net.fit(X, y)


N_FEATURES = [1, 2, 5, 10, 20, 30, 50, 100]
rng = np.random.default_rng(0)
STARTS = {"inverse radius 1": ORANGE, "fitted inverse radii": BLUE}
percentiles = {name: [] for name in STARTS}
gradient_norms = {name: [] for name in STARTS}
for n_features in N_FEATURES:
    X = rng.normal(size=(1000, n_features))
    y = (X[:, 0] > 0).astype(int)
    net = untrained(100, X=X, y=y, random_state=0)
    network = Network([n_features, 100, 2], "gaussian", "distance")
    for name in STARTS:
        inverse_radii = list(net.inverse_radii_)
        if name == "inverse radius 1":
            inverse_radii[0] = np.ones_like(inverse_radii[0])
        theta = network.pack(centroids=net.centroids_, inverse_radii=inverse_radii)
        activations = network.forward(theta, X)[0]
        percentiles[name].append(np.percentile(activations, [5, 50, 95]))
        gradient = network.loss_and_grad(theta, X, np.eye(2)[y])[1]
        gradient_norms[name].append(np.linalg.norm(network.unpack(gradient).centroids[0]))
        if n_features == 30:
            dead = (activations < 1e-6).mean()
            print(f"30 features, {name}: {dead:.1%} of the activations are below 1e-6")

# %%
# The band holds 90 % of the activations; the line is their median.

figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
for ax, (name, color) in zip(axes, STARTS.items(), strict=False):
    low, median, high = np.maximum(np.transpose(percentiles[name]), 1e-30)
    ax.fill_between(N_FEATURES, low, high, color=color, alpha=0.25)
    ax.plot(N_FEATURES, median, "o-", color=color)
    ax.set(title=f"Activations, {name}", xlabel="features", ylabel="activation", xscale="log")
    ax.set(yscale="log", ylim=(1e-12, 3))
for name, color in STARTS.items():
    axes[2].plot(N_FEATURES, gradient_norms[name], "o-", color=color, label=name)
axes[2].set(title="Gradient of the hidden layer's centroids", xlabel="features", ylabel="norm")
axes[2].set(xscale="log", yscale="log", ylim=(1e-12, 3))
axes[2].legend(loc="lower left")
for ax in axes:
    ax.set_xticks([1, 10, 100], ["1", "10", "100"])
    ax.grid(alpha=0.3)
figure.suptitle("With inverse radius 1, layers are dead beyond about 20 features")

# %%
# The gradients of a net's parameters differ by orders of magnitude, and most are tiny. Gradient
# descent multiplies them by the learning rate, so its steps are tiny as well. RMSProp divides each
# gradient by the root of its own mean square first: every parameter moves by about the learning
# rate. The nets are 64-100-100-10 on handwritten digits, without dropout, label smoothing and
# momentum of plain gradient descent. The start that looks at no data is the one of the paper.

X, y = load_digits(return_X_y=True)
X = X / 16
COMMON = {"linear_part": False, "dropout": 0.0, "standardize": False, "early_stopping": False}
COMMON |= {"random_state": 0}
STARTS = {
    "the paper's start": {"init": "uniform", "init_median_activation": None},
    "the default start": {},
}
RUNS = {
    "sgd, rate 0.1": ({"solver": "sgd", "learning_rate_init": 0.1}, ORANGE, ":"),
    "sgd, rate 1": ({"solver": "sgd", "learning_rate_init": 1.0}, ORANGE, "--"),
    "sgd, rate 3": ({"solver": "sgd", "learning_rate_init": 3.0}, ORANGE, "-"),
    "rmsprop, rate 0.01": ({"solver": "rmsprop", "learning_rate_init": 0.01}, BLUE, "-"),
}
network = Network([64, 100, 100, 10], "gaussian", "distance")

figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
for (name, start), color in zip(STARTS.items(), [GREY, "#3a9a5b"], strict=True):
    net = untrained((100, 100), X=X, y=y, **COMMON, **start)
    theta = network.pack(centroids=net.centroids_, inverse_radii=net.inverse_radii_)
    gradient = np.abs(network.loss_and_grad(theta, X, np.eye(10)[y])[1])
    print(f"{name}: median size of a gradient {np.median(gradient):.1e}")
    shown = np.log10(np.maximum(gradient, 1e-12))
    axes[0].hist(shown, bins=np.linspace(-10, 0, 60), alpha=0.6, color=color, label=name)
axes[0].set(title="Gradients at the start", xlabel="size of the gradient", yticks=[])
axes[0].set_xticks([-10, -8, -6, -4, -2, 0], [f"$10^{{{p}}}$" for p in (-10, -8, -6, -4, -2, 0)])
axes[0].set_ylabel("parameters")
axes[0].legend(loc="upper left")
axes[0].margins(y=0.3)
for ax, (name, start) in zip(axes[1:], STARTS.items(), strict=True):
    for label, (settings, color, style) in RUNS.items():
        momentum = 0.9 if settings["solver"] == "rmsprop" else 0.0
        net = DistanceNetClassifier(
            (100, 100),
            max_iter=20,
            n_iter_no_change=20,
            learning_rate="constant",
            momentum=momentum,
            **settings,
            **start,
            **COMMON,
        ).fit(X, y)
        ax.plot(range(1, 21), net.loss_curve_, style, color=color, label=label)
        print(f"{name}, {label}: loss {net.loss_curve_[-1]:.3f} after 20 epochs")
    ax.set(title=f"Training from {name}", xlabel="epoch", ylabel="loss", ylim=(0, 2.5))
    ax.set_xticks([1, 5, 10, 15, 20])
    ax.grid(alpha=0.3)
axes[1].legend(loc="center right", bbox_to_anchor=(1, 0.6))
axes[1].annotate("sgd at all three rates", (12, 2.3), (12, 2.12), color=ORANGE)
figure.suptitle("Gradients are small and of many sizes; RMSProp equalises the steps")

plt.show()
