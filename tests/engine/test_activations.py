import numpy as np
import pytest
from finite_differences import central_differences

from skdistnet.engine.layers.activations import ACTIVATIONS
from skdistnet.engine.layers.kernels import KERNELS

# No sample is at 0, where relu has a kink.
Z = np.linspace(-6.05, 6.0, 49)

CLOSED_FORMS = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "logistic": lambda z: 1.0 / (1.0 + np.exp(-z)),
}

every_activation = pytest.mark.parametrize(
    "activation", ACTIVATIONS.values(), ids=list(ACTIVATIONS)
)


def evaluate(activation, z):
    out = z.copy()
    activation.value(out)
    return out


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_value_equals_its_closed_form(name):
    np.testing.assert_allclose(
        evaluate(ACTIVATIONS[name], Z), CLOSED_FORMS[name](Z), rtol=1e-12, atol=1e-15
    )


@every_activation
def test_value_never_falls(activation):
    assert np.all(np.diff(evaluate(activation, Z)) >= 0.0)


@every_activation
def test_derivative_matches_central_differences(activation):
    incoming = np.random.default_rng(0).normal(size=Z.shape)
    value = evaluate(activation, Z)
    before, gradient = value.copy(), incoming.copy()
    activation.multiply_by_derivative(value, gradient)
    expected = central_differences(lambda z: float(incoming @ evaluate(activation, z)), Z)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(value, before)


@every_activation
def test_float32_agrees_with_float64(activation):
    single = Z.astype(np.float32)
    value, gradient = evaluate(activation, single), np.ones_like(single)
    activation.multiply_by_derivative(value, gradient)
    exact_value, exact = evaluate(activation, single.astype(np.float64)), np.ones_like(Z)
    activation.multiply_by_derivative(exact_value, exact)
    np.testing.assert_allclose(value, exact_value, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gradient, exact, rtol=1e-6, atol=1e-6)


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_sums_give_finite_values_and_derivatives(activation, dtype):
    """Warnings are errors, so that an intermediate overflow fails as well."""
    value = evaluate(activation, np.array([-1e4, 1e4], dtype=dtype))
    derivative = np.ones_like(value)
    activation.multiply_by_derivative(value, derivative)
    assert np.all(np.isfinite(value))
    assert np.all((derivative >= 0.0) & (derivative <= 1.0))


@every_activation
def test_gain_is_positive(activation):
    assert activation.gain > 0.0


def test_names_of_activations_and_kernels_are_distinct():
    """The name alone decides the kind of the layer."""
    assert not set(ACTIVATIONS) & set(KERNELS)
