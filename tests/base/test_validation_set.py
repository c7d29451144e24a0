"""A validation set of one's own takes the place of rows set aside."""

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
    """Every third row to validate on."""
    held = np.arange(len(X)) % 3 == 0
    return X[~held], y[~held], {"X_val": X[held], "y_val": y[held]}


def first_call(kind):
    return {"classes": np.unique(WINE_Y)} if kind is DistanceNetClassifier else {}


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_parameters_of_the_best_epoch_on_the_given_rows_come_back(kind, X, y, early_stopping):
    X, y, given = parts(X, y)
    net = kind(**SMALL, early_stopping=early_stopping).fit(X, y, **given)
    best = int(np.argmin(net.validation_loss_curve_))
    assert best < net.n_iter_ - 1
    assert net.best_validation_score_ == net.validation_scores_[best]
    assert len(net.loss_curve_) == len(net.validation_loss_curve_) == len(net.validation_scores_)
    ended = kind(**SMALL | {"max_iter": best + 1, "n_iter_no_change": 100}).fit(X, y)
    np.testing.assert_array_equal(raw_output(net, X), raw_output(ended, X))


@both_kinds
def test_given_rows_are_validated_on_and_all_others_trained_on(kind, X, y, monkeypatch):
    X, y, given = parts(X, y)
    seen = {}

    def spy(network, input_map, rows, plan, run, validation=None, **options):
        seen.update(rows=rows, validation=validation)
        return training.train(network, input_map, rows, plan, run, validation=validation, **options)

    monkeypatch.setattr(_fitting, "train", spy)
    kind(**SMALL, early_stopping=True).fit(X, y, **given)
    np.testing.assert_array_equal(seen["rows"].X, X)
    np.testing.assert_array_equal(seen["validation"].X, given["X_val"])


def test_curves_of_a_classifier_are_log_loss_and_accuracy_on_the_given_rows():
    X, y, given = parts(WINE, WINE_Y)
    weights = np.arange(len(given["X_val"]), dtype=float)
    net = DistanceNetClassifier(**SMALL).fit(X, y, **given, sample_weight_val=weights)
    found = net.predict_proba(given["X_val"])
    loss = log_loss(given["y_val"], found, sample_weight=weights)
    assert loss == pytest.approx(min(net.validation_loss_curve_), rel=1e-9)
    labels = net.predict(given["X_val"])
    score = accuracy_score(given["y_val"], labels, sample_weight=weights)
    assert score == pytest.approx(net.best_validation_score_)


def test_scores_of_a_regressor_are_r2_on_the_given_rows():
    X, y, given = parts(DIABETES, DIABETES_Y)
    net = DistanceNetRegressor(**SMALL).fit(X, y, **given)
    score = r2_score(given["y_val"], net.predict(given["X_val"]))
    assert score == pytest.approx(net.best_validation_score_)


@both_kinds
def test_validation_rows_of_weight_zero_and_the_scale_of_weights_change_nothing(kind, X, y):
    X, y, given = parts(X, y)
    weights = np.ones(len(given["X_val"]))
    plain = kind(**SMALL).fit(X, y, **given)
    wild = {"X_val": np.vstack([given["X_val"], 1e6 + X[:1]]), "y_val": [*given["y_val"], y[0]]}
    net = kind(**SMALL).fit(X, y, **wild, sample_weight_val=[*(4 * weights), 0.0])
    assert net.validation_loss_curve_ == pytest.approx(plain.validation_loss_curve_, rel=1e-12)


# partial_fit --------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_partial_fit_records_every_epoch_and_keeps_the_latest(kind, X, y, early_stopping):
    X, y, given = parts(X, y)
    net, plain = kind(**SMALL, early_stopping=early_stopping), kind(**SMALL)
    for _ in range(5):
        net.partial_fit(X, y, **first_call(kind), **given)
        plain.partial_fit(X, y, **first_call(kind))
    np.testing.assert_array_equal(raw_output(net, X), raw_output(plain, X))
    assert len(net.validation_loss_curve_) == len(net.validation_scores_) == 5
    assert net.best_validation_score_ == net.validation_scores_[-1]
    score = net.score(given["X_val"], given["y_val"])
    assert net.best_validation_score_ == pytest.approx(score)


@both_kinds
def test_epochs_without_validation_leave_a_gap_in_the_curves(kind, X, y):
    X, y, given = parts(X, y)
    net = kind(**SMALL)
    for validated in (False, True, False):
        net.partial_fit(X, y, **first_call(kind), **(given if validated else {}))
    assert np.isnan(net.validation_loss_curve_).tolist() == [True, False, True]
    assert np.isnan(net.validation_scores_).tolist() == [True, False, True]
    assert len(net.loss_curve_) == 3


@both_kinds
def test_partial_fit_under_early_stopping_asks_for_validation_data(kind, X, y):
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
def test_bad_validation_data_are_named_and_change_nothing(kind, X, y, method, change, message):
    X, y, given = parts(X, y)
    options = first_call(kind) if method == "partial_fit" else {}
    net = kind(**SMALL, warm_start=True).fit(X, y)
    before = joblib.hash(vars(net))
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(X, y, **options, **given | change)
    assert joblib.hash(vars(net)) == before


def test_an_unknown_label_to_validate_on_is_an_error():
    X, y, given = parts(WINE, WINE_Y)
    with pytest.raises(ValueError, match=r"In the validation set .*got \[3\] too"):
        DistanceNetClassifier(**SMALL).fit(X, y, **given | {"y_val": given["y_val"] + 1})


# Pipelines ----------------------------------------------------------------------------------------


@both_kinds
def test_a_pipeline_transforms_the_validation_rows_too(kind, X, y):
    X, y, given = parts(X, y)
    scaler = StandardScaler().fit(X)
    options = SMALL | {"max_iter": 8}
    expected = kind(**options).fit(
        scaler.transform(X), y, X_val=scaler.transform(given["X_val"]), y_val=given["y_val"]
    )
    with config_context(enable_metadata_routing=True):
        net = kind(**options).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("net", net)], transform_input=["X_val"]
        ).fit(X, y, **given)
    assert pipeline[-1].validation_loss_curve_ == expected.validation_loss_curve_
    np.testing.assert_array_equal(pipeline.predict(X), expected.predict(scaler.transform(X)))


@both_kinds
def test_validation_rows_reach_the_nets_of_a_grid_search(kind, X, y):
    X, y, given = parts(X, y)
    with config_context(enable_metadata_routing=True):
        net = kind(**SMALL | {"max_iter": 3}).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("net", net)], transform_input=["X_val"])
        grid = {"net__hidden_layer_sizes": [(4,), (6,)]}
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y, **given)
    assert len(search.best_estimator_[-1].validation_loss_curve_) == 3
