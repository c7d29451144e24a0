"""DistanceNetRegressor learns, and follows scikit-learn's conventions."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_linnerud, make_friedman1
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, INITIALIZERS, KERNELS, SCHEDULES, SOLVERS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.recipes import inverse_time_decay

DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (10, 10), "max_iter": 5, "random_state": 0}


# Learning -----------------------------------------------------------------------------------------


def test_friedman_function_beats_linear_regression():
    parts = train_test_split(*make_friedman1(600, random_state=0), random_state=0)
    net = DistanceNetRegressor(hidden_layer_sizes=(50,), random_state=0)
    score = net.fit(parts[0], parts[2]).score(parts[1], parts[3])
    linear = LinearRegression().fit(parts[0], parts[2]).score(parts[1], parts[3])
    assert score > max(0.8, linear)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_defaults_predict_held_out_diabetes(dtype):
    net = DistanceNetRegressor(max_iter=20, dtype=dtype, random_state=0)
    assert cross_val_score(net, DIABETES, DIABETES_Y, cv=3).mean() > 0.4


def test_sine_wave_is_learned():
    X = np.linspace(-3, 3, 200)[:, np.newaxis]
    y = np.sin(3 * X[:, 0])
    net = DistanceNetRegressor((30,), max_iter=200, batch_size=50, random_state=0)
    assert net.fit(X, y).score(X, y) > 0.97


CHOICES = [
    *({"solver": name} for name in SOLVERS),
    *({"learning_rate": name} for name in SCHEDULES),
    pytest.param({"learning_rate": inverse_time_decay}, id="callable learning_rate"),
    *({"activation": name} for name in [*KERNELS, *ACTIVATIONS]),
    *({"radius_type": name} for name in RADIUS_TYPES),
    *({"init": name} for name in INITIALIZERS),
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (8,) * 4},
    {"activation": ["relu", "gaussian"]},
    {"alpha": 0.01},
    {"alpha": 0.01, "penalty": "coupled"},
    {"standardize": False},
]


@pytest.mark.parametrize("options", CHOICES, ids=str)
def test_training_lowers_the_loss_for_any_settings(options):
    options = {"max_iter": 30, "batch_size": 50, "learning_rate_init": 0.03} | options
    net = DistanceNetRegressor(**SMALL | options).fit(DIABETES, DIABETES_Y)
    assert net.loss_curve_[-1] < 0.8 * net.loss_curve_[0]
    assert net.score(DIABETES, DIABETES_Y) > 0.3


def test_recorded_loss_is_half_squared_error():
    net = DistanceNetRegressor(**SMALL | {"max_iter": 1, "learning_rate_init": 1e-12})
    net.fit(DIABETES, 1e3 * DIABETES_Y)
    unexplained = 1 - r2_score(1e3 * DIABETES_Y, net.predict(DIABETES))
    assert net.loss_ == pytest.approx(0.5 * unexplained, rel=1e-6)


# Predictions and input ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(442,), (442, 1), (442, 3)])
def test_predictions_have_the_target_shape(shape):
    y = np.broadcast_to(DIABETES_Y[:, np.newaxis], (442, np.prod(shape[1:], dtype=int)))
    net = DistanceNetRegressor(**SMALL).fit(DIABETES, y.reshape(shape))
    assert net.predict(DIABETES).shape == shape
    assert net.predict(DIABETES[:1]).shape == (1, *shape[1:])


def test_several_targets_keep_their_units():
    X, y = load_linnerud(return_X_y=True)
    y = y * [1.0, 1e6, 1e-6] + [0.0, 0.0, 5.0]
    net = DistanceNetRegressor((20,), alpha=0.0, max_iter=300, random_state=0).fit(X, y)
    assert (r2_score(y, net.predict(X), multioutput="raw_values") > 0.6).all()


@pytest.mark.parametrize(
    "y", [DIABETES_Y.astype(int), DIABETES_Y.astype(np.float32), DIABETES_Y.tolist()]
)
def test_numeric_targets_of_any_type_are_accepted(y):
    net = DistanceNetRegressor(**SMALL).fit(DIABETES, y)
    expected = DistanceNetRegressor(**SMALL).fit(DIABETES, DIABETES_Y).predict(DIABETES)
    np.testing.assert_allclose(net.predict(DIABETES), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("input_dtype", "dtype", "computed"),
    [
        ("float64", None, "float64"),
        ("float32", None, "float32"),
        ("int64", None, "float64"),
        ("float64", "float32", "float32"),
        ("float32", "float64", "float64"),
    ],
)
def test_precision_follows_input_or_dtype(input_dtype, dtype, computed):
    X = (1000 * DIABETES).astype(input_dtype)
    net = DistanceNetRegressor(**SMALL, dtype=dtype).fit(X, DIABETES_Y)
    assert net.predict(X).dtype == computed
    assert {part.dtype for part in net.coefs_ if part is not None} == {np.dtype(computed)}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_feature_names_are_recorded(make):
    frame = make({name: DIABETES[:, i] for i, name in enumerate("abcdefghij")})
    net = DistanceNetRegressor(**SMALL).fit(frame, DIABETES_Y)
    assert "".join(net.feature_names_in_) == "abcdefghij"
    plain = DistanceNetRegressor(**SMALL).fit(DIABETES, DIABETES_Y)
    np.testing.assert_allclose(net.predict(frame), plain.predict(DIABETES), rtol=1e-9)


def test_series_targets_are_accepted():
    series = pd.Series(DIABETES_Y, name="progress")
    net = DistanceNetRegressor(**SMALL).fit(DIABETES, series)
    assert net.predict(DIABETES).shape == (442,)


def test_constant_target_is_predicted():
    net = DistanceNetRegressor((5,), max_iter=200, random_state=0)
    net.fit(DIABETES, np.full(442, 1e6))
    np.testing.assert_allclose(net.predict(DIABETES), 1e6, atol=0.1)


def test_target_scaling_by_scikit_learn_changes_nothing():
    net = DistanceNetRegressor(**SMALL)
    wrapped = TransformedTargetRegressor(net, transformer=StandardScaler())
    np.testing.assert_allclose(
        wrapped.fit(DIABETES, DIABETES_Y).predict(DIABETES),
        net.fit(DIABETES, DIABETES_Y).predict(DIABETES),
        rtol=1e-6,
    )


def test_grid_search_over_init_and_learning_rate():
    pipeline = make_pipeline(StandardScaler(), DistanceNetRegressor(**SMALL | {"max_iter": 15}))
    grid = {
        "distancenetregressor__init": sorted(INITIALIZERS),
        "distancenetregressor__learning_rate_init": [1e-9, 0.03],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(DIABETES, DIABETES_Y)
    assert search.best_params_["distancenetregressor__learning_rate_init"] == 0.03
    assert search.best_score_ > 0.25
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
