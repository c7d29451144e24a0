"""Fits to data frames with categories: unseen levels, validation, files, other layers."""

import io
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from category_tables import (
    FORMS,
    ONE_FIT,
    SMALL,
    both_kinds,
    draw_frame,
    fitted,
    predict,
    regressor,
    target_of,
)
from interrupted_fits import checkpoint_every, cut_off_and_resumed, same
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict

from skdistnet import TRUSTED_TYPES, DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import INITIALIZERS
from skdistnet.engine.layers.distances import RADIUS_TYPES

FRAME, Y = draw_frame()
ROWS, ROWS_Y = draw_frame(seed=1)
FEW = ["color", "size", "flag", "count"]  # no column of many levels


# Unseen levels ------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("column", ["color", "city"])
@pytest.mark.parametrize("n_rows", [1, 3, 50])
def test_unseen_level_predicts_as_missing(kind, column, n_rows):
    net = fitted(FRAME, target_of(kind, FRAME), kind)
    rows = ROWS[:n_rows]
    for form in (FORMS["polars' strings"], FORMS["pandas' categories"], lambda X: X):
        unseen, missing = (form(rows.assign(**{column: value})) for value in ("new", None))
        np.testing.assert_array_equal(predict(net, unseen), predict(net, missing))
        assert not np.array_equal(predict(net, missing), predict(net, rows))


@pytest.fixture(scope="module")
def novelty():
    """Return a net, and the share of rows that are novel to it as a function."""
    net = DistanceNetClassifier(20, max_iter=15, random_state=0).fit(*draw_frame(300))

    def share(rows):
        return np.mean(net.score_samples(rows) < net.novelty_threshold_)

    return share


@pytest.mark.parametrize("column", ["color", "city"])
def test_unseen_level_is_novel(novelty, column):
    rows, _ = draw_frame(300, seed=1)
    assert novelty(rows.assign(**{column: "new"})) > 0.95
    assert novelty(rows.assign(**{column: None})) < 0.15


def test_known_rows_keep_their_false_alarms(novelty):
    for seed in (0, 1, 2):
        assert novelty(draw_frame(300, seed=seed)[0]) < 0.12


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_unseen_levels_are_usual_among_rare_ones(n_rows):
    """Each level has this number of rows, so that many rows of a trial have unseen ones, too."""
    rates = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        names = [f"n{number // n_rows}" for number in rng.permutation(300)]
        X = pd.DataFrame({"name": names, "x": rng.normal(size=300)})
        net = DistanceNetRegressor(12, max_iter=5, random_state=0).fit(X[:150], X["x"][:150])
        assert (~X["name"][150:].isin(X["name"][:150])).mean() > 0.2
        rates.append(np.mean(net.score_samples(X[150:]) < net.novelty_threshold_))
    assert np.mean(rates) < 0.1


def test_codes_have_no_bounds():
    bounds = fitted(FRAME, Y)._novelty_["bounds"]
    np.testing.assert_array_equal(np.isnan(bounds), [[True, False, True, True, False]] * 2)


def test_level_of_weightless_rows_is_unseen():
    weights = np.where(FRAME["color"] == "red", 0.0, 1.0)
    net = regressor(FRAME[FEW], FRAME["count"])
    net.fit(FRAME[FEW], FRAME["count"], weights)
    assert net.categories_[0].tolist() == ["blue", "green"]
    without = regressor(FRAME[FEW][weights > 0], FRAME["count"][weights > 0])
    np.testing.assert_array_equal(net.predict(ROWS[FEW]), without.predict(ROWS[FEW]))
    red, new = (net.predict(ROWS[FEW].assign(color=color)) for color in ("red", "new"))
    np.testing.assert_array_equal(red, new)


# Validation, weights, scores ----------------------------------------------------------------------


@both_kinds
def test_validation_rows_may_have_unseen_levels(kind):
    rows, y, y_val = ROWS.assign(city="new"), target_of(kind, FRAME), target_of(kind, ROWS)
    net = kind(**SMALL).fit(FRAME, y, X_val=rows, y_val=y_val)
    missing = kind(**SMALL).fit(FRAME, y, X_val=rows.assign(city=None), y_val=y_val)
    assert len(net.validation_loss_curve_) == net.n_iter_
    np.testing.assert_allclose(net.validation_loss_curve_, missing.validation_loss_curve_)
    assert net.best_validation_score_ == pytest.approx(net.score(rows, y_val))
    assert "new" not in net.categories_[3]


def score_of_rows(net, rows, y):
    """Score a net on validated rows, an array of codes."""
    assert rows.shape == (len(y), 5)
    assert np.nanmax(rows[:, 0]) <= 2
    return accuracy_score(y, net.predict(rows))


@pytest.mark.parametrize("validated", [True, False], ids=["set aside", "given"])
def test_scorers_see_codes_and_predict(validated):
    scores = []
    given = {} if validated else {"X_val": ROWS, "y_val": ROWS_Y}
    for scoring in ("accuracy", make_scorer(accuracy_score), score_of_rows):
        net = DistanceNetClassifier(**SMALL | {"early_stopping": validated, "scoring": scoring})
        scores.append(net.fit(FRAME, Y, **given).validation_scores_)
        if given:
            assert net.best_validation_score_ == pytest.approx(net.score(ROWS, ROWS_Y))
    np.testing.assert_array_equal(scores[1], scores[0])
    np.testing.assert_array_equal(scores[2], scores[0])
    assert net.predict(ROWS).shape == (len(ROWS),)


@both_kinds
def test_training_loss_is_that_of_predictions(kind):
    options = {"max_iter": 1, "learning_rate_init": 1e-12, "batch_size": 1000, "dropout": 0.0}
    if kind is DistanceNetClassifier:
        net = fitted(FRAME[FEW], Y, label_smoothing=0.0, **options)
        expected = log_loss(Y, net.predict_proba(FRAME[FEW]))
    else:
        net = regressor(FRAME[FEW], FRAME["count"], **options)
        expected = 0.5 * (1 - net.score(FRAME[FEW], FRAME["count"]))
    assert net.loss_curve_[0] == pytest.approx(expected, rel=1e-6)


def test_weight_counts_as_repetition():
    weights = np.arange(len(FRAME)) % 3 + 1
    repeated = np.repeat(np.arange(len(FRAME)), weights)
    options = {"batch_size": 1000, "init_median_activation": 0.5}
    options["init"] = [[0, -1.0, 0, 2], [1, 0.0, 1, 0], [2, 1.0, 1, 4]]
    options["hidden_layer_sizes"] = 3
    X, y = FRAME[FEW], FRAME["count"] + (FRAME["color"] == "red")
    weighted = DistanceNetRegressor(**ONE_FIT | options).fit(X, y, weights)
    by_rows = DistanceNetRegressor(**ONE_FIT | options).fit(X.iloc[repeated], y[repeated])
    np.testing.assert_allclose(weighted.predict(X), by_rows.predict(X), rtol=1e-6)


@both_kinds
def test_tools_of_scikit_learn_pass_frames(kind):
    y = target_of(kind, FRAME)
    net = kind(**ONE_FIT)
    predicted = cross_val_predict(net, FRAME, y, cv=2)
    assert predicted.shape == y.shape
    grid = {"categorical_features": ["from_dtype", ["color", "flag", "city"]]}
    scores = GridSearchCV(net, grid, cv=2).fit(FRAME, y).cv_results_["mean_test_score"]
    assert scores[0] == scores[1]
    again = clone(kind(**ONE_FIT, categorical_features=np.array([True, False, True, True, False])))
    np.testing.assert_array_equal(
        predict(again.fit(FRAME, y), ROWS), predict(net.fit(FRAME, y), ROWS)
    )


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_transform_keeps_its_output(container):
    net = fitted(FRAME, Y)
    activations = net.transform(ROWS)
    assert activations.shape == (len(ROWS), 8)
    frame = net.set_output(transform=container).transform(ROWS)
    assert isinstance(frame, pd.DataFrame if container == "pandas" else pl.DataFrame)
    np.testing.assert_array_equal(np.asarray(frame), activations)


# Files --------------------------------------------------------------------------------------------


def to_joblib(net):
    file = io.BytesIO()
    joblib.dump(net, file)
    file.seek(0)
    return joblib.load(file)


def to_skops(net):
    saved = skops.io.dumps(net)
    assert set(skops.io.get_untrusted_types(data=saved)) <= set(TRUSTED_TYPES)
    return skops.io.loads(saved, trusted=TRUSTED_TYPES)


COPIES = {
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "joblib": to_joblib,
    "skops": to_skops,
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@both_kinds
def test_saved_net_knows_its_levels(kind, copy):
    mixed = FRAME.assign(mixed=pd.Series([1, "a", 2.5, True] * 30, dtype=object))
    rows = ROWS.assign(mixed="a")
    net = fitted(mixed, target_of(kind, FRAME), kind)
    again = copy(net)
    np.testing.assert_array_equal(predict(again, rows), predict(net, rows))
    np.testing.assert_array_equal(again.score_samples(rows), net.score_samples(rows))
    for levels, of_copy in zip(net.categories_, again.categories_):
        np.testing.assert_array_equal(levels, of_copy)
    for each in (net, again):
        each.partial_fit(mixed.assign(mixed="new"), target_of(kind, FRAME))
    np.testing.assert_array_equal(predict(again, rows), predict(net, rows))


def test_only_warm_starts_keep_locations_of_folds():
    for warm_start in (False, True):
        net = fitted(FRAME, Y, warm_start=warm_start)
        of_folds = [locations["of_folds"] for locations in net._input_locations_]
        assert [each is not None for each in of_folds] == [False, False, warm_start]


@pytest.mark.filterwarnings("ignore:Training was interrupted")
@both_kinds
def test_interrupted_fits_resume(kind, tmp_path):
    y = np.asarray(target_of(kind, FRAME))
    for options in ({}, {"early_stopping": "auto"}, {"warm_start": True}):
        net = kind(**ONE_FIT | options)
        with checkpoint_every(2):
            resumed, _ = cut_off_and_resumed(net, tmp_path, 4, FRAME, y)
        assert same(resumed, clone(net).fit(FRAME, y))


# Other layers and settings ------------------------------------------------------------------------


COMPLETE = FRAME.fillna({"color": "red", "size": 0.0})
COMPLETE_ROWS = ROWS.fillna({"color": "red", "size": 0.0})
DENSE = [
    {"activation": "relu"},
    {"activation": "tanh", "linear_part": False},
    {"hidden_layer_sizes": (6, 5), "activation": ["tanh", "gaussian"]},
]


@both_kinds
@pytest.mark.parametrize("options", DENSE, ids=str)
def test_dense_layer_takes_unseen_level_as_mean(kind, options):
    net = fitted(COMPLETE, target_of(kind, FRAME), kind, **options)
    unseen = COMPLETE_ROWS.assign(city="new", color="new")
    inputs = np.empty((len(unseen), net._network.sizes[0]))
    net._input_map.apply(net._check_rows(unseen), inputs)
    assert np.isnan(inputs).sum() == 4 * len(unseen)
    expected = net._network.forward(net._theta_, np.nan_to_num(inputs))[-1]
    np.testing.assert_allclose(
        net._raw_output(net._check_rows(unseen)), expected, rtol=1e-9, atol=1e-12
    )
    for n_rows in (1, 3):
        actual = net._raw_output(net._check_rows(unseen[:n_rows]))
        np.testing.assert_allclose(actual, expected[:n_rows], rtol=1e-9, atol=1e-12)
    assert np.isnan(net.coefs_[0][[0, 2, 3]]).all()
    assert np.isfinite(net.coefs_[0][[1, 4]]).all()


@both_kinds
@pytest.mark.parametrize("column", ["color", "size"])
def test_dense_layer_refuses_missing_levels(kind, column):
    net = fitted(COMPLETE, target_of(kind, FRAME), kind, activation="relu")
    rows = COMPLETE.assign(**{column: [None] * len(COMPLETE)})
    rows = rows.astype({column: "float64" if column == "size" else object})
    for call in (net.predict, lambda X: net.fit(X, target_of(kind, FRAME))):
        with pytest.raises(ValueError, match=r"NaN.* distance layer.*'activation'"):
            call(rows)


@pytest.mark.parametrize("early_stopping", [True, "auto"])
def test_dense_layer_accepts_levels_of_one_row(early_stopping):
    X = COMPLETE.assign(own=[f"row {number}" for number in range(len(COMPLETE))])
    X["pair"] = ["a", "b"] * 58 + ["c", "d", "e", "f"]
    net = fitted(X, Y, activation="relu", early_stopping=early_stopping)
    assert np.isfinite(net.predict_proba(X)).all()
    assert np.isfinite(net.loss_curve_).all()


SETTINGS = [
    {"standardize": False},
    {"standardize": False, "init": "uniform", "init_median_activation": None},
    {"standardize": False, "alpha": 0.01, "penalty": "coupled"},
    {"dropout": 0.3},
    {"dtype": "float32"},
    {"n_init": 2},
    {"hidden_layer_sizes": (), "linear_part": False},
    *({"init": name} for name in INITIALIZERS),
    *({"radius_type": name, "activation": "cauchy"} for name in RADIUS_TYPES),
]


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_other_settings_learn_levels(options):
    y = np.where(FRAME["color"] == "red", "yes", "no")
    X = FRAME.drop(columns="city")
    net = fitted(X, y, **{"max_iter": 60, "batch_size": 20} | options)
    assert (
        net.score(
            ROWS.drop(columns="city"), ROWS["color"].eq("red").map({True: "yes", False: "no"})
        )
        > 0.9
    )


def test_initial_centroids_are_given_as_codes():
    init = [[0, -1.5, 0, 3, 2], [2, 0.5, 1, 20, 0], [1, 0.0, 1, 7, 4.5]]
    options = {"hidden_layer_sizes": 3, "max_iter": 1, "learning_rate_init": 1e-12}
    net = regressor(FRAME, FRAME["size"].fillna(0), init=init, **options)
    np.testing.assert_allclose(net.centroids_[0], init, atol=1e-6)
    decoded = net.decode_levels(net.centroids_[0])
    assert decoded[:, 0].tolist() == ["blue", "red", "green"]
    assert decoded[:, 2].tolist() == [False, True, True]
    assert decoded[1, 3] == net.categories_[3][20]
    np.testing.assert_allclose(decoded[:, 1].astype(float), [-1.5, 0.5, 0.0], atol=1e-6)
    with pytest.raises(ValueError, match=r"\(3, 5\)"):
        fitted(FRAME, Y, init=np.zeros((3, 7)), **options)


def test_initial_callable_gets_inputs():
    def first_rows(rows, n_units, random_state):
        assert rows.shape[1] == 1 + 3 + 1 + 1
        assert np.isfinite(rows).all()
        return rows[:n_units]

    assert np.isfinite(predict(fitted(FRAME[FEW], Y, init=first_rows), ROWS[FEW])).all()


def test_levels_of_wrong_points_are_refused():
    net = fitted(FRAME, Y)
    codes = [[0, 1.5, 1, 2, 3], [np.nan, 0.0, 0.5, 99, -1]]
    decoded = net.decode_levels(codes)
    assert decoded[0].tolist() == ["blue", 1.5, True, net.categories_[3][2], 3.0]
    assert decoded[1].tolist() == [None, 0.0, None, None, -1.0]
    for points in (codes[0], np.zeros((2, 4))):
        with pytest.raises(ValueError, match=r"points of shape \(n_points, 5\); got shape"):
            net.decode_levels(points)


@both_kinds
def test_attributes_have_an_entry_per_column(kind):
    net = fitted(FRAME, target_of(kind, FRAME), kind)
    assert net.centroids_[0].shape == net.inverse_radii_[0].shape == (8, 5)
    assert net.feature_relevances_.shape == (5,)
    assert net.feature_relevances_.sum() == pytest.approx(1)
    assert (net.feature_relevances_[[0, 1, 2, 3]] > 0).all()
    np.testing.assert_array_equal(np.isnan(net.linear_coef_).all(axis=0), net.is_categorical_)
    codes = net.centroids_[0][:, net.is_categorical_]
    assert (codes == np.floor(codes)).all()
    assert (net.inverse_radii_[0] >= 0).all()
