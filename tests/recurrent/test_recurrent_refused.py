"""Functions for tables refuse nets for sequences in words that name them."""

import numpy as np
import pytest
from sequences import SMALL, both_kinds, draw_X, draw_y, fitted

from skdistnet import (
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    RecurrentDistanceNetClassifier,
    RejectingClassifier,
)
from skdistnet.displays import CentroidDisplay, NoveltyDisplay, RelevanceDisplay
from skdistnet.export import register_converters, to_half_precision, to_numpy, to_onnx
from skdistnet.inspection import prototypes, prune, unit_report

X = draw_X()
ROWS = X[:, -1]

INSPECTION = {
    "unit_report": lambda net, y: unit_report(net, ROWS),
    "prototypes": lambda net, y: prototypes(net, ROWS),
    "prune": lambda net, y: prune(net, ROWS, y),
    "CentroidDisplay": lambda net, y: CentroidDisplay.from_estimator(net),
    "NoveltyDisplay": lambda net, y: NoveltyDisplay.from_estimator(net, ROWS),
    "RelevanceDisplay": lambda net, y: RelevanceDisplay.from_estimator(net),
    "to_onnx": lambda net, y: to_onnx(net),
    "to_numpy": lambda net, y: to_numpy(net, "a.py"),
    "to_half_precision": lambda net, y: to_half_precision(net),
}


@both_kinds
@pytest.mark.parametrize("name", INSPECTION)
def test_functions_for_tables_refuse_sequences(kind, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    y = draw_y(kind, X)
    for net in (kind(**SMALL), fitted(kind, X, y)):
        with pytest.raises(TypeError, match=rf"{name} takes .*; got {kind.__name__}\."):
            INSPECTION[name](net, y)
    assert not list(tmp_path.iterdir())


@both_kinds
def test_nets_for_sequences_have_no_converter(kind):
    register_converters()
    skl2onnx = pytest.importorskip("skl2onnx")
    with pytest.raises(RuntimeError, match=f"Unable to find a shape calculator.*{kind.__name__}"):
        skl2onnx.to_onnx(fitted(kind, X, draw_y(kind, X)), X)


@both_kinds
@pytest.mark.parametrize("ensemble", [DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor])
def test_ensembles_refuse_nets_for_sequences(kind, ensemble):
    with pytest.raises(TypeError, match=f"(?s)must be None or a .*; got {kind.__name__}"):
        ensemble(kind(**SMALL)).fit(X, draw_y(kind, X))


@both_kinds
@pytest.mark.parametrize(
    "name",
    ["partial_fit", "transform", "score_samples", "novelty_threshold", "feature_relevances_"],
)
def test_nets_for_sequences_lack_methods_for_tables(kind, name):
    assert not hasattr(fitted(kind, X, draw_y(kind, X)), name)


def test_sequences_may_be_rejected_by_confidence():
    y = draw_y(RecurrentDistanceNetClassifier, X)
    rejecting = RejectingClassifier(RecurrentDistanceNetClassifier(**SMALL)).fit(X, y)
    np.testing.assert_array_equal(rejecting.predict(X), rejecting.estimator_.predict(X))
    assert rejecting.predict_with_rejection(X).shape == (24,)


def test_sequences_have_no_novelty_scores():
    y = draw_y(RecurrentDistanceNetClassifier, X)
    net = RecurrentDistanceNetClassifier(**SMALL)
    rejecting = RejectingClassifier(net, method="score_samples")
    with pytest.raises(AttributeError, match="needs an estimator that has score_samples"):
        rejecting.fit(X, y).predict_with_rejection(X)
