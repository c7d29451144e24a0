import numpy as np
import pytest

from skdistnet.engine.optim import solvers
from skdistnet.engine.optim.solvers import SOLVERS

BLOCK = solvers.BLOCK_BYTES // 8
N = BLOCK + 1000
N_STEPS = 5

every_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=list(SOLVERS))


def naive_rmsprop(theta, gradients, rate, rho, momentum, epsilon):
    mean_square, average = np.zeros_like(theta), np.zeros_like(theta)
    for g in gradients:
        mean_square = rho * mean_square + (1 - rho) * g**2
        average = momentum * average + (1 - momentum) * g / (np.sqrt(mean_square) + epsilon)
        theta = theta - rate * average
    return theta


def naive_sgd(theta, gradients, rate, momentum):
    velocity = np.zeros_like(theta)
    for g in gradients:
        velocity = momentum * velocity - rate * g
        theta = theta + momentum * velocity - rate * g
    return theta


def naive_adam(theta, gradients, rate, beta_1, beta_2, epsilon):
    """Algorithm 1 in the order that the paper's section 2 recommends."""
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(gradients, start=1):
        first = beta_1 * first + (1 - beta_1) * g
        second = beta_2 * second + (1 - beta_2) * g**2
        rate_t = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        theta = theta - rate_t * first / (np.sqrt(second) + epsilon)
    return theta


NAIVE = {"rmsprop": naive_rmsprop, "sgd": naive_sgd, "adam": naive_adam}

SETTINGS = [
    ("rmsprop", {"rho": 0.7, "momentum": 0.9, "epsilon": 1e-9}),
    ("rmsprop", {"rho": 0.99, "momentum": 0.0, "epsilon": 0.1}),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.0}),
    ("adam", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}),
    ("adam", {"beta_1": 0.0, "beta_2": 0.5, "epsilon": 0.1}),
]


def sample(n=N, dtype=np.float64):
    rng = np.random.default_rng(4)
    return rng.normal(size=n).astype(dtype), rng.normal(size=(N_STEPS, n)).astype(dtype)


def make_steps(solver, theta, gradients, rate=0.01):
    theta = theta.copy()
    state = solver.init(theta)
    for gradient in gradients:
        solver.step(theta, gradient, state, rate)
    return theta, state


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_steps_follow_the_formula_beyond_one_block(name, settings):
    theta, gradients = sample()
    actual, _ = make_steps(SOLVERS[name](**settings), theta, gradients)
    expected = NAIVE[name](theta, gradients, 0.01, **settings)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14)


@every_solver
def test_a_quadratic_is_minimised(solver):
    curvature, goal = np.array([0.3, 1.0, 4.0]), np.array([1.0, -2.0, 0.5])
    solver, theta = solver(), np.zeros(3)
    state = solver.init(theta)
    for step in range(2000):
        solver.step(theta, curvature * (theta - goal), state, 0.05 * (1.0 - step / 2000))
    np.testing.assert_allclose(theta, goal, atol=1e-3)


@every_solver
@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, 2 * BLOCK + 1])
def test_elements_do_not_depend_on_their_block(solver, size):
    theta, gradients = sample(size)
    actual, _ = make_steps(solver(), theta, gradients)
    ends = [0, -1]
    expected, _ = make_steps(solver(), theta[ends], gradients[:, ends])
    np.testing.assert_allclose(actual[ends], expected, rtol=1e-13)


@every_solver
def test_gradient_is_left_unchanged(solver):
    theta, gradients = sample()
    kept = gradients.copy()
    make_steps(solver(), theta, gradients)
    np.testing.assert_array_equal(gradients, kept)


@every_solver
def test_init_leaves_theta_unchanged(solver):
    theta, _ = sample(10)
    kept = theta.copy()
    state = solver().init(theta)
    np.testing.assert_array_equal(theta, kept)
    assert not any(np.shares_memory(theta, value) for value in state.values())


@every_solver
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_state_is_plain_and_updated_in_place(solver, dtype):
    """A saved model contains the state, and new arrays in each step would be slow."""
    theta, gradients = sample(20, dtype)
    solver = solver()
    state = solver.init(theta)
    before = dict(state)
    solver.step(theta, gradients[0], state, 0.01)
    assert state.keys() == before.keys()
    for name, value in state.items():
        if not isinstance(value, int):
            assert value is before[name]
            assert value.dtype == dtype
            assert value.shape == theta.shape
            assert np.any(value != 0)


@every_solver
def test_float32_follows_float64(solver):
    theta, gradients = sample(200, np.float32)
    actual, _ = make_steps(solver(), theta, gradients, rate=np.float64(0.01))
    exact, _ = make_steps(solver(), theta.astype(np.float64), gradients.astype(np.float64))
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, exact, rtol=1e-4, atol=1e-6)


@every_solver
def test_nothing_moves_without_gradient_or_rate(solver):
    theta, gradients = sample(50)
    np.testing.assert_array_equal(make_steps(solver(), theta, 0.0 * gradients)[0], theta)
    np.testing.assert_array_equal(make_steps(solver(), theta, gradients, rate=0.0)[0], theta)


@every_solver
def test_steps_can_be_resumed_from_the_state(solver):
    theta, gradients = sample(50)
    whole, _ = make_steps(solver(), theta, gradients)
    half, state = make_steps(solver(), theta, gradients[:2])
    copied = {name: np.copy(v) if np.ndim(v) else v for name, v in state.items()}
    for gradient in gradients[2:]:
        solver().step(half, gradient, copied, 0.01)
    np.testing.assert_array_equal(half, whole)


def test_rmsprop_state_has_momentum_and_mean_square():
    theta, gradients = sample(30)
    _, state = make_steps(
        SOLVERS["rmsprop"](rho=0.7, momentum=0.9, epsilon=1e-9), theta, gradients[:1]
    )
    assert set(state) == {"momentum", "mean_square"}
    g = gradients[0]
    np.testing.assert_allclose(state["mean_square"], 0.3 * g**2, rtol=1e-13)
    normalised = g / (np.sqrt(0.3) * np.abs(g) + 1e-9)
    np.testing.assert_allclose(state["momentum"], 0.1 * normalised, rtol=1e-13)


def test_first_step_of_adam_equals_the_rate():
    theta, gradients = sample(30)
    actual, state = make_steps(SOLVERS["adam"](), theta, gradients[:1])
    np.testing.assert_allclose(actual - theta, -0.01 * np.sign(gradients[0]), rtol=1e-4)
    assert state["n_steps"] == 1
