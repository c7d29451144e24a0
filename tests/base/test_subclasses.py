"""Subclasses with parameters and fitted attributes of their own, as scikit-learn allows them."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.validation import check_is_fitted

from skdistnet import TRUSTED_TYPES, DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base.constraints import NONE, Number
from skdistnet._base.trained import LEARNED

X, Y = load_iris(return_X_y=True)


class CenteredClassifier(DistanceNetClassifier):
    """A subclass with a required parameter, fewer others, and one named as in the regressor."""

    def __init__(
        self,
        shift,
        hidden_layer_sizes=(5,),
        *,
        quantile="low",
        n_init=1,
        n_jobs=None,
        early_stopping="auto",
        scoring="loss",
        warm_start=False,
        max_iter=4,
    ):
        super().__init__(
            hidden_layer_sizes,
            n_init=n_init,
            n_jobs=n_jobs,
            early_stopping=early_stopping,
            scoring=scoring,
            warm_start=warm_start,
            max_iter=max_iter,
            random_state=0,
        )
        self.shift = shift
        self.quantile = quantile

    def fit(self, X, y, sample_weight=None):
        """Set an attribute of its own before the net is fitted."""
        self.center_ = np.mean(X, axis=0) + self.shift
        return super().fit(X, y, sample_weight)

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Set the attribute, and continue the net."""
        self.center_ = np.mean(X, axis=0) + self.shift
        return super().partial_fit(X, y, sample_weight, classes)


class RoundingRegressor(DistanceNetRegressor):
    """A subclass that sets an attribute in a method called during training."""

    def __init__(self, digits, hidden_layer_sizes=(5,), *, max_iter=3, random_state=0):
        super().__init__(hidden_layer_sizes, max_iter=max_iter, random_state=random_state)
        self.digits = digits

    def _check_target(self, y):
        self.unrounded_ = y
        return super()._check_target(np.round(y, self.digits))


class ClippingRegressor(DistanceNetRegressor):
    """A subclass with constraints of its own for a parameter of its own."""

    _parameter_constraints = DistanceNetRegressor._parameter_constraints | {
        "largest": [Number(0, ends="()"), NONE]
    }

    def __init__(self, hidden_layer_sizes=(5,), *, largest=None, max_iter=3, random_state=0):
        super().__init__(hidden_layer_sizes, max_iter=max_iter, random_state=random_state)
        self.largest = largest

    def predict(self, X):
        """Predict at most `largest`."""
        prediction = super().predict(X)
        return prediction if self.largest is None else np.minimum(prediction, self.largest)


PLAIN = DistanceNetClassifier((5,), max_iter=4, random_state=0)


def score_by_center(net, X, y):
    return float(net.score(X, y) - np.abs(X.mean(axis=0) - net.center_).sum())


def assert_as_fitted(net, options=None, shift=2.0):
    """Check that the net has its own attribute and the fitted state of a plain net."""
    plain = clone(PLAIN).set_params(**options or {}).fit(X, Y)
    np.testing.assert_array_equal(net.decision_function(X), plain.decision_function(X))
    np.testing.assert_array_equal(net.center_, X.mean(axis=0) + shift)


@pytest.mark.parametrize(
    "options",
    [{}, {"n_init": 2}, {"n_init": 3, "n_jobs": 2}, {"early_stopping": True}, {"quantile": "high"}],
    ids=str,
)
def test_own_attributes_survive_the_fit(options):
    net = CenteredClassifier(2.0, **options).fit(X, Y)
    options = {name: value for name, value in options.items() if name != "quantile"}
    assert_as_fitted(net, options)
    assert_as_fitted(net.set_params(shift=1.0).fit(X, Y), options, shift=1.0)
    assert net.get_params()["shift"] == 1.0
    assert set(net.get_params()) == set(CenteredClassifier._get_param_names())


def test_warm_starts_and_partial_fits_continue():
    net, plain = CenteredClassifier(2.0, warm_start=True), clone(PLAIN).set_params(warm_start=True)
    for _ in range(2):
        net.fit(X, Y)
        plain.fit(X, Y)
    net.partial_fit(X[:90], Y[:90])
    plain.partial_fit(X[:90], Y[:90])
    np.testing.assert_array_equal(net.decision_function(X), plain.decision_function(X))
    np.testing.assert_array_equal(net.center_, X[:90].mean(axis=0) + 2.0)


@pytest.mark.parametrize("warm_start", [False, True])
def test_failed_fits_leave_the_net_unchanged(warm_start):
    net = CenteredClassifier(2.0, warm_start=warm_start).fit(X, Y)
    before = joblib.hash({name: value for name, value in vars(net).items() if name != "center_"})
    with pytest.raises(ValueError, match="infinity"):
        net.fit(np.where(X > 7, np.inf, X), Y)
    after = joblib.hash({name: value for name, value in vars(net).items() if name != "center_"})
    assert after == before
    assert np.isinf(net.center_).any()


def test_own_attributes_do_not_make_it_fitted():
    net = CenteredClassifier(2.0)
    with pytest.raises(ValueError, match="infinity"):
        net.fit(np.where(X > 7, np.inf, X), Y)
    with pytest.raises(NotFittedError):
        check_is_fitted(net)
    with pytest.raises(NotFittedError):
        net.predict(X)


def test_scorers_see_own_attributes():
    net = CenteredClassifier(2.0, early_stopping=True, scoring=score_by_center).fit(X, Y)
    assert len(net.validation_scores_) == net.n_iter_
    assert max(net.validation_scores_) < -4


@pytest.mark.parametrize(
    "make",
    [
        copy.copy,
        copy.deepcopy,
        lambda net: pickle.loads(pickle.dumps(net)),
        lambda net: skops.io.loads(
            skops.io.dumps(net),
            trusted=[*TRUSTED_TYPES, f"{CenteredClassifier.__module__}.CenteredClassifier"],
        ),
    ],
    ids=["copy", "deepcopy", "pickle", "skops"],
)
def test_copies_are_fitted_and_can_be_refitted(make):
    net = make(CenteredClassifier(2.0).fit(X, Y))
    assert_as_fitted(net)
    assert_as_fitted(net.fit(X, Y))
    assert clone(net).get_params() == net.get_params()


def test_older_pickles_take_defaults_from_signature():
    state = CenteredClassifier(2.0).fit(X, Y).__getstate__()
    for name in ("quantile", "verbose", "max_iter"):
        del state[name]
    net = object.__new__(CenteredClassifier)
    net.__setstate__(state)
    assert (net.quantile, net.verbose, net.max_iter) == ("low", False, 4)
    assert_as_fitted(net.fit(X, Y))


def test_grid_search_sets_own_parameters():
    search = GridSearchCV(CenteredClassifier(0.0), {"shift": [1.0, 2.0], "max_iter": [4]}, cv=2)
    assert_as_fitted(search.fit(X, Y).best_estimator_, shift=search.best_params_["shift"])


def test_inherited_parameters_are_still_validated():
    with pytest.raises(ValueError, match="'max_iter' parameter of CenteredClassifier"):
        CenteredClassifier(2.0, max_iter=0).fit(X, Y)


@pytest.mark.parametrize("value", [0, -1.0, np.inf, "5", True])
def test_own_constraints_are_validated(value):
    net = ClippingRegressor(largest=value)
    with pytest.raises(ValueError, match=r"^The 'largest' parameter of ClippingReg") as caught:
        net.fit(X, X[:, 0])
    allowed = f"must be {Number(0, ends='()')} or None; got {value!r}."
    assert str(caught.value) == f"The 'largest' parameter of ClippingRegressor {allowed}"
    with pytest.raises(ValueError, match="'max_iter' parameter of ClippingRegressor must be"):
        ClippingRegressor(max_iter=0).fit(X, X[:, 0])


def test_valid_own_parameters_are_used():
    assert ClippingRegressor().fit(X, X[:, 0]).predict(X).max() > 6
    assert ClippingRegressor(largest=5.5).fit(X, X[:, 0]).predict(X).max() == 5.5
    assert "largest" not in DistanceNetRegressor._parameter_constraints


def test_overridden_methods_may_set_attributes():
    net = RoundingRegressor(1).fit(X, X[:, 0] / 3)
    np.testing.assert_array_equal(net.unrounded_, X[:, 0] / 3)
    net.fit(X, X[:, 1])
    np.testing.assert_array_equal(net.unrounded_, X[:, 1])


@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"warm_start": True}], ids=str)
def test_every_fitted_attribute_is_listed(kind, options):
    parameters = kind().get_params().keys()
    net = kind(max_iter=2, **options).fit(X, Y)
    assert vars(net).keys() - parameters <= LEARNED
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    assert vars(kind().partial_fit(X, Y, **classes)).keys() - parameters <= LEARNED
