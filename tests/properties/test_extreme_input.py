"""Numbers near the limits of the dtype give finite predictions or an error, never NaN."""

import warnings
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, INITIALIZERS, KERNELS
from skdistnet.engine.layers.distances import RADIUS_TYPES

# scikit-learn sums X to check that it is finite.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in reduce")

X, Y = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": (8, 8), "max_iter": 4, "random_state": 0}
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
X32 = X.astype(np.float32)


def spike(value, dtype=np.float64):
    changed = X.astype(dtype)
    changed[3, 1] = value
    return changed


EXTREMES = {
    "one cell of 1e300": spike(1e300),
    "one cell of -1.7e308": spike(-1.7e308),
    "one cell of 3e38 in single precision": spike(3e38, np.float32),
    "all near 1e300": X * 1e300,
    "both ends of the range": np.where(X > 3, 1.7e308, -1.7e308),
    "both ends of single precision": np.where(X > 6, 3e38, -3e38).astype(np.float32),
    "denormals": X * 1e-310,
    "denormals of single precision": X32 * np.float32(1e-40),
    "tiny but normal": X * 1e-200,
    "smallest number": np.where(X > 3, 5e-324, 0.0),
    "offset of 1e15": X + 1e15,
    "offset of 1e300": X + 1e300,
    "offset of 1e7 in single precision": X32 + np.float32(1e7),
    "columns from 1e-300 to 1e300": X * np.array([1e-300, 1e-100, 1e100, 1e300]),
    "all constant": np.ones_like(X),
    "a constant 1e300": np.column_stack([X, np.full(len(X), 1e300)]),
}
every_extreme = pytest.mark.parametrize("data", EXTREMES.values(), ids=EXTREMES)


def predict(net, data):
    if isinstance(net, DistanceNetClassifier):
        raw = net.decision_function(data), net.predict_log_proba(data)
        assert not np.isnan(raw).any()
        np.testing.assert_allclose(net.predict_proba(data).sum(axis=1), 1, rtol=1e-5)
        return net.predict_proba(data)
    return net.predict(data)


@both_kinds
@every_extreme
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("linear_part", [True, False])
def test_extreme_training_data_give_finite_predictions(kind, data, dtype, standardize, linear_part):
    net = kind(**SMALL, dtype=dtype, standardize=standardize, linear_part=linear_part)
    may_diverge = linear_part and not standardize
    with suppress(ValueError), warnings.catch_warnings():
        if may_diverge:
            warnings.filterwarnings("ignore", "Training diverged")
        net.fit(data, Y)
        assert np.isfinite(predict(net, data)).all()
        assert np.isfinite(net.loss_curve_).all()
        assert net.n_iter_ == 4 or may_diverge


@both_kinds
@pytest.mark.parametrize(
    "name",
    [
        "one cell of 1e300",
        "all near 1e300",
        "denormals",
        "denormals of single precision",
        "offset of 1e300",
        "offset of 1e7 in single precision",
        "columns from 1e-300 to 1e300",
        "all constant",
        "a constant 1e300",
    ],
)
def test_standardizable_data_are_accepted(kind, name):
    net = kind(**SMALL).fit(EXTREMES[name], Y)
    assert np.isfinite(predict(net, EXTREMES[name])).all()


@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize(
    ("activation", "init"),
    [*product(KERNELS, INITIALIZERS), *product(ACTIVATIONS, ["sample"])],
)
@both_kinds
def test_extreme_rows_have_finite_predictions(kind, activation, init, radius_type):
    options = {"activation": activation, "radius_type": radius_type, "init": init}
    net = kind(**SMALL | {"max_iter": 1}, **options).fit(X, Y)
    for data in (v for v in EXTREMES.values() if v.shape == X.shape):
        assert np.isfinite(predict(net, data)).all()


@both_kinds
@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_rows_in_another_precision_have_finite_predictions(kind, scale):
    net = kind(**SMALL).fit(X * scale, Y)
    rows = np.array([[0, 0, 0, 0], [3e38, -3e38, 1e-40, 1]], dtype=np.float32)
    assert np.isfinite(predict(net, rows)).all()


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_large_targets_stay_finite_on_extreme_rows(hidden):
    net = DistanceNetRegressor(**SMALL | {"hidden_layer_sizes": hidden}).fit(X, Y * 1e200)
    assert np.isfinite(net.predict(np.full((1, 4), 1e300))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("scale", "offset"), [(1e30, 0), (1e-30, 0), (1, 1e12), (0, 7)])
def test_targets_in_any_units_are_learned(dtype, scale, offset):
    y = scale * Y + offset
    predictions = DistanceNetRegressor(**SMALL, dtype=dtype).fit(X, y).predict(X)
    assert np.isfinite(predictions).all()
    span = (np.ptp(y) or 1.0) + 1e-6 * np.abs(y).max()
    assert (np.abs(predictions - y.mean()) <= 3 * span).all()


def test_denormal_targets_have_finite_predictions():
    assert np.isfinite(DistanceNetRegressor(**SMALL).fit(X, Y * 1e-310).predict(X)).all()


@both_kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ratio", [1e-60, 1e-200, 1e-320])
def test_weights_of_any_ratio_are_accepted(kind, dtype, ratio):
    weights = np.where(np.arange(len(X)) % 2, 1.0, ratio)
    net = kind(**SMALL, dtype=dtype).fit(X, Y, weights)
    assert np.isfinite(predict(net, X)).all()


@both_kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fitted_attributes_are_finite_for_large_inputs(kind, dtype):
    net = kind(**SMALL, dtype=dtype).fit(X * 1e100, Y)
    for name in ("centroids_", "inverse_radii_"):
        first = getattr(net, name)[0]
        assert np.isfinite(first).all()
        assert np.abs(first).max() > 0


# Failures first seen with generated data ----------------------------------------------------------


@both_kinds
def test_column_beyond_the_dtype_is_refused(kind):
    """The check must not cover only the column farthest away relative to its spread."""
    ends = np.where(np.arange(len(X)) % 2, 1.0, -1.0) * np.finfo(np.float32).max
    data = np.column_stack([X32, ends.astype(np.float32)])
    with pytest.raises(ValueError, match=r"Column 4 of X reaches 3\.\d+e\+38 away from its mean"):
        kind(**SMALL).fit(data, Y)


@both_kinds
@pytest.mark.parametrize(("value", "dtype"), [(1.7e308, np.float64), (3e38, np.float32)])
def test_k_means_accepts_huge_constants(kind, value, dtype):
    """Rounding errors of the mean of such a constant must not count as spread."""
    data = np.column_stack([X, np.full(len(X), value)]).astype(dtype)
    net = kind(**SMALL, init="kmeans", standardize=False).fit(data, Y)
    assert np.isfinite(predict(net, data)).all()


@both_kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore:Training diverged")
def test_partial_fit_continues_after_much_larger_rows(kind, dtype):
    """Such rows overflow when scaled, which counts as divergence and raises no RuntimeWarning."""
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    net = kind(**SMALL, dtype=dtype).partial_fit(X * 1e-100, Y, **classes)
    net.partial_fit(X * 1e300, Y)
    assert np.isfinite(predict(net, X)).all()


@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
def test_overflowing_parameters_in_data_units_do_not_warn(kind):
    data = np.column_stack([X, *[np.full(len(X), 1.7e308)] * 9])
    net = kind(**SMALL | {"activation": "tanh"}, standardize=False, init_median_activation=None)
    net.fit(data, Y)
    assert net.intercepts_[0].shape == (8,)
    net = DistanceNetRegressor((), random_state=0, max_iter=3).fit(X * 1e-300, Y * 1e200)
    assert net.coefs_[0].shape == (4, 1)


@both_kinds
def test_weights_with_overflowing_ratio_are_accepted(kind):
    """Initial rows are drawn by the logarithm of the weights, as some ratios round to zero."""
    weights = np.where(np.arange(len(X)) % 2, 1e300, 1e-300)
    net = kind(**SMALL | {"hidden_layer_sizes": (100,)}).fit(X, Y, weights)
    assert np.isfinite(predict(net, X)).all()


@both_kinds
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.filterwarnings("ignore:Training diverged")
def test_start_far_from_rows_does_not_warn(kind, radius_type):
    """The next layer must not start from differences of infinite distances."""
    options = {"standardize": False, "init": "uniform", "activation": "cauchy"}
    for scale in (1e147, 1e148, 1e149):
        net = kind(**SMALL, **options, radius_type=radius_type)
        with suppress(ValueError):
            net.fit(X * [1, 1, scale, 1], Y)
            assert np.isfinite(predict(net, X)).all()


def test_logits_near_overflow_do_not_warn():
    net = DistanceNetClassifier((), output_layer="linear", max_iter=2, random_state=0).fit(X, Y)
    largest = np.finfo(np.float64).max
    far = np.vstack([X, -X]) * 1e3
    net._theta_ = net._theta_ * (0.9 * largest / np.abs(net.decision_function(far)).max())
    raw = net.decision_function(far)
    assert np.abs(raw).max() == largest / 4
    assert np.isfinite(net.predict_proba(far)).all()
    assert np.isfinite(net.predict_log_proba(far)).all()


@pytest.mark.parametrize("name", ["all constant", "denormals", "tiny but normal"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(), (8,), (8, 8), (8, 8, 8)])
def test_uninformative_data_give_class_frequencies(name, dtype, sizes):
    net = DistanceNetClassifier(sizes, max_iter=100, dtype=dtype, random_state=0)
    net.fit(EXTREMES[name], Y)
    assert max(net.loss_curve_) < 10
    np.testing.assert_allclose(net.predict_proba(EXTREMES[name]), 1 / 3, atol=0.05)
