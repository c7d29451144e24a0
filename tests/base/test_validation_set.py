"""A validation set passed to `fit` replaces the held-out rows."""

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import training as _fitting
from skdistnet.engine.training import loop as training

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "max_iter": 60,
    "random_state": 0,
    "batch_size": 30,
    "learning_rate": "constant",
    "learning_rate_init": 0.1,
}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def raw_output(net, X):
    return net.predict(X) if isinstance(net, DistanceNetRegressor) else net.decision_function(X)


def parts(X, y):
    """Split off every third row for validation."""
    held = np.arange(len(X)) % 3 == 0
    return X[~held], y[~held], {"X_val": X[held], "y_val": y[held]}


def first_call(kind):
    return {"classes": np.unique(WINE_Y)} if kind is DistanceNetClassifier else {}


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_best_epoch_on_validation_set_is_kept(kind, X, y, early_stopping):
    X, y, held_out = parts(X, y)
    net = kind(**SMALL, early_stopping=early_stopping).fit(X, y, **held_out)
    best = int(np.argmin(net.validation_loss_curve_))
    assert best < net.n_iter_ - 1
    assert net.best_validation_score_ == net.validation_scores_[best]
    assert len(net.loss_curve_) == len(net.validation_loss_curve_) == len(net.validation_scores_)
    options = {"max_iter": best + 1, "n_iter_no_change": 100, "early_stopping": False}
    ended = kind(**SMALL | options).fit(X, y)
    np.testing.assert_array_equal(raw_output(net, X), raw_output(ended, X))


@both_kinds
def test_all_training_rows_are_trained_on(kind, X, y, monkeypatch):
    X, y, held_out = parts(X, y)
    seen = {}

    def spy(network, input_map, rows, *args, validation=None, **options):
        seen.update(rows=rows, validation=validation)
        return training.train(network, input_map, rows, *args, validation=validation, **options)

    monkeypatch.setattr(_fitting, "train", spy)
    kind(**SMALL, early_stopping=True).fit(X, y, **held_out)
    np.testing.assert_array_equal(seen["rows"].X, X)
    np.testing.assert_array_equal(seen["validation"].X, held_out["X_val"])


def test_classifier_curves_are_log_loss_and_accuracy():
    X, y, held_out = parts(WINE, WINE_Y)
    weights = np.arange(len(held_out["X_val"]), dtype=float)
    net = DistanceNetClassifier(**SMALL).fit(X, y, **held_out, sample_weight_val=weights)
    probabilities = net.predict_proba(held_out["X_val"])
    loss = log_loss(held_out["y_val"], probabilities, sample_weight=weights)
    assert loss == pytest.approx(min(net.validation_loss_curve_), rel=1e-9)
    labels = net.predict(held_out["X_val"])
    score = accuracy_score(held_out["y_val"], labels, sample_weight=weights)
    assert score == pytest.approx(net.best_validation_score_)


def test_regressor_scores_are_r2():
    X, y, held_out = parts(DIABETES, DIABETES_Y)
    net = DistanceNetRegressor(**SMALL).fit(X, y, **held_out)
    score = r2_score(held_out["y_val"], net.predict(held_out["X_val"]))
    assert score == pytest.approx(net.best_validation_score_)


@both_kinds
def test_zero_weights_and_weight_scale_change_nothing(kind, X, y):
    X, y, held_out = parts(X, y)
    weights = np.ones(len(held_out["X_val"]))
    plain = kind(**SMALL).fit(X, y, **held_out)
    extended = {
        "X_val": np.vstack([held_out["X_val"], 1e6 + X[:1]]),
        "y_val": [*held_out["y_val"], y[0]],
    }
    net = kind(**SMALL).fit(X, y, **extended, sample_weight_val=[*(4 * weights), 0.0])
    assert net.validation_loss_curve_ == pytest.approx(plain.validation_loss_curve_, rel=1e-12)


# partial_fit --------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_partial_fit_keeps_the_latest_epoch(kind, X, y, early_stopping):
    X, y, held_out = parts(X, y)
    net, plain = kind(**SMALL, early_stopping=early_stopping), kind(**SMALL)
    for _ in range(5):
        net.partial_fit(X, y, **first_call(kind), **held_out)
        plain.partial_fit(X, y, **first_call(kind))
    np.testing.assert_array_equal(raw_output(net, X), raw_output(plain, X))
    assert len(net.validation_loss_curve_) == len(net.validation_scores_) == 5
    assert net.best_validation_score_ == net.validation_scores_[-1]
    score = net.score(held_out["X_val"], held_out["y_val"])
    assert net.best_validation_score_ == pytest.approx(score)


@both_kinds
def test_unvalidated_epochs_are_nan_in_curves(kind, X, y):
    X, y, held_out = parts(X, y)
    net = kind(**SMALL)
    for validated in (False, True, False):
        net.partial_fit(X, y, **first_call(kind), **(held_out if validated else {}))
    assert np.isnan(net.validation_loss_curve_).tolist() == [True, False, True]
    assert np.isnan(net.validation_scores_).tolist() == [True, False, True]
    assert len(net.loss_curve_) == 3


@both_kinds
def test_partial_fit_early_stopping_needs_validation_set(kind, X, y):
    net = kind(**SMALL, early_stopping=True)
    with pytest.raises(ValueError, match=r"early_stopping=True without .* 'X_val' and 'y_val'"):
        net.partial_fit(X, y, **first_call(kind))


# Errors -------------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X_val": None}, "'X_val' and 'y_val' must be given together; 'X_val' is None"),
        ({"y_val": None}, "'X_val' and 'y_val' must be given together; 'y_val' is None"),
        ({"X_val": None, "y_val": None, "sample_weight_val": [1.0]}, "'X_val' is None"),
        ({"X_val": np.ones((9, 2)), "y_val": np.ones(9)}, "validation set .*2 features"),
        ({"y_val": [1, 2]}, "validation set .*inconsistent numbers of samples"),
        ({"sample_weight_val": [1.0, 2.0]}, "validation set .*'sample_weight' must have shape"),
        ({"X_val": np.empty((0, 9)), "y_val": []}, "validation set .*0 sample"),
    ],
    ids=["no X", "no y", "weights alone", "features", "lengths", "weights", "empty"],
)
def test_invalid_validation_data_change_nothing(kind, X, y, method, change, message):
    X, y, held_out = parts(X, y)
    options = first_call(kind) if method == "partial_fit" else {}
    net = kind(**SMALL, warm_start=True).fit(X, y)
    before = joblib.hash(vars(net))
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(X, y, **options, **held_out | change)
    assert joblib.hash(vars(net)) == before


def test_unknown_validation_label_raises():
    X, y, held_out = parts(WINE, WINE_Y)
    with pytest.raises(ValueError, match=r"In the validation set .*got \[3\] too"):
        DistanceNetClassifier(**SMALL).fit(X, y, **held_out | {"y_val": held_out["y_val"] + 1})


# Pipelines ----------------------------------------------------------------------------------------


@both_kinds
def test_pipeline_transforms_validation_rows(kind, X, y):
    X, y, held_out = parts(X, y)
    scaler = StandardScaler().fit(X)
    options = SMALL | {"max_iter": 8}
    expected = kind(**options).fit(
        scaler.transform(X), y, X_val=scaler.transform(held_out["X_val"]), y_val=held_out["y_val"]
    )
    with config_context(enable_metadata_routing=True):
        net = kind(**options).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("net", net)], transform_input=["X_val"]
        ).fit(X, y, **held_out)
    assert pipeline[-1].validation_loss_curve_ == expected.validation_loss_curve_
    np.testing.assert_array_equal(pipeline.predict(X), expected.predict(scaler.transform(X)))


@both_kinds
def test_validation_rows_reach_grid_search_nets(kind, X, y):
    X, y, held_out = parts(X, y)
    with config_context(enable_metadata_routing=True):
        net = kind(**SMALL | {"max_iter": 3}).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("net", net)], transform_input=["X_val"])
        grid = {"net__hidden_layer_sizes": [(4,), (6,)]}
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y, **held_out)
    assert len(search.best_estimator_[-1].validation_loss_curve_) == 3
