"""
Prune Optuna trials between epochs
==================================

``partial_fit`` trains for one epoch and, with validation rows, measures the loss afterwards. An
objective reports this loss after each epoch, and a pruner decides whether the trial continues. In
this example Optuna's median pruner stops each trial whose loss is above the median of earlier
trials after as many epochs.

``partial_fit`` does not know the total number of calls, so its learning rate stays constant (unless
``learning_rate`` is a callable). Once the settings are chosen, ``fit`` with its cosine schedule and
more epochs trains a better net.

To run it, install the extra ``search``: ``pip install "skdistnet[search]"``.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import optuna
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(
    X_train, y_train, stratify=y_train, random_state=0
)

# %%
# The objective trains epoch by epoch and returns the loss after the last one.

N_EPOCHS = 15


def objective(trial):
    """Validation loss after all epochs, unless the trial is pruned before."""
    net = DistanceNetClassifier(
        hidden_layer_sizes=trial.suggest_int("hidden_layer_sizes", 5, 100, log=True),
        learning_rate_init=trial.suggest_float("learning_rate_init", 1e-4, 1.0, log=True),
        radius_type=trial.suggest_categorical("radius_type", ["diag", "spherical", "tied"]),
        random_state=0,
    )
    for epoch in range(1, N_EPOCHS + 1):
        net.partial_fit(X_train, y_train, classes=range(10), X_val=X_val, y_val=y_val)
        trial.report(net.validation_loss_curve_[-1], epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return net.validation_loss_curve_[-1]


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3),
)
study.optimize(objective, n_trials=30)

trained = [len(trial.intermediate_values) for trial in study.trials]
pruned = [trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials]
print(f"pruned {sum(pruned)} of {len(pruned)} trials")
print(f"epochs trained: {sum(trained)}; without pruning: {len(pruned) * N_EPOCHS}")
print("best:", study.best_params)

# %%
# The same settings and as many calls reproduce the best trial. With ``fit`` the learning rate falls
# to zero: in 15 epochs that is too soon for so small a rate, in a hundred it gives the better net.

again = DistanceNetClassifier(**study.best_params, random_state=0)
for _ in range(N_EPOCHS):
    again.partial_fit(X_train, y_train, classes=range(10), X_val=X_val, y_val=y_val)
print("the best trial's loss again:", again.validation_loss_curve_[-1] == study.best_value)
print(f"accuracy on test rows, {N_EPOCHS} epochs by partial_fit: {again.score(X_test, y_test):.4f}")
for max_iter in (N_EPOCHS, 100):
    net = DistanceNetClassifier(**study.best_params, max_iter=max_iter, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the loss still falls at the end
        net.fit(X_train, y_train)
    print(f"accuracy on test rows, {max_iter} epochs by fit: {net.score(X_test, y_test):.4f}")

# %%
# On the left each trial is a line that ends where the trial was pruned, on the right a point. Later
# trials concentrate where earlier ones did well.

figure, (curves, settings) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
for trial, was_pruned in zip(study.trials, pruned, strict=True):
    epochs, losses = zip(*trial.intermediate_values.items(), strict=True)
    color = "#c8501e" if was_pruned else "#1f5fa8"
    curves.plot(epochs, losses, color=color, alpha=0.6, linewidth=1)
    curves.plot(epochs[-1], losses[-1], "x" if was_pruned else "o", color=color, markersize=5)
curves.plot([], [], "x-", color="#c8501e", label="pruned")
curves.plot([], [], "o-", color="#1f5fa8", label="trained to the end")
curves.set(
    title=f"{sum(trained)} epochs trained, {len(pruned) * N_EPOCHS} without pruning",
    xlabel="epoch",
    ylabel="loss on validation rows",
    yscale="log",
)
curves.legend()
for was_pruned, marker in ((True, "x"), (False, "o")):
    chosen = np.flatnonzero(np.array(pruned) == was_pruned)
    points = [
        [study.trials[number].params[name] for number in chosen]
        for name in ("learning_rate_init", "hidden_layer_sizes")
    ]
    shown = settings.scatter(
        *points, c=chosen, marker=marker, cmap="viridis", vmin=0, vmax=len(pruned)
    )
figure.colorbar(shown, ax=settings, label="number of the trial")
best = [study.best_params[name] for name in ("learning_rate_init", "hidden_layer_sizes")]
settings.plot(*best, "o", markersize=16, markerfacecolor="none", color="black")
settings.annotate("best", best, xytext=(11, 5), textcoords="offset points")
settings.set(
    title="Settings of the trials (crosses: pruned)",
    xlabel="learning_rate_init",
    ylabel="units of the hidden layer",
    xscale="log",
    yscale="log",
)

plt.show()
