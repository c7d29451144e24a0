"""Tests of nets in half precision: small files, nearly the same predictions, clear refusals."""

import copy
import io
import pickle
import zipfile

import joblib
import numpy as np
import pytest
import skops.io
from category_tables import draw_frame, target_of
from ensembles import CASES, NETS, both_kinds, small
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skdistnet import (
    TRUSTED_TYPES,
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    RejectingClassifier,
)
from skdistnet._base import trained
from skdistnet.export import to_half_precision
from skdistnet.inspection import prune

WINE, WINE_Y = CASES["classifier"][1:]
SMALL = {"max_iter": 10, "random_state": 0}


def by_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    return joblib.load(io.BytesIO(file.getvalue()))


COPIES = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "joblib": by_joblib,
    "skops": lambda each: skops.io.loads(skops.io.dumps(each), trusted=TRUSTED_TYPES),
    "deepcopy": copy.deepcopy,
}


def members(estimator):
    return getattr(estimator, "estimators_", [estimator])


def outputs(estimator, X):
    """Return probabilities, or predictions in units of their spread."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(X)
    return estimator.predict(X) / 77.0  # the standard deviation of the target


@both_kinds
@pytest.mark.parametrize("as_ensemble", [False, True])
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_rounded_estimator_predicts_alike(kind, X, y, as_ensemble, dtype):
    net = NETS[kind](dtype=dtype, **SMALL)
    estimator = (kind(net, random_state=0) if as_ensemble else net).fit(X, y)
    before = joblib.hash(vars(estimator))
    rounded = to_half_precision(estimator)
    assert joblib.hash(vars(estimator)) == before
    assert type(rounded) is type(estimator)
    assert vars(rounded).keys() == vars(estimator).keys()
    np.testing.assert_allclose(outputs(rounded, X), outputs(estimator, X), atol=0.02)
    assert not np.array_equal(outputs(rounded, X), outputs(estimator, X))
    for own, full in zip(members(rounded), members(estimator)):
        assert own._theta_.dtype == full._theta_.dtype == (dtype or np.float64)
        np.testing.assert_array_equal(own._theta_, full._theta_.astype(np.float16))


@both_kinds
@pytest.mark.parametrize("as_ensemble", [False, True])
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_rounded_estimator_survives_saving(kind, X, y, as_ensemble, copied):
    estimator = small(kind, 2) if as_ensemble else NETS[kind](12, **SMALL)
    rounded = to_half_precision(estimator.fit(X, y))
    loaded = copied(rounded)
    for own, saved in zip(members(loaded), members(rounded)):
        assert vars(own).keys() == vars(saved).keys()
        assert own._theta_.dtype == np.float64
    np.testing.assert_array_equal(outputs(loaded, X), outputs(rounded, X))
    np.testing.assert_array_equal(loaded.score_samples(X), rounded.score_samples(X))
    assert loaded.novelty_threshold_ == rounded.novelty_threshold_


@both_kinds
def test_files_are_less_than_half_as_large(kind, X, y):
    net = NETS[kind](200, **SMALL).fit(np.hstack([X, X**2, X**3]), y)
    rounded = to_half_precision(net)
    assert len(pickle.dumps(rounded)) < 0.4 * len(pickle.dumps(net))
    # The text that skops adds for each of many numbers is not half as long.
    compressed = {"compression": zipfile.ZIP_DEFLATED}
    full = len(skops.io.dumps(net, **compressed))
    assert len(skops.io.dumps(rounded, **compressed)) < 0.5 * full


def test_novelty_scores_stay_calibrated():
    net = DistanceNetClassifier(60, max_iter=60, random_state=0).fit(WINE[::2], WINE_Y[::2])
    rounded = to_half_precision(net)
    scores, exact = rounded.score_samples(WINE), net.score_samples(WINE)
    np.testing.assert_allclose(scores, exact, atol=0.05 * exact.std())
    alarms = (scores < rounded.novelty_threshold_).mean()
    assert alarms == pytest.approx((exact < net.novelty_threshold_).mean(), abs=0.02)
    assert {layer["packed"].dtype.name for layer in rounded._novelty_["layers"]} == {"float16"}
    assert {layer["packed"].dtype.name for layer in net._novelty_["layers"]} == {"float32"}


def test_novelty_beyond_half_precision_is_kept():
    net = DistanceNetClassifier(8, **SMALL).fit(WINE, WINE_Y)
    net._novelty_["layers"][0]["packed"][0] = 1e6
    first, last = to_half_precision(net)._novelty_["layers"]
    assert first["packed"] is net._novelty_["layers"][0]["packed"]
    assert last["packed"].dtype == np.float16


def test_knots_of_ranks_are_single_precision():
    ensemble = DistanceNetEnsembleClassifier(DistanceNetClassifier(max_iter=2), 2)
    far = WINE + 1e12  # where single precision would make the knots equal
    for X, dtype in ((WINE, np.float32), (far, np.float64), (np.hstack([WINE, far]), np.float64)):
        ensemble.fit(X, WINE_Y)
        rounded = to_half_precision(ensemble)
        assert ensemble.estimators_[1]._input_knots_.dtype == np.float64
        assert rounded.estimators_[1]._input_knots_.dtype == dtype
        np.testing.assert_allclose(outputs(rounded, X), outputs(ensemble, X), atol=0.02)


# The format ---------------------------------------------------------------------------------------


def test_only_rounded_nets_have_the_new_format():
    net = DistanceNetClassifier(8, **SMALL).fit(WINE, WINE_Y)
    full, rounded = net.__getstate__(), to_half_precision(net).__getstate__()
    assert (full["_format"], full["_theta_"].dtype) == (1, np.float64)
    assert (rounded["_format"], rounded["_theta_"].dtype) == (2, np.float16)
    assert DistanceNetClassifier().__getstate__()["_format"] == 1


def test_older_versions_refuse_half_precision(monkeypatch):
    net = DistanceNetClassifier(8, **SMALL).fit(WINE, WINE_Y)
    saved = pickle.dumps(net), pickle.dumps(to_half_precision(net))
    monkeypatch.setattr(trained, "FORMAT", 1)
    np.testing.assert_array_equal(pickle.loads(saved[0])._theta_, net._theta_)
    with pytest.raises(ValueError, match="newer skdistnet, in format 2"):
        pickle.loads(saved[1])


# Further use --------------------------------------------------------------------------------------


def test_streams_continue_in_full_precision():
    net = DistanceNetClassifier(8, **SMALL).partial_fit(WINE, WINE_Y, classes=[0, 1, 2])
    rounded = to_half_precision(net)
    assert not {"_stream_", "_progress_"} & vars(rounded).keys()
    assert "_stream_" in vars(net)
    loaded = pickle.loads(pickle.dumps(rounded)).partial_fit(WINE, WINE_Y)
    assert loaded.n_iter_ == net.n_iter_ + 1
    assert loaded.__getstate__()["_theta_"].dtype == np.float64


@both_kinds
def test_pruned_ensembles_can_be_rounded(kind, X, y):
    pruned, _ = prune(small(kind).fit(X, y), X, y, 0.3)
    loaded = COPIES["pickle"](to_half_precision(pruned))
    np.testing.assert_allclose(outputs(loaded, X), outputs(pruned, X), atol=0.02)


@pytest.mark.parametrize("kind", NETS.values())
def test_levels_are_kept(kind):
    frame, _ = draw_frame()
    net = kind(8, **SMALL).fit(frame, target_of(kind, frame))
    loaded = COPIES["pickle"](to_half_precision(net))
    np.testing.assert_allclose(outputs(loaded, frame), outputs(net, frame), atol=0.02)


def test_nets_without_hidden_layers_or_novelty():
    linear = DistanceNetClassifier((), output_layer="linear", **SMALL).fit(WINE, WINE_Y)
    dense = DistanceNetClassifier(8, activation="tanh", **SMALL).fit(WINE, WINE_Y)
    for net in (linear, dense):
        rounded = COPIES["pickle"](to_half_precision(net))
        np.testing.assert_allclose(outputs(rounded, WINE), outputs(net, WINE), atol=0.02)


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["centroids", "inverse_radii", "linear_coefs"])
def test_parameters_beyond_half_precision_are_refused(name):
    net = DistanceNetClassifier(8, **SMALL).fit(WINE, WINE_Y)
    net._network.views(net._theta_)[-1][name][0, 0] = -7e4
    with pytest.raises(ValueError, match=rf"up to 65504 .*; '{name}' of layer 1 reach 7e\+04"):
        to_half_precision(net)


def test_centroids_that_move_are_refused():
    net = DistanceNetClassifier(8, **SMALL).fit(WINE, WINE_Y)
    first = net._network.views(net._theta_)[0]
    first["centroids"][2, 0], first["inverse_radii"][2, 0] = 1024.1, 2.0
    with pytest.raises(ValueError, match=r"move a centroid of layer 0 by 0\.2 of its radius"):
        to_half_precision(net)
    # Where the radius is large, the move does not count.
    first["inverse_radii"][2, 0] = 0.02
    to_half_precision(net)


def test_wide_columns_without_scaling_are_refused():
    settings = {"standardize": False, "max_iter": 1, "early_stopping": False}
    net = DistanceNetClassifier(8, **settings).fit(1e5 * WINE, WINE_Y)
    with pytest.raises(ValueError, match="Fit with standardize=True"):
        to_half_precision(net)


def test_other_estimators_are_refused():
    net = DistanceNetClassifier(8, **SMALL).fit(WINE, WINE_Y)
    with pytest.raises(TypeError, match=r"to_half_precision takes a .*; got MLPClassifier"):
        to_half_precision(MLPClassifier())
    with pytest.raises(TypeError, match=r"got Pipeline\. Pass pipeline\[-1\]"):
        to_half_precision(make_pipeline(net))
    with pytest.raises(TypeError, match="got RejectingClassifier"):
        to_half_precision(RejectingClassifier(net).fit(WINE, WINE_Y))
    for estimator in (DistanceNetClassifier(), *(kind() for kind in NETS)):
        with pytest.raises(NotFittedError):
            to_half_precision(estimator)
