"""A model of the benchmarks, and its cross-validation on a table."""

import inspect
import sys
import time
import traceback
from dataclasses import dataclass, field

import numpy as np
from _harness import fail, quiet
from joblib import Parallel, delayed
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)

__all__ = [
    "ENSEMBLE",
    "MLP",
    "OURS",
    "Competitor",
    "calibration_error",
    "distance_net",
    "encode",
    "evaluate",
    "evaluate_all",
]

N_FOLDS, N_BINS = 3, 15
#: Codes of more levels stay numbers.
MAX_LEVELS = 20
OURS, ENSEMBLE = "ours", "ensemble"


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
        Whether missing values are imputed by means, and features and numeric targets scaled by a
        StandardScaler.
    categories : {"native", "strings", "one-hot"} or None
        How it takes columns of codes. None: from :func:`encode`. Otherwise it is fitted to a data
        frame: "native" means columns of category dtype, "strings" the same with missing values as
        a level, declared by `cat_features`, and "one-hot" a OneHotEncoder in front.
    max_levels : float
        Columns of more levels stay numbers in a data frame.
    ranked : bool
        Whether it counts for ranks, which needs results on every table.
    max_rows : int or None
        Largest number of training rows.
    cost : float
        Estimated time per row, to start with the longest jobs.
    """

    name: str
    description: str
    classifier: type
    regressor: type
    settings: dict = field(default_factory=dict)
    scaled: bool = True
    categories: str | None = None
    max_levels: float = np.inf
    ranked: bool = True
    max_rows: int | None = None
    cost: float = 1.0

    @property
    def library(self):
        """Name of the package that the estimators are from."""
        return self.classifier.__module__.partition(".")[0]

    @property
    def is_ours(self):
        return self.library == "skdistnet"

    def estimator(self, classes):
        return self.classifier if classes else self.regressor

    def settings_for(self, classes):
        """The settings that the estimator has."""
        known = inspect.signature(self.estimator(classes)).parameters.values()
        if any(one.kind is one.VAR_KEYWORD for one in known):
            return dict(self.settings)
        names = {one.name for one in known}
        return {key: value for key, value in self.settings.items() if key in names}

    def identity(self, classes):
        """What a result depends on besides the name: the settings and the library's version."""
        identity = {key: repr(value) for key, value in self.settings_for(classes).items()}
        if self.categories:
            identity["categories"] = self.categories
        return {**identity, self.library: sys.modules[self.library].__version__}

    def accepts(self, table):
        """Whether a table is small enough."""
        n_train = len(table.y) - len(table.y) // N_FOLDS
        return self.max_rows is None or n_train <= self.max_rows

    def make(self, classes, seed):
        """An unfitted model."""
        estimator = self.estimator(classes)
        arguments = self.settings_for(classes)
        if "random_state" in inspect.signature(estimator).parameters:
            arguments["random_state"] = seed
        model, steps = estimator(**arguments), []
        if self.scaled:
            imputer = SimpleImputer(keep_empty_features=True)
            steps = [("imputer", imputer), ("scaler", StandardScaler())]
        if self.categories == "one-hot":
            steps = [("columns", one_hot(Pipeline(steps) if steps else "passthrough"))]
        if steps:
            model = Pipeline([*steps, ("model", model)])
        if classes or not self.scaled:
            return model
        return TransformedTargetRegressor(regressor=model, transformer=StandardScaler())

    def fit(self, X, y, classes, seed):
        """A fitted model."""
        model = self.make(classes, seed)
        if self.categories == "strings":
            return model.fit(X, y, cat_features=list(X.select_dtypes("category")))
        return model.fit(X, y)


def one_hot(numbers):
    """A transformer of data frames: `numbers` for numbers, a OneHotEncoder for categories."""
    levels = make_column_selector(dtype_include="category")
    encoder = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer([("levels", encoder, levels)], remainder=numbers)


def make_folds(classes, seed):
    """The splitter: shuffled, and stratified for classes."""
    return (StratifiedKFold if classes else KFold)(N_FOLDS, shuffle=True, random_state=seed)


MLP = Competitor("MLP", "MLP", MLPClassifier, MLPRegressor, cost=5)


def distance_net(label=OURS, settings=None, ensemble=False, categories=None):
    """A distance net or an ensemble, at its defaults but for random_state and `settings`."""
    settings, models = settings or {}, (DistanceNetClassifier, DistanceNetRegressor)
    if ensemble:
        models = DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
    known = {name for model in models for name in inspect.signature(model).parameters}
    known.remove("random_state")
    unknown = sorted(set(settings) - known)
    if unknown:
        fail(f"no argument {unknown[0]} to set; there are: {', '.join(sorted(known))}")
    changed = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    name = "DistanceNetEnsemble" if ensemble else "DistanceNet"
    description = f"{name}, {changed or 'defaults'}, no scaler in front"
    options = {"scaled": False, "categories": categories, "cost": 10}
    return Competitor(label, description, *models, settings, **options)


# Evaluation ---------------------------------------------------------------------------------------


def encode(table, train):
    """The columns of a table with codes of at most MAX_LEVELS levels one-hot, the same for all.

    The encoder sees the rows `train` alone: a level that is not among them is zero in all of its
    columns. A missing code is a level of its own. Other codes stay numbers.
    """
    if table.categorical is None:
        return table.X
    n_levels = np.array([len(np.unique(column[~np.isnan(column)])) for column in table.X.T])
    few = table.categorical & (n_levels <= MAX_LEVELS)
    if not few.any():
        return table.X
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(
        table.X[train][:, few]
    )
    return np.hstack([table.X[:, ~few], encoder.transform(table.X[:, few])])


def make_frame(table, competitor):
    """A data frame of a table: columns of codes have category dtype, and strings as levels.

    The levels are those of the whole table, as in a frame that is split after reading.
    """
    import pandas as pd

    frame = pd.DataFrame(table.X, columns=[f"x{i}" for i in range(table.X.shape[1])])
    for name in frame.columns[table.categorical]:
        if frame[name].nunique() > competitor.max_levels:
            continue
        levels = frame[name].map("level {:.0f}".format, na_action="ignore")
        if competitor.categories == "strings":
            levels = levels.fillna("missing")
        frame[name] = levels.astype("category")
    return frame


def calibration_error(y, probabilities):
    """Expected calibration error (ECE) of the top probability, in 15 bins of equal mass.

    It is the mean over bins, weighted by their rows, of the absolute difference between accuracy
    and mean top probability. Rows of equal probability are in the order of the table.
    """
    top = probabilities.max(axis=1)
    surplus = (probabilities.argmax(axis=1) == y) - top
    bins = np.array_split(surplus[np.argsort(top, kind="stable")], N_BINS)
    return float(sum(abs(part.sum()) for part in bins) / len(y))


def evaluate(competitor, table, seed):
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
            return cross_validate(competitor, table, seed)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        line = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
        return {"error": f"{type(error).__name__}: {error} ({line})"}


def cross_validate(competitor, table, seed):
    y = table.y
    result = {"score": [], "loss": [], "ece": None, "fit": 0.0, "predict": 0.0}
    pooled = None
    for train, test in make_folds(table.classes, seed).split(table.X, y):
        rows = make_frame(table, competitor).iloc if competitor.categories else encode(table, train)
        X_train, X_test, y_test = rows[train], rows[test], y[test]
        start = time.perf_counter()
        model = competitor.fit(X_train, y[train], table.classes, seed)
        fitted = time.perf_counter()
        # CatBoost predicts classes as a column.
        predicted = np.ravel(model.predict(X_test))
        result["fit"] += fitted - start
        result["predict"] += time.perf_counter() - fitted
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
    return result


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
