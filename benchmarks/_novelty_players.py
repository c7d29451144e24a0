"""Who tells novel rows from known ones: ours and peers, each a score that is higher for known."""

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

__all__ = ["OURS", "PLAYERS", "NoveltyPlayer"]

OURS = "ours"


@dataclass(frozen=True)
class NoveltyPlayer:
    """A model and how it tells novelty.

    Parameters
    ----------
    name, describe : str
        As tables show it.
    make : callable
        An unfitted model, given whether the target is of classes, the number of features and a
        seed.
    tell : callable
        Scores of rows by the fitted model, higher for known ones.
    max_rows : int or None
        Most rows, the first of a random order, to train on.
    needs_classes : bool
        Whether it plays only where the target is of classes.
    """

    name: str
    describe: str
    make: Callable
    tell: Callable
    max_rows: int | None = None
    needs_classes: bool = False

    def fit(self, X, y, classes, seed):
        """The fitted model, and seconds that took."""
        rows = np.random.default_rng(seed).permutation(len(X))[: self.max_rows]
        model = self.make(classes, X.shape[1], seed)
        began = time.perf_counter()
        with quiet():
            # In the order of the data where all rows train.
            model.fit(X, y) if len(rows) == len(X) else model.fit(X[rows], y[rows])
        return model, time.perf_counter() - began


def make_ours(classes, n_features, seed):
    return (DistanceNetClassifier if classes else DistanceNetRegressor)(random_state=seed)


def scaled(model):
    return make_pipeline(StandardScaler(), model)


def kernel(n_features):
    """Standardised rows lie about the root of twice their number of features apart."""
    return 1.0 * RBF(n_features**0.5)


def score_samples(model, X):
    return model.score_samples(X)


def top_probability(model, X):
    return model.predict_proba(X).max(axis=1)


def certainty(model, X):
    return -model.predict(X, return_std=True)[1]


def tell_scaled(model, X):
    return certainty(model[-1], model[:-1].transform(X))


PLAYERS = [
    NoveltyPlayer(OURS, "score_samples, nothing set but random_state", make_ours, score_samples),
    NoveltyPlayer(
        *("MLP", "MLPClassifier behind a scaler, defaults: probability of the top class"),
        lambda classes, n_features, seed: scaled(MLPClassifier(random_state=seed)),
        top_probability,
        needs_classes=True,
    ),
    NoveltyPlayer(
        # A pixel at the border, hardly ever lit, is not blown up by this scaler.
        *("MLP, range", "the same behind a MinMaxScaler"),
        lambda classes, n_features, seed: make_pipeline(
            MinMaxScaler(), MLPClassifier(random_state=seed)
        ),
        top_probability,
        needs_classes=True,
    ),
    NoveltyPlayer(
        *("IForest", "IsolationForest, defaults"),
        lambda classes, n_features, seed: IsolationForest(random_state=seed),
        score_samples,
    ),
    NoveltyPlayer(
        *("LOF", "LocalOutlierFactor(novelty=True) behind a scaler, at most 10,000 rows"),
        lambda classes, n_features, seed: scaled(LocalOutlierFactor(novelty=True)),
        score_samples,
        max_rows=10_000,
    ),
    NoveltyPlayer(
        *("LOF, raw", "the same without the scaler"),
        lambda classes, n_features, seed: LocalOutlierFactor(novelty=True),
        score_samples,
        max_rows=10_000,
    ),
    NoveltyPlayer(
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
    NoveltyPlayer(
        "GP variance",
        "GaussianProcessRegressor behind a scaler, the same kernel, alpha=0.01, at most 2,000 "
        "rows: minus the deviation it predicts",
        lambda classes, n_features, seed: scaled(
            GaussianProcessRegressor(kernel(n_features), alpha=0.01, optimizer=None)
        ),
        tell_scaled,
        max_rows=2000,
    ),
]
