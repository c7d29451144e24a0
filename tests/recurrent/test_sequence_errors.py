"""Data and parameters that do not suit nets for sequences get clear errors and change nothing."""

import joblib
import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array
from sequences import SMALL, both_kinds, draw_X, draw_y, every_case, fitted
from sklearn.exceptions import NotFittedError

from skdistnet import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor

X = draw_X()
Y = np.arange(24) % 2
Y_BY_STEP = (X[:, :, 0] > 0) * 1.0


def replaced(array, index, value):
    array = array.copy()
    array[index] = value
    return array


SHAPE = r"shape \(n_sequences, n_timesteps, n_features\)"
WRONG_X = {
    "two dimensions": (X[:, :, 0], SHAPE + r".*\(24, 8\): pass X\[:, :, np.newaxis\]"),
    "one dimension": (X[:, 0, 0], SHAPE + r".*got shape \(24,\)\.$"),
    "four dimensions": (X[np.newaxis], SHAPE + r".*got shape \(1, 24, 8, 2\)\.$"),
    "nothing": (None, SHAPE),
    "an object": (np.array(None), SHAPE),
    "no sequences": (X[:0], "at least one sequence, step and feature; got shape"),
    "no steps": (X[:, :0], r"at least one .* got shape \(24, 0, 2\)"),
    "no features": (X[:, :, :0], r"at least one .* got shape \(24, 8, 0\)"),
    "an empty list": ([], "at least one sequence; got an empty list"),
    "an empty sequence": ([*X[:-1], X[0, :0]], r"at least one step.*in the sequences \[23\]\."),
    "missing sequences": (
        replaced(X, slice(3, 20), np.nan),
        r"one value that is not missing; got none in the sequences \[3, 4, 5, 6, 7\] and others",
    ),
    "one-dimensional sequences": (
        list(X[:, :, 0]),
        r"sequence 0 has shape \(8,\): for one feature pass x\[:, np.newaxis\]",
    ),
    "a scalar among sequences": ([*X[:-1], 3.0], r"sequence 23 has shape \(\)\.$"),
    "None among sequences": ([None, *X[1:]], r"sequence 0 has shape \(\)\.$"),
    "other features": ([*X[:-1], X[0, :, :1]], r"same features; got \[1, 2\] of them"),
    "infinity": (replaced(X, (3, 2, 1), np.inf), "Input X contains infinity"),
    "infinity in a list": (list(replaced(X, (3, 2, 1), -np.inf)), "Input X contains infinity"),
    "strings": (X.astype(str).astype(object) + "a", "could not convert string to float"),
    "complex numbers": (X + 1j, "Complex data not supported"),
}
every_wrong_X = pytest.mark.parametrize(("wrong", "match"), WRONG_X.values(), ids=WRONG_X)


def assert_refused(net, match, *data, error=ValueError, method="fit", **options):
    """Check the error of a call, and that it leaves the estimator as it was."""
    before = joblib.hash(vars(net))
    with pytest.raises(error, match=match):
        getattr(net, method)(*data, **options)
    assert joblib.hash(vars(net)) == before


@both_kinds
@every_wrong_X
def test_unsuitable_sequences_are_refused(kind, wrong, match):
    assert_refused(kind(**SMALL), match, wrong, Y)
    net = fitted(kind, X, Y)
    assert_refused(net, match, wrong, Y)
    assert_refused(net, match, wrong, method="predict")
    assert_refused(net, match, wrong, method="hidden_states")
    if wrong is not None:
        match = "(?s)In the validation set.*" + match
        assert_refused(net, match, X, Y, X_val=wrong, y_val=Y)


@both_kinds
@pytest.mark.parametrize("form", [csr_array, coo_array])
def test_sparse_sequences_are_refused(kind, form):
    match = "Sparse data was passed for X, but dense data is required"
    for wrong in (form(X[:, :, 0]), [form(each) for each in X]):
        assert_refused(kind(**SMALL), match, wrong, Y, error=TypeError)
        assert_refused(fitted(kind, X, Y), match, wrong, error=TypeError, method="predict")


@every_case
def test_other_features_are_refused_after_fit(kind, X, y):
    net = fitted(kind, X, y)
    assert_refused(
        net, f"X has 3 features, but {kind.__name__}", X[:, :, [0, 0, 1]], method="predict"
    )
    match = r"X has 8 features.*expecting 2.*pass X.transpose\(0, 2, 1\)"
    assert_refused(net, match, X.transpose(0, 2, 1), method="predict")
    assert_refused(net.set_params(warm_start=True), match, X.transpose(0, 2, 1), y)
    match = "(?s)In the validation set.*X has 1 features"
    assert_refused(net, match, X, y, X_val=X[:, :, :1], y_val=y)


# Targets ------------------------------------------------------------------------------------------

FORMS = r"'y' must have shape \(n_sequences,\).*or \(n_sequences, n_timesteps\)"
WRONG_Y = {
    "nothing": (None, "'y' must be given"),
    "too few": (Y[:5], r"inconsistent numbers of samples: \[24, 5\]"),
    "too few steps": (Y_BY_STEP[:, :5], FORMS + r".*\(24, 5\) for X of shape \(24, 8, 2\)"),
    "three dimensions": (Y_BY_STEP[:, :, np.newaxis], FORMS),
    "too few steps in a list": (
        [*Y_BY_STEP[:-1], Y_BY_STEP[0, :5]],
        r"lengths of the sequences; sequence 23 has 8 steps and targets of shape \(5,\)",
    ),
    "missing": (replaced(Y * 1.0, 3, np.nan), "Input y contains NaN"),
    "infinite": (replaced(Y * 1.0, 3, np.inf), "Input y contains infinity"),
    "infinite at a step": (replaced(Y_BY_STEP, (3, 2), np.inf), "Input y contains infinity"),
    "missing at all steps": (
        replaced(Y_BY_STEP, [3, 5], np.nan),
        r"needs a target for some step; got none for \[3, 5\]",
    ),
}


@both_kinds
@pytest.mark.parametrize(("wrong", "match"), WRONG_Y.values(), ids=WRONG_Y)
def test_unsuitable_targets_are_refused(kind, wrong, match):
    assert_refused(kind(**SMALL), match, X, wrong)
    net = fitted(kind, X, Y_BY_STEP if np.ndim(wrong[0] if wrong is not None else 0) else Y)
    assert_refused(net, match, X, wrong)
    assert_refused(net, match, X, wrong, method="score")


@both_kinds
def test_targets_must_have_lengths_of_sequences(kind):
    sequences = [each[: 3 + number % 4] for number, each in enumerate(X)]
    match = r"sequence 0 has 3 steps and targets of shape \(8,\)"
    assert_refused(kind(**SMALL), match, sequences, list(Y_BY_STEP))


@both_kinds
def test_validation_targets_must_have_the_same_form(kind):
    match = r"(?s)In the validation set.*'y' must have shape \(n_sequences,\), as before"
    assert_refused(kind(**SMALL), match, X, Y, X_val=X, y_val=Y_BY_STEP)
    match = r"(?s)In the validation set.*'y' must have shape \(n_sequences, n_timesteps\), as"
    assert_refused(kind(**SMALL), match, X, Y_BY_STEP, X_val=X, y_val=Y)
    assert_refused(kind(**SMALL), "'y_val' is None", X, Y, X_val=X)
    assert_refused(fitted(kind, X, Y), "as before", X, Y_BY_STEP, method="score")


def test_strings_are_no_numbers():
    y = np.where(Y, "a", "b")
    assert_refused(RecurrentDistanceNetRegressor(**SMALL), "could not convert string", X, y)


def test_numbers_are_no_labels():
    for y in (X[:, 0, 0], X[:, :, 0]):
        assert_refused(RecurrentDistanceNetClassifier(**SMALL), "Unknown label type", X, y)


@pytest.mark.parametrize("by_step", [False, True])
def test_counts_must_not_be_negative(by_step):
    net = RecurrentDistanceNetRegressor(**SMALL, loss="poisson")
    assert_refused(net, "not negative", X, X[:, :, 0] if by_step else X[:, 0, 0])


@every_case
@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.ones(23), r"must have shape \(24,\)"),
        (np.ones((24, 8)), r"must have shape \(24,\)"),
        (-np.ones(24), "must not be negative"),
        (np.zeros(24), "must not be zero for every row"),
        (replaced(np.ones(24), 3, np.nan), "NaN"),
    ],
    ids=["too few", "by step", "negative", "zero", "missing"],
)
def test_unsuitable_weights_are_refused(kind, X, y, weights, match):
    assert_refused(kind(**SMALL), match, X, y, weights)


@both_kinds
def test_single_target_is_too_few(kind):
    assert_refused(kind(**SMALL), "needs at least 2", X[:1], Y[:1])
    assert_refused(kind(**SMALL), "needs at least 2", X, Y, (np.arange(24) == 3) * 1.0)
    # By step, the steps of one sequence are enough.
    fitted(kind, X[:1], Y_BY_STEP[:1])


# Parameters ---------------------------------------------------------------------------------------

WRONG_PARAMETERS = [
    {"n_units": 0},
    {"n_units": (5,)},
    {"n_units": 2.0},
    {"activation": "tanh"},
    {"activation": ["gaussian"]},
    {"radius_type": "full"},
    {"init": "sample"},
    {"init": np.zeros((5, 2))},
    {"init_median_activation": "auto"},
    {"init_median_activation": 1.0},
    {"leaking_rate": 0.0},
    {"leaking_rate": 1.5},
    {"leaking_rate": [0.5] * 4 + [0.0]},
    {"leaking_rate": "fast"},
    {"leaking_rate": True},
    {"truncation": 0},
    {"truncation": 2.5},
    {"truncation": "all"},
    {"early_stopping": "no"},
    {"dtype": "float16"},
    {"scoring": "no such score"},
    {"checkpoint": ""},
]


@both_kinds
@pytest.mark.parametrize("wrong", WRONG_PARAMETERS, ids=str)
def test_unsuitable_parameters_are_named(kind, wrong):
    ((name, _),) = wrong.items()
    match = f"The '{name}' parameter of {kind.__name__} must be .*; got "
    assert_refused(kind(**SMALL | wrong), match, X, Y)


@every_case
def test_leaking_rates_must_be_one_each(kind, X, y):
    for rates in ([0.5] * 4, np.full(6, 0.5), ()):
        match = rf"'leaking_rate' .* each of the 5 units; got {len(rates)}\."
        assert_refused(kind(**SMALL, leaking_rate=rates), match, X, y)


def zero(net, X, y):
    return 0.0


@both_kinds
@pytest.mark.parametrize("scoring", ["r2", zero], ids=["name", "function"])
def test_steps_are_scored_by_the_loss(kind, scoring):
    net = kind(**SMALL, scoring=scoring)
    match = "'scoring' parameter of .* must be 'loss' for a target for each step; got"
    assert_refused(net, match, X, draw_y(kind, X, by_step=True))


def test_sequences_may_be_scored_by_name():
    options = {"scoring": "accuracy", "early_stopping": True}
    net = fitted(RecurrentDistanceNetClassifier, X, Y, **options)
    assert set(np.round(np.multiply(net.validation_scores_, 5)) / 5) == set(net.validation_scores_)


@pytest.mark.parametrize("weights", ["balanced", {0: 1.0, 1: 2.0}], ids=str)
def test_labels_of_steps_have_no_class_weights(weights):
    net = RecurrentDistanceNetClassifier(**SMALL, class_weight=weights)
    match = "'class_weight' parameter of .* must be None for a label for each step; got"
    assert_refused(net, match, X, Y_BY_STEP)


# Before the fit -----------------------------------------------------------------------------------


@both_kinds
def test_unfitted_nets_refuse_everything(kind):
    net = kind(**SMALL)
    methods = ["predict", "hidden_states"]
    if kind is RecurrentDistanceNetClassifier:
        methods += ["predict_proba", "predict_log_proba", "decision_function"]
    for method in methods:
        assert_refused(net, "not fitted yet", X, error=NotFittedError, method=method)
    assert_refused(net, "not fitted yet", X, Y, error=NotFittedError, method="score")
    for name in ("centroids_", "state_centroids_", "leaking_rates_", "n_outputs_"):
        with pytest.raises(NotFittedError):
            getattr(net, name)
