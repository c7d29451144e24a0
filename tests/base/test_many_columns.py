"""Nets of many columns train on a projection, and have attributes in the units of the columns."""

import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import projection
from skdistnet.inspection import prototypes, prune, unit_report

N_ROWS, N_COLUMNS = 90, 30
RNG = np.random.default_rng(0)
X = RNG.normal(3.0, np.linspace(0.1, 10.0, N_COLUMNS), (N_ROWS, N_COLUMNS))
X[:, 4] = 2.0  # a column that does not vary
Y = (X[:, 0] * 10 + X[:, -1] / 10 > 30.3).astype(int)
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 8, "batch_size": 50, "random_state": 0}
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])


@pytest.fixture(autouse=True)
def few_columns_are_many(monkeypatch):
    monkeypatch.setattr(projection, "MANY_COLUMNS", 20)
    monkeypatch.setattr(projection, "MANY_RARE_COLUMNS", 10)


@pytest.fixture(params=[6, 40], ids=["few directions", "all directions"])
def n_directions(request, monkeypatch):
    monkeypatch.setattr(projection, "N_DIRECTIONS", (request.param, request.param))
    return min(request.param, N_COLUMNS - 1)


def predict(net, rows):
    return net.predict_proba(rows) if hasattr(net, "predict_proba") else net.predict(rows)


def raw_output_from_attributes(net, rows):
    """Compute the raw output of a net that has all directions, from its fitted attributes."""
    inside = net._input_map.scale_points(rows)
    centroids = net._input_map.scale_points(net.centroids_[0])
    radii = net._network.views(net._theta_)[0]["inverse_radii"]
    squared = (((inside[:, np.newaxis] - centroids) * radii) ** 2).sum(axis=2)
    H = np.exp(-0.5 * squared)
    squared = ((H[:, np.newaxis] - net.centroids_[1]) * net.inverse_radii_[1]) ** 2
    linear = (rows - X.mean(axis=0)) @ net.linear_coef_.T
    return -0.5 * squared.sum(axis=2) + linear


# The network's inputs -----------------------------------------------------------------------------


@both_kinds
def test_network_sees_few_directions(kind, n_directions):
    net = kind(**SMALL).fit(X, Y)
    assert net.n_features_in_ == N_COLUMNS
    assert net._network.sizes[0] == n_directions
    components = net._input_components_
    identity = np.eye(n_directions)
    np.testing.assert_allclose(components.T @ components, identity, atol=1e-9)
    np.testing.assert_array_equal(components[4], 0.0)


@pytest.mark.parametrize(
    "options",
    [{"standardize": False}, {"init": "uniform", "init_median_activation": None}],
    ids=str,
)
def test_columns_of_the_paper_stay(options):
    net = DistanceNetClassifier(**SMALL, **options).fit(X, Y)
    assert net._network.sizes[0] == N_COLUMNS


def test_missing_values_and_streams_keep_columns():
    missing = X.copy()
    missing[0, 0] = np.nan
    nets = [
        DistanceNetClassifier(**SMALL).fit(missing, Y),
        DistanceNetClassifier(**SMALL).partial_fit(X, Y, classes=[0, 1]),
    ]
    assert [net._network.sizes[0] for net in nets] == [N_COLUMNS] * 2


def test_all_directions_keep_distances(n_directions):
    net = DistanceNetClassifier(**SMALL).fit(X, Y)
    scaled = (X - net._input_shift_) / net._input_scale_
    inputs = net._input_map.linear_inputs(X)
    # The last column is the distance from the directions.
    expected = np.linalg.norm(scaled - scaled[0], axis=1)
    lengths = np.linalg.norm(scaled, axis=1)
    np.testing.assert_allclose(np.linalg.norm(inputs, axis=1), lengths)
    if n_directions == N_COLUMNS - 1:
        np.testing.assert_allclose(np.linalg.norm(inputs - inputs[0], axis=1), expected, atol=1e-6)
        np.testing.assert_allclose(inputs[:, -1], 0.0, atol=1e-6)


def test_first_directions_predict_the_target(monkeypatch):
    monkeypatch.setattr(projection, "N_DIRECTIONS", (6, 6))
    net = DistanceNetRegressor(**SMALL).fit(X, X[:, 2])  # of small variance
    scores = net._input_map.linear_inputs(X)
    assert abs(np.corrcoef(scores[:, 0], X[:, 2])[0, 1]) > 0.8


@pytest.mark.parametrize("few_rows", [0, 500])
def test_principal_directions_are_those_of_svd(few_rows, monkeypatch):
    monkeypatch.setattr(projection, "N_DIRECTIONS", (5, 5))
    monkeypatch.setattr(projection, "FEW_ROWS", few_rows)
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 5)) * 100 @ rng.normal(size=(5, N_COLUMNS)) / 10
    rows += rng.normal(size=rows.shape)
    net = DistanceNetRegressor(**SMALL, early_stopping=False).fit(rows, rng.normal(size=60))
    scaled = (rows - rows.mean(axis=0)) / net._input_scale_
    _, _, vectors = np.linalg.svd(scaled, full_matrices=False)
    share = np.linalg.norm(scaled @ net._input_components_) / np.linalg.norm(scaled @ vectors[:5].T)
    assert share > 0.99


# Fitted attributes --------------------------------------------------------------------------------


@both_kinds
def test_attributes_have_units_of_columns(kind, n_directions):
    net = kind(**SMALL).fit(X, Y)
    assert net.centroids_[0].shape == net.inverse_radii_[0].shape == (8, N_COLUMNS)
    assert net.linear_coef_.shape[1] == N_COLUMNS
    assert net.feature_relevances_.shape == (N_COLUMNS,)
    assert net.feature_relevances_.sum() == pytest.approx(1)
    # Far along a column, the distance grows by its inverse radius.
    views, step = net._network.views(net._theta_)[0], np.zeros(N_COLUMNS)
    step[7] = 1.0
    moved = net._input_map.scale_points(step) - net._input_map.scale_points(0 * step)
    expected = np.linalg.norm(moved * views["inverse_radii"], axis=1)
    np.testing.assert_allclose(net.inverse_radii_[0][:, 7], expected)


def test_outputs_follow_from_attributes(n_directions):
    net = DistanceNetClassifier(**SMALL).fit(X, Y)
    expected = raw_output_from_attributes(net, X)
    np.testing.assert_allclose(net._raw_output(X), expected, atol=1e-6)


def test_dense_layers_have_coefficients_of_columns(n_directions):
    options = {"activation": "tanh", "linear_part": False, "output_layer": "linear"}
    net = DistanceNetClassifier(**SMALL | options).fit(X, Y)
    H = np.tanh(X @ net.coefs_[0] + net.intercepts_[0])
    np.testing.assert_allclose(
        net._raw_output(X), H @ net.coefs_[1] + net.intercepts_[1], atol=1e-6
    )


def test_centroids_given_are_projected():
    options = SMALL | {"max_iter": 1, "learning_rate_init": 1e-12}
    net = DistanceNetClassifier(**options, init=X[:8]).fit(X, Y)
    np.testing.assert_allclose(net.centroids_[0], X[:8], atol=1e-6)
    with pytest.raises(ValueError, match=r"\(8, 30\)"):
        DistanceNetClassifier(**options, init=X[:8, :6]).fit(X, Y)


@pytest.mark.parametrize("radius_type", ["spherical", "tied"])
def test_shared_radii_have_units_of_columns(radius_type, n_directions):
    net = DistanceNetClassifier(**SMALL, radius_type=radius_type).fit(X, Y)
    assert net.inverse_radii_[0].shape == (8 if radius_type == "spherical" else 1, N_COLUMNS)
    assert np.isfinite(net.feature_relevances_).all()


# Rows ---------------------------------------------------------------------------------------------


SPARSE = np.where(RNG.random((N_ROWS, N_COLUMNS)) < 0.2, X, 0.0)


@both_kinds
@pytest.mark.parametrize("few_rows", [0, 500])
@pytest.mark.parametrize("cache", [0, 2**20])
def test_projected_sparse_rows_equal_dense_rows(kind, few_rows, cache, monkeypatch):
    monkeypatch.setattr(projection, "FEW_ROWS", few_rows)
    monkeypatch.setattr("skdistnet.engine.training.mapped_rows.CACHE_BYTES", cache)
    dense, sparse = kind(**SMALL).fit(SPARSE, Y), kind(**SMALL).fit(sp.csr_array(SPARSE), Y)
    for rows in (SPARSE[:1], SPARSE):
        actual = predict(sparse, sp.csr_array(rows))
        np.testing.assert_allclose(actual, predict(dense, rows), rtol=1e-5)
    actual = sparse.score_samples(sp.csr_array(SPARSE))
    np.testing.assert_allclose(actual, dense.score_samples(SPARSE), rtol=1e-4)


def test_cache_does_not_change_projected_fits(n_directions, monkeypatch):
    predictions = []
    for cache in (0, 2**20):
        monkeypatch.setattr("skdistnet.engine.training.mapped_rows.CACHE_BYTES", cache)
        predictions.append(DistanceNetClassifier(**SMALL).fit(X, Y).predict_proba(X))
    np.testing.assert_allclose(*predictions, rtol=1e-9)


def test_projection_counts_weights_as_repetition():
    weights = np.arange(N_ROWS) % 3 + 1
    options = SMALL | {"early_stopping": False, "batch_size": 1000}
    options |= {"init": X[:8], "init_median_activation": 0.5}
    weighted = DistanceNetRegressor(**options).fit(X, X[:, 0], weights)
    repeated = DistanceNetRegressor(**options).fit(
        np.repeat(X, weights, axis=0), np.repeat(X[:, 0], weights)
    )
    np.testing.assert_allclose(
        np.abs(weighted._input_components_), np.abs(repeated._input_components_), atol=1e-6
    )
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-4)


def test_missing_value_counts_as_mean():
    net, rows = DistanceNetClassifier(**SMALL).fit(X, Y), X[:5].copy()
    rows[:, 3] = np.nan
    filled = np.where(np.isnan(rows), net._input_shift_, rows)
    np.testing.assert_allclose(net.predict_proba(rows), net.predict_proba(filled))
    actual = net.predict_proba(sp.csr_array(rows))
    np.testing.assert_allclose(actual, net.predict_proba(filled), rtol=1e-6)


def test_rows_outside_the_span_are_novel(monkeypatch):
    monkeypatch.setattr(projection, "N_DIRECTIONS", (6, 6))
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 4)) @ rng.normal(size=(4, N_COLUMNS)) + rng.normal(
        scale=0.1, size=(200, N_COLUMNS)
    )
    net = DistanceNetClassifier(**SMALL | {"hidden_layer_sizes": (40,)}).fit(rows, rows[:, 0] > 0)
    _, _, vectors = np.linalg.svd(rows)
    outside = rows + 3 * vectors[-1]
    assert np.mean(net.score_samples(outside) < net.novelty_threshold_) > 0.9
    assert np.isfinite(net.score_samples(1e300 * rows)).all()


def test_extreme_rows_have_finite_predictions():
    net = DistanceNetClassifier(**SMALL).fit(X, Y)
    for rows in (1e300 * X, 1e300 * X[:2], sp.csr_array(1e300 * X)):
        assert np.isfinite(net.predict_proba(rows)).all()


def test_sparse_rows_stay_sparse():
    rows = sp.random(3_000, 2_000, density=0.005, format="csr", random_state=0)
    target = np.asarray(rows[:, :200].sum(axis=1)).ravel() > 0.5
    net = DistanceNetClassifier(**SMALL)
    tracemalloc.start()
    net.fit(rows, target).predict(rows)
    net.score_samples(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert net._network.sizes[0] < 100
    assert peak < 0.9 * 8 * rows.shape[0] * rows.shape[1]


# Scale --------------------------------------------------------------------------------------------


def one_hot(rng, n_rows=300, n_levels=30):
    shares = rng.dirichlet(np.ones(n_levels))
    return np.eye(n_levels)[rng.choice(n_levels, n_rows, p=shares)]


def test_rare_levels_have_no_large_values():
    levels = one_hot(np.random.default_rng(0))
    levels[:, :15] *= np.arange(1, 16)  # of other units
    net = DistanceNetRegressor(**SMALL).fit(levels, levels.argmax(axis=1))
    share = (levels != 0).mean(axis=0)
    rare = (share > 0) & (share < projection.RARE)
    units = levels.max(axis=0)[rare]
    scales = net._input_scale_[rare] / units
    np.testing.assert_allclose(scales, scales[0])


# Continued fits and tools -------------------------------------------------------------------------


def test_warm_start_keeps_directions():
    net = DistanceNetClassifier(**SMALL, warm_start=True).fit(X, Y)
    before = net._input_components_
    net.fit(X[:50], Y[:50])
    np.testing.assert_array_equal(net._input_components_, before)
    net.partial_fit(X[50:], Y[50:])
    np.testing.assert_array_equal(net._input_components_, before)


def test_pickled_net_has_equal_predictions():
    net = DistanceNetClassifier(**SMALL).fit(X, Y)
    copy = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(copy.predict_proba(X), net.predict_proba(X))
    np.testing.assert_array_equal(copy.score_samples(X), net.score_samples(X))


def test_refit_on_few_columns_drops_directions():
    net = DistanceNetClassifier(**SMALL).fit(X, Y).fit(X[:, :5], Y)
    assert net._input_components_ is None
    assert net.centroids_[0].shape == (8, 5)


def test_prototypes_explain_projected_columns(n_directions):
    net = DistanceNetClassifier(**SMALL).fit(X, Y)
    explanation = prototypes(net, X[:4], X_train=X)
    assert explanation.feature_shares.shape == (4, 3, N_COLUMNS)
    total = explanation.feature_shares.sum(axis=2)
    np.testing.assert_allclose(total, explanation.squared_distances)
    raw = explanation.contributions.sum(axis=1) + explanation.linear_part
    np.testing.assert_allclose(raw, explanation.raw_output)
    expected = net._raw_output(X[:4])[np.arange(4), explanation.output]
    np.testing.assert_allclose(explanation.raw_output, expected)


def test_inspection_accepts_projected_nets():
    net = DistanceNetClassifier(**SMALL).fit(X, Y)
    assert unit_report(net, X).use.shape == (8,)
    pruned, _ = prune(net, X, Y)
    assert pruned.centroids_[0].shape[1] == N_COLUMNS
    assert np.isfinite(pruned.score_samples(X)).all()


@pytest.mark.parametrize("few_rows", [0, 500])
@pytest.mark.parametrize("target", [np.zeros(N_ROWS), np.eye(3)[np.arange(N_ROWS) % 3]])
def test_constant_and_several_targets_are_fitted(target, few_rows, monkeypatch):
    monkeypatch.setattr(projection, "FEW_ROWS", few_rows)
    net = DistanceNetRegressor(**SMALL).fit(X, target)
    assert np.isfinite(net.predict(X)).all()


def test_wide_tables_have_at_most_three_trials(monkeypatch):
    monkeypatch.setattr("skdistnet._base.trial.MANY_COLUMNS", 20)
    assert DistanceNetClassifier(**SMALL).fit(X, Y).trial_["n_trials"] == 3
    assert DistanceNetClassifier(**SMALL).fit(X[:, :9], Y).trial_["n_trials"] == 5
