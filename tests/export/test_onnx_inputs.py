"""ONNX models of every map from columns to inputs, and unusual rows."""

import numpy as np
import pandas as pd
import pytest
from exported_tables import (
    QUICK,
    classifier,
    classifier_ensemble,
    frame,
    numbers,
    regressor,
    three_classes,
    with_missing,
    with_outliers,
)
from onnx_models import assert_converts, assert_same_predictions, run, run_reference
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

from skdistnet import DistanceNetClassifier, DistanceNetEnsembleClassifier
from skdistnet.engine.projection import ProjectedMap
from skdistnet.engine.quantile_map import QuantileMap
from skdistnet.export import register_converters, to_onnx

X = numbers()
Y = three_classes(X)
ROWS = {
    "as they are": X,
    "missing": with_missing(X),
    "outliers": with_outliers(X),
    "missing and outliers": with_missing(with_outliers(X)),
    "offset": X + 1e6,
    "large": 1e20 * X,
    "tiny": 1e-20 * X,
    "a missing column": np.where(np.arange(4) == 2, np.nan, X),
    "a constant column": np.where(np.arange(4) == 2, 3.0, X),
}
every_rows = pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)


def ensemble_for(rows, y=Y, **options):
    net = DistanceNetClassifier(6, max_iter=2, early_stopping=False, tol=0, **options)
    return DistanceNetEnsembleClassifier(net, random_state=0).fit(rows, y)


@every_rows
def test_inputs_are_scaled_as_by_the_net(rows):
    assert_converts(DistanceNetClassifier(6, **QUICK).fit(rows, Y), rows)


@every_rows
def test_inputs_are_ranked_as_by_ensembles(rows):
    nets = ensemble_for(rows)
    assert any(isinstance(net._input_map, QuantileMap) for net in nets.estimators_)
    assert_converts(nets, rows)


@pytest.mark.parametrize("rows", [X, with_outliers(X)], ids=["as they are", "outliers"])
def test_feature_weights_convert(rows):
    nets = ensemble_for(rows)
    for net in nets.estimators_:  # of which fit gives weights to some, on larger tables
        net._input_weights_ = np.array([0.2, 1.0, 0.5, 1.7])
    model = assert_converts(nets, rows, options={"score_samples": True})
    found = run(model, rows)["score_samples"][:, 0]
    np.testing.assert_allclose(found, nets.score_samples(rows), rtol=1e-3)


def test_rows_beyond_the_ranks_convert():
    assert_same_predictions(
        nets := ensemble_for(X), run(to_onnx(nets), 5.0 * X), 5.0 * X, np.float64
    )


def test_inputs_without_standardising_convert():
    net = DistanceNetClassifier(6, standardize=False, **QUICK).fit(X + 3.0, Y)
    assert_converts(net, with_missing(X) + 3.0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_projected_columns_convert(dtype):
    rows = np.random.default_rng(0).normal(size=(80, 1100)).astype(dtype)
    net = DistanceNetClassifier(6, **QUICK).fit(rows, rows[:, 0] > 0)
    assert isinstance(net._input_map, ProjectedMap)
    rows[3, 5] = np.nan
    assert_converts(net, rows)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_offsets_of_float32_data_convert(scale):
    rows = (scale * X + 1e6).astype(np.float32)
    assert_converts(DistanceNetClassifier(6, **QUICK).fit(rows, Y), rows)


def test_shifts_are_subtracted_in_double_precision():
    rows = (X + 100.0).astype(np.float32)
    net = DistanceNetClassifier(6, **QUICK).fit(rows.astype(np.float64), Y)
    model = assert_converts(net, rows, dtype="float32")
    assert any(node.op_type == "Cast" for node in model.graph.node)


def test_columns_that_float32_rounds_are_refused():
    net = DistanceNetClassifier(6, **QUICK).fit(X + 1e6, Y)
    with pytest.raises(ValueError, match=r"Column \d of X lies around 1e\+06 .* dtype='float64'"):
        to_onnx(net, dtype="float32")


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_columns_beyond_float32_are_refused(scale):
    for estimator in (DistanceNetClassifier(6, **QUICK).fit(scale * X, Y), ensemble_for(scale * X)):
        with pytest.raises(ValueError, match=r"Column \d of X .* fewer than four digits"):
            to_onnx(estimator, dtype="float32")


def test_ranked_columns_that_float32_rounds_are_refused():
    nets = ensemble_for(X + 1e6)
    nets.estimators_ = [net for net in nets.estimators_ if isinstance(net._input_map, QuantileMap)]
    with pytest.raises(ValueError, match=r"Column \d of X lies around 1e\+06"):
        to_onnx(nets, dtype="float32")


def test_the_refused_column_is_named_behind_categories():
    table = frame()
    table["size"] += 1e9
    net = DistanceNetClassifier(6, **QUICK).fit(table.iloc[:, [1, 0]], Y)
    with pytest.raises(ValueError, match="Column 1 of X lies around 1e"):
        to_onnx(net, dtype="float32")


# Unusual rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("evaluate", [run, run_reference])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_infinite_values_count_as_far_away(dtype, evaluate):
    rows = X.astype(dtype)
    rows[0], rows[1, 1], rows[2, 0] = np.inf, -np.inf, np.finfo(dtype).max
    for estimator in (classifier(), classifier_ensemble(), regressor("quantiles")):
        model = to_onnx(estimator, dtype=dtype, options={"score_samples": True})
        for name, values in evaluate(model, rows).items():
            assert np.isfinite(values).all(), name


@pytest.mark.parametrize("target", ["integers", "strings", "multilabel", "columns"])
def test_empty_batches_convert(target):
    model = to_onnx(classifier(target), options={"score_samples": True})
    outputs = run(model, X[:0])
    assert all(len(values) == 0 for values in outputs.values() if not isinstance(values, list))


def test_batches_of_any_size_convert():
    model = to_onnx(net := classifier())
    for n_rows in (1, 2, 3, 7, 80):
        assert_same_predictions(net, run(model, X[:n_rows]), X[:n_rows], np.float64)


def test_without_missing_values_the_graph_is_smaller():
    net = classifier()
    small = to_onnx(net, options={"missing_values": False})
    assert len(small.SerializeToString()) < 0.9 * len(to_onnx(net).SerializeToString())
    assert not any(node.op_type == "If" for node in small.graph.node)
    outputs = run(small, with_missing(X))
    observed = ~np.isnan(with_missing(X)).any(axis=1)
    assert np.isnan(outputs["probabilities"][~observed]).all()
    np.testing.assert_allclose(
        outputs["probabilities"][observed], net.predict_proba(X[observed]), rtol=1e-12
    )


@pytest.mark.parametrize("evaluate", [run, run_reference])
@pytest.mark.parametrize("first", ["tanh", "relu"])
def test_missing_values_that_nets_refuse_are_nan(first, evaluate):
    net = DistanceNetClassifier((6, 5), (first, "gaussian"), **QUICK).fit(X, Y)
    found = evaluate(to_onnx(net), with_missing(X))["probabilities"]
    np.testing.assert_array_equal(np.isnan(found[:, 0]), np.isnan(with_missing(X)).any(axis=1))


def test_missing_values_are_needed_where_training_had_none():
    rows = np.where(np.arange(4) == 2, np.nan, X)
    net = DistanceNetClassifier(6, **QUICK).fit(rows, Y)
    with pytest.raises(ValueError, match="missing_values=False"):
        to_onnx(net, options={"missing_values": False})


# Categories ---------------------------------------------------------------------------------------


CATEGORIES = {"categorical_features": ["color", "rank", "is_new"]}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("missing", [False, True])
def test_levels_of_frames_convert(missing, dtype):
    table = frame(missing)
    net = DistanceNetClassifier(6, **CATEGORIES, **QUICK).fit(table, Y)
    table.loc[:4, "color"], table.loc[5:9, "rank"] = "violet", 99  # which are unseen
    assert_converts(net, table, dtype=dtype)


def test_levels_of_ensembles_convert():
    table = frame(missing=True)
    assert_converts(ensemble_for(table, **CATEGORIES), table)


def test_inputs_have_the_types_of_their_levels():
    model = to_onnx(DistanceNetClassifier(6, **CATEGORIES, **QUICK).fit(frame(), Y))
    types = [entry.type.tensor_type.elem_type for entry in model.graph.input]
    assert [entry.name for entry in model.graph.input] == list(frame().columns)
    assert types == [11, 8, 7, 9]  # double, string, int64, bool


def test_levels_of_many_rows_convert():
    words = pd.DataFrame({"word": [f"w{number % 30}" for number in range(80)], "size": X[:, 0]})
    net = DistanceNetClassifier(6, **QUICK).fit(words, Y)
    assert_converts(net, words)


def test_columns_of_categories_alone_convert():
    table = frame()[["color", "is_new"]]
    assert_converts(DistanceNetClassifier(6, **QUICK).fit(table, Y), table)


def test_missing_words_are_missing_levels():
    table = frame(missing=True)
    net = DistanceNetClassifier(6, **QUICK).fit(table, Y)
    model = to_onnx(net, options={"score_samples": True})
    expected = run(model, table)
    for word in ("nan", "NaN", "None", "<NA>"):
        found = run(model, table.assign(color=table["color"].fillna(word)))
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)


def test_float_levels_match_in_single_precision():
    table = pd.DataFrame({"level": np.array([0.1, 0.2, 0.7])[Y], "size": X[:, 0]})
    net = DistanceNetClassifier(6, categorical_features=["level"], **QUICK).fit(table, Y)
    assert_converts(net, table, dtype="float32")


def test_numbers_and_equal_words_are_one_level():
    table = frame()
    net = DistanceNetClassifier(6, **CATEGORIES, **QUICK).fit(table, Y)
    register_converters()
    words = [
        ("size", FloatTensorType([None, 1])),
        *((n, StringTensorType([None, 1])) for n in CATEGORIES["categorical_features"]),
    ]
    model = convert_sklearn(net, initial_types=words, options={id(net): {"zipmap": False}})
    as_words = table.assign(
        rank=table["rank"].astype(str), is_new=table["is_new"].astype(int).astype(str)
    )
    found = run(model, as_words)["probabilities"]
    np.testing.assert_allclose(found, net.predict_proba(table), atol=1e-5)


def test_arrays_of_codes_convert():
    codes = np.stack([Y, X[:, 0], X[:, 1]], axis=1)
    net = DistanceNetClassifier(6, categorical_features=[0], **QUICK).fit(codes, Y)
    register_converters()
    kind = [("X", FloatTensorType([None, 3]))]
    model = convert_sklearn(net, initial_types=kind, options={id(net): {"zipmap": False}})
    found = run(model, codes)["probabilities"]
    np.testing.assert_allclose(found, net.predict_proba(codes), atol=1e-5)


def with_levels(levels):
    """Return a frame with a column of these levels, and the net fitted to it."""
    column = np.array(levels, dtype=object)[Y]
    table = pd.DataFrame({"size": X[:, 0], "level": pd.Series(column, dtype=object)})
    return table, DistanceNetClassifier(6, categorical_features=["level"], **QUICK).fit(table, Y)


def test_large_integers_are_told_apart():
    table, net = with_levels([2**53, 2**53 + 1, 2**53 + 2])
    table.loc[:3, "level"] = 2**53 + 3
    assert_converts(net, table)


@pytest.mark.parametrize("levels", [[1e300, -1e300, 0.5], [0.0, 1.0, 2.0**70]])
def test_huge_levels_convert(levels):
    table, net = with_levels(levels)
    assert_converts(net, table)


@pytest.mark.parametrize("levels", [[0.1, 0.1 + 1e-12, 3.5], [0.5, 1e300, 2e300]])
def test_levels_equal_in_float32_are_refused(levels):
    table, net = with_levels(levels)
    assert_converts(net, table)
    with pytest.raises(ValueError, match="Column 1 of X has levels that are equal in float32"):
        to_onnx(net, dtype="float32")


@pytest.mark.parametrize("levels", [[True, "a", "b"], [1.5, "a", "b"], [7, "7.0", "None"]])
def test_levels_of_mixed_kinds_are_words(levels):
    table, net = with_levels(levels)
    found = run(to_onnx(net), table.assign(level=table["level"].astype(str)))
    np.testing.assert_allclose(found["probabilities"], net.predict_proba(table), rtol=1e-12)


def test_words_are_no_numbers_of_other_digits():
    table, net = with_levels(["1.0", "2", "a"])
    register_converters()
    types = [(name, FloatTensorType([None, 1])) for name in table.columns]
    model = convert_sklearn(net, initial_types=types, options={id(net): {"zipmap": False}})
    as_numbers = table.assign(level=np.array([1.0, 2.0, 3.0])[Y])
    found = run(model, as_numbers)["probabilities"]
    np.testing.assert_allclose(found, net.predict_proba(as_numbers), atol=1e-5)


def test_columns_without_values_are_words():
    table = frame().assign(color=pd.Series([None] * len(X), dtype=object))
    assert_converts(DistanceNetClassifier(6, **QUICK).fit(table, Y), table)


def test_inputs_without_a_name_are_numbered():
    table = frame().rename(columns={"size": ""})
    model = assert_converts(DistanceNetClassifier(6, **QUICK).fit(table, Y), table)
    assert model.graph.input[0].name == "x0"


def test_streams_with_unused_levels_convert():
    net = DistanceNetClassifier(6, random_state=0, **CATEGORIES)
    table = frame()
    net.partial_fit(table[:40], Y[:40], classes=[0, 1, 2])
    later = table[40:].assign(color="violet")
    net.partial_fit(later, Y[40:])
    assert_converts(net, pd.concat([table, later]))
