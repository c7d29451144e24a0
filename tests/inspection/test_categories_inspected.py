"""Explanations and reports of nets on data frames with categories."""

import numpy as np
import pandas as pd
import pytest
from category_tables import FORMS, both_kinds, draw_frame, fitted, target_of
from sklearn.base import is_classifier

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.inspection import gradient_flow, prototypes, prune, unit_report
from skdistnet.inspection._fitted_net import forward_batches

FRAME, _ = draw_frame()
ROWS, _ = draw_frame(30, seed=1)
ROWS.loc[3:5, "color"], ROWS.loc[6:8, "color"] = "new", None
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def net_of(kind, **options):
    return fitted(FRAME, target_of(kind, FRAME), kind, **options)


@both_kinds
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("standardize", [True, False])
def test_shares_of_columns_sum_to_distances(kind, radius_type, standardize):
    net = net_of(kind, radius_type=radius_type, standardize=standardize)
    explanation = prototypes(net, ROWS, n_prototypes=8)
    assert explanation.feature_shares.shape == (30, 8, 5)
    assert explanation.feature_shares.min() >= 0
    total = explanation.feature_shares.sum(axis=2)
    np.testing.assert_allclose(total, explanation.squared_distances, **EXACT)
    np.testing.assert_allclose(np.exp(-0.5 * total), explanation.activations, **EXACT)
    missing = ROWS["color"].isna() | (ROWS["color"] == "new")
    assert missing.sum() >= 6
    np.testing.assert_array_equal(explanation.feature_shares[missing, :, 0], 0.0)
    assert (explanation.feature_shares[~missing, :, 0] > 0).all()


@both_kinds
def test_contributions_sum_to_the_output(kind):
    net = net_of(kind)
    explanation = prototypes(net, ROWS)
    parts = explanation.contributions.sum(axis=1) + explanation.intercept + explanation.linear_part
    np.testing.assert_allclose(parts, explanation.raw_output, **EXACT)
    assert np.abs(explanation.linear_part).max() > 0.01
    if is_classifier(net):
        expected = net._raw_output(net._check_rows(ROWS)).max(axis=1)
    else:
        expected = net.predict(ROWS)
    np.testing.assert_allclose(parts, expected, **EXACT)


def test_linear_part_counts_levels():
    net = net_of(DistanceNetRegressor, max_iter=30)
    rows = [FRAME[:1].assign(size=0.0, color=color) for color in ("red", "blue")]
    red, blue = (prototypes(net, each).linear_part for each in rows)
    inputs = np.empty((2, net._network.sizes[0]))
    net._input_map.apply(net._check_rows(pd.concat(rows)), inputs)
    expected = (inputs[0] - inputs[1]) @ net._linear_coefs()
    np.testing.assert_allclose(red - blue, expected, **EXACT)
    assert abs(red - blue) > 0.01


@pytest.mark.parametrize("form", ["polars' categories", "pandas' strings"])
def test_centroids_of_prototypes_name_levels(form):
    net = net_of(DistanceNetClassifier)
    explanation = prototypes(net, FORMS[form](ROWS), X_train=FORMS[form](FRAME))
    assert explanation.centroids.dtype == object
    decoded = net.decode_levels(net.centroids_[0])
    np.testing.assert_array_equal(explanation.centroids, decoded[explanation.units])
    assert set(explanation.centroids[..., 0].ravel()) <= {"blue", "green", "red"}
    assert set(explanation.centroids[..., 2].ravel()) <= {False, True}
    assert all(isinstance(value, float) for value in explanation.centroids[..., 1].ravel())
    assert explanation.nearest_rows.max() < len(FRAME)


def test_deeper_nets_have_centroids_of_activations():
    net = net_of(DistanceNetClassifier, hidden_layer_sizes=(6, 5))
    explanation = prototypes(net, ROWS)
    assert explanation.centroids.dtype == float
    assert explanation.feature_shares.shape == (30, 3, 6)


@both_kinds
def test_reports_take_frames(kind):
    net, y = net_of(kind), target_of(kind, FRAME)
    assert unit_report(net, FRAME).use.shape == (8,)
    flow = gradient_flow(net, FRAME, y)
    assert np.isfinite(flow.gradient_norm).all()
    unseen = unit_report(net, FRAME.assign(color="new"))
    missing = unit_report(net, FRAME.assign(color=None))
    np.testing.assert_array_equal(unseen.use, missing.use)


@both_kinds
def test_inspected_activations_are_those_of_transform(kind):
    net = net_of(kind)
    rows = net._check_rows(ROWS)
    found = [work.outputs[0][: len(rows)].copy() for _, work in forward_batches(net, rows)]
    np.testing.assert_allclose(np.vstack(found), net.transform(ROWS), **EXACT)


@both_kinds
def test_pruned_net_knows_the_levels(kind):
    net = net_of(kind, max_iter=15)
    pruned, _ = prune(net, FRAME, target_of(kind, FRAME))
    assert pruned._network.sizes[1] <= 8
    assert pruned.categories_[0].tolist() == ["blue", "green", "red"]
    np.testing.assert_array_equal(
        pruned.predict(ROWS.assign(color="new")), pruned.predict(ROWS.assign(color=None))
    )
    assert pruned.score_samples(ROWS).shape == (30,)


@both_kinds
def test_scores_of_pruned_nets_count_levels(kind):
    y = target_of(kind, FRAME)
    net = net_of(kind, max_iter=30)
    _, score = prune(net, FRAME, y, 10.0)
    assert score >= net.score(FRAME, y) - 0.1
