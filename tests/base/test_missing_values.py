"""NaN in X: a distance over the features that are there, where the first layer measures one."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.utils import get_tags

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, KERNELS
from skdistnet.inspection import gradient_flow

X, Y = load_iris(return_X_y=True)
HOLES = np.random.default_rng(0).random(X.shape) < 0.2
HOLED = np.where(HOLES, np.nan, X)
SMALL = {"hidden_layer_sizes": (12,), "max_iter": 20, "random_state": 0}
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
every_radius_type = pytest.mark.parametrize("radius_type", ["diag", "spherical", "tied"])


def answers(net, rows):
    return net.predict_proba(rows) if hasattr(net, "predict_proba") else net.predict(rows)


@both_kinds
@every_radius_type
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_with_holes_are_learned_from(kind, radius_type, dtype):
    net = kind(**SMALL, radius_type=radius_type, dtype=dtype).fit(HOLED, Y)
    assert np.isfinite(answers(net, HOLED)).all()
    assert net.score(HOLED, Y) > 0.7


@both_kinds
def test_early_stopping_and_partial_fit_take_holes(kind):
    net = kind(**SMALL, early_stopping=True).fit(HOLED, Y)
    assert np.isfinite(net.validation_loss_curve_).all()
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    net = kind(**SMALL).partial_fit(X, Y, **classes).partial_fit(HOLED, Y)
    assert np.isfinite(answers(net, HOLED)).all()


@both_kinds
def test_a_row_is_answered_alone_as_among_others(kind):
    net = kind(**SMALL).fit(HOLED, Y)
    alone = np.concatenate([answers(net, row[np.newaxis]) for row in HOLED[:20]])
    np.testing.assert_allclose(alone, answers(net, HOLED)[:20], rtol=1e-9)


@both_kinds
@pytest.mark.parametrize("standardize", [True, False])
def test_a_row_of_nothing_is_answered_as_the_mean_of_the_training_data(kind, standardize):
    net = kind(**SMALL, standardize=standardize).fit(HOLED, Y)
    mean, nothing = np.nanmean(HOLED, axis=0), np.full(4, np.nan)
    for n_rows in (1, 5):
        np.testing.assert_allclose(
            answers(net, np.tile(nothing, (n_rows, 1))),
            answers(net, np.tile(mean, (n_rows, 1))),
            rtol=1e-9,
        )


@both_kinds
@pytest.mark.parametrize("standardize", [True, False])
def test_a_column_of_nothing_is_ignored(kind, standardize):
    blank = HOLED.copy()
    blank[:, 2] = np.nan
    net = kind(**SMALL, standardize=standardize).fit(blank, Y)
    assert np.isnan(net.centroids_[0][:, 2]).all()
    assert np.isfinite(np.delete(net.centroids_[0], 2, axis=1)).all()
    for n_rows in (2, 50):
        np.testing.assert_allclose(
            answers(net, HOLED[:n_rows]), answers(net, blank[:n_rows]), rtol=1e-9
        )


@both_kinds
def test_results_keep_the_precision_asked_for_beside_a_column_of_nothing(kind):
    blank = X.copy()
    blank[:, 2] = np.nan
    net = kind(**SMALL, dtype="float32").fit(blank, Y)
    assert net.centroids_[0].dtype == np.float32


@both_kinds
def test_holes_in_prediction_alone_lose_little(kind):
    net = kind(**SMALL).fit(X, Y)
    one_hole = X.copy()
    one_hole[np.arange(len(X)), np.arange(len(X)) % 4] = np.nan
    assert net.score(one_hole, Y) > net.score(X, Y) - 0.1


@both_kinds
def test_infinity_is_refused_beside_nan(kind):
    net = kind(**SMALL).fit(HOLED, Y)
    bad = HOLED.copy()
    bad[0, 0] = np.inf
    for call in (net.predict, lambda rows: net.fit(rows, Y)):
        with pytest.raises(ValueError, match="infinity"):
            call(bad)


@both_kinds
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_dot_product_takes_no_nan_and_says_which_parameter_decides(kind, activation):
    net = kind(**SMALL | {"activation": [activation, "gaussian"], "hidden_layer_sizes": (6, 6)})
    net.fit(X, Y)
    for call in (net.predict, lambda rows: net.fit(rows, Y)):
        with pytest.raises(ValueError, match=rf"NaN.* radial 'activation' .*got.*{activation}"):
            call(HOLED)


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
def test_the_tag_says_whether_the_first_layer_measures_distances(kind, options, allowed):
    assert get_tags(kind(**options)).input_tags.allow_nan == allowed


def test_without_hidden_layers_the_output_layer_decides():
    net = DistanceNetClassifier((), max_iter=20, random_state=0)
    assert net.fit(HOLED, Y).score(HOLED, Y) > 0.8
    net.set_params(output_layer="linear")
    assert get_tags(net).input_tags.allow_nan  # the fitted network's
    assert not get_tags(clone(net)).input_tags.allow_nan
    with pytest.raises(ValueError, match="NaN"):
        net.fit(HOLED, Y)


@both_kinds
def test_an_array_and_a_function_place_centroids_beside_a_column_of_nothing(kind):
    blank = X.copy()
    blank[:, 1] = np.nan

    def first_rows(rows, n_units, random_state):
        assert np.isfinite(rows).all()
        return rows[:n_units]

    for init in (X[:12], first_rows):
        net = kind(**SMALL, init=init).fit(blank, Y)
        assert np.isfinite(answers(net, blank)).all()


def test_gradient_flow_is_measured_over_what_is_there():
    net = DistanceNetClassifier(**SMALL).fit(HOLED, Y)
    flow = gradient_flow(net, HOLED, Y)
    assert np.isfinite(flow.gradient_norm).all()
    assert not np.allclose(flow.gradient_norm, gradient_flow(net, X, Y).gradient_norm)
