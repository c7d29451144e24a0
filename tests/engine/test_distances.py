import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistnet.engine.layers import distances
from skdistnet.engine.layers.distances import RADIUS_TYPES

BLOCK = distances.BLOCK_BYTES // 8

every_radius_type = pytest.mark.parametrize("radii", RADIUS_TYPES.values(), ids=list(RADIUS_TYPES))
sizes = st.tuples(st.integers(1, 9), st.integers(1, 7), st.integers(1, 8))


class Problem:
    """Rows, parameters and an incoming gradient, with results of naive computations."""

    def __init__(self, radii, n_rows, n_units, n_inputs, seed=0, dtype=np.float64):
        rng = np.random.default_rng(seed)
        self.radii = radii
        self.centroids = rng.normal(size=(n_units, n_inputs)).astype(dtype)
        self.inverse_radii = rng.normal(size=radii.radii_shape(n_units, n_inputs)).astype(dtype)
        self.X = rng.normal(size=(n_rows, n_inputs)).astype(dtype)
        self.D = rng.normal(size=(n_rows, n_units)).astype(dtype)
        self.work = radii.workspace(n_rows, n_units, n_inputs, np.dtype(dtype))

    def forward(self):
        u = np.full(self.D.shape, np.nan, dtype=self.X.dtype)
        self.work.X[...] = self.X
        self.radii.prepare(self.centroids, self.inverse_radii, self.work)
        self.radii.forward(self.centroids, self.inverse_radii, self.work, u)
        return u

    def backward(self):
        """Return the gradients by centroids and inverse radii."""
        grads = np.full_like(self.centroids, np.nan), np.full_like(self.inverse_radii, np.nan)
        self.radii.backward(self.centroids, self.inverse_radii, self.work, self.D, *grads)
        return grads

    def input_gradient(self):
        out = np.full_like(self.X, np.nan)
        self.radii.input_gradient(self.centroids, self.inverse_radii, self.work, self.D, out)
        return out

    def naive_parts(self):
        x, c, r, D = (
            array.astype(np.float64)
            for array in (self.X, self.centroids, self.inverse_radii, self.D)
        )
        return x[:, np.newaxis] - c, r[np.newaxis], D[:, :, np.newaxis]

    def naive_u(self):
        difference, r, _ = self.naive_parts()
        return -0.5 * (r**2 * difference**2).sum(axis=2)

    def naive_gradients(self):
        difference, r, D = self.naive_parts()
        d_radii = (-D * r * difference**2).sum(axis=0)
        for axis, length in enumerate(self.inverse_radii.shape):
            if length == 1:
                d_radii = d_radii.sum(axis=axis, keepdims=True)
        return (
            (D * r**2 * difference).sum(axis=0),
            d_radii,
            (-D * r**2 * difference).sum(axis=1),
        )


@every_radius_type
@settings(deadline=None, max_examples=60)
@given(sizes=sizes, seed=st.integers(0, 1000))
def test_forward_equals_the_naive_sum_for_all_shapes(radii, sizes, seed):
    problem = Problem(radii, *sizes, seed)
    np.testing.assert_allclose(problem.forward(), problem.naive_u(), rtol=1e-11, atol=1e-12)


@every_radius_type
@settings(deadline=None, max_examples=60)
@given(sizes=sizes, seed=st.integers(0, 1000))
def test_gradients_equal_the_naive_sums_for_all_shapes(radii, sizes, seed):
    problem = Problem(radii, *sizes, seed)
    problem.forward()
    actual = (*problem.backward(), problem.input_gradient())
    for gradient, expected in zip(actual, problem.naive_gradients()):
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-11)


@every_radius_type
@pytest.mark.parametrize("block", [1, 8, 1_000_000])
def test_block_size_does_not_change_results(radii, block, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK_BYTES", 8 * block)
    problem = Problem(radii, 6, 11, 4)
    np.testing.assert_allclose(problem.forward(), problem.naive_u(), rtol=1e-11, atol=1e-12)
    actual = (*problem.backward(), problem.input_gradient())
    for gradient, expected in zip(actual, problem.naive_gradients()):
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("n_inputs", [1, 7, BLOCK, 2 * BLOCK])
def test_unit_blocks_cover_every_unit_once(n_inputs):
    blocks = RADIUS_TYPES["diag"].workspace(1, 5, n_inputs, np.float64).blocks
    assert [unit for block in blocks for unit in range(5)[block]] == [0, 1, 2, 3, 4]
    assert all(block.stop - block.start == max(1, BLOCK // n_inputs) for block in blocks[:-1])


@every_radius_type
def test_float32_is_close_on_centred_data(radii):
    problem = Problem(radii, 40, 20, 30, dtype=np.float32)
    u = problem.forward()
    assert u.dtype == np.float32
    np.testing.assert_allclose(u, problem.naive_u(), rtol=2e-6, atol=2e-5)
    actual = (*problem.backward(), problem.input_gradient())
    for gradient, expected in zip(actual, problem.naive_gradients()):
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-3)


@every_radius_type
@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 1e-4), (np.float64, 1e-12)])
def test_distance_of_a_centroid_to_itself_is_zero(radii, dtype, atol):
    problem = Problem(radii, 6, 6, 10, dtype=dtype)
    problem.centroids[...] = problem.X
    u = problem.forward()
    np.testing.assert_allclose(np.diag(u), 0.0, atol=atol)
    assert np.all(u[~np.eye(6, dtype=bool)] < -0.1)
    assert all(np.all(np.isfinite(gradient)) for gradient in problem.backward())


@every_radius_type
@settings(deadline=None, max_examples=40)
@given(sizes=sizes, offset=st.floats(-300.0, 300.0), seed=st.integers(0, 1000))
def test_no_squared_distance_is_negative_after_cancellation(radii, sizes, offset, seed):
    problem = Problem(radii, *sizes, seed, dtype=np.float32)
    problem.X += np.float32(offset)
    problem.centroids[...] = problem.X[np.arange(sizes[1]) % sizes[0]]
    assert problem.forward().max() <= 0.0


@every_radius_type
def test_sign_of_radii_does_not_matter(radii):
    problem = Problem(radii, 5, 4, 3)
    u = problem.forward()
    problem.inverse_radii *= -1.0
    np.testing.assert_array_equal(problem.forward(), u)


@every_radius_type
def test_radii_broadcast_to_centroids(radii):
    assert np.broadcast_shapes((4, 3), radii.radii_shape(4, 3)) == (4, 3)


@every_radius_type
def test_input_gradient_does_not_depend_on_backward(radii):
    problem = Problem(radii, 5, 4, 3)
    problem.forward()
    before = problem.input_gradient()
    problem.backward()
    np.testing.assert_array_equal(problem.input_gradient(), before)


@every_radius_type
def test_reused_workspace_gives_the_same_results(radii):
    used, other = Problem(radii, 5, 4, 3, seed=1), Problem(radii, 5, 4, 3, seed=2)
    fresh = [other.forward(), *other.backward(), other.input_gradient()]
    used.forward()
    used.backward()
    used.input_gradient()
    other.work = used.work
    again = [other.forward(), *other.backward(), other.input_gradient()]
    for first, second in zip(fresh, again):
        np.testing.assert_array_equal(first, second)


@every_radius_type
def test_parameters_rows_and_incoming_gradient_stay_unchanged(radii):
    problem = Problem(radii, 5, 4, 3)
    centroids, inverse_radii = problem.centroids.copy(), problem.inverse_radii.copy()
    D = problem.D.copy()
    problem.forward()
    problem.backward()
    problem.input_gradient()
    np.testing.assert_array_equal(problem.centroids, centroids)
    np.testing.assert_array_equal(problem.inverse_radii, inverse_radii)
    np.testing.assert_array_equal(problem.D, D)
    np.testing.assert_array_equal(problem.work.X, problem.X)
