"""CalibratedClassifierCV of scikit-learn works with the classifier, with each of its methods."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_wine, make_blobs
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss

from skdistnet import DistanceNetClassifier, RejectingClassifier

X, Y = load_wine(return_X_y=True)
NET = DistanceNetClassifier(hidden_layer_sizes=10, max_iter=20, random_state=0)
METHODS = ["sigmoid", "isotonic"]
if "temperature" in (inspect.getdoc(CalibratedClassifierCV) or ""):  # scikit-learn 1.8
    METHODS.append("temperature")
every_method = pytest.mark.parametrize("method", METHODS)


@every_method
@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_calibrated_net_classifies(method, ensemble, class_weight):
    net = clone(NET).set_params(class_weight=class_weight)
    calibrated = CalibratedClassifierCV(net, method=method, cv=3, ensemble=ensemble).fit(X, Y)
    assert calibrated.score(X, Y) > 0.9
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0)


@every_method
@pytest.mark.parametrize("two_classes", [False, True])
def test_fitted_net_is_calibrated_on_held_out_rows(method, two_classes):
    rows, labels = make_blobs(900, centers=4, cluster_std=4.0, random_state=0)
    labels = labels % 2 if two_classes else labels
    parts = [slice(start, start + 300) for start in (0, 300, 600)]
    fit, held, new = ((rows[part], labels[part]) for part in parts)
    # A long fit without regularisation makes the net overconfident.
    net = clone(NET).set_params(hidden_layer_sizes=200, max_iter=300, dropout=0.0)
    net.set_params(early_stopping=False).fit(*fit)
    calibrated = CalibratedClassifierCV(FrozenEstimator(net), method=method).fit(*held)
    before = log_loss(new[1], net.predict_proba(new[0]).astype(np.float64))
    after = log_loss(new[1], calibrated.predict_proba(new[0]))
    assert after < before


@every_method
def test_sample_weights_change_calibration(method):
    weights = np.where(Y == 0, 3.0, 0.5)
    model = CalibratedClassifierCV(NET, method=method, cv=3, ensemble=False)
    weighted = clone(model).fit(X, Y, sample_weight=weights).predict_proba(X)
    plain = clone(model).fit(X, Y).predict_proba(X)
    assert weighted[:, 0].mean() > plain[:, 0].mean()


def test_calibrated_net_can_be_wrapped_for_rejection():
    rows, labels = make_blobs(300, cluster_std=2.0, random_state=0)
    calibrated = CalibratedClassifierCV(NET, cv=3)
    rejecting = RejectingClassifier(calibrated, threshold=0.7).fit(rows, labels)
    accepted = rejecting.accepts(rows)
    assert 0 < accepted.mean() < 1
    right = rejecting.predict(rows) == labels
    assert right[accepted].mean() > rejecting.score(rows, labels)
