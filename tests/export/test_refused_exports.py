"""What cannot be exported is refused in words that name the part."""

import importlib.util

import numpy as np
import pytest
from exported_tables import QUICK, classifier, frame, numbers, regressor, three_classes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skdistnet import DistanceNetClassifier, RejectingClassifier
from skdistnet.engine import ACTIVATIONS, KERNELS
from skdistnet.export import register_converters, to_numpy, to_onnx

X = numbers()
Y = three_classes(X)


@pytest.fixture
def export(request, tmp_path):
    """Return each of the two exports as a function of an estimator."""
    return {"to_onnx": to_onnx, "to_numpy": lambda net: to_numpy(net, tmp_path / "a.py")}[
        request.param
    ]


both_exports = pytest.mark.parametrize("export", ["to_onnx", "to_numpy"], indirect=True)


@both_exports
def test_unfitted_nets_are_refused(export):
    with pytest.raises(NotFittedError):
        export(DistanceNetClassifier())


@both_exports
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), RejectingClassifier(LogisticRegression()), None]
)
def test_other_estimators_are_refused(estimator, export):
    with pytest.raises(TypeError, match=f"ensemble of them; got {type(estimator).__name__}"):
        export(estimator)


def test_pipelines_are_left_to_skl2onnx():
    with pytest.raises(TypeError, match=r"Call register_converters\(\), and skl2onnx.to_onnx"):
        to_onnx(make_pipeline(classifier()))


@both_exports
@pytest.mark.parametrize("kind", ["kernel", "activation"])
def test_new_kernels_and_activations_are_refused(kind, export, monkeypatch):
    registry, known = (KERNELS, "cauchy") if kind == "kernel" else (ACTIVATIONS, "tanh")
    name = f"my {kind}"
    monkeypatch.setitem(registry, name, registry[known])
    net = DistanceNetClassifier((6, 5), ("gaussian", name), **QUICK).fit(X, Y)
    with pytest.raises(ValueError, match=f"'{name}'"):
        export(net)


def test_labels_beyond_64_bits_are_refused():
    net = DistanceNetClassifier(6, **QUICK).fit(X, Y.astype(np.uint64) + 2**63)
    with pytest.raises(ValueError, match="integers or strings; got the classes"):
        to_onnx(net)


@pytest.mark.parametrize("dtype", ["float16", "int64", "number", 3])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(ValueError, match=r"'dtype' parameter of to_onnx .* got"):
        to_onnx(classifier(), dtype=dtype)


@pytest.mark.parametrize("target_opset", [12, {"": 12}])
def test_old_opsets_are_refused(target_opset):
    with pytest.raises(ValueError, match="at least 13; got"):
        to_onnx(classifier(), target_opset=target_opset)


@pytest.mark.parametrize(
    "options", [{"zip": True}, {"zipmap": "rows"}, {"score_samples": "yes"}, {"zipmap": None}]
)
def test_unknown_options_are_refused(options):
    with pytest.raises(ValueError, match="'options' parameter of to_onnx takes"):
        to_onnx(classifier(), options=options)


def test_regressors_have_no_zipmap():
    with pytest.raises(ValueError, match="for DistanceNetRegressor"):
        to_onnx(regressor(), options={"zipmap": False})


@pytest.mark.parametrize("missing", ["onnx", "skl2onnx"])
def test_missing_packages_are_named(missing, monkeypatch):
    find = importlib.util.find_spec
    hidden = lambda name, *args: None if name == missing else find(name, *args)  # noqa: E731
    monkeypatch.setattr("skdistnet.export.conversion.find_spec", hidden)
    with pytest.raises(ImportError, match=rf"packages? {missing}.*skdistnet\[onnx\]"):
        register_converters()


def test_categories_have_no_numpy_file(tmp_path):
    net = DistanceNetClassifier(6, **QUICK).fit(frame(), Y)
    with pytest.raises(ValueError, match="columns of categories: convert it with to_onnx"):
        to_numpy(net, tmp_path / "a.py")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["model", "model.npz", "model.txt"])
def test_other_endings_have_no_numpy_file(name, tmp_path):
    with pytest.raises(ValueError, match=r"must end in '\.py'; got"):
        to_numpy(classifier(), tmp_path / name)
