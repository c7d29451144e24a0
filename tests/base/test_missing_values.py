"""NaN in X: a first layer of distances measures them over the observed features."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.utils import get_tags

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, KERNELS
from skdistnet.inspection import gradient_flow

X, Y = load_iris(return_X_y=True)
MISSING = np.random.default_rng(0).random(X.shape) < 0.2
X_MISSING = np.where(MISSING, np.nan, X)
SMALL = {"hidden_layer_sizes": (12,), "max_iter": 20, "random_state": 0}
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
every_radius_type = pytest.mark.parametrize("radius_type", ["diag", "spherical", "tied"])


def predict(net, rows):
    return net.predict_proba(rows) if hasattr(net, "predict_proba") else net.predict(rows)


@both_kinds
@every_radius_type
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_accepts_missing_values(kind, radius_type, dtype):
    net = kind(**SMALL, radius_type=radius_type, dtype=dtype).fit(X_MISSING, Y)
    assert np.isfinite(predict(net, X_MISSING)).all()
    assert net.score(X_MISSING, Y) > 0.7


@both_kinds
def test_early_stopping_and_partial_fit_accept_missing_values(kind):
    net = kind(**SMALL, early_stopping=True).fit(X_MISSING, Y)
    assert np.isfinite(net.validation_loss_curve_).all()
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    net = kind(**SMALL).partial_fit(X, Y, **classes).partial_fit(X_MISSING, Y)
    assert np.isfinite(predict(net, X_MISSING)).all()


@both_kinds
def test_single_row_prediction_equals_batch_prediction(kind):
    net = kind(**SMALL).fit(X_MISSING, Y)
    alone = np.concatenate([predict(net, row[np.newaxis]) for row in X_MISSING[:20]])
    np.testing.assert_allclose(alone, predict(net, X_MISSING)[:20], rtol=1e-9)


@both_kinds
@pytest.mark.parametrize("standardize", [True, False])
def test_fully_missing_row_is_predicted_as_mean(kind, standardize):
    net = kind(**SMALL, standardize=standardize).fit(X_MISSING, Y)
    mean, all_missing = np.nanmean(X_MISSING, axis=0), np.full(4, np.nan)
    for n_rows in (1, 5):
        np.testing.assert_allclose(
            predict(net, np.tile(all_missing, (n_rows, 1))),
            predict(net, np.tile(mean, (n_rows, 1))),
            rtol=1e-9,
        )


@both_kinds
@pytest.mark.parametrize("standardize", [True, False])
def test_fully_missing_column_is_ignored(kind, standardize):
    partly_blank = X_MISSING.copy()
    partly_blank[:, 2] = np.nan
    net = kind(**SMALL, standardize=standardize).fit(partly_blank, Y)
    assert np.isnan(net.centroids_[0][:, 2]).all()
    assert np.isfinite(np.delete(net.centroids_[0], 2, axis=1)).all()
    for n_rows in (2, 50):
        np.testing.assert_allclose(
            predict(net, X_MISSING[:n_rows]), predict(net, partly_blank[:n_rows]), rtol=1e-9
        )


@both_kinds
def test_fully_missing_column_keeps_the_dtype(kind):
    partly_blank = X.copy()
    partly_blank[:, 2] = np.nan
    net = kind(**SMALL, dtype="float32").fit(partly_blank, Y)
    assert net.centroids_[0].dtype == np.float32


@both_kinds
def test_missing_values_in_prediction_cost_little(kind):
    net = kind(**SMALL).fit(X, Y)
    one_missing = X.copy()
    one_missing[np.arange(len(X)), np.arange(len(X)) % 4] = np.nan
    assert net.score(one_missing, Y) > net.score(X, Y) - 0.1


@both_kinds
def test_infinity_is_refused_beside_nan(kind):
    net = kind(**SMALL).fit(X_MISSING, Y)
    bad = X_MISSING.copy()
    bad[0, 0] = np.inf
    for call in (net.predict, lambda rows: net.fit(rows, Y)):
        with pytest.raises(ValueError, match="infinity"):
            call(bad)


@both_kinds
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dense_first_layer_refuses_nan_by_parameter(kind, activation):
    net = kind(**SMALL | {"activation": [activation, "gaussian"], "hidden_layer_sizes": (6, 6)})
    net.fit(X, Y)
    for call in (net.predict, lambda rows: net.fit(rows, Y)):
        with pytest.raises(
            ValueError, match=rf"NaN.* distance layer.*'activation' .*got.*{activation}"
        ):
            call(X_MISSING)


@both_kinds
@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        *(({"activation": name}, True) for name in KERNELS),
        *(({"activation": name}, False) for name in ACTIVATIONS),
        ({"activation": ["gaussian", "relu"], "hidden_layer_sizes": (3, 3)}, True),
        ({"activation": ["relu", "gaussian"], "hidden_layer_sizes": (3, 3)}, False),
        ({"activation": None}, False),
        ({"activation": []}, False),
    ],
)
def test_allow_nan_tag_follows_the_first_layer(kind, options, allowed):
    assert get_tags(kind(**options)).input_tags.allow_nan == allowed


def test_output_layer_decides_without_hidden_layers():
    net = DistanceNetClassifier((), max_iter=20, random_state=0)
    assert net.fit(X_MISSING, Y).score(X_MISSING, Y) > 0.8
    net.set_params(output_layer="linear")
    assert get_tags(net).input_tags.allow_nan  # the fitted network's
    assert not get_tags(clone(net)).input_tags.allow_nan
    with pytest.raises(ValueError, match="NaN"):
        net.fit(X_MISSING, Y)


@both_kinds
def test_custom_init_works_with_fully_missing_column(kind):
    partly_blank = X.copy()
    partly_blank[:, 1] = np.nan

    def first_rows(rows, n_units, random_state):
        assert np.isfinite(rows).all()
        return rows[:n_units]

    for init in (X[:12], first_rows):
        net = kind(**SMALL, init=init).fit(partly_blank, Y)
        assert np.isfinite(predict(net, partly_blank)).all()


def test_gradient_flow_uses_observed_values():
    net = DistanceNetClassifier(**SMALL).fit(X_MISSING, Y)
    flow = gradient_flow(net, X_MISSING, Y)
    assert np.isfinite(flow.gradient_norm).all()
    assert not np.allclose(flow.gradient_norm, gradient_flow(net, X, Y).gradient_norm)
