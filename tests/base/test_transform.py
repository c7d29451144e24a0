"""Hidden activations as features: `transform`, its feature names and its use in pipelines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

WINE, WINE_Y = load_wine(return_X_y=True, as_frame=True)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 5, "random_state": 0}
NAMES = [f"distancenetclassifier{number}" for number in range(5)]


@pytest.mark.parametrize("activation", ["gaussian", ["relu", "cauchy"], ["gaussian", "tanh"]])
@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
def test_transform_returns_last_hidden_activations(kind, activation):
    net = kind(**SMALL, activation=activation).fit(WINE.to_numpy(), WINE_Y)
    rows = net._input_map.scale_points(WINE.to_numpy())
    activations = net._network.forward(net._theta_, rows)[-2]
    np.testing.assert_allclose(net.transform(WINE.to_numpy()), activations, rtol=1e-6, atol=1e-9)


def test_fit_transform_is_fit_then_transform():
    net = DistanceNetClassifier(**SMALL)
    features = net.fit_transform(WINE, WINE_Y, sample_weight=np.arange(len(WINE)))
    again = DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y, np.arange(len(WINE))).transform(WINE)
    np.testing.assert_array_equal(features, again)


def test_sparse_rows_have_the_same_features():
    X = np.where(WINE.mean() < WINE, WINE, 0)
    net = DistanceNetClassifier(**SMALL).fit(X, WINE_Y)
    np.testing.assert_allclose(net.transform(csr_array(X)), net.transform(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_have_the_precision_of_the_net(dtype):
    X = WINE.to_numpy().astype(dtype)
    assert DistanceNetClassifier(**SMALL).fit(X, WINE_Y).transform(X).dtype == dtype
    single = DistanceNetClassifier(**SMALL, dtype="float32").fit(X, WINE_Y)
    assert single.transform(X).dtype == np.float32


@pytest.mark.parametrize(
    ("container", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)
def test_set_output_returns_data_frames(container, frame):
    net = DistanceNetClassifier(**SMALL).set_output(transform=container)
    features = net.fit_transform(WINE, WINE_Y)
    assert isinstance(features, frame)
    assert list(features.columns) == list(net.get_feature_names_out()) == NAMES
    plain = net.set_output(transform="default").transform(WINE)
    np.testing.assert_array_equal(features.to_numpy(), plain)


def test_linear_model_uses_hidden_activations():
    net = DistanceNetClassifier(20, max_iter=30, random_state=0)
    pipeline = make_pipeline(net, StandardScaler(), LogisticRegression())
    assert cross_val_score(pipeline, WINE, WINE_Y).mean() > 0.9
    names = pipeline[:-1].fit(WINE, WINE_Y).get_feature_names_out()
    assert names[0] == "distancenetclassifier0"
    assert len(names) == 20


def test_unions_and_column_transformers_accept_the_net():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    net = DistanceNetRegressor(5, max_iter=5, random_state=0)
    union = make_union(StandardScaler(), net).set_output(transform="pandas")
    assert union.fit_transform(X, y).shape == (len(X), 15)
    columns = make_column_transformer(
        (net, ["bmi", "bp"]), remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="polars")
    features = columns.fit_transform(X, y)
    assert features.columns[:6] == [*(f"distancenetregressor{n}" for n in range(5)), "age"]
    assert make_pipeline(columns, Ridge()).fit(X, y).predict(X).shape == (len(X),)


def test_input_feature_names_are_checked():
    net = DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y)
    assert list(net.get_feature_names_out(WINE.columns)) == NAMES


def test_unfitted_or_layerless_net_raises():
    net = DistanceNetClassifier((), max_iter=2, random_state=0)
    for call in (net.get_feature_names_out, lambda: net.transform(WINE)):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            call()
    net.fit(WINE, WINE_Y)
    for call in (net.get_feature_names_out, lambda: net.transform(WINE)):
        with pytest.raises(ValueError, match=r"none: it was fitted with hidden_layer_sizes=\(\)"):
            call()


def test_dir_works_without_hidden_layers():
    net = DistanceNetClassifier((), max_iter=2, random_state=0).fit(WINE, WINE_Y)
    assert "transform" in dir(net)
