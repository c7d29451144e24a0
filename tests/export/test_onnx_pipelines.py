"""Pipelines and searches that skl2onnx converts once the estimators are registered."""

import numpy as np
import pytest
import skl2onnx
from exported_tables import QUICK, frame, numbers, numeric_target, three_classes
from onnx_models import assert_same_predictions, run
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, StackingRegressor, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetEnsembleClassifier, DistanceNetRegressor
from skdistnet.export import register_converters

X = numbers().astype(np.float32)
Y = three_classes(X)


@pytest.fixture(autouse=True)
def registered():
    register_converters()


def net(**options):
    return DistanceNetClassifier(6, **QUICK, **options)


def convert(estimator, **options):
    return skl2onnx.to_onnx(estimator, X[:1], options={"zipmap": False} | options)


def test_pipelines_convert():
    pipeline = make_pipeline(StandardScaler(), PCA(2), net()).fit(X, Y)
    assert_same_predictions(pipeline, run(convert(pipeline), X), X, "float32")


def test_pipelines_with_ensembles_convert():
    nets = DistanceNetEnsembleClassifier(net().set_params(random_state=None), random_state=0)
    pipeline = make_pipeline(StandardScaler(), nets).fit(X, Y)
    assert_same_predictions(pipeline, run(convert(pipeline), X), X, "float32")


def test_pipelines_with_regressors_convert():
    pipeline = make_pipeline(StandardScaler(), DistanceNetRegressor(6, **QUICK))
    pipeline.fit(X, numeric_target("huber"))
    model = skl2onnx.to_onnx(pipeline, X[:1])
    assert_same_predictions(pipeline, run(model, X), X, "float32")


def test_zipmap_is_the_default_as_in_skl2onnx():
    outputs = run(skl2onnx.to_onnx(make_pipeline(StandardScaler(), net()).fit(X, Y), X[:1]), X)
    assert list(outputs) == ["output_label", "output_probability"]
    assert list(outputs["output_probability"][0]) == [0, 1, 2]


def test_options_reach_the_step():
    pipeline = make_pipeline(StandardScaler(), net()).fit(X, Y)
    options = {id(pipeline[-1]): {"zipmap": False, "score_samples": True}}
    outputs = run(skl2onnx.to_onnx(pipeline, X[:1], options=options), X)
    np.testing.assert_allclose(
        outputs["score_samples"][:, 0], pipeline.score_samples(X), rtol=1e-3, atol=1e-3
    )


def test_column_transformers_convert():
    table = frame().astype({"size": np.float32})
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    columns = ColumnTransformer(
        [("words", encoder, ["color"]), ("numbers", SimpleImputer(), ["size"])]
    )
    pipeline = make_pipeline(columns, net()).fit(table, Y)
    types = [
        ("size", FloatTensorType([None, 1])),
        ("color", StringTensorType([None, 1])),
        ("rank", Int64TensorType([None, 1])),
    ]
    model = skl2onnx.to_onnx(pipeline, initial_types=types, options={"zipmap": False})
    used = table[["size", "color", "rank"]]
    assert_same_predictions(pipeline, run(model, used), table, "float32")


def test_frames_of_categories_convert():
    table = frame().astype({"size": np.float32})
    estimator = net(categorical_features=["color", "rank", "is_new"]).fit(table, Y)
    model = skl2onnx.to_onnx(estimator, table[:1], options={"zipmap": False})
    assert_same_predictions(estimator, run(model, table), table, "float32")


@pytest.mark.parametrize("zipmap", [True, False])
def test_searches_convert(zipmap):
    search = GridSearchCV(net(), {"init": ["sample", "kmeans"]}, cv=2).fit(X, Y)
    outputs = run(skl2onnx.to_onnx(search, X[:1], options={id(search): {"zipmap": zipmap}}), X)
    np.testing.assert_array_equal(next(iter(outputs.values())), search.predict(X))


@pytest.mark.parametrize(
    "wrapper",
    [
        CalibratedClassifierCV(net(), cv=2),
        CalibratedClassifierCV(
            DistanceNetEnsembleClassifier(net().set_params(random_state=None)), cv=2
        ),
        BaggingClassifier(net(), n_estimators=2, random_state=0),
        OneVsRestClassifier(net()),
        VotingClassifier(
            [("net", net()), ("linear", LogisticRegression())],
            voting="soft",
            flatten_transform=False,
        ),
    ],
    ids=lambda wrapper: type(wrapper).__name__,
)
def test_classifiers_around_nets_convert(wrapper):
    wrapper.fit(X, Y)
    assert_same_predictions(wrapper, run(convert(wrapper), X), X, "float32")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifiers_calibrate_the_decision_function(n_classes):
    labels = np.minimum(Y, n_classes - 1)
    wrapper = CalibratedClassifierCV(net(), cv=2).fit(X, labels)
    assert_same_predictions(wrapper, run(convert(wrapper), X), X, "float32")


@pytest.mark.parametrize("is_first", [False, True])
def test_regressors_around_nets_convert(is_first):
    first, last = DistanceNetRegressor(6, **QUICK), LinearRegression()
    if not is_first:
        first, last = last, first
    wrapper = StackingRegressor([("first", first)], last, cv=2)
    wrapper.fit(X, numeric_target("huber"))
    assert_same_predictions(wrapper, run(skl2onnx.to_onnx(wrapper, X[:1]), X), X, "float32")


@pytest.mark.parametrize("widths", [(3,), (2, 1), (4, 1)])
def test_inputs_of_another_width_are_refused(widths):
    types = [(f"X{at}", FloatTensorType([None, width])) for at, width in enumerate(widths)]
    with pytest.raises(ValueError, match=r"was fitted with 4 features; got inputs with \d"):
        skl2onnx.to_onnx(net().fit(X, Y), initial_types=types)


def test_second_registration_changes_nothing():
    pipeline = make_pipeline(StandardScaler(), net()).fit(X, Y)
    before = convert(pipeline)
    register_converters()
    assert convert(pipeline).graph.node == before.graph.node
