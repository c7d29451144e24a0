"""Files of Python that predict what the estimators do, with NumPy alone."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from exported_tables import (
    LOSSES,
    QUICK,
    TARGETS,
    classifier,
    classifier_ensemble,
    net_of_layers,
    numbers,
    numeric_target,
    parametrize_layers,
    regressor,
    regressor_ensemble,
    three_classes,
    with_missing,
    with_outliers,
)
from sklearn.base import is_classifier

from skdistnet import DistanceNetClassifier, DistanceNetEnsembleClassifier, DistanceNetRegressor
from skdistnet.export import to_numpy

X = numbers()
Y = three_classes(X)
pytest_generate_tests = parametrize_layers


def assert_same_file(estimator, rows, folder):
    """Assert that a file has at most 60 lines and predicts what the estimator does."""
    path = to_numpy(estimator, folder / "model.py")
    lines = path.read_text().splitlines()
    assert len(lines) <= 60
    assert all(len(line) <= 100 for line in lines if not line.startswith("ACTIVATIONS"))
    model = runpy.run_path(str(path))
    single = np.result_type(rows) == np.float32 or estimator_dtype(estimator) == np.float32
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if single else {"rtol": 1e-11, "atol": 1e-13}
    found, expected = model["predict"](rows), estimator.predict(rows)
    assert found.shape == expected.shape
    if not is_classifier(estimator):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, **tolerance)
        return
    np.testing.assert_array_equal(found, expected)
    found, expected = model["predict_proba"](rows), estimator.predict_proba(rows)
    assert isinstance(found, list) == isinstance(expected, list)
    pairs = zip(found, expected) if isinstance(found, list) else [(found, expected)]
    for pair in pairs:
        np.testing.assert_allclose(*pair, **tolerance)


def estimator_dtype(estimator):
    return getattr(estimator, "estimators_", [estimator])[0]._network.dtype


def test_files_of_any_layers_predict_the_same(combination, tmp_path):
    net, rows = net_of_layers(combination)
    assert_same_file(net, rows, tmp_path)


@pytest.mark.parametrize("make", [classifier, classifier_ensemble])
@pytest.mark.parametrize("target", TARGETS)
def test_files_of_classifiers_predict_the_same(target, make, tmp_path):
    assert_same_file(make(target), X, tmp_path)


@pytest.mark.parametrize("make", [regressor, regressor_ensemble])
@pytest.mark.parametrize("loss", LOSSES)
def test_files_of_regressors_predict_the_same(loss, make, tmp_path):
    assert_same_file(make(loss), X, tmp_path)


def test_files_keep_constant_targets(tmp_path):
    y = np.stack([numeric_target("huber"), np.full(len(X), 7.25)], axis=1)
    assert_same_file(DistanceNetRegressor(6, **QUICK).fit(X, y), X, tmp_path)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_files_keep_means_finite(dtype, tmp_path):
    y = np.stack([numeric_target("poisson"), np.full(len(X), 7.0)], axis=1)
    net = DistanceNetRegressor(6, loss="poisson", **QUICK).fit(X.astype(dtype), y)
    assert_same_file(net, (1e4 * X).astype(dtype), tmp_path)


def test_missing_values_that_nets_refuse_are_nan(tmp_path):
    net = DistanceNetClassifier((6, 5), ("tanh", "gaussian"), **QUICK).fit(X, Y)
    model = runpy.run_path(str(to_numpy(net, tmp_path / "model.py")))
    found = model["predict_proba"](with_missing(X))
    np.testing.assert_array_equal(np.isnan(found[:, 0]), np.isnan(with_missing(X)).any(axis=1))


def test_files_of_many_nets_predict_the_same(tmp_path):
    net = DistanceNetClassifier(2, max_iter=1, early_stopping=False, tol=0)
    nets = DistanceNetEnsembleClassifier(net, n_estimators=102, random_state=0)
    assert_same_file(nets.fit(X[:30], Y[:30]), X, tmp_path)


@pytest.mark.parametrize("ensemble", [False, True])
@pytest.mark.parametrize(
    "rows",
    [with_missing(X), with_missing(with_outliers(X)), X + 1e6, (X + 1e3).astype(np.float32)],
    ids=["missing", "outliers", "offset", "float32"],
)
def test_files_map_inputs_as_the_nets_do(rows, ensemble, tmp_path):
    net = DistanceNetClassifier(6, **QUICK)
    if ensemble:
        net = DistanceNetEnsembleClassifier(net.set_params(random_state=None), random_state=0)
    assert_same_file(net.fit(rows, Y), rows, tmp_path)


def test_files_weight_inputs(tmp_path):
    net = DistanceNetClassifier(6, max_iter=2, early_stopping=False, tol=0)
    nets = DistanceNetEnsembleClassifier(net, random_state=0).fit(X, Y)
    for member in nets.estimators_:  # of which fit gives weights to some
        member._input_weights_ = np.array([0.2, 1.0, 0.5, 1.7])
    assert_same_file(nets, X, tmp_path)


def test_files_project_many_columns(tmp_path):
    rows = np.random.default_rng(0).normal(size=(80, 1100))
    net = DistanceNetClassifier(6, **QUICK).fit(rows, rows[:, 0] > 0)
    rows[3, 5] = np.nan
    assert_same_file(net, rows, tmp_path)


def test_files_need_numpy_only(tmp_path):
    path = to_numpy(net := classifier("strings"), tmp_path / "model.py")
    code = (
        "import json, sys, numpy, model\n"
        "X = numpy.array(json.loads(sys.argv[1]))\n"
        "p = model.predict_proba(X).tolist()\n"
        "others = [name for name in ('scipy', 'sklearn', 'skdistnet') if name in sys.modules]\n"
        "print(json.dumps([p, model.predict(X).tolist(), others]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, json.dumps(X[:5].tolist())],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    probabilities, labels, others = json.loads(run.stdout)
    np.testing.assert_allclose(probabilities, net.predict_proba(X[:5]), rtol=1e-11)
    assert labels == net.predict(X[:5]).tolist()
    assert others == []


def test_files_hold_no_pickles(tmp_path):
    path = to_numpy(classifier("objects"), tmp_path / "model.py")
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays} <= set("fbU")


def test_rows_of_another_width_are_refused(tmp_path):
    model = runpy.run_path(str(to_numpy(classifier(), tmp_path / "model.py")))
    with pytest.raises(ValueError, match=r"shape \(n_rows, 4\); got \(80, 3\)"):
        model["predict"](X[:, :3])


def test_the_path_is_returned_and_files_replaced(tmp_path):
    first = to_numpy(classifier(), str(tmp_path / "model.py"))
    assert first == Path(tmp_path, "model.py")
    assert to_numpy(regressor(), first) == first
    assert "predict_proba" not in first.read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.npz", "model.py"]


@pytest.mark.parametrize("estimator", [classifier("columns"), regressor("quantiles")])
def test_empty_batches_are_taken(estimator, tmp_path):
    model = runpy.run_path(str(to_numpy(estimator, tmp_path / "model.py")))
    assert model["predict"](X[:0]).shape == (0, estimator.predict(X).shape[1])


def test_infinite_values_count_as_far_away(tmp_path):
    model = runpy.run_path(str(to_numpy(classifier(), tmp_path / "model.py")))
    rows = X.copy()
    rows[0], rows[1, 1] = np.inf, -np.inf
    assert np.isfinite(model["predict_proba"](rows)).all()
