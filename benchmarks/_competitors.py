"""The models of the accuracy benchmark, and their cross-validation on a table."""

import inspect
import time
import traceback
from dataclasses import dataclass, field

import numpy as np
from _harness import fail, quiet
from joblib import Parallel, delayed
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

__all__ = [
    "MLP",
    "OURS",
    "PEERS",
    "Competitor",
    "calibration_error",
    "distance_net",
    "evaluate",
    "evaluate_all",
]

N_FOLDS, N_BINS = 3, 15
OURS = "ours"


@dataclass(frozen=True)
class Competitor:
    """A classifier and a regressor under one name.

    Parameters
    ----------
    name : str
        As tables show it.
    description : str
    classifier, regressor : type
    settings : dict
        Constructor arguments other than random_state; each estimator takes those that it has.
    scaled : bool
        Whether a StandardScaler precedes it, for features and for numeric targets.
    ranked : bool
        Whether it counts for ranks, which needs results on every table.
    max_rows : int or None
        Largest number of training rows.
    cost : float
        Estimated time per row, to start with the longest jobs.
    grid : list of dict
        Settings to choose from when tuned; empty if it is never tuned.
    """

    name: str
    description: str
    classifier: type
    regressor: type
    settings: dict = field(default_factory=dict)
    scaled: bool = True
    ranked: bool = True
    max_rows: int | None = None
    cost: float = 1.0
    grid: list = field(default_factory=list)

    def estimator(self, classes):
        return self.classifier if classes else self.regressor

    def settings_for(self, classes):
        """The settings that the estimator has."""
        known = inspect.signature(self.estimator(classes)).parameters
        return {key: value for key, value in self.settings.items() if key in known}

    def identity(self, classes, tuned):
        """What a result depends on besides the name: settings, or settings to choose from."""
        identity = {key: repr(value) for key, value in self.settings_for(classes).items()}
        return {**identity, "grid": repr(self.grid)} if tuned else identity

    def accepts(self, table):
        """Whether a table is small enough."""
        n_train = len(table.y) - len(table.y) // N_FOLDS
        return self.max_rows is None or n_train <= self.max_rows

    def make(self, classes, seed, tuned=False):
        """An unfitted model."""
        estimator = self.estimator(classes)
        arguments = self.settings_for(classes)
        if "random_state" in inspect.signature(estimator).parameters:
            arguments["random_state"] = seed
        model, prefix = estimator(**arguments), ""
        if self.scaled:
            model, prefix = Pipeline([("scaler", StandardScaler()), ("model", model)]), "model__"
            if not classes:
                scaler = StandardScaler()
                model = TransformedTargetRegressor(regressor=model, transformer=scaler)
                prefix = "regressor__model__"
        if not tuned:
            return model
        grid = [{prefix + key: values for key, values in part.items()} for part in self.grid]
        return GridSearchCV(model, grid, cv=make_folds(classes, seed))


def make_folds(classes, seed):
    """The splitter: shuffled, and stratified for classes."""
    return (StratifiedKFold if classes else KFold)(N_FOLDS, shuffle=True, random_state=seed)


#: Each grid has 12 settings, the defaults of one of its two estimators among them.
OUR_GRID = [
    {
        "hidden_layer_sizes": [(100,), (200,), (100, 100), (200, 100)],
        "learning_rate_init": [0.02, 0.05],
    },
    {"init": ["kmeans"], "learning_rate_init": [0.02, 0.05]},
    {"radius_type": ["spherical"], "learning_rate_init": [0.02, 0.05]},
]
MLP_GRID = [
    {
        "hidden_layer_sizes": [(100,), (100, 100), (200, 200)],
        "alpha": [1e-4, 1e-3, 1e-2, 1e-1],
    }
]
SVC_GRID = [{"C": [1.0, 10.0, 100.0, 1000.0], "gamma": ["scale", 0.03, 0.3]}]
HGB_GRID = [{"max_depth": [None, 3, 6], "learning_rate": [0.03, 0.1, 0.2, 0.3]}]

MLP = Competitor("MLP", "MLP", MLPClassifier, MLPRegressor, cost=5, grid=MLP_GRID)
PEERS = [
    MLP,
    Competitor("SVC", "SVC and SVR", SVC, SVR, cost=1, grid=SVC_GRID),
    Competitor("SVC10", "SVC and SVR, C=10", SVC, SVR, {"C": 10}, cost=1),
    Competitor(
        *("HGB", "HistGradientBoosting"),
        *(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        cost=3,
        grid=HGB_GRID,
    ),
    Competitor("RF", "RandomForest", RandomForestClassifier, RandomForestRegressor, cost=1),
    Competitor("kNN", "KNeighbors", KNeighborsClassifier, KNeighborsRegressor, cost=0.1),
    Competitor(
        *("GP", "GaussianProcess, with at most 1,000 training rows; not ranked"),
        *(GaussianProcessClassifier, GaussianProcessRegressor),
        ranked=False,
        max_rows=1000,
        cost=5,
    ),
]


def distance_net(label=OURS, settings=None):
    """The distance net without a scaler, at its defaults but for random_state and `settings`."""
    settings = settings or {}
    known = {
        name
        for estimator in (DistanceNetClassifier, DistanceNetRegressor)
        for name in inspect.signature(estimator).parameters
    } - {"random_state"}
    unknown = sorted(set(settings) - known)
    if unknown:
        fail(f"no argument {unknown[0]} to set; there are: {', '.join(sorted(known))}")
    changed = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    return Competitor(
        *(label, f"DistanceNet, {changed or 'defaults'}, no scaler in front"),
        *(DistanceNetClassifier, DistanceNetRegressor, settings),
        scaled=False,
        cost=10,
        grid=OUR_GRID,
    )


# Evaluation ---------------------------------------------------------------------------------------


def calibration_error(y, probabilities):
    """Expected calibration error (ECE) of the top probability, in 15 bins of equal width.

    It is the mean over bins, weighted by their rows, of the absolute difference between accuracy
    and mean top probability.
    """
    top = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == y
    bins = np.clip(np.ceil(top * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    surplus = np.bincount(bins, weights=correct - top, minlength=N_BINS)
    return float(np.abs(surplus).sum() / len(y))


def evaluate(competitor, table, seed, tuned=False):
    """Cross-validate a competitor on a table; an exception is recorded, not raised.

    Returns
    -------
    result : dict
        "score" and "loss" hold a figure for each fold: accuracy and log-loss, or R^2 and RMSE.
        "ece" is the calibration error of the out-of-fold probabilities of all folds, pooled; "fit"
        and "predict" are seconds, summed over folds. "loss" and "ece" are None for a classifier
        without probabilities. After an exception there is "error" alone.
    """
    try:
        # This limits BLAS and OpenMP, whose threads HistGradientBoosting uses.
        with quiet(), threadpool_limits(1):
            return cross_validate(competitor, table, seed, tuned)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        line = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
        return {"error": f"{type(error).__name__}: {error} ({line})"}


def cross_validate(competitor, table, seed, tuned):
    X, y = table.X, table.y
    result = {"score": [], "loss": [], "ece": None, "fit": 0.0, "predict": 0.0}
    chosen, pooled = [], None
    for train, test in make_folds(table.classes, seed).split(X, y):
        X_train, X_test, y_test = X[train], X[test], y[test]
        start = time.perf_counter()
        model = competitor.make(table.classes, seed, tuned).fit(X_train, y[train])
        fitted = time.perf_counter()
        predicted = model.predict(X_test)
        result["fit"] += fitted - start
        result["predict"] += time.perf_counter() - fitted
        if tuned:
            chosen.append({key: repr(value) for key, value in model.best_params_.items()})
        if not table.classes:
            result["score"].append(float(r2_score(y_test, predicted)))
            result["loss"].append(float(root_mean_squared_error(y_test, predicted)))
            continue
        result["score"].append(float(accuracy_score(y_test, predicted)))
        if hasattr(model, "predict_proba"):
            # log_loss clips by the precision of its input: use the same precision for all.
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


def evaluate_all(competitors, tables, n_seeds, n_jobs):
    """Results of all seeds, a list by names of competitor and table; exits at the first error."""
    jobs = [
        (competitor, table, seed)
        for competitor in competitors
        for table in tables
        for seed in range(n_seeds)
    ]
    evaluated = Parallel(n_jobs=n_jobs, verbose=1)(delayed(evaluate)(*job) for job in jobs)
    results = {}
    for (competitor, table, _), result in zip(jobs, evaluated):
        if "error" in result:
            fail(f"{competitor.name} on {table.name}: {result['error']}")
        results.setdefault((competitor.name, table.name), []).append(result)
    return results
