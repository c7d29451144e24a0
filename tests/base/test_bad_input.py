"""Invalid data raise an error that names the problem, and leave the estimator unchanged."""

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_array, csr_matrix
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

X, Y = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0}
KINDS = [DistanceNetClassifier, DistanceNetRegressor]
both_kinds = pytest.mark.parametrize("kind", KINDS)


def with_cell(value):
    changed = X.copy()
    changed[7, 2] = value
    return changed


def weights(*first):
    values = np.ones(len(X))
    values[: len(first)] = first
    return values


INVALID_DATA = {
    "infinity": ((with_cell(np.inf), Y), "infinity"),
    "negative infinity": ((with_cell(-np.inf), Y), "infinity"),
    "no rows": ((X[:0], Y[:0]), r"0 sample\(s\)"),
    "no columns": ((X[:, :0], Y), r"0 feature\(s\)"),
    "one row": ((X[:1], Y[:1]), "n_samples = 1"),
    "one dimension": ((X[:, 0], Y), "Reshape your data"),
    "three dimensions": ((X[:, :, np.newaxis], Y), "dim 3"),
    "mismatched lengths": ((X, Y[:-1]), r"\[150, 149\]"),
    "complex": ((X + 1j, Y), "Complex data not supported"),
    "text": ((np.full(X.shape, "a", dtype=object), Y), "could not convert string to float: 'a'"),
    "NaN in y": ((X, np.where(Y == 1, np.nan, Y)), "y contains NaN"),
    "no y": ((X, None), "requires y to be passed"),
    "negative weight": ((X, Y, weights(-1.0)), r"'sample_weight' must not be negative; got -1\.0"),
    "NaN in weights": ((X, Y, weights(np.nan)), "sample_weight contains NaN"),
    "infinite weight": ((X, Y, weights(np.inf)), "sample_weight contains infinity"),
    "all weights zero": ((X, Y, np.zeros(len(X))), "'sample_weight' must not be zero"),
    "too few weights": ((X, Y, np.ones(149)), r"shape \(150,\).* got \(149,\)"),
    "weights in a column": ((X, Y, np.ones((150, 1))), r"shape \(150,\).* got \(150, 1\)"),
    "one row with weight": (
        (X, Y, np.r_[1.0, np.zeros(149)]),
        r"of positive weight.* got n_samples = 1",
    ),
}
every_invalid_data = pytest.mark.parametrize(
    ("data", "message"), INVALID_DATA.values(), ids=INVALID_DATA
)


@both_kinds
@every_invalid_data
def test_fit_refuses_invalid_data(kind, data, message):
    estimator = kind(**SMALL)
    with pytest.raises(ValueError, match=message):
        estimator.fit(*data)
    assert vars(estimator) == vars(kind(**SMALL))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X, X[:, 0]), "continuous"),
        ((X, X[:, :2]), "continuous-multioutput"),
    ],
)
def test_classifier_refuses_continuous_targets(data, message):
    with pytest.raises(ValueError, match=message):
        DistanceNetClassifier(**SMALL).fit(*data)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y.astype(str).astype(object) + "a", "could not convert string to float: '0a'"),
        (np.zeros((150, 1, 1)), "dim 3"),
        (Y * 0.5e308, r"'y' reaches 1e\+308, which is too large for float64"),
    ],
)
def test_regressor_refuses_invalid_targets(y, message):
    with pytest.raises(ValueError, match=message):
        DistanceNetRegressor(**SMALL).fit(X, y)


def test_regressor_refuses_targets_beyond_single_precision():
    net = DistanceNetRegressor(**SMALL, dtype="float32")
    with pytest.raises(ValueError, match=r"too large for float32: .*dtype='float64'"):
        net.fit(X, Y * 1e38)


@pytest.mark.parametrize("sparse", [csr_matrix, csc_array])
def test_regressor_refuses_sparse_targets(sparse):
    net = DistanceNetRegressor(**SMALL).fit(X, X[:, :2])
    before, y = joblib.hash(vars(net)), sparse(X[:, :2])
    calls = [
        lambda: net.fit(X, y),
        lambda: net.partial_fit(X, y),
        lambda: net.fit(X, X[:, :2], X_val=X, y_val=y),
        lambda: net.partial_fit(X, X[:, :2], X_val=X, y_val=y),
        lambda: net.score(X, y),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"'y' must be dense; got sparse .* y\.toarray\(\)"):
            call()
        assert joblib.hash(vars(net)) == before
    with pytest.raises(TypeError, match="In the validation set"):
        calls[2]()


# Fitted estimators --------------------------------------------------------------------------------


def fitted_on_frame(kind, **options):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    return kind(**SMALL | options).fit(frame, Y), frame


@both_kinds
@pytest.mark.parametrize("warm_start", [False, True])
@every_invalid_data
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_failed_fit_changes_nothing(kind, warm_start, data, message):
    estimator, frame = fitted_on_frame(kind, warm_start=warm_start)
    before, predictions = joblib.hash(vars(estimator)), estimator.predict(frame)
    with pytest.raises(ValueError):  # noqa: PT011 - any of the messages will do
        estimator.fit(*data)
    assert joblib.hash(vars(estimator)) == before
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(estimator.predict(frame), predictions)


@both_kinds
@pytest.mark.parametrize(
    "change", [{"max_iter": 0}, {"init": np.zeros((2, 2))}, {"activation": ["relu", "relu"]}]
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_invalid_parameters_leave_fitted_state_unchanged(kind, change, method):
    estimator, frame = fitted_on_frame(kind)
    predictions = estimator.predict(frame)
    estimator.set_params(**change)
    before = joblib.hash(vars(estimator))
    other = pd.DataFrame(X, columns=["e", "f", "g", "h"])
    with pytest.raises(ValueError):  # noqa: PT011 - see test_bad_parameters.py
        getattr(estimator, method)(other, Y)
    assert joblib.hash(vars(estimator)) == before
    np.testing.assert_array_equal(estimator.predict(frame), predictions)


@both_kinds
def test_failed_partial_fit_changes_nothing(kind):
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    estimator = kind(**SMALL).partial_fit(X, Y, **classes)
    before = joblib.hash(vars(estimator))
    for data in [(with_cell(np.inf), Y), (X[:, :3], Y), (X, Y, weights(-1.0))]:
        with pytest.raises(ValueError, match=r"infinity|expecting 4 features|negative"):
            estimator.partial_fit(*data)
        assert joblib.hash(vars(estimator)) == before


# partial_fit and predict --------------------------------------------------------------------------


def test_partial_fit_requires_consistent_classes():
    net = DistanceNetClassifier(**SMALL)
    with pytest.raises(ValueError, match="'classes' must be given in the first call"):
        net.partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"only the known classes, \[0, 1\]; got \[2\]"):
        net.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"'classes' must hold at least one label; got \[\]"):
        net.partial_fit(X, Y, classes=[])
    net.partial_fit(X, Y, classes=[2, 1, 0])
    with pytest.raises(ValueError, match=r"those of the first call, \[0, 1, 2\]; got \[0, 1\]"):
        net.partial_fit(X, Y, classes=[0, 1])


@both_kinds
def test_partial_fit_refuses_early_stopping(kind):
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    with pytest.raises(ValueError, match="does not support early_stopping=True"):
        kind(**SMALL, early_stopping=True).partial_fit(X, Y, **classes)


@both_kinds
def test_partial_fit_accepts_one_row_of_one_class(kind):
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    estimator = kind(**SMALL).partial_fit(X[:1], Y[:1], **classes).partial_fit(X[60:61], Y[60:61])
    assert np.isfinite(estimator.predict(X)).all()


def test_units_started_from_one_row_become_different():
    net = DistanceNetClassifier(**SMALL).partial_fit(X[:1], Y[:1], classes=[0, 1, 2])
    for _ in range(3):
        net.partial_fit(X, Y)
    assert len(np.unique(net.centroids_[0], axis=0)) == 6


@both_kinds
def test_predict_checks_features_and_fitted_state(kind):
    estimator = kind(**SMALL)
    with pytest.raises(NotFittedError):
        estimator.predict(X)
    with pytest.raises(NotFittedError):
        _ = estimator.centroids_
    estimator.fit(X, Y)
    with pytest.raises(ValueError, match="expecting 4 features"):
        estimator.predict(X[:, :3])
    with pytest.raises(ValueError, match="infinity"):
        estimator.predict(with_cell(np.inf))


@both_kinds
def test_single_row_prediction_equals_batch_prediction(kind):
    estimator = kind(**SMALL).fit(X, Y)
    method = "predict_proba" if kind is DistanceNetClassifier else "predict"
    alone, among = getattr(estimator, method)(X[3:4]), getattr(estimator, method)(X)
    assert alone.shape == among[:1].shape
    np.testing.assert_allclose(alone, among[3:4], rtol=1e-10)
