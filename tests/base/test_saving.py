"""Saved estimators are small and plain; other versions read them or raise a clear error."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.datasets import load_digits

from skdistnet import (
    TRUSTED_TYPES,
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
    RecurrentDistanceNetClassifier,
    RecurrentDistanceNetRegressor,
    RejectingClassifier,
)
from skdistnet.recipes import inverse_time_decay

X, Y = (part[:300] for part in load_digits(return_X_y=True))
KINDS = [DistanceNetClassifier, DistanceNetRegressor]
RECURRENT = [RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor]
ENSEMBLES = [DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor]
both_kinds = pytest.mark.parametrize("kind", KINDS)
SMALL = {"max_iter": 2, "random_state": 0}


def to_joblib(net):
    file = io.BytesIO()
    joblib.dump(net, file)
    return file.getvalue()


WRITERS = {"pickle": pickle.dumps, "joblib": to_joblib, "skops": skops.io.dumps}
every_writer = pytest.mark.parametrize("writer", WRITERS)


def from_bytes(writer, saved):
    if writer == "skops":
        return skops.io.loads(saved, trusted=TRUSTED_TYPES)
    return joblib.load(io.BytesIO(saved)) if writer == "joblib" else pickle.loads(saved)


@both_kinds
@pytest.mark.parametrize("writer", ["pickle", "joblib"])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"dtype": "float32"}], ids=str)
def test_saved_net_is_hardly_larger_than_its_parameters(kind, writer, options):
    net = kind((200,), **SMALL | options).fit(X, Y)
    names = ("centroids_", "inverse_radii_", "coefs_", "intercepts_")
    parameters = [array for name in names for array in getattr(net, name) if array is not None]
    # The statistics of the novelty score do not grow with the net.
    layers = net._novelty_["layers"]
    assert sum(layer["packed"].nbytes for layer in layers) < 70_000
    parameters += [layer[name] for layer in layers for name in ("packed", "means")]
    assert len(WRITERS[writer](net)) <= 1.2 * sum(array.nbytes for array in parameters)


@both_kinds
@every_writer
def test_saved_net_predicts_and_continues_training(kind, writer):
    classes = {"classes": np.unique(Y)} if kind is DistanceNetClassifier else {}
    net = kind((10,), init=X[:10], **SMALL).partial_fit(X, Y, **classes)
    loaded = from_bytes(writer, WRITERS[writer](net))
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    loaded.partial_fit(X, Y)
    net.partial_fit(X, Y)
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    assert vars(loaded).keys() == vars(net).keys()


@both_kinds
def test_skops_needs_trust_for_estimator_only(kind):
    classes = {"classes": np.unique(Y)} if kind is DistanceNetClassifier else {}
    for net in [kind((10,), **SMALL).fit(X, Y), kind((10,)).partial_fit(X, Y, **classes)]:
        untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(net))
        assert untrusted == [f"{kind.__module__}.{kind.__qualname__}"]
        assert set(untrusted) <= set(TRUSTED_TYPES)


def test_trusted_types_are_complete_and_needed():
    types = [*KINDS, *ENSEMBLES, *RECURRENT, RejectingClassifier, inverse_time_decay]
    assert sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in types) == TRUSTED_TYPES


@every_writer
def test_saved_rejecting_classifier_rejects_alike(writer):
    net = DistanceNetClassifier((10,), **SMALL)
    for rejecting in (RejectingClassifier(net, method="score_samples"), RejectingClassifier(net)):
        rejecting.fit(X, Y)
        loaded = from_bytes(writer, WRITERS[writer](rejecting))
        labels = rejecting.predict_with_rejection(10 * X)
        np.testing.assert_array_equal(loaded.predict_with_rejection(10 * X), labels)


@both_kinds
def test_older_saved_net_gets_parameter_defaults(kind):
    net = kind((10,), **SMALL).fit(X, Y)
    state = net.__getstate__()
    del state["verbose"], state["_format"]
    older = object.__new__(kind)
    older.__setstate__(state)
    np.testing.assert_array_equal(older.predict(X), net.predict(X))
    assert clone(older).get_params() == net.get_params()


@both_kinds
def test_removed_parameters_of_saved_nets_are_harmless(kind):
    removed = {"power_t": 0.5, "nesterovs_momentum": True, "shuffle": True}
    net = kind((10,), **SMALL | {"warm_start": True}).fit(X, Y)
    older = object.__new__(kind)
    older.__setstate__(net.__getstate__() | removed)
    np.testing.assert_array_equal(older.predict(X), net.predict(X))
    assert clone(older).get_params() == net.get_params()
    assert repr(older) == repr(net)
    for each in (older, pickle.loads(pickle.dumps(older))):
        each.fit(X, Y).partial_fit(X, Y)


@both_kinds
def test_newer_format_is_refused(kind):
    state = kind((10,), **SMALL).fit(X, Y).__getstate__() | {"_format": 99}
    with pytest.raises(ValueError, match=r"newer skdistnet, in format 99.*up to 2.*update"):
        object.__new__(kind).__setstate__(state)


@both_kinds
def test_deep_copy_equals_original(kind):
    net = kind((10,), **SMALL).fit(X, Y)
    copied = copy.deepcopy(net)
    assert vars(copied).keys() == vars(net).keys()
    np.testing.assert_array_equal(copied.predict(X), net.predict(X))


@both_kinds
def test_nets_saved_without_newer_attributes_continue(kind):
    net = kind((10,), **SMALL | {"warm_start": True}).fit(X, Y)
    expected, state = net.predict(X), net.__getstate__()
    del state["_input_varied_"]
    older = object.__new__(kind)
    older.__setstate__(state)
    np.testing.assert_array_equal(older.predict(X), expected)
    older.fit(X, Y).partial_fit(X, Y)
