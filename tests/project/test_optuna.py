"""Optuna trials train epoch by epoch with `partial_fit` and are pruned between epochs."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

optuna = pytest.importorskip("optuna", reason="needs the extra 'search'")

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y, {"classes": [0, 1, 2]}),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y, {}),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y", "named"), CASES.values(), ids=CASES)
N_EPOCHS = 8
RATES = [0.03, 0.02, 1e-6, 0.04, 1e-7, 0.01]


@both_kinds
def test_study_prunes_between_epochs(kind, X, y, named):
    held = np.arange(len(X)) % 3 == 0
    options = {"X_val": X[held], "y_val": y[held], **named}

    def train(rate, n_epochs):
        net = kind(6, learning_rate_init=rate, random_state=0)
        for _ in range(n_epochs):
            net.partial_fit(X[~held], y[~held], **options)
            yield net.validation_loss_curve_[-1]

    def objective(trial):
        rate = trial.suggest_float("learning_rate_init", 1e-8, 1.0, log=True)
        for epoch, loss in enumerate(train(rate, N_EPOCHS), start=1):
            trial.report(loss, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return loss

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=2)
    study = optuna.create_study(pruner=pruner)
    for rate in RATES:
        study.enqueue_trial({"learning_rate_init": rate})
    study.optimize(objective, n_trials=len(RATES))

    pruned = [trial for trial in study.trials if trial.state.name == "PRUNED"]
    assert {1e-6, 1e-7} <= {trial.params["learning_rate_init"] for trial in pruned}
    assert all(len(trial.intermediate_values) < N_EPOCHS for trial in pruned)
    best = study.best_trial
    # Only the number of calls matters, so a pruned trial is the start of a complete one.
    for trial in [best, *pruned]:
        losses = list(train(trial.params["learning_rate_init"], N_EPOCHS))
        reported = list(trial.intermediate_values.values())
        assert reported == losses[: len(reported)]
    assert study.best_value == list(best.intermediate_values.values())[-1]
