"""Numbers of any size and type, and sequences of any kind, as constructor parameters."""

import copy
import pickle
import re
from decimal import Decimal
from fractions import Fraction
from numbers import Integral

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.utils.fixes import parse_version

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base.checkpoints import Checkpoint
from skdistnet._base.constraints import Number

X, Y = load_iris(return_X_y=True)
X, Y = X[::3], Y[::3]
KINDS = [DistanceNetClassifier, DistanceNetRegressor]
both_kinds = pytest.mark.parametrize("kind", KINDS)

# Numbers ------------------------------------------------------------------------------------------

#: Stops after two epochs, whatever `max_iter` is.
SHORT = {
    "hidden_layer_sizes": 3,
    "max_iter": 2,
    "learning_rate": "constant",
    "tol": 1e9,
    "n_iter_no_change": 1,
    "random_state": 0,
}
#: Settings under which a parameter is used.
USED_WITH = {
    "huber_delta": {"loss": "huber"},
    "quantile": {"loss": "quantile"},
    "beta_1": {"solver": "adam"},
    "beta_2": {"solver": "adam"},
    "validation_fraction": {"early_stopping": True},
    "n_jobs": {"n_init": 1},
}
NUMERIC = {
    name
    for kind in KINDS
    for name, rules in kind._parameter_constraints.items()
    if any(isinstance(rule, Number) for rule in rules)
}
NUMERIC |= {"hidden_layer_sizes", "random_state"}
#: Valid values of these, below the limit, take time or memory in proportion.
COSTLY = {"n_init": 2**63, "hidden_layer_sizes": 2**31}

HUGE = [
    value
    for size in (10**400, -(10**400), 10**5000, 2**63)
    for value in (size, Fraction(size), Fraction(1, size))
]
ODD = [
    Decimal("1e400"),
    Decimal("0.5"),
    np.longdouble("1e4000"),
    np.float16(0.5),
    np.array(3),
    np.array(0.5),
    np.uint64(2**64 - 1),
    np.bool_(True),
    np.str_("0.5"),
    1j,
]
numbers = st.one_of(
    st.integers(-2, 5),
    st.integers(2**31 - 2, 2**64),
    st.floats(),
    st.floats(0, 1),
    st.fractions(0, 1),
    st.integers(0, 3).map(np.int8),
    st.floats(0, 1, width=32).map(np.float32),
)


def try_fit(kind, name, value):
    """Fit, and fail unless the fit works or the error names the parameter."""
    if name in COSTLY and isinstance(value, Integral) and 5 < value < COSTLY[name]:
        return
    net = kind(**SHORT | USED_WITH.get(name, {}) | {name: value})
    try:
        net.fit(X, Y)
    except ValueError as error:
        assert re.match(f"The {name!r} parameter of {kind.__name__} must be ", str(error))  # noqa: PT017
        assert not hasattr(net, "n_iter_")
    else:
        assert net.predict(X).shape == Y.shape


every_number = pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind, name, id=f"{kind.__name__[11:]}-{name}")
        for kind in KINDS
        for name in sorted(NUMERIC & kind().get_params().keys())
    ],
)
may_diverge = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@may_diverge
@every_number
@given(value=numbers)
def test_any_number_is_used_or_refused_by_name(kind, name, value):
    try_fit(kind, name, value)


@may_diverge
@every_number
def test_odd_numbers_are_used_or_refused_by_name(kind, name):
    for value in HUGE + ODD:
        try_fit(kind, name, value)


@both_kinds
def test_message_abbreviates_huge_ints(kind):
    with pytest.raises(ValueError, match=r"'max_iter' .*; got int of more than \d+ digits\.$"):
        kind(max_iter=10**5000).fit(X, Y)


# NumPy's types ------------------------------------------------------------------------------------

#: Parameters of Python's types, and the same values in other types.
PLAIN = {"hidden_layer_sizes": [4, 3], "activation": ["gaussian", "tanh"], "max_iter": 3}
PLAIN |= {"random_state": 0, "alpha": 0.5, "standardize": True, "solver": "adam"}
OF_NUMPY = {
    "hidden_layer_sizes": np.array([4, 3]),
    "activation": np.array(["gaussian", "tanh"]),
    "max_iter": np.int16(3),
    "random_state": np.uint32(0),
    "alpha": np.float64(0.5),
    "standardize": np.bool_(True),
    "solver": np.str_("adam"),
}
AS_TUPLES = {
    "hidden_layer_sizes": (4, 3),
    "activation": ("gaussian", "tanh"),
    "alpha": Fraction(1, 2),
}
LEVELS = [0.1, 0.5, 0.9]
LABELS = np.column_stack([Y, Y > 0])
WEIGHTS = [{0: 2.0}, {1: 0.5}]
CASES = {
    "classifier": (DistanceNetClassifier(**PLAIN), Y, {}),
    "class weights": (
        DistanceNetClassifier(**PLAIN, class_weight=WEIGHTS),
        LABELS,
        {"class_weight": np.array(WEIGHTS)},
    ),
    "class weights in a tuple": (
        DistanceNetClassifier(**PLAIN, class_weight=WEIGHTS),
        LABELS,
        {"class_weight": tuple(WEIGHTS)},
    ),
    "quantiles": (
        DistanceNetRegressor(**PLAIN, loss="quantile", quantile=LEVELS),
        Y,
        {"quantile": np.array(LEVELS), "loss": np.str_("quantile")},
    ),
    "quantiles in a tuple": (
        DistanceNetRegressor(**PLAIN, loss="quantile", quantile=LEVELS),
        Y,
        {"quantile": tuple(LEVELS)},
    ),
}
#: Before 1.8, scikit-learn compares an array with the default when it makes HTML, and fails.
SHOWS_NO_ARRAYS = parse_version(sklearn.__version__) < parse_version("1.8")
every_case = pytest.mark.parametrize(("expected", "y", "others"), CASES.values(), ids=CASES)


def in_other_types(expected, others):
    types = AS_TUPLES if any(isinstance(value, tuple) for value in others.values()) else OF_NUMPY
    return clone(expected).set_params(**types | others)


def raw_output(net, rows=X):
    return net._raw_output(net._check_rows(rows))


@every_case
def test_types_of_parameters_change_no_result(expected, y, others):
    net, expected = in_other_types(expected, others), clone(expected)
    np.testing.assert_array_equal(raw_output(net.fit(X, y)), raw_output(expected.fit(X, y)))
    for other in (clone(net).fit(X, y), pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        np.testing.assert_array_equal(raw_output(other), raw_output(expected))
        assert repr(other) == repr(net)
        if not SHOWS_NO_ARRAYS:
            assert "hidden_layer_sizes" in other._repr_html_()


@every_case
def test_fits_continue_in_any_types(expected, y, others):
    expected = clone(expected).set_params(warm_start=True).fit(X, y)
    net = in_other_types(expected, others).fit(X, y)
    for method in ("fit", "partial_fit"):
        for one in (net, expected):
            getattr(one, method)(X, y)
        np.testing.assert_array_equal(raw_output(net), raw_output(expected))
    # One kind of sequence may also follow another.
    net.set_params(**{name: expected.get_params()[name] for name in others}).partial_fit(X, y)
    np.testing.assert_array_equal(raw_output(net), raw_output(expected.partial_fit(X, y)))


@every_case
def test_types_of_parameters_change_no_checkpoint(expected, y, others, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(Checkpoint, "load", lambda checkpoint: seen.append(checkpoint.path))
    for net in (clone(expected), in_other_types(expected, others)):
        net.set_params(checkpoint=tmp_path).fit(X, y)
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_grid_search_accepts_arrays_as_values():
    sizes = [np.array([4, 3]), (5,), np.array([3, 3])]
    search = GridSearchCV(
        DistanceNetClassifier(max_iter=2, random_state=0), {"hidden_layer_sizes": sizes}, cv=2
    ).fit(X, Y)
    assert any(search.best_params_["hidden_layer_sizes"] is size for size in sizes)
    quantiles = [np.array([0.1, 0.5]), np.array([0.2, 0.7])]
    net = DistanceNetRegressor(4, loss="quantile", max_iter=2, random_state=0)
    search = GridSearchCV(net, {"quantile": quantiles}, cv=2).fit(X, Y)
    assert search.predict(X).shape == (len(X), 2)


@both_kinds
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", np.array(5)),
        ("hidden_layer_sizes", np.array([[5]])),
        ("hidden_layer_sizes", [[5], [5, 5]]),
        ("hidden_layer_sizes", np.array([5.0])),
        ("activation", np.array("relu")),
        ("activation", np.array([b"relu"])),
        ("max_iter", np.array(3)),
        ("standardize", np.array(True)),
    ],
    ids=repr,
)
def test_arrays_of_wrong_shape_are_named(kind, name, value):
    with pytest.raises(ValueError, match=f"^The '{name}' parameter .* must be"):
        kind(**{name: value}).fit(X, Y)
