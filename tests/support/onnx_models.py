"""Outputs of ONNX models by onnxruntime and by the reference evaluator of onnx."""

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator
from sklearn.base import is_classifier

from skdistnet.export import to_onnx

OPTIONS = onnxruntime.SessionOptions()
OPTIONS.intra_op_num_threads = OPTIONS.inter_op_num_threads = 1
#: numpy's dtypes by the names of onnxruntime's types.
DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}


def session_of(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), OPTIONS)


def feeds_for(session, X):
    """Return the inputs of a session: X, or each column of a frame; None is an empty string."""
    inputs = session.get_inputs()
    if len(inputs) == 1 and not hasattr(X, "columns"):
        return {inputs[0].name: np.asarray(X, dtype=DTYPES[inputs[0].type])}
    columns = X.T if isinstance(X, np.ndarray) else [X[name].to_numpy() for name in X.columns]
    feeds = {}
    for entry, column in zip(inputs, columns, strict=True):
        if entry.type == "tensor(string)":
            column = ["" if value is None or value != value else value for value in column]
        feeds[entry.name] = np.array(column, dtype=DTYPES[entry.type]).reshape(-1, 1)
    return feeds


def run(model, X):
    """Return the outputs of onnxruntime by their names."""
    session = session_of(model)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds_for(session, X))))


def run_reference(model, X):
    """Return the outputs of the reference evaluator by their names."""
    evaluator = ReferenceEvaluator(model)
    with np.errstate(all="ignore"):
        outputs = evaluator.run(None, feeds_for(session_of(model), X))
    return dict(zip(evaluator.output_names, outputs))


def assert_same_predictions(estimator, outputs, X, dtype):
    """Assert that outputs of a model are the estimator's own, within the rounding of a dtype."""
    is_double = np.dtype(dtype) == np.float64
    tolerance = {"rtol": 1e-12, "atol": 1e-14} if is_double else {"rtol": 0, "atol": 1e-5}
    if not is_classifier(estimator):
        expected = estimator.predict(X)
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        found = outputs["variable"].reshape(expected.shape)
        np.testing.assert_allclose(found / scale, expected / scale, **tolerance)
        return
    expected, found = estimator.predict_proba(X), outputs["probabilities"]
    if not isinstance(expected, list):
        expected, found = [expected], [found]
    for pair in zip(found, expected, strict=True):
        np.testing.assert_allclose(*pair, **tolerance)
    labels, own = outputs["label"], estimator.predict(X)
    assert labels.shape == own.shape
    certain = np.stack([is_certain(each) for each in expected]).all(axis=0)
    assert certain.mean() > 0.9 or not len(certain)
    np.testing.assert_array_equal(labels[certain], own[certain])


def is_certain(probabilities):
    """Return a mask of rows whose most probable class is no tie, nor any label's probability."""
    ordered = np.sort(probabilities, axis=1)
    is_distribution = np.allclose(probabilities.sum(axis=1), 1.0)
    if is_distribution and probabilities.shape[1] > 1:
        return ordered[:, -1] - ordered[:, -2] > 1e-4
    return (np.abs(probabilities - 0.5) > 1e-4).all(axis=1)


def assert_converts(estimator, X, **parameters):
    """Assert that onnxruntime and the reference evaluator predict what the estimator does."""
    model = to_onnx(estimator, **parameters)
    dtype = parameters.get("dtype", X.dtype if isinstance(X, np.ndarray) else np.float64)
    for evaluate in (run, run_reference):
        assert_same_predictions(estimator, evaluate(model, X), X, dtype)
    return model
