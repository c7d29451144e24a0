"""One player on one table with one seed: fit on each fold, predict, score."""

import time
import traceback

import numpy as np
from _harness import quiet
from _players import folds
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from threadpoolctl import threadpool_limits

__all__ = ["calibration_error", "play"]

N_BINS = 15


def calibration_error(y, probabilities):
    """Expected calibration error: 15 bins of equal width of the top probability.

    The mean over bins, by their share of rows, of how far the share of right answers is from the
    mean top probability.
    """
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y
    bins = np.clip(np.ceil(top * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    surplus = np.bincount(bins, weights=right - top, minlength=N_BINS)
    return float(np.abs(surplus).sum() / len(y))


def play(player, table, seed, tuned=False):
    """Cross-validate; never raises, but says in the result what went wrong.

    Returns
    -------
    result : dict
        "score" and "loss" hold a figure for each fold: accuracy and log-loss, or R^2 and RMSE;
        "ece" the calibration error of the probabilities of all folds' test rows, pooled; "fit" and
        "predict" seconds in sum over folds. "loss" and "ece" are None without probabilities. Or it
        holds "error" only.
    """
    try:
        # BLAS and OpenMP, whose threads HistGradientBoosting uses.
        with quiet(), threadpool_limits(1):
            return cross_validate(player, table, seed, tuned)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
        return {"error": f"{type(error).__name__}: {error} ({place})"}


def cross_validate(player, table, seed, tuned):
    X, y = table.X, table.y
    result = {"score": [], "loss": [], "ece": None, "fit": 0.0, "predict": 0.0}
    chosen, pooled = [], None
    for train, test in folds(table.classes, seed).split(X, y):
        X_train, X_test, y_test = X[train], X[test], y[test]
        began = time.perf_counter()
        model = player.make(table.classes, seed, tuned).fit(X_train, y[train])
        fitted = time.perf_counter()
        predicted = model.predict(X_test)
        result["fit"] += fitted - began
        result["predict"] += time.perf_counter() - fitted
        if tuned:
            chosen.append({key: repr(value) for key, value in model.best_params_.items()})
        if not table.classes:
            result["score"].append(float(r2_score(y_test, predicted)))
            result["loss"].append(float(root_mean_squared_error(y_test, predicted)))
            continue
        result["score"].append(float(accuracy_score(y_test, predicted)))
        if hasattr(model, "predict_proba"):
            # Log-loss clips by the precision of its input, which is to be the same for all.
            probabilities = np.asarray(model.predict_proba(X_test), dtype=np.float64)
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            labels = np.arange(probabilities.shape[1])
            result["loss"].append(float(log_loss(y_test, probabilities, labels=labels)))
            if pooled is None:
                pooled = np.zeros((len(y), len(labels)))
            pooled[test] = probabilities
    if pooled is not None:
        result["ece"] = calibration_error(y, pooled)
    result["loss"] = result["loss"] or None
    return {**result, "chosen": chosen} if tuned else result
