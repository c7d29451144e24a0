"""
Measure the gradient in each layer of a deep net
================================================

A layer learns from the gradient that reaches it, and this gradient passes through every layer
between the output and that layer. Many dot-product nets of 20 hidden layers lose their gradient on
the way, and their first layers do not train. This example measures the norm of the gradient by each
layer's parameters, before and after training, in a :class:`~skdistnet.DistanceNetClassifier` and in
two :class:`~sklearn.neural_network.MLPClassifier` of the same sizes. All other settings, except for
activations, are the defaults.
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
# ``gradient_flow`` measures the gradient of a distance net. For an MLP we apply the chain rule to
# its ``coefs_``: forward through the layers, then backward layer by layer.

DERIVATIVES = {
    "logistic": lambda activations: activations * (1 - activations),
    "relu": lambda activations: activations > 0,
}


def mlp_gradient_norms(mlp, X, y):
    """Norm of the gradient of the mean log-loss by each layer's weights and intercepts."""
    outputs = [X]
    for coefs, intercepts in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        z = outputs[-1] @ coefs + intercepts
        outputs.append(np.maximum(z, 0) if mlp.activation == "relu" else 1 / (1 + np.exp(-z)))
    # The gradient of the log-loss by the logits is probability minus target.
    back = (mlp.predict_proba(X) - (y[:, np.newaxis] == mlp.classes_)) / len(X)
    norms = []
    for coefs, inputs in zip(mlp.coefs_[::-1], outputs[::-1], strict=True):
        norms.append(np.hypot(np.linalg.norm(inputs.T @ back), np.linalg.norm(back.sum(axis=0))))
        back = back @ coefs.T * DERIVATIVES[mlp.activation](inputs)
    return np.array(norms[::-1])


def flow_of(model, X, y):
    """The data that the display needs, for either kind of net."""
    if isinstance(model, DistanceNetClassifier):
        return gradient_flow(model, X, y)
    kinds = [model.activation] * len(HIDDEN) + ["linear"]
    return {"kind": kinds, "gradient_norm": mlp_gradient_norms(model, X, y)}


# %%
# One epoch at a tiny learning rate leaves a net at its initialisation. Warnings that training did
# not converge are expected there.

MODELS = {
    "DistanceNetClassifier": DistanceNetClassifier(HIDDEN, random_state=0),
    "MLPClassifier, relu": MLPClassifier(HIDDEN, "relu", random_state=0),
    "MLPClassifier, logistic": MLPClassifier(HIDDEN, "logistic", random_state=0),
}

results = {}
for name, model in MODELS.items():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = clone(model).set_params(max_iter=1, learning_rate_init=1e-12)
        start.fit(X_train, y_train)
        model.fit(X_train, y_train)
    flows = [flow_of(state, X_train, y_train) for state in (start, model)]
    results[name] = flows, model.score(X_test, y_test)

# %%
# The output layer of the logistic net has a large gradient, but each layer before it passes on
# less. The gradient of the first layer is far below the 1e-8 that the solver adds before it divides
# by the size of gradients, so that layer never moves. In the net of relus the first layer gets
# about a tenth of the gradient, which is enough. In the distance net it starts with as much as the
# last.

print(f"{'gradient at first / last layer':33}  {'start':>7}  {'trained':>7}  test accuracy")
for name, (flows, accuracy) in results.items():
    norms = [flow["gradient_norm"] for flow in flows]
    at_start, trained = (norm[0] / norm[-1] for norm in norms)
    print(f"{name:33}  {at_start:7.2g}  {trained:7.2g}  {accuracy:13.3f}")

# %%
# After training, the height of a line shows how steep the loss is where training ended. A level
# line shows that all layers were trained. The logistic net still guesses.

STYLES = [("#1f5fa8", "o"), ("#c8501e", "s"), ("#4d4d4d", "^")]

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.6), sharey=True, layout="constrained")
for number, (ax, moment) in enumerate(zip(axes, ["At the start", "After training"], strict=True)):
    for (name, (flows, accuracy)), (color, marker) in zip(results.items(), STYLES, strict=True):
        label = f"{name}: test accuracy {accuracy:.2f} after training"
        style = {"color": color, "marker": marker, "label": label}
        GradientFlowDisplay(flow=flows[number]).plot(ax, line_kw=style)
    ax.set(title=moment, xlabel="layer (1: reads the pixels, 21: output)", xticks=range(1, 22, 4))
axes[1].set_ylabel("")
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=1, frameon=False)
figure.suptitle(
    "Through 20 hidden layers the gradient vanishes with logistic units,\n"
    "but not with distance units or relus"
)

plt.show()
