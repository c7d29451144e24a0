"""The gradient of combined outputs by the inputs."""

import numpy as np
import pytest

from skdistnet.engine import Network


@pytest.mark.parametrize("linear_part", [False, True])
@pytest.mark.parametrize("activations", ["gaussian", "tanh"])
@pytest.mark.parametrize("output_layer", ["distance", "linear"])
def test_output_gradient_equals_central_differences(linear_part, activations, output_layer):
    rng = np.random.default_rng(0)
    net = Network([3, 5, 4], activations, output_layer, linear_part=linear_part)
    theta = rng.normal(size=net.n_parameters)
    X, combination, step = rng.normal(size=(6, 3)), rng.normal(size=4), 1e-6
    gradient = net.output_gradient(theta, X, combination)
    for column in range(3):
        moved = np.zeros(3)
        moved[column] = step
        ends = [net.forward(theta, X + sign * moved)[-1] @ combination for sign in (1, -1)]
        np.testing.assert_allclose(gradient[:, column], (ends[0] - ends[1]) / (2 * step), atol=1e-7)
