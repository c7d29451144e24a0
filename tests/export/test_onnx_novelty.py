"""Novelty scores as a further output of ONNX models."""

import numpy as np
import pandas as pd
import pytest
from exported_tables import (
    QUICK,
    classifier,
    classifier_ensemble,
    frame,
    numbers,
    regressor,
    regressor_ensemble,
    three_classes,
    with_missing,
    with_outliers,
)
from onnx_models import run, run_reference
from sklearn.exceptions import NotFittedError

from skdistnet import DistanceNetClassifier
from skdistnet.export import to_onnx

X = numbers()
Y = three_classes(X)


def assert_same_scores(estimator, rows, tolerance=1e-9, **parameters):
    model = to_onnx(estimator, options={"score_samples": True}, **parameters)
    expected = estimator.score_samples(rows)
    for evaluate in (run, run_reference):
        found = evaluate(model, rows)["score_samples"]
        assert found.shape == (len(expected), 1)
        np.testing.assert_allclose(found[:, 0], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "estimator",
    [classifier(), classifier_ensemble(), regressor("quantiles"), regressor_ensemble()],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize("rows", [X, with_missing(X), 30 * X], ids=["known", "missing", "far"])
def test_scores_are_those_of_the_estimator(estimator, rows):
    assert_same_scores(estimator, rows)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4), 200])
@pytest.mark.parametrize("linear_part", [True, False])
def test_scores_of_any_depth_convert(hidden, linear_part):
    options = QUICK | {"hidden_layer_sizes": hidden, "linear_part": linear_part}
    assert_same_scores(DistanceNetClassifier(**options).fit(X, Y), X, 1e-7)


def test_scores_in_single_precision_are_close():
    net = DistanceNetClassifier(6, **QUICK).fit(X.astype(np.float32), Y)
    assert_same_scores(net, X.astype(np.float32), 1e-3)


def test_scores_of_levels_convert():
    table = frame(missing=True)
    net = DistanceNetClassifier(6, **QUICK).fit(table, Y)
    table.loc[:4, "color"] = "violet"
    assert_same_scores(net, table, 1e-6)
    scores = net.score_samples(table)
    assert scores[:5].mean() < scores[5:].mean()


def test_scores_of_missing_and_new_numbers_differ():
    table = pd.DataFrame({"size": X[:, 0], "level": np.array([0.5, 1.5, np.nan])[Y]})
    net = DistanceNetClassifier(6, categorical_features=["level"], **QUICK).fit(table, Y)
    assert_same_scores(net, table, 1e-6)
    assert_same_scores(net, table.assign(level=table["level"].fillna(9.0)), 1e-6)


def test_scores_of_projected_columns_convert():
    rows = np.random.default_rng(0).normal(size=(80, 1100))
    assert_same_scores(DistanceNetClassifier(6, **QUICK).fit(rows, rows[:, 0] > 0), 2 * rows)


def test_scores_with_outliers_and_constants_convert():
    rows = with_outliers(X)
    rows[:, 3] = 2.0
    net = DistanceNetClassifier(6, **QUICK).fit(rows, Y)
    rows[5, 3] = 3.0
    assert_same_scores(net, rows, 1e-3)


def test_scores_without_a_distance_layer_are_refused():
    net = DistanceNetClassifier(6, "relu", **QUICK).fit(X, Y)
    with pytest.raises(AttributeError, match="needs a distance layer at the input"):
        to_onnx(net, options={"score_samples": True})


def test_scores_of_streams_are_refused():
    net = DistanceNetClassifier(6, random_state=0).partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(NotFittedError, match="score_samples"):
        to_onnx(net, options={"score_samples": True})
