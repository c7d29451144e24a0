"""What a comparison has measured: for each split and model, and for the net that is inspected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .table import Table

__all__ = ["Comparison", "Inspection", "SplitResult", "Summary"]


@dataclass(frozen=True)
class SplitResult:
    """A model that was fitted to the training rows of a split, judged on the others.

    Attributes
    ----------
    model : str
    split : int
    score, loss : float
        The metrics that `Comparison.score_name` and `loss_name` name.
    fit_seconds : float
        Time of the fit, without the search for a setting.
    predict_ms : float
        Milliseconds to predict 1,000 rows.
    n_bytes : int
        Size of the saved model.
    setting : dict
        The setting that the search chose; empty without a search.
    prediction : ndarray
        For the held-out rows, in the order of the split: probabilities of shape
        (n_held_out, n_classes) in classification, (n_held_out,) in regression.
    estimator : estimator or None
        The fitted model: of ours in the first split, which is inspected.
    """

    model: str
    split: int
    score: float
    loss: float
    fit_seconds: float
    predict_ms: float
    n_bytes: int
    setting: dict[str, Any]
    prediction: np.ndarray
    estimator: Any = None


@dataclass(frozen=True)
class Summary:
    """A row of the printed table: means over the splits of a model.

    Attributes
    ----------
    difference, low, high : float or None
        The mean difference of the scores, model minus ours, over the splits that both have, and its
        95 % interval. None for ours, and without a split that both have; `low` and `high` are also
        None if they have a single one.
    calibration : float
        Expected calibration error in classification; in regression the slope of a line through the
        targets over the predictions.
    """

    model: str
    n_splits: int
    score: float
    difference: float | None
    low: float | None
    high: float | None
    loss: float
    calibration: float
    fit_seconds: float
    predict_ms: float
    n_bytes: float


@dataclass(frozen=True)
class Inspection:
    """A look into the net, fitted to the training rows of the first split.

    Attributes
    ----------
    net : estimator
        The fitted net or ensemble.
    held_out : ndarray of int
        Positions of the split's held-out rows in the table.
    features : list of str
    relevances : ndarray of shape (n_features,)
        `feature_relevances_` of the net.
    importances, importances_std : ndarray of shape (n_features,)
        Permutation importances on the held-out rows: the fall of the score, and its standard
        deviation over repetitions. NaN for features that were not permuted.
    novelty_scores : ndarray of shape (n_held_out,)
        `score_samples` of the held-out rows: the lower, the more novel.
    novelty_threshold : float
    train_sizes : ndarray of int
        Numbers of training rows of the learning curves.
    learning_curves : dict of str to ndarray of shape (n_sizes,)
        The score on the held-out rows after a fit to so many rows, by model.
    """

    net: Any
    held_out: np.ndarray
    features: list[str]
    relevances: np.ndarray
    importances: np.ndarray
    importances_std: np.ndarray
    novelty_scores: np.ndarray
    novelty_threshold: float
    train_sizes: np.ndarray
    learning_curves: dict[str, np.ndarray]


@dataclass
class Comparison:
    """All that was measured on a table.

    Attributes
    ----------
    table : Table
    ours : str
        The model that the others are compared with.
    models : list of str
        Names of the models in the order of the table; ours is first.
    descriptions : dict of str to str
        What each model is, in a line.
    splits : list of (ndarray, ndarray)
        Positions of training and held-out rows.
    split_description : str
        How rows are split, in a phrase: "5 folds, stratified by class".
    score_name, loss_name : str
        "accuracy" or "ROC AUC", and "log-loss"; "R^2" and "MAE" in regression.
    calibration_name : str
        "calibration error" or "calibration slope".
    results : list of SplitResult
    failures : dict of str to str
        The message of an error that a model raised, by model.
    summaries : list of Summary
        In the order of `models`, without models that have no result.
    verdict : str
        The honest sentence.
    code : str
        Lines of Python that reproduce the chosen model.
    settings : dict of str to str
        What the report should mention about the run: command, versions, seed, processes, grids.
    seconds : float
    interrupted : bool
    inspection : Inspection or None
        None if the run was interrupted before it, or without a report.
    """

    table: Table
    ours: str
    models: list[str]
    descriptions: dict[str, str]
    splits: list[tuple[np.ndarray, np.ndarray]]
    split_description: str
    score_name: str
    loss_name: str
    calibration_name: str
    results: list[SplitResult] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    summaries: list[Summary] = field(default_factory=list)
    verdict: str = ""
    code: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    interrupted: bool = False
    inspection: Inspection | None = None

    def of(self, model):
        """The results of a model, in the order of the splits."""
        found = [result for result in self.results if result.model == model]
        return sorted(found, key=lambda result: result.split)

    def held_out_predictions(self, model):
        """Positions of rows and a prediction for each, over all splits of a model."""
        results = self.of(model)
        positions = [self.splits[result.split][1] for result in results]
        return np.concatenate(positions), np.concatenate([one.prediction for one in results])
