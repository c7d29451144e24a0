"""
How much gradient reaches each layer of a deep net
==================================================

A layer learns from the gradient that arrives at it, and gradients come back from the output through
every layer in between. In a net of 20 hidden layers that is a long way: of dot-product nets, many
lose their gradient on it, and their first layers stay as they started. This example measures the
norm of the gradient by each layer's parameters, before and after training, in a
:class:`~skdistnet.DistanceNetClassifier` and in two :class:`~sklearn.neural_network.MLPClassifier`
of the same sizes. All settings but sizes and activations are the defaults.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier
from skdistnet.displays import GradientFlowDisplay
from skdistnet.inspection import gradient_flow

HIDDEN = (100,) * 20

# %%
# The data are scikit-learn's digits, 8 x 8 pixels, as they are.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# For a distance net, ``gradient_flow`` does the measuring. The gradient of an MLP follows from its
# ``coefs_`` by the chain rule: forward through the layers, then back, a layer at a time.

SLOPES = {
    "logistic": lambda answers: answers * (1 - answers),
    "relu": lambda answers: answers > 0,
}


def mlp_gradient_norms(mlp, X, y):
    """Norm of the gradient of the mean log-loss by each layer's weights and intercepts."""
    answers = [X]
    for coefs, intercepts in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        z = answers[-1] @ coefs + intercepts
        answers.append(np.maximum(z, 0) if mlp.activation == "relu" else 1 / (1 + np.exp(-z)))
    # By the logits, the gradient of the log-loss is probability minus target.
    back = (mlp.predict_proba(X) - (y[:, np.newaxis] == mlp.classes_)) / len(X)
    norms = []
    for coefs, inputs in zip(mlp.coefs_[::-1], answers[::-1], strict=True):
        norms.append(np.hypot(np.linalg.norm(inputs.T @ back), np.linalg.norm(back.sum(axis=0))))
        back = back @ coefs.T * SLOPES[mlp.activation](inputs)
    return np.array(norms[::-1])


def flow_of(model, X, y):
    """What the display takes, for either kind of net."""
    if isinstance(model, DistanceNetClassifier):
        return gradient_flow(model, X, y)
    kinds = [model.activation] * len(HIDDEN) + ["linear"]
    return {"kind": kinds, "gradient_norm": mlp_gradient_norms(model, X, y)}


# %%
# One epoch at a rate of almost nothing leaves a net where it starts. That such a training is cut
# short is no surprise, so scikit-learn need not warn of it.

MODELS = {
    "DistanceNetClassifier": DistanceNetClassifier(HIDDEN, random_state=0),
    "MLPClassifier, relu": MLPClassifier(HIDDEN, "relu", random_state=0),
    "MLPClassifier, logistic": MLPClassifier(HIDDEN, "logistic", random_state=0),
}

found = {}
for name, model in MODELS.items():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = clone(model).set_params(max_iter=1, learning_rate_init=1e-12)
        start.fit(X_train, y_train)
        model.fit(X_train, y_train)
    flows = [flow_of(state, X_train, y_train) for state in (start, model)]
    found[name] = flows, model.score(X_test, y_test)

# %%
# The output layer of the logistic net has plenty of gradient, but each layer in front of it passes
# on less: what arrives at the first is far below the 1e-8 that its solver adds before it divides by
# the size of gradients, so that layer never moves. Relus pass about a tenth on to the first layer,
# which is enough. Of a distance net the first layer starts with as much gradient as the last.

print(f"{'gradient at first / last layer':33}  {'start':>7}  {'trained':>7}  test accuracy")
for name, (flows, accuracy) in found.items():
    norms = [flow["gradient_norm"] for flow in flows]
    at_start, trained = (norm[0] / norm[-1] for norm in norms)
    print(f"{name:33}  {at_start:7.2g}  {trained:7.2g}  {accuracy:13.3f}")

# %%
# How high a line lies after training says how steep the loss is where training ended. What counts
# is that it is level, so that no layer was left out. The logistic net still guesses.

STYLES = [("#1f5fa8", "o"), ("#c8501e", "s"), ("#4d4d4d", "^")]

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.6), sharey=True, layout="constrained")
for number, (ax, moment) in enumerate(zip(axes, ["At the start", "After training"], strict=True)):
    for (name, (flows, accuracy)), (color, marker) in zip(found.items(), STYLES, strict=True):
        label = f"{name}: test accuracy {accuracy:.2f} when trained"
        style = {"color": color, "marker": marker, "label": label}
        GradientFlowDisplay(flow=flows[number]).plot(ax, line_kw=style)
    ax.set(title=moment, xlabel="layer (1: reads the pixels, 21: output)", xticks=range(1, 22, 4))
axes[1].set_ylabel("")
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=1, frameon=False)
figure.suptitle(
    "On its way back through 20 hidden layers, the gradient vanishes with logistic units,\n"
    "but not with distance units or relus"
)

plt.show()
