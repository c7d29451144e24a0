"""What is watched on validation rows: the loss, or a scorer of one's choice."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import f1_score, make_scorer, mean_absolute_error

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "max_iter": 40,
    "random_state": 0,
    "batch_size": 30,
    "learning_rate": "constant",
    "learning_rate_init": 0.1,
}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y, "f1_macro"),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y, "neg_mean_absolute_error"),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y", "scoring"), CASES.values(), ids=CASES)


def raw_output(net, X):
    return net.predict(X) if isinstance(net, DistanceNetRegressor) else net.decision_function(X)


def parts(X, y):
    held = np.arange(len(X)) % 3 == 0
    return X[~held], y[~held], {"X_val": X[held], "y_val": y[held]}


@both_kinds
def test_the_epoch_with_the_best_score_comes_back(kind, X, y, scoring):
    X, y, given = parts(X, y)
    net = kind(**SMALL, scoring=scoring).fit(X, y, **given)
    best = int(np.argmax(net.validation_scores_))
    assert best < net.n_iter_ - 1
    assert net.best_validation_score_ == net.validation_scores_[best]
    ended = kind(**SMALL | {"max_iter": best + 1, "n_iter_no_change": 100}).fit(X, y)
    np.testing.assert_array_equal(raw_output(net, X), raw_output(ended, X))


def test_scores_are_those_of_the_fitted_model_on_the_validation_rows():
    X, y, given = parts(WINE, WINE_Y)
    net = DistanceNetClassifier(**SMALL, scoring="f1_macro").fit(X, y, **given)
    found = f1_score(given["y_val"], net.predict(given["X_val"]), average="macro")
    assert net.best_validation_score_ == pytest.approx(found)


def test_scores_are_in_the_units_of_the_target():
    X, y, given = parts(DIABETES, DIABETES_Y)
    net = DistanceNetRegressor(**SMALL, scoring="neg_mean_absolute_error").fit(X, y, **given)
    found = mean_absolute_error(given["y_val"], net.predict(given["X_val"]))
    assert net.best_validation_score_ == pytest.approx(-found)


@both_kinds
def test_weights_of_validation_rows_reach_the_scorer(kind, X, y, scoring):
    X, y, given = parts(X, y)
    weights = np.linspace(0.1, 3.0, len(given["X_val"]))
    net = kind(**SMALL, scoring=scoring).fit(X, y, **given, sample_weight_val=weights)
    plain = kind(**SMALL | {"max_iter": 3}, scoring=scoring).fit(X, y, **given)
    assert net.validation_scores_[:3] != plain.validation_scores_
    if kind is DistanceNetRegressor:
        found = net.predict(given["X_val"])
        error = mean_absolute_error(given["y_val"], found, sample_weight=weights)
        assert net.best_validation_score_ == pytest.approx(-error)


@both_kinds
def test_what_is_watched_moves_nothing_but_the_choice(kind, X, y, scoring):
    options = SMALL | {"early_stopping": True, "max_iter": 8}
    watched, plain = (kind(**options, scoring=name).fit(X, y) for name in (scoring, "loss"))
    assert watched.loss_curve_ == plain.loss_curve_
    assert watched.validation_loss_curve_ == plain.validation_loss_curve_
    assert watched.validation_scores_ != plain.validation_scores_


@both_kinds
def test_a_scorer_that_stands_still_ends_the_training(kind, X, y, scoring):
    net = kind(**SMALL, early_stopping=True, scoring=lambda net, X, y: 1.0).fit(X, y)
    assert net.n_iter_ == net.n_iter_no_change + 2
    assert net.validation_scores_ == [1.0] * net.n_iter_


@both_kinds
def test_a_callable_is_given_snapshots_and_never_the_estimator(kind, X, y, scoring):
    seen = []

    def record(fitted, X, y):
        seen.append((fitted, raw_output(fitted, X), X, y))
        return 0.0

    X, y, given = parts(X, y)
    net = kind(**SMALL | {"max_iter": 4}, scoring=record).fit(X, y, **given)
    assert len(seen) == 4
    for number, (fitted, output, X_seen, y_seen) in enumerate(seen):
        assert fitted is not net
        np.testing.assert_array_equal(raw_output(fitted, X_seen), output)
        np.testing.assert_array_equal(X_seen, given["X_val"])
        np.testing.assert_array_equal(y_seen, given["y_val"])
        shorter = kind(**SMALL | {"max_iter": number + 1}).fit(X, y)
        np.testing.assert_array_equal(output, raw_output(shorter, X_seen))


@both_kinds
def test_names_of_columns_are_no_trouble_to_a_scorer(kind, X, y, scoring):
    frame = pd.DataFrame(X).add_prefix("column ")
    net = kind(**SMALL | {"max_iter": 3}, early_stopping=True, scoring=scoring).fit(frame, y)
    assert len(net.validation_scores_) == 3
    assert list(net.feature_names_in_) == list(frame.columns)


@both_kinds
def test_a_score_that_is_not_defined_is_never_best_but_one_epoch_is_kept(kind, X, y, scoring):
    scores = iter([np.nan, 1.0, np.nan, np.nan])
    options = SMALL | {"max_iter": 4, "early_stopping": True}
    net = kind(**options, scoring=lambda *_: next(scores)).fit(X, y)
    assert net.best_validation_score_ == 1.0
    undefined = kind(**options, scoring=lambda *_: np.nan).fit(X, y)
    first = kind(**options | {"max_iter": 1}).fit(X, y)
    np.testing.assert_array_equal(raw_output(undefined, X), raw_output(first, X))


@both_kinds
def test_a_scorer_that_fails_changes_nothing(kind, X, y, scoring):
    def fail(net, X, y):
        raise RuntimeError("no score")

    net = kind(**SMALL, warm_start=True).fit(X, y)
    net.set_params(early_stopping=True, scoring=fail)
    before = joblib.hash({name: value for name, value in vars(net).items() if name != "scoring"})
    with pytest.raises(RuntimeError, match="no score"):
        net.fit(X, y)
    after = joblib.hash({name: value for name, value in vars(net).items() if name != "scoring"})
    assert before == after


def test_scorers_of_probabilities_and_made_ones_are_fine():
    options = SMALL | {"max_iter": 5, "early_stopping": True}
    for scoring in ("neg_log_loss", "roc_auc_ovr", make_scorer(f1_score, average="weighted")):
        net = DistanceNetClassifier(**options, scoring=scoring).fit(WINE, WINE_Y)
        assert np.isfinite(net.validation_scores_).all()


def test_a_name_that_is_no_scorer_is_told_where_the_names_are():
    with pytest.raises(ValueError, match=r"'scoring' .*get_scorer_names.* got 'accurac'"):
        DistanceNetClassifier(scoring="accurac").fit(WINE, WINE_Y)


@pytest.mark.parametrize("scoring", [lambda net, X, y: net.score(X, y), "neg_max_error"])
def test_a_scorer_that_takes_no_weights_is_refused_where_there_are_some(scoring):
    X, y = DIABETES, DIABETES_Y
    net = DistanceNetRegressor(5, scoring=scoring, early_stopping=True, max_iter=3, tol=1.0)
    with pytest.raises(ValueError, match=r"'scoring' parameter .* takes no 'sample_weight'"):
        net.fit(X, y, sample_weight=np.ones(len(X)))
    assert not hasattr(net, "n_iter_")
    assert net.fit(X, y).n_iter_ >= 1


def test_a_scorer_that_fails_for_another_reason_says_so_itself():
    def scoring(net, X, y, sample_weight):
        return None + 1

    net = DistanceNetRegressor(5, scoring=scoring, early_stopping=True)
    with pytest.raises(TypeError, match="NoneType"):
        net.fit(DIABETES, DIABETES_Y, sample_weight=np.ones(len(DIABETES)))
