import numpy as np
import pytest
from finite_differences import central_differences

from skdistnet.engine.layers.activations import ACTIVATIONS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.layers.kernels import KERNELS
from skdistnet.engine.losses import LOSSES
from skdistnet.engine.network import OUTPUT_LAYERS, Network

HIDDEN = [
    (),
    *((name,) for name in [*KERNELS, *ACTIVATIONS]),
    ("gaussian", "relu"),
    ("tanh", "cauchy"),
    ("gaussian", "cauchy", "logistic", "gaussian"),
]
every_output = pytest.mark.parametrize("output_layer", OUTPUT_LAYERS)
every_radius_type = pytest.mark.parametrize("radius_type", RADIUS_TYPES)
every_hidden = pytest.mark.parametrize("hidden", HIDDEN, ids="-".join)
every_loss = pytest.mark.parametrize("loss", LOSSES)


def make(hidden, output_layer="distance", radius_type="diag", dtype=np.float64):
    sizes = [3, *range(4, 4 + len(hidden)), 3]
    return Network(sizes, hidden, output_layer, radius_type, dtype)


def sample(net, n_rows=6):
    """Return parameters, rows, one-hot rows (a target for any loss) and uneven weights."""
    rng = np.random.default_rng(8)
    theta = 0.7 * rng.normal(size=net.n_parameters)
    X = rng.normal(size=(n_rows, net.sizes[0]))
    Y = np.eye(net.sizes[-1])[rng.integers(net.sizes[-1], size=n_rows)]
    return theta.astype(net.dtype), X, Y, rng.uniform(0.2, 3.0, n_rows)


@every_hidden
@every_output
@every_radius_type
@every_loss
def test_gradients_match_central_differences(hidden, output_layer, radius_type, loss):
    net = make(hidden, output_layer, radius_type)
    theta, X, Y, weights = sample(net)
    value, gradient = net.loss_and_grad(theta, X, Y, weights, decay=0.3, loss=loss)
    assert type(value) is float
    expected = central_differences(
        lambda moved: net.loss_and_grad(moved, X, Y, weights, decay=0.3, loss=loss)[0], theta
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-8)
    d_input = net.input_gradient(theta, X, Y, weights, loss=loss)
    expected = central_differences(
        lambda moved: net.loss_and_grad(theta, moved, Y, weights, loss=loss)[0], X
    )
    np.testing.assert_allclose(d_input, expected, rtol=1e-5, atol=1e-8)


@every_hidden
@every_output
@every_radius_type
def test_pack_inverts_unpack_and_views_write_through(hidden, output_layer, radius_type):
    net = make(hidden, output_layer, radius_type)
    theta, *_ = sample(net)
    views = net.unpack(theta)
    np.testing.assert_array_equal(net.pack(**views), theta)
    for arrays in views.values():
        assert len(arrays) == len(net.layers)
        for array in arrays:
            if array is not None:
                array[...] = 7.0
    np.testing.assert_array_equal(theta, np.full(net.n_parameters, 7.0))
    assert views.centroids is views["centroids"]


@every_hidden
@every_output
def test_decay_adds_half_squared_norm_without_intercepts(hidden, output_layer):
    net = make(hidden, output_layer)
    theta, X, Y, _ = sample(net)
    plain, gradient = net.loss_and_grad(theta, X, Y)
    decayed, decayed_gradient = net.loss_and_grad(theta, X, Y, decay=0.5)
    spared = theta.copy()
    for intercepts in net.unpack(spared).intercepts:
        if intercepts is not None:
            intercepts[...] = 0.0
    assert decayed - plain == pytest.approx(0.25 * np.sum(spared**2), rel=1e-12)
    np.testing.assert_allclose(decayed_gradient - gradient, 0.5 * spared, atol=1e-14)


@every_output
@every_loss
def test_loss_does_not_depend_on_weight_scale(output_layer, loss):
    net = make(("gaussian",), output_layer)
    theta, X, Y, weights = sample(net)
    value, gradient = net.loss_and_grad(theta, X, Y, weights, loss=loss)
    for scale in (1e-6, 1e6):
        scaled, scaled_gradient = net.loss_and_grad(theta, X, Y, scale * weights, loss=loss)
        assert scaled == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(scaled_gradient, gradient, rtol=1e-9, atol=1e-14)


@every_hidden
@every_loss
def test_weights_equal_repeated_rows(hidden, loss):
    net = make(hidden)
    theta, X, Y, _ = sample(net)
    times = np.array([1, 0, 3, 2, 1, 4])
    value, gradient = net.loss_and_grad(theta, X, Y, times, loss=loss)
    rows = np.repeat(np.arange(6), times)
    repeated, repeated_gradient = net.loss_and_grad(theta, X[rows], Y[rows], loss=loss)
    assert value == pytest.approx(repeated, rel=1e-12)
    np.testing.assert_allclose(gradient, repeated_gradient, rtol=1e-9, atol=1e-13)


@every_radius_type
@pytest.mark.parametrize("x_dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_common_offset_of_rows_and_centroids_cancels(radius_type, x_dtype, dtype, tolerance):
    """Rows and centroids lie on a grid that is exact in float32, even with the offset."""
    net = make(("gaussian",), "distance", radius_type, dtype)
    theta, X, Y, _ = sample(net, n_rows=25)
    centroids = net.unpack(theta).centroids[0]
    centroids[...] = np.round(64 * centroids) / 64
    X = (np.round(64 * X) / 64).astype(x_dtype)
    moved = theta.copy()
    net.unpack(moved).centroids[0][...] += 1e4
    far = X + x_dtype(1e4)
    assert far.dtype == x_dtype
    for near_output, far_output in zip(net.forward(theta, X), net.forward(moved, far)):
        assert far_output.dtype == dtype
        np.testing.assert_allclose(far_output, near_output, rtol=tolerance, atol=tolerance)
    value, gradient = net.loss_and_grad(theta, X, Y)
    far_value, far_gradient = net.loss_and_grad(moved, far, Y)
    assert far_value == pytest.approx(value, rel=tolerance)
    np.testing.assert_allclose(far_gradient, gradient, rtol=tolerance, atol=tolerance)


@every_hidden
@every_output
def test_outputs_of_a_row_depend_on_it_alone(hidden, output_layer):
    """A single row is its own shift, so that this also tests the shift."""
    net = make(hidden, output_layer)
    theta, X, _, _ = sample(net)
    outputs = net.forward(theta, X)
    assert [out.shape for out in outputs] == [(6, size) for size in net.sizes[1:]]
    single = [net.forward(theta, row[np.newaxis])[-1] for row in X]
    np.testing.assert_allclose(outputs[-1], np.vstack(single), rtol=1e-11, atol=1e-12)


def test_arguments_are_not_changed():
    net = make(("gaussian", "relu"))
    arguments, copies = sample(net), sample(net)
    net.forward(*arguments[:2])
    net.loss_and_grad(*arguments, decay=0.1)
    net.input_gradient(*arguments)
    for actual, expected in zip(arguments, copies):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(
    ("output_layer", "loss"), [("distance", "log_loss"), ("linear", "squared_error")]
)
def test_output_layer_decides_the_loss(output_layer, loss):
    net = make(("gaussian",), output_layer)
    theta, X, Y, weights = sample(net)
    for target in (Y, 0.9 * Y + 0.1 / 3):
        named, gradient = net.loss_and_grad(theta, X, target, weights, loss=loss)
        actual, actual_gradient = net.loss_and_grad(theta, X, target, weights)
        assert actual == named
        np.testing.assert_array_equal(actual_gradient, gradient)
        expected = net.input_gradient(theta, X, target, weights, loss=loss)
        np.testing.assert_array_equal(net.input_gradient(theta, X, target, weights), expected)


def test_distance_output_requires_probabilities_as_target():
    net = make(("gaussian",))
    theta, X, Y, _ = sample(net)
    with pytest.raises(ValueError, match=r"'log_loss' must be probabilities"):
        net.loss_and_grad(theta, X, Y + 0.5)


def test_target_may_be_one_dimensional():
    _, X, Y, _ = sample(make(()))
    one = Network([3, 1], output_layer="linear")
    theta = np.arange(4.0)
    column = one.loss_and_grad(theta, X, Y[:, :1])[0]
    assert one.loss_and_grad(theta, X, Y[:, 0])[0] == column


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [3]}, r"at least two positive ints; got \(3,\)"),
        ({"sizes": [3, 0, 2]}, r"at least two positive ints; got \(3, 0, 2\)"),
        ({"activations": ["relu"]}, r"one for each of the 2 hidden layers; got \['relu'\]"),
        ({"activations": "gausian"}, r"'activations' must be one of \[.*\]; got 'gausian'"),
        ({"output_layer": "affine"}, r"'output_layer' must be one of .*; got 'affine'"),
        ({"radius_type": "full"}, r"'radius_type' must be one of .*; got 'full'"),
    ],
)
def test_invalid_sizes_and_names_raise(arguments, message):
    with pytest.raises(ValueError, match=message):
        Network(**{"sizes": [3, 4, 5, 2], **arguments})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"centroids": [np.zeros((4, 3))]}, "'centroids' must have an entry for each of the 2 lay"),
        ({"centroids": [np.zeros((3, 4)), None]}, r"\[0\] must have shape \(4, 3\); got \(3, 4\)"),
        ({"inverse_radii": None}, r"inverse_radii\[0\] is missing"),
        ({"coefs": [np.zeros((3, 4)), np.zeros((4, 2))]}, r"coefs\[0\] must be None"),
        ({"intercepts": [None, None]}, r"intercepts\[1\] is missing"),
        ({"intercepts": [None, 0.0]}, r"intercepts\[1\] must have shape \(2,\); got \(\)"),
    ],
)
def test_pack_names_the_wrong_entry(change, message):
    net = Network([3, 4, 2], output_layer="linear")
    with pytest.raises(ValueError, match=message):
        net.pack(**{**net.unpack(np.ones(net.n_parameters)), **change})


@pytest.mark.parametrize("loss", [None, *LOSSES])
def test_target_of_the_wrong_width_raises(loss):
    net = make(("gaussian",))
    theta, X, Y, _ = sample(net)
    with pytest.raises(ValueError, match=r"shape \(n_rows, 3\).*got \(6, 2\)"):
        net.loss_and_grad(theta, X, Y[:, :2], loss=loss)


@pytest.mark.parametrize("hidden", [("gaussian",), ("relu",)], ids="-".join)
@pytest.mark.parametrize(
    "change",
    [
        {"X": np.ones((6, 1))},
        {"X": np.ones((6, 2))},
        {"X": np.ones(3)},
        {"Y": np.eye(3)[:1]},
        {"Y": np.eye(3)[[0, 1, 2, 0, 1]]},
        {"theta": np.ones(34)},
        {"theta": np.ones(200)},
    ],
    ids=lambda change: "-".join(f"{name}{array.shape}" for name, array in change.items()),
)
def test_arrays_of_a_wrong_shape_are_not_broadcast(hidden, change):
    """Broadcasting would accept rows of one column, or one target for all rows."""
    net = make(hidden)
    theta, X, Y, _ = sample(net)
    assert 34 < net.n_parameters < 200
    with pytest.raises(ValueError, match="shape"):
        net.loss_and_grad(**{"theta": theta, "X": X, "Y": Y, **change})
