"""ONNX models for every kind of target, and their outputs' names, types and shapes."""

import numpy as np
import pytest
import skl2onnx
from exported_tables import (
    LOSSES,
    QUICK,
    TARGETS,
    classifier,
    classifier_ensemble,
    numbers,
    numeric_target,
    regressor,
    regressor_ensemble,
    three_classes,
)
from onnx_models import assert_converts, run
from sklearn.linear_model import LinearRegression, LogisticRegression

from skdistnet import DistanceNetRegressor
from skdistnet.export import to_onnx

X = numbers()
every_loss = pytest.mark.parametrize("loss", LOSSES)
every_target = pytest.mark.parametrize("target", TARGETS)
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


@every_dtype
@every_target
def test_targets_of_classifiers_convert(target, dtype):
    assert_converts(classifier(target), X, dtype=dtype)


@pytest.mark.parametrize("target", ["binary", "strings", "multilabel", "columns"])
def test_ensembles_of_classifiers_convert(target):
    assert_converts(classifier_ensemble(target), X)


@every_dtype
@every_loss
def test_losses_of_regressors_convert(loss, dtype):
    assert_converts(regressor(loss), X, dtype=dtype)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "quantiles"])
def test_ensembles_of_regressors_convert(loss):
    assert_converts(regressor_ensemble(loss), X)


def test_subclasses_convert():
    class Named(DistanceNetRegressor):
        def __init__(self, name, *, max_iter=3):
            super().__init__(6, **QUICK | {"max_iter": max_iter})
            self.name = name

    net = Named("a").fit(X, numeric_target("huber"))
    assert_converts(net, X)


def test_quantiles_never_cross():
    far = 100.0 * X
    quantiles = run(to_onnx(regressor("quantiles")), far)["variable"]
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_several_and_constant_targets_convert():
    y = np.stack([numeric_target("huber"), np.full(len(X), 7.25)], axis=1)
    model = assert_converts(net := DistanceNetRegressor(6, **QUICK).fit(X, y), X)
    assert (run(model, X)["variable"][:, 1] == 7.25).all()
    assert net.predict(X).shape == (len(X), 2)


def test_targets_far_from_zero_are_double():
    net = DistanceNetRegressor(6, dtype="float32", **QUICK).fit(X, numeric_target("huber") + 1e9)
    found = run(to_onnx(net), X)["variable"]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[:, 0], net.predict(X.astype(np.float32)), rtol=1e-12)


@every_dtype
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_predictions_far_from_the_data_are_finite(loss, dtype):
    net = regressor(loss, linear_part=True)
    rows = np.finfo(dtype).max * np.sign(X)
    found = run(to_onnx(net, dtype=dtype), rows)["variable"]
    assert np.isfinite(found).all()
    if loss == "poisson":
        assert (found > 0).all()


@pytest.mark.parametrize("zipmap", [False, True, "columns"])
@pytest.mark.parametrize("target", ["binary", "integers", "strings"])
def test_classifiers_look_like_those_of_skl2onnx(target, zipmap):
    rows = X.astype(np.float32)
    peer = LogisticRegression().fit(rows, TARGETS[target](three_classes(X)))
    expected = skl2onnx.to_onnx(peer, rows[:1], options={"zipmap": zipmap})
    found = to_onnx(classifier(target), dtype="float32", options={"zipmap": zipmap})
    assert_same_interface(found, expected)


def test_regressors_look_like_those_of_skl2onnx():
    expected = skl2onnx.to_onnx(LinearRegression().fit(X, X[:, 0]), X[:1])
    assert_same_interface(to_onnx(regressor()), expected)


def assert_same_interface(found, expected):
    """Assert that inputs, outputs and metadata are equal."""
    assert list(found.graph.input) == list(expected.graph.input)
    assert list(found.graph.output) == list(expected.graph.output)
    for name in ("producer_name", "producer_version", "domain", "model_version", "doc_string"):
        assert getattr(found, name) == getattr(expected, name)


def test_zipmap_pairs_probabilities_with_labels():
    net = classifier("strings")
    model = to_onnx(net, dtype="float32", options={"zipmap": True})
    first = run(model, X)["output_probability"][0]
    assert list(first) == net.classes_.tolist()
    np.testing.assert_allclose(list(first.values()), net.predict_proba(X[:1])[0], atol=1e-5)


def test_columns_have_an_output_for_each_class():
    net = classifier("integers")
    outputs = run(to_onnx(net, options={"zipmap": "columns"}), X)
    assert list(outputs) == ["output_label", "i-5", "i5", "i15"]
    np.testing.assert_allclose(outputs["i5"], net.predict_proba(X)[:, 1], rtol=1e-12)


def test_zipmap_of_double_precision_is_refused():
    with pytest.raises(ValueError, match="zipmap=True is for float32"):
        to_onnx(classifier(), options={"zipmap": True})


@pytest.mark.parametrize("make", [classifier, classifier_ensemble])
def test_raw_scores_are_the_decision_function(make):
    options = {"raw_scores": True}
    found = run(to_onnx(net := make("integers"), options=options), X)["probabilities"]
    np.testing.assert_allclose(found, net.decision_function(X), rtol=1e-12)
    found = run(to_onnx(net := make("binary"), options=options), X)["probabilities"]
    expected = net.decision_function(X)
    np.testing.assert_allclose(found, np.stack([-expected, expected], axis=1), rtol=1e-11)
    found = run(to_onnx(net := make("multilabel"), options=options), X)["probabilities"]
    np.testing.assert_allclose(found, net.decision_function(X), rtol=1e-11)


@pytest.mark.parametrize("target", ["multilabel", "columns"])
def test_zipmap_is_for_single_columns(target):
    outputs = run(to_onnx(classifier(target), options={"zipmap": True}), X)
    assert list(outputs) == ["label", "probabilities"]
