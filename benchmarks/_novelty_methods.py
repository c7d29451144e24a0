"""Methods of novelty detection, ours and peers: scores that are higher for known rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from _harness import quiet
from sklearn.ensemble import IsolationForest
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.neighbors import LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

__all__ = ["METHODS", "OURS", "NoveltyMethod"]

OURS = "ours"


@dataclass(frozen=True)
class NoveltyMethod:
    """A model and the score by which it detects novel rows.

    Parameters
    ----------
    name, description : str
        As tables show it.
    make : callable
        From whether the target has classes, the number of features and a seed to an unfitted model.
    score : callable
        From the fitted model and rows to scores, higher for known rows.
    max_rows : int or None
        Largest number of training rows, drawn at random.
    needs_classes : bool
        Whether it needs a target of classes.
    """

    name: str
    description: str
    make: Callable
    score: Callable
    max_rows: int | None = None
    needs_classes: bool = False

    def fit(self, X, y, classes, seed):
        """The fitted model, and how many seconds the fit took."""
        rows = np.random.default_rng(seed).permutation(len(X))[: self.max_rows]
        model = self.make(classes, X.shape[1], seed)
        start = time.perf_counter()
        with quiet():
            # If all rows are used, they stay in the order of the data.
            model.fit(X, y) if len(rows) == len(X) else model.fit(X[rows], y[rows])
        return model, time.perf_counter() - start


def make_ours(classes, n_features, seed):
    return (DistanceNetClassifier if classes else DistanceNetRegressor)(random_state=seed)


def scaled(model):
    return make_pipeline(StandardScaler(), model)


def kernel(n_features):
    """An RBF whose length grows with the number of features, as distances of rows do."""
    return 1.0 * RBF(n_features**0.5)


def score_samples(model, X):
    return model.score_samples(X)


def top_probability(model, X):
    return model.predict_proba(X).max(axis=1)


def minus_predicted_deviation(model, X):
    return -model[-1].predict(model[:-1].transform(X), return_std=True)[1]


METHODS = [
    NoveltyMethod(OURS, "score_samples at the defaults", make_ours, score_samples),
    NoveltyMethod(
        *("MLP", "MLPClassifier behind a scaler, defaults: probability of the top class"),
        lambda classes, n_features, seed: scaled(MLPClassifier(random_state=seed)),
        top_probability,
        needs_classes=True,
    ),
    NoveltyMethod(
        # Unlike StandardScaler, this does not magnify pixels that are hardly ever lit.
        *("MLP, range", "the same behind a MinMaxScaler"),
        lambda classes, n_features, seed: make_pipeline(
            MinMaxScaler(), MLPClassifier(random_state=seed)
        ),
        top_probability,
        needs_classes=True,
    ),
    NoveltyMethod(
        *("IForest", "IsolationForest, defaults"),
        lambda classes, n_features, seed: IsolationForest(random_state=seed),
        score_samples,
    ),
    NoveltyMethod(
        *("LOF", "LocalOutlierFactor(novelty=True) behind a scaler, at most 10,000 rows"),
        lambda classes, n_features, seed: scaled(LocalOutlierFactor(novelty=True)),
        score_samples,
        max_rows=10_000,
    ),
    NoveltyMethod(
        *("LOF, raw", "the same without the scaler"),
        lambda classes, n_features, seed: LocalOutlierFactor(novelty=True),
        score_samples,
        max_rows=10_000,
    ),
    NoveltyMethod(
        "GP",
        "GaussianProcessClassifier behind a scaler, RBF as long as the root of the number of "
        "features, at most 500 rows: probability of the top class",
        lambda classes, n_features, seed: scaled(
            GaussianProcessClassifier(kernel(n_features), optimizer=None)
        ),
        top_probability,
        max_rows=500,
        needs_classes=True,
    ),
    NoveltyMethod(
        "GP variance",
        "GaussianProcessRegressor behind a scaler, the same kernel, alpha=0.01, at most 2,000 "
        "rows: minus the deviation it predicts",
        lambda classes, n_features, seed: scaled(
            GaussianProcessRegressor(kernel(n_features), alpha=0.01, optimizer=None)
        ),
        minus_predicted_deviation,
        max_rows=2000,
    ),
]
