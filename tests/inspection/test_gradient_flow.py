"""Tests of `gradient_flow`: norms, dead and saturated units, batches and weights."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, KERNELS, Network
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.inspection import _fitted_net, gradient_flow

WINE, WINE_Y = (part[::6] for part in load_wine(return_X_y=True))
DIABETES, DIABETES_Y = (part[::12] for part in load_diabetes(return_X_y=True))
SMALL = {"hidden_layer_sizes": (5, 4), "max_iter": 3, "random_state": 0}
PARTS = ("centroids", "inverse_radii", "coefs", "intercepts")
BY_PART = [f"{part}_gradient_norm" for part in (*PARTS, "linear_coef")]
NORMS = ("gradient_norm", *BY_PART, "output_gradient_norm")
MEASURES = (*NORMS, "activation_mean", "activation_std", "dead_share", "saturated_share")


def fitted(activation="gaussian", is_regressor=False, **options):
    """Return a small net, its rows and its targets."""
    kind = DistanceNetRegressor if is_regressor else DistanceNetClassifier
    X, y = (DIABETES, DIABETES_Y) if is_regressor else (WINE, WINE_Y)
    return kind(**SMALL | options, activation=activation).fit(X, y), X, y


def in_network_units(net, X, y):
    """Compute rows and targets as the net is trained on them."""
    X = (X - net._input_shift_) / net._input_scale_
    if isinstance(net, DistanceNetRegressor):
        return X, (y.reshape(len(y), -1) - y.mean(axis=0)) / y.std(axis=0)
    share = net.label_smoothing
    one_hot = y[:, np.newaxis] == net.classes_
    return X, one_hot * (1 - share) + share / len(net.classes_)


def central_differences(function, x, step=1e-6):
    """Return the gradient of a function of an array at `x`, element by element."""
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[index] += step
        behind[index] -= step
        gradient[index] = (function(ahead) - function(behind)) / (2 * step)
    return gradient


def set_units(net, layer, units, **values):
    """Overwrite the parameters of the `units`, a slice, of a layer."""
    views = net._network.views(net._theta_)[layer]
    for name, value in values.items():
        part = views[name][:, units] if name == "coefs" else views[name][units]
        part[...] = value


def assert_same(flow, other, **tolerance):
    assert flow.keys() == other.keys()
    assert flow.kind.tolist() == other.kind.tolist()
    for name in MEASURES:
        np.testing.assert_allclose(flow[name], other[name], err_msg=name, **tolerance)


nets = pytest.mark.parametrize(
    ("activation", "options"),
    [
        ("gaussian", {}),
        *(("gaussian", {"radius_type": name}) for name in RADIUS_TYPES if name != "diag"),
        ("cauchy", {"output_layer": "linear", "label_smoothing": 0.3}),
        (["tanh", "gaussian"], {}),
        (["gaussian", "logistic"], {"standardize": False}),
        ("relu", {"output_layer": "linear"}),
        ("gaussian", {"is_regressor": True}),
        (["identity", "cauchy"], {"is_regressor": True}),
    ],
    ids=str,
)


# Gradients ----------------------------------------------------------------------------------------


@nets
def test_gradient_norms_match_central_differences(activation, options):
    net, X, y = fitted(activation, **options)
    network, (rows, target) = net._network, in_network_units(net, X, y)

    def loss(theta):
        return network.loss_and_grad(theta, rows, target, loss=getattr(net, "loss", "log_loss"))[0]

    gradient = central_differences(loss, net._theta_)
    flow = gradient_flow(net, X, y)
    expected = [np.linalg.norm(gradient[part]) for part in network.slices]
    np.testing.assert_allclose(flow.gradient_norm, expected, rtol=1e-5, atol=1e-8)
    parts = network.unpack(gradient)
    for name in PARTS:
        expected = [np.nan if part is None else np.linalg.norm(part) for part in parts[name]]
        actual = flow[f"{name}_gradient_norm"]
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-8, err_msg=name)
    expected = [np.nan, np.nan, np.linalg.norm(parts.linear_coefs)]
    np.testing.assert_allclose(flow.linear_coef_gradient_norm, expected, rtol=1e-5)


@nets
def test_output_gradient_norms_match_central_differences(activation, options):
    net, X, y = fitted(activation, linear_part=False, **options)
    network, (rows, target) = net._network, in_network_units(net, X, y)
    activations = network.forward(net._theta_, rows)
    _, names, output_layer, radius_type, *_ = net._specification_
    expected = []
    for layer in (0, 1):
        rest = Network(network.sizes[layer + 1 :], names[layer + 1 :], output_layer, radius_type)
        theta = net._theta_[network.slices[layer + 1].start :]

        def loss(H, rest=rest, theta=theta):
            return rest.loss_and_grad(theta, H, target, loss=getattr(net, "loss", "log_loss"))[0]

        # Each row has a share of 1 / len(X) in the mean loss.
        of_rows = len(X) * central_differences(loss, activations[layer])
        expected.append(np.sqrt(np.mean(np.sum(of_rows**2, axis=1))))
    actual = gradient_flow(net, X, y).output_gradient_norm[:2]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-8)


def test_log_loss_gradient_is_probability_minus_target():
    net, X, y = fitted(label_smoothing=0.0)
    residuals = net.predict_proba(X) - (y[:, np.newaxis] == net.classes_)
    expected = np.sqrt(np.mean(np.sum(residuals**2, axis=1)))
    actual = gradient_flow(net, X, y).output_gradient_norm[-1]
    np.testing.assert_allclose(actual, expected, rtol=1e-10)


# Rows, weights and batches ------------------------------------------------------------------------


@nets
@pytest.mark.parametrize("weighted", [False, True])
def test_batches_add_up(activation, options, weighted, monkeypatch):
    net, X, y = fitted(activation, **options)
    weights = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    full = gradient_flow(net, X, y, weights)
    assert len(X) % 7
    for n_numbers in (7 * sum(net._network.sizes), 1):
        monkeypatch.setattr(_fitted_net, "BATCH_NUMBERS", n_numbers)
        assert_same(gradient_flow(net, X, y, weights), full, rtol=1e-8, atol=1e-14)


@nets
def test_weights_equal_repeated_rows(activation, options):
    net, X, y = fitted(activation, **options)
    counts = np.arange(len(X)) % 4
    weighted = gradient_flow(net, X, y, 0.1 * counts)
    repeated = gradient_flow(net, np.repeat(X, counts, axis=0), np.repeat(y, counts))
    assert_same(weighted, repeated, rtol=1e-8, atol=1e-14)


def test_weights_of_any_magnitude_are_accepted(monkeypatch):
    net, X, y = fitted(dtype="float32")
    weights = np.where(np.arange(len(X)) < 8, 1.0, 1e-300)
    monkeypatch.setattr(_fitted_net, "BATCH_NUMBERS", 5 * sum(net._network.sizes))
    actual, expected = (
        gradient_flow(net, X, y, weights),
        gradient_flow(net, X[:8], y[:8], [1e9] * 8),
    )
    for name in (*NORMS, "activation_mean", "activation_std"):
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-4, err_msg=name)


def test_moments_match_those_of_the_activations():
    net, X, y = fitted()
    activations = net._network.forward(net._theta_, in_network_units(net, X, y)[0])
    flow = gradient_flow(net, X, y)
    np.testing.assert_allclose(flow.activation_mean, [a.mean() for a in activations], rtol=1e-10)
    spreads = [a.std(axis=0).mean() for a in activations]
    np.testing.assert_allclose(flow.activation_std, spreads, rtol=1e-10)


def test_single_precision_gives_nearly_equal_results():
    double, X, y = fitted()
    single, _, _ = fitted(dtype="float32")
    single._theta_ = double._theta_.astype(np.float32)
    flow, expected = gradient_flow(single, X, y), gradient_flow(double, X, y)
    assert_same(flow, expected, rtol=1e-3, atol=1e-5)
    assert flow.gradient_norm.dtype == np.float64


@pytest.mark.parametrize("activation", ["gaussian", "cauchy", "relu"])
def test_distance_layers_stay_finite_for_huge_rows(activation):
    net, X, y = fitted(activation)
    far = X.copy()
    far[0, 0] = 1e200
    flow = gradient_flow(net, far, y)
    finite = np.isfinite([flow[name] for name in ("gradient_norm", "output_gradient_norm")])
    assert finite.all() == (activation != "relu")


def test_gradient_flow_does_not_modify_the_estimator():
    net, X, y = fitted()
    before = joblib.hash(vars(net))
    gradient_flow(net, X, y)
    assert joblib.hash(vars(net)) == before


# Dead and saturated units -------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_silent_distance_units_are_dead(kernel):
    net, X, y = fitted(kernel)
    assert gradient_flow(net, X, y).dead_share.tolist() == [0, 0, 0]
    set_units(net, 0, slice(1), centroids=1e4)
    set_units(net, 1, slice(3), centroids=-1e4, inverse_radii=1.0)
    flow = gradient_flow(net, X, y)
    np.testing.assert_allclose(flow.dead_share, [1 / 5, 3 / 4, 0])
    np.testing.assert_array_equal(flow.saturated_share, 0)


def test_unit_active_for_one_row_is_alive(monkeypatch):
    net, X, y = fitted()
    rows, _ = in_network_units(net, X, y)
    monkeypatch.setattr(_fitted_net, "BATCH_NUMBERS", 3 * sum(net._network.sizes))
    set_units(net, 0, slice(1), centroids=rows[10], inverse_radii=100.0)
    assert gradient_flow(net, X, y).dead_share[0] == 0
    assert gradient_flow(net, np.delete(X, 10, axis=0), np.delete(y, 10)).dead_share[0] == 1 / 5


@pytest.mark.parametrize("kernel", KERNELS)
def test_distance_units_always_near_one_are_saturated(kernel):
    net, X, y = fitted(kernel)
    rows, _ = in_network_units(net, X, y)
    # The activation for the farthest row is 0.995: it varies, but within the last hundredth.
    radius = np.sqrt(0.01 / np.max(np.sum(rows**2, axis=1)))
    set_units(net, 0, slice(2), centroids=0.0, inverse_radii=radius)
    flow = gradient_flow(net, X, y)
    np.testing.assert_allclose(flow.saturated_share, [2 / 5, 0, 0])
    np.testing.assert_array_equal(flow.dead_share, 0)
    # With inverse radii of zero the activation is 1 for every row.
    set_units(net, 0, slice(2), inverse_radii=0.0)
    flow = gradient_flow(net, X, y)
    assert flow.saturated_share[0] == flow.dead_share[0] == 2 / 5


@pytest.mark.parametrize(
    ("activation", "value", "is_saturated"),
    [
        *(("tanh", value, abs(value) > 0.98) for value in (-1, -0.985, -0.97, 0, 0.97, 0.985)),
        *(("logistic", value, abs(value - 0.5) > 0.49) for value in (0.005, 0.02, 0.98, 0.995)),
    ],
)
def test_bounded_units_near_an_end_are_saturated(activation, value, is_saturated):
    net, X, y = fitted(activation)
    half = value if activation == "tanh" else 2 * value - 1
    z = np.arctanh(np.clip(half, -1 + 1e-12, 1 - 1e-12))
    set_units(net, 1, slice(1), coefs=0.0, intercepts=z if activation == "tanh" else 2 * z)
    flow = gradient_flow(net, X, y)
    np.testing.assert_allclose(flow.saturated_share, [0, is_saturated / 4, 0])
    np.testing.assert_allclose(flow.dead_share, [0, 1 / 4, 0])


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_unit_switching_between_ends_is_saturated_only(activation):
    net, X, y = fitted(activation)
    set_units(net, 0, slice(1), coefs=1e6)
    flow = gradient_flow(net, X, y)
    np.testing.assert_allclose(flow.saturated_share, [1 / 5, 0, 0])
    np.testing.assert_array_equal(flow.dead_share, 0)


@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_constant_units_of_unbounded_activations_are_dead(activation):
    net, X, y = fitted(activation)
    set_units(net, 0, slice(2), coefs=0.0, intercepts=-1.0 if activation == "relu" else 7.0)
    flow = gradient_flow(net, X, y)
    assert flow.dead_share[0] >= 2 / 5
    np.testing.assert_array_equal(flow.saturated_share, 0)
    # The scale of unbounded activations does not matter.
    net._theta_[net._network.slices[0]] *= 1e-6
    assert gradient_flow(net, X, y).dead_share[0] == flow.dead_share[0]


def test_silent_layer_is_dead_and_stops_gradients():
    net, X, y = fitted(["gaussian", "relu"], linear_part=False)
    set_units(net, 1, slice(None), intercepts=-1e3)
    flow = gradient_flow(net, X, y)
    np.testing.assert_array_equal(flow.dead_share[1:], 1)
    np.testing.assert_array_equal(flow.gradient_norm[:2], 0)
    assert flow.activation_std[1] == flow.activation_mean[1] == 0


# Results and errors -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*KERNELS, *ACTIVATIONS])
def test_kinds_and_missing_parameters(name):
    net, X, y = fitted([name, "gaussian"])
    flow = gradient_flow(net, X, y)
    assert flow.kind.tolist() == [name, "gaussian", "distance"]
    assert flow.n_units.tolist() == [5, 4, 3]
    is_dense = np.array([name in ACTIVATIONS, False, False])
    for part in PARTS:
        missing = ~is_dense if part in ("coefs", "intercepts") else is_dense
        np.testing.assert_array_equal(np.isnan(flow[f"{part}_gradient_norm"]), missing)
    full = np.nansum([flow[f"{part}_gradient_norm"] ** 2 for part in PARTS], axis=0)
    np.testing.assert_allclose(flow.gradient_norm**2, full)


def test_net_without_linear_part_has_no_norm_of_it():
    net, X, y = fitted(linear_part=False)
    assert np.isnan(gradient_flow(net, X, y).linear_coef_gradient_norm).all()


@pytest.mark.parametrize("sizes", [(), 4, (4,) * 6])
@pytest.mark.parametrize("is_regressor", [False, True])
def test_every_array_has_an_entry_per_layer(sizes, is_regressor):
    net, X, y = fitted(hidden_layer_sizes=sizes, is_regressor=is_regressor)
    flow = gradient_flow(net, X, y)
    assert set(flow) == {"kind", "n_units", *MEASURES}
    assert {values.shape for values in flow.values()} == {(np.size(sizes) + 1,)}
    assert flow.kind[-1] == ("linear" if is_regressor else "distance")
    assert pd.DataFrame(flow).shape == (np.size(sizes) + 1, 2 + len(MEASURES))


def test_several_targets_and_string_labels_are_measured():
    targets = np.column_stack([DIABETES_Y, 1e6 * DIABETES_Y])
    net = DistanceNetRegressor(**SMALL).fit(DIABETES, targets)
    assert np.isfinite(gradient_flow(net, DIABETES, targets).gradient_norm).all()
    names = np.array(["b", "a", "c"])[WINE_Y]
    net = DistanceNetClassifier(**SMALL).fit(WINE, names)
    # The rows need not hold every class.
    assert np.isfinite(gradient_flow(net, WINE[:5], names[:5]).gradient_norm).all()


@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
def test_unfitted_net_raises(kind):
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} instance is not fitted"):
        gradient_flow(kind(), WINE, WINE_Y)


def test_other_estimators_raise():
    with pytest.raises(TypeError, match=r"takes a DistanceNetClassifier .* got MLPClassifier\."):
        gradient_flow(MLPClassifier(), WINE, WINE_Y)


def test_pipeline_raises_and_names_the_alternative():
    pipeline = make_pipeline(StandardScaler(), DistanceNetClassifier(**SMALL)).fit(WINE, WINE_Y)
    with pytest.raises(TypeError, match=r"Pass pipeline\[-1\] and pipeline\[:-1\]\.transform\(X\)"):
        gradient_flow(pipeline, WINE, WINE_Y)
    flow = gradient_flow(pipeline[-1], pipeline[:-1].transform(WINE), WINE_Y)
    assert np.isfinite(flow.gradient_norm).all()


def test_partial_fit_and_fit_give_equal_flow():
    options = SMALL | {"learning_rate": "constant", "max_iter": 3}
    fitted = DistanceNetClassifier(**options).fit(WINE, WINE_Y)
    parts = DistanceNetClassifier(**options)
    for _ in range(3):
        parts.partial_fit(WINE, WINE_Y, classes=[0, 1, 2])
    assert_same(gradient_flow(parts, WINE, WINE_Y), gradient_flow(fitted, WINE, WINE_Y), rtol=1e-6)


@pytest.mark.parametrize(
    ("X", "y", "weights", "message"),
    [
        (WINE[:, :5], WINE_Y, None, "X has 5 features, but .* is expecting 13 features"),
        (WINE, WINE_Y + 1, None, "'y' must hold only the known classes"),
        (WINE, WINE_Y[:-1], None, "inconsistent numbers of samples"),
        (WINE * np.inf, WINE_Y, None, "Input X contains infinity"),
        (WINE, WINE_Y, -np.ones(len(WINE)), "'sample_weight' must not be negative"),
        (WINE, WINE_Y, np.zeros(len(WINE)), "'sample_weight' must not be zero for every row"),
    ],
)
def test_unsuitable_data_raise_as_in_the_estimator(X, y, weights, message):
    net, _, _ = fitted()
    with pytest.raises(ValueError, match=message):
        gradient_flow(net, X, y, weights)
