"""Ensembles in scikit-learn's tools, files, novelty scores and attributes of their members."""

import io
import pickle

import joblib
import numpy as np
import pytest
import sklearn
from ensembles import CASES, NETS, WINE, WINE_Y, both_kinds, small
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import (
    TRUSTED_TYPES,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    RejectingClassifier,
)

ENSEMBLE = small(DistanceNetEnsembleClassifier, 2)

# Copies and files ---------------------------------------------------------------------------------


def to_joblib(ensemble):
    file = io.BytesIO()
    joblib.dump(ensemble, file)
    file.seek(0)
    return joblib.load(file)


def to_skops(ensemble):
    skops_io = pytest.importorskip("skops.io")
    saved = skops_io.dumps(ensemble)
    assert set(skops_io.get_untrusted_types(data=saved)) <= set(TRUSTED_TYPES)
    return skops_io.loads(saved, trusted=TRUSTED_TYPES)


COPIES = {
    "pickle": lambda ensemble: pickle.loads(pickle.dumps(ensemble)),
    "joblib": to_joblib,
    "skops": to_skops,
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@both_kinds
def test_saved_ensemble_predicts_the_same(kind, X, y, copy):
    ensemble = small(kind, 2, out_of_fold=True).fit(X, y)
    again = copy(ensemble)
    np.testing.assert_array_equal(again.predict(X), ensemble.predict(X))
    np.testing.assert_array_equal(again.score_samples(X), ensemble.score_samples(X))
    assert again.oof_score_ == ensemble.oof_score_
    assert vars(again).keys() == vars(ensemble).keys()


@both_kinds
def test_ensemble_keeps_no_training_rows(kind, X, y):
    few, many = (small(kind, 2).fit(np.tile(X, (n, 1)), np.tile(y, n)) for n in (1, 20))
    assert len(pickle.dumps(many)) < len(pickle.dumps(few)) + 5 * X.nbytes


@both_kinds
def test_clone_is_unfitted(kind, X, y):
    ensemble = small(kind, 2).fit(X, y)
    copy = clone(ensemble)
    assert repr(copy.get_params()) == repr(ensemble.get_params())
    with pytest.raises(NotFittedError):
        copy.predict(X)


@both_kinds
def test_fit_changes_no_parameter(kind, X, y):
    ensemble = small(kind, 2)
    given, before = ensemble.estimator, joblib.hash(ensemble.get_params())
    ensemble.fit(X, y)
    assert ensemble.estimator is given
    assert joblib.hash(ensemble.get_params()) == before
    assert not hasattr(given, "n_iter_")


# Data frames --------------------------------------------------------------------------------------


@both_kinds
def test_feature_names_are_checked(kind, X, y):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X).add_prefix("x")
    ensemble = small(kind, 2).fit(frame, y)
    np.testing.assert_array_equal(ensemble.feature_names_in_, frame.columns)
    np.testing.assert_array_equal(ensemble.predict(frame), small(kind, 2).fit(X, y).predict(X))
    for method in ("predict", "transform", "score_samples"):
        with pytest.raises(ValueError, match="feature names"):
            getattr(ensemble, method)(frame.add_prefix("other"))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        ensemble.predict(X)
    assert not hasattr(small(kind, 2).fit(X, y), "feature_names_in_")


@both_kinds
def test_hidden_activations_are_side_by_side(kind, X, y):
    pytest.importorskip("pandas")
    ensemble = small(kind).fit(X, y)
    activations = ensemble.transform(X)
    expected = np.hstack([net.transform(X) for net in ensemble.estimators_])
    np.testing.assert_array_equal(activations, expected)
    frame = ensemble.set_output(transform="pandas").transform(X)
    np.testing.assert_array_equal(frame, expected)
    names = [f"{kind.__name__.lower()}{number}" for number in range(15)]
    assert frame.columns.tolist() == names == ensemble.get_feature_names_out().tolist()
    ensemble.set_output(transform="default")
    np.testing.assert_array_equal(ensemble.fit_transform(X, y), expected)


def test_net_without_hidden_layers_has_no_activations():
    options = {"hidden_layer_sizes": (), "linear_part": False}
    ensemble = small(DistanceNetEnsembleClassifier, 2, **options).fit(WINE, WINE_Y)
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        ensemble.transform(WINE)
    assert ensemble.score(WINE, WINE_Y) > 0.5


# Novelty and relevances ---------------------------------------------------------------------------


@both_kinds
def test_scores_and_thresholds_are_means(kind, X, y):
    ensemble = small(kind).fit(X, y)
    nets = ensemble.estimators_
    scores = np.mean([net.score_samples(X) for net in nets], axis=0)
    np.testing.assert_allclose(ensemble.score_samples(X), scores, rtol=1e-12)
    for rate in (0.01, 0.05, 0.5):
        expected = np.mean([net.novelty_threshold(rate) for net in nets])
        assert ensemble.novelty_threshold(rate) == pytest.approx(expected)
    assert ensemble.novelty_threshold_ == ensemble.novelty_threshold(0.05)
    assert isinstance(ensemble.novelty_threshold_, float)
    with pytest.raises(ValueError, match="false_alarm_rate"):
        ensemble.novelty_threshold(1.5)


@both_kinds
def test_relevances_are_means(kind, X, y):
    ensemble = small(kind).fit(X, y)
    expected = np.mean([net.feature_relevances_ for net in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(ensemble.feature_relevances_, expected)
    np.testing.assert_array_equal(ensemble.feature_importances_, ensemble.feature_relevances_)
    assert ensemble.feature_relevances_.sum() == pytest.approx(1.0)
    selector = SelectFromModel(ensemble, prefit=True, max_features=3, threshold=-np.inf)
    assert selector.transform(X).shape == (len(X), 3)


@pytest.mark.parametrize("fitted", [False, True])
@both_kinds
def test_dot_product_nets_score_no_novelty(kind, X, y, fitted):
    ensemble = small(kind, 2, activation="relu")
    net = clone(ensemble.estimator)
    if fitted:
        ensemble.fit(X, y)
        (net, _) = ensemble.estimators_
    names = ("score_samples", "novelty_threshold", "novelty_threshold_", "feature_relevances_")
    for name in names:
        assert not hasattr(ensemble, name)
    for name in names[:2]:
        with pytest.raises(AttributeError) as of_net:
            getattr(net, name)
        with pytest.raises(AttributeError) as error:
            getattr(ensemble, name)
        assert type(ensemble).__name__ in str(error.value)
        assert str(of_net.value.__cause__) == str(error.value.__cause__.__cause__)


@pytest.mark.parametrize("method", ["predict_proba", "score_samples"])
def test_ensemble_can_be_wrapped_to_reject(method):
    careful = RejectingClassifier(ENSEMBLE, method=method).fit(WINE, WINE_Y)
    labels = careful.predict_with_rejection(np.vstack([WINE, 1e4 * WINE]))
    assert (labels[: len(WINE)] == WINE_Y).mean() > 0.5
    if method == "score_samples":
        assert (labels[len(WINE) :] == -1).all()
    known = careful.estimator_.novelty_threshold_
    assert known == clone(ENSEMBLE).fit(WINE, WINE_Y).novelty_threshold_


# Tools --------------------------------------------------------------------------------------------


@both_kinds
def test_tags_are_those_of_the_net(kind, X, y):
    ensemble = kind()
    assert is_classifier(ensemble) == (kind is DistanceNetEnsembleClassifier)
    assert is_regressor(ensemble) != is_classifier(ensemble)
    tags, of_net = ensemble.__sklearn_tags__(), NETS[kind]().__sklearn_tags__()
    for name in ("estimator_type", "input_tags", "target_tags", "transformer_tags"):
        assert getattr(tags, name) == getattr(of_net, name)
    assert not kind(NETS[kind](activation="relu")).__sklearn_tags__().input_tags.allow_nan


@both_kinds
def test_search_sets_parameters_of_the_net(kind, X, y):
    grid = {"estimator__hidden_layer_sizes": [(3,), (6,)], "n_estimators": [1, 2]}
    search = GridSearchCV(small(kind), grid, cv=2).fit(X, y)
    best = search.best_estimator_
    assert len(best.estimators_) == search.best_params_["n_estimators"]
    size = search.best_params_["estimator__hidden_layer_sizes"]
    assert all(net.hidden_layer_sizes == size for net in best.estimators_)


@both_kinds
def test_pipeline_and_importance_accept_ensembles(kind, X, y):
    model = make_pipeline(StandardScaler(), small(kind, 2)).fit(X, y)
    assert model.score(X, y) > 0.2
    result = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    assert result.importances_mean.shape == (X.shape[1],)
    assert cross_val_predict(small(kind, 2), X, y, cv=2).shape == y.shape


@pytest.mark.parametrize("is_ensemble", [False, True])
def test_ensemble_can_be_calibrated(is_ensemble):
    model = CalibratedClassifierCV(ENSEMBLE, cv=2, ensemble=is_ensemble).fit(WINE, WINE_Y)
    assert model.score(WINE, WINE_Y) > 0.8
    np.testing.assert_allclose(model.predict_proba(WINE).sum(axis=1), 1.0)


def test_ensembles_can_be_stacked_and_vote():
    stack = StackingClassifier([("nets", ENSEMBLE)], LogisticRegression(), cv=2)
    assert stack.fit(WINE, WINE_Y).score(WINE, WINE_Y) > 0.8
    kind, X, y = CASES["regressor"]
    assert VotingRegressor([("nets", small(kind, 2))]).fit(X, y).score(X, y) > 0.2


def test_out_of_fold_probabilities_train_a_stack():
    ensemble = small(DistanceNetEnsembleClassifier, out_of_fold=True).fit(WINE, WINE_Y)
    stack = LogisticRegression().fit(ensemble.oof_decision_function_, WINE_Y)
    assert stack.score(ensemble.predict_proba(WINE), WINE_Y) > 0.8


# Metadata routing ---------------------------------------------------------------------------------


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


WEIGHTS = 1.0 + np.arange(len(WINE)) % 5


def test_weights_are_routed_to_the_fit(routing, runs):
    model = clone(ENSEMBLE).set_fit_request(sample_weight=True)
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=False)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    for whole in (model, make_pipeline(scaler, model)):
        runs.clear()
        options = {"params": {"sample_weight": WEIGHTS}, "scoring": scorer}
        cross_validate(whole, WINE, WINE_Y, cv=2, **options)
        assert runs
        assert all(rows.weights is not None for rows, _ in runs)


def test_weights_without_request_are_an_error(routing):
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
        cross_validate(clone(ENSEMBLE), WINE, WINE_Y, cv=2, params={"sample_weight": WEIGHTS})


def test_pipeline_transforms_validation_rows(routing, runs):
    ensemble = clone(ENSEMBLE).set_fit_request(X_val=True, y_val=True)
    model = make_pipeline(StandardScaler(), ensemble, transform_input=["X_val"])
    model.fit(WINE[::2], WINE_Y[::2], X_val=WINE[1::2], y_val=WINE_Y[1::2])
    expected = model[0].transform(WINE[1::2])
    for _, validation in runs:
        np.testing.assert_array_equal(validation.X, expected)


def test_regressor_routes_weights(routing, runs):
    kind, X, y = CASES["regressor"]
    model = small(kind, 2).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    assert isinstance(model, DistanceNetEnsembleRegressor)
    weights = 1.0 + np.arange(len(X)) % 3
    cross_validate(model, X, y, cv=2, params={"sample_weight": weights})
    assert all(rows.weights is not None for rows, _ in runs)
