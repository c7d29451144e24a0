"""The quantity monitored on validation rows: the loss, or a scorer of the user's choice."""

import functools

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import f1_score, make_scorer, mean_absolute_error

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import training as _fitting

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
def test_epoch_with_best_score_is_kept(kind, X, y, scoring):
    X, y, held_out = parts(X, y)
    options = SMALL | {"early_stopping": False}
    net = kind(**options, scoring=scoring).fit(X, y, **held_out)
    best = int(np.argmax(net.validation_scores_))
    assert best < net.n_iter_ - 1
    assert net.best_validation_score_ == net.validation_scores_[best]
    ended = kind(**options | {"max_iter": best + 1, "n_iter_no_change": 100}).fit(X, y)
    np.testing.assert_array_equal(raw_output(net, X), raw_output(ended, X))


def test_recorded_scores_equal_model_scores():
    X, y, held_out = parts(WINE, WINE_Y)
    net = DistanceNetClassifier(**SMALL, scoring="f1_macro").fit(X, y, **held_out)
    actual = f1_score(held_out["y_val"], net.predict(held_out["X_val"]), average="macro")
    assert net.best_validation_score_ == pytest.approx(actual)


def test_scores_are_in_target_units():
    X, y, held_out = parts(DIABETES, DIABETES_Y)
    net = DistanceNetRegressor(**SMALL, scoring="neg_mean_absolute_error").fit(X, y, **held_out)
    actual = mean_absolute_error(held_out["y_val"], net.predict(held_out["X_val"]))
    assert net.best_validation_score_ == pytest.approx(-actual)


@both_kinds
def test_validation_weights_reach_the_scorer(kind, X, y, scoring):
    X, y, held_out = parts(X, y)
    weights = np.linspace(0.1, 3.0, len(held_out["X_val"]))
    net = kind(**SMALL, scoring=scoring).fit(X, y, **held_out, sample_weight_val=weights)
    plain = kind(**SMALL | {"max_iter": 3}, scoring=scoring).fit(X, y, **held_out)
    assert net.validation_scores_[:3] != plain.validation_scores_
    if kind is DistanceNetRegressor:
        actual = net.predict(held_out["X_val"])
        error = mean_absolute_error(held_out["y_val"], actual, sample_weight=weights)
        assert net.best_validation_score_ == pytest.approx(-error)


@both_kinds
def test_scoring_changes_only_the_chosen_epoch(kind, X, y, scoring):
    options = SMALL | {"early_stopping": True, "max_iter": 8}
    monitored, plain = (kind(**options, scoring=name).fit(X, y) for name in (scoring, "loss"))
    assert monitored.loss_curve_ == plain.loss_curve_
    assert monitored.validation_loss_curve_ == plain.validation_loss_curve_
    assert monitored.validation_scores_ != plain.validation_scores_


@both_kinds
def test_constant_score_stops_training(kind, X, y, scoring):
    net = kind(**SMALL, early_stopping=True, scoring=lambda net, X, y: 1.0).fit(X, y)
    assert net.n_iter_ == net.n_iter_no_change + 2
    assert net.validation_scores_ == [1.0] * net.n_iter_


@both_kinds
def test_callable_scorer_receives_snapshots(kind, X, y, scoring):
    seen = []

    def record(fitted, X, y):
        seen.append((fitted, raw_output(fitted, X), X, y))
        return 0.0

    X, y, held_out = parts(X, y)
    options = SMALL | {"early_stopping": False}
    net = kind(**options | {"max_iter": 4}, scoring=record).fit(X, y, **held_out)
    assert len(seen) == 4
    for number, (fitted, output, X_seen, y_seen) in enumerate(seen):
        assert fitted is not net
        np.testing.assert_array_equal(raw_output(fitted, X_seen), output)
        np.testing.assert_array_equal(X_seen, held_out["X_val"])
        np.testing.assert_array_equal(y_seen, held_out["y_val"])
        shorter = kind(**options | {"max_iter": number + 1}).fit(X, y)
        np.testing.assert_array_equal(output, raw_output(shorter, X_seen))


@both_kinds
def test_scorer_works_with_feature_names(kind, X, y, scoring):
    frame = pd.DataFrame(X).add_prefix("column ")
    net = kind(**SMALL | {"max_iter": 3}, early_stopping=True, scoring=scoring).fit(frame, y)
    assert len(net.validation_scores_) == 3
    assert list(net.feature_names_in_) == list(frame.columns)


@both_kinds
def test_undefined_score_is_never_best(kind, X, y, scoring):
    scores = iter([np.nan, 1.0, np.nan, np.nan])
    options = SMALL | {"max_iter": 4, "early_stopping": True}
    net = kind(**options, scoring=lambda *_: next(scores)).fit(X, y)
    assert net.best_validation_score_ == 1.0
    undefined = kind(**options, scoring=lambda *_: np.nan).fit(X, y)
    first = kind(**options | {"max_iter": 1}).fit(X, y)
    np.testing.assert_array_equal(raw_output(undefined, X), raw_output(first, X))


@both_kinds
@pytest.mark.parametrize("n_defined", [0, 1, 3])
def test_nan_scores_stop_training(kind, X, y, scoring, n_defined):
    scores = iter([1.0, 2.0, 3.0][:n_defined])
    net = kind(**SMALL, early_stopping=True, scoring=lambda *_: next(scores, np.nan)).fit(X, y)
    assert net.n_iter_ == max(n_defined, 0) + net.n_iter_no_change + 1
    assert net.best_epoch_ == max(n_defined, 1)
    best = net.validation_scores_[net.best_epoch_ - 1]
    np.testing.assert_equal(net.best_validation_score_, best)


@both_kinds
def test_nan_score_hides_no_later_improvement(kind, X, y, scoring):
    scores = iter([np.nan, 1.0, np.nan, 2.0, np.nan])
    options = SMALL | {"max_iter": 5, "early_stopping": True}
    net = kind(**options, scoring=lambda *_: next(scores)).fit(X, y)
    assert (net.best_epoch_, net.best_validation_score_) == (4, 2.0)


@both_kinds
def test_failing_scorer_changes_nothing(kind, X, y, scoring):
    def fail(net, X, y):
        raise RuntimeError("no score")

    net = kind(**SMALL, warm_start=True).fit(X, y)
    net.set_params(early_stopping=True, scoring=fail)
    before = joblib.hash({name: value for name, value in vars(net).items() if name != "scoring"})
    with pytest.raises(RuntimeError, match="no score"):
        net.fit(X, y)
    after = joblib.hash({name: value for name, value in vars(net).items() if name != "scoring"})
    assert before == after


def test_probability_and_custom_scorers_work():
    options = SMALL | {"max_iter": 5, "early_stopping": True}
    for scoring in ("neg_log_loss", "roc_auc_ovr", make_scorer(f1_score, average="weighted")):
        net = DistanceNetClassifier(**options, scoring=scoring).fit(WINE, WINE_Y)
        assert np.isfinite(net.validation_scores_).all()


def test_unknown_scorer_name_raises():
    with pytest.raises(ValueError, match=r"'scoring' .*get_scorer_names.* got 'accurac'"):
        DistanceNetClassifier(scoring="accurac").fit(WINE, WINE_Y)


# Weights ------------------------------------------------------------------------------------------


def weighted(net, X, y, sample_weight=None):
    return net.score(X, y, sample_weight)


def any_keyword(net, X, y, **options):
    return net.score(X, y, options["sample_weight"])


def unweighted(net, X, y):
    raise AssertionError("called")


def positional(net, X, y, sample_weight=None, /):
    raise AssertionError("called")


def error(y_true, y_pred, **options):
    return mean_absolute_error(y_true, y_pred, **options)


class Scorer:
    """A scorer as a callable object, and as a bound method."""

    def __call__(self, net, X, y, *, sample_weight):
        """Score with a keyword-only weight."""
        return weighted(net, X, y, sample_weight)

    def method(self, net, X, y, sample_weight=None):
        """Score."""
        return weighted(net, X, y, sample_weight)


TAKES_WEIGHTS = {
    "function": weighted,
    "any keyword": any_keyword,
    "partial": functools.partial(weighted),
    "object": Scorer(),
    "method": Scorer().method,
    "name": "r2",
    "made": make_scorer(mean_absolute_error, greater_is_better=False),
    "made of a partial": make_scorer(
        functools.partial(mean_absolute_error, multioutput="uniform_average"),
        greater_is_better=False,
    ),
    "made of any keyword": make_scorer(error, greater_is_better=False),
}
TAKES_NONE = {
    "function": unweighted,
    "partial": functools.partial(unweighted),
    "positional": positional,
    "name": "neg_max_error",
    "made": make_scorer(lambda y_true, y_pred: unweighted(None, y_true, y_pred)),
}
both_routings = pytest.mark.parametrize("routing", [False, True], ids=["", "routing"])
WEIGHTED = (DIABETES, DIABETES_Y, np.linspace(0.1, 3.0, len(DIABETES)))


def net_scored_by(scoring):
    return DistanceNetRegressor(5, scoring=scoring, early_stopping=True, max_iter=3, random_state=0)


@both_routings
@pytest.mark.parametrize("scoring", TAKES_WEIGHTS.values(), ids=TAKES_WEIGHTS)
def test_scorers_receive_weights_if_supported(scoring, routing):
    net = net_scored_by(scoring)
    with config_context(enable_metadata_routing=routing):
        scores = net.fit(*WEIGHTED).validation_scores_
    expected = net_scored_by("neg_mean_absolute_error" if "make_scorer" in repr(scoring) else "r2")
    assert scores == expected.fit(*WEIGHTED).validation_scores_


@both_routings
@pytest.mark.parametrize("scoring", TAKES_NONE.values(), ids=TAKES_NONE)
def test_scorers_without_weight_support_are_refused(scoring, routing, monkeypatch):
    monkeypatch.setattr(_fitting, "train", lambda *_, **__: pytest.fail("trained"))
    net = net_scored_by(scoring)
    message = r"'scoring' parameter .* takes no 'sample_weight'"
    with (
        config_context(enable_metadata_routing=routing),
        pytest.raises(ValueError, match=message) as caught,
    ):
        net.fit(*WEIGHTED)
    assert caught.value.__cause__ is None
    assert not hasattr(net, "n_iter_")


def test_scorers_without_weight_support_score_unweighted_rows():
    net = net_scored_by("neg_max_error").fit(DIABETES, DIABETES_Y)
    assert len(net.validation_scores_) == 3


def fails_on_weights(net, X, y, sample_weight=None):
    raise TypeError("'sample_weight' is of no use here")


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (fails_on_weights, "^'sample_weight' is of no use here$"),
        (lambda net, X, y, sample_weight: None + 1, "NoneType"),
        (max, r"max\(\)"),  # a builtin without a signature
        (lambda net, sample_weight: 0.0, "multiple values"),
    ],
    ids=["by weights", "otherwise", "builtin", "arguments"],
)
def test_scorer_type_errors_are_passed_on(scoring, message):
    net = net_scored_by(scoring)
    with pytest.raises(TypeError, match=message) as caught:
        net.fit(*WEIGHTED)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("score", [np.inf, -np.inf])
def test_infinite_scores_stop_training(score):
    options = SMALL | {"max_iter": 60, "early_stopping": True, "n_iter_no_change": 3}
    net = DistanceNetClassifier(**options, scoring=lambda *_: score).fit(
        *load_wine(return_X_y=True)
    )
    assert net.n_iter_ <= 5
