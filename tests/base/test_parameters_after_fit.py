"""Parameters set after the fit change no output of a fitted net."""

from copy import deepcopy
from functools import cache

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.utils import get_tags

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.inspection import gradient_flow, prototypes, unit_report

X, Y = load_iris(return_X_y=True)
LABELS = np.column_stack([Y, Y > 0])
X_MISSING = np.where(np.arange(X.size).reshape(X.shape) % 7, X, np.nan)
COMMON = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "random_state": 0}
DOTS = {"activation": ("relu", "gaussian")}

FITS = {
    "classifier": (DistanceNetClassifier(**COMMON), Y),
    "classifier, dot products": (DistanceNetClassifier(**COMMON, **DOTS, dtype="float32"), Y),
    "classifier, no hidden layer": (DistanceNetClassifier(()), LABELS),
    "classifier, early stopping": (
        DistanceNetClassifier(**COMMON, early_stopping=True, output_layer="linear"),
        LABELS,
    ),
    "regressor": (
        DistanceNetRegressor(**COMMON, loss="quantile", quantile=[0.1, 0.5, 0.9]),
        X[:, 0],
    ),
    "regressor, dot products": (DistanceNetRegressor(**COMMON, **DOTS, loss="poisson"), X[:, :2]),
    "regressor, no hidden layer": (DistanceNetRegressor((), early_stopping=True), X[:, :1]),
}

#: Valid values, at least one of which differs from that of each fit above.
OTHERS = {
    "hidden_layer_sizes": [(), 7],
    "activation": ["gaussian", "relu"],
    "output_layer": ["distance", "linear"],
    "radius_type": ["tied"],
    "linear_part": [False],
    "loss": ["squared_error", "poisson", "quantile"],
    "huber_delta": [3.0],
    "quantile": [0.25, [0.2, 0.8]],
    "init": ["kmeans", np.zeros((6, 4))],
    "init_median_activation": [0.1, None],
    "n_init": [3],
    "n_jobs": [2],
    "standardize": [False],
    "categorical_features": [[0, 1]],
    "solver": ["adam"],
    "learning_rate": ["adaptive"],
    "learning_rate_init": [0.5],
    "rho": [0.1],
    "momentum": [0.1],
    "beta_1": [0.1],
    "beta_2": [0.1],
    "epsilon": [0.1],
    "alpha": [7.0],
    "penalty": ["coupled"],
    "dropout": [0.5],
    "label_smoothing": [0.5],
    "class_weight": ["balanced", {0: 5.0}],
    "dtype": ["float32", "float64", None],
    "batch_size": [2],
    "max_iter": [1],
    "random_state": [7],
    "tol": [1.0],
    "n_iter_no_change": [1],
    "early_stopping": [True, False],
    "validation_fraction": [0.5],
    "scoring": ["neg_log_loss"],
    "warm_start": [True],
    "checkpoint": ["folder"],
    "verbose": [True],
}


@cache
def fitted(case):
    net, y = FITS[case]
    return net.fit(X, y)


def outputs_of(net, y):
    """Return hashes of all outputs of a net, or of the errors it raises, by name."""
    methods = "predict", "predict_proba", "predict_log_proba", "decision_function", "transform"
    rows = {"near": X, "far": X + 1e3, "missing": X_MISSING, "float32": X.astype("float32")}
    calls = {
        (name, kind): lambda name=name, kind=kind: getattr(net, name)(rows[kind])
        for name in (*methods, "score_samples")
        for kind in rows
    }
    calls |= {name: lambda name=name: getattr(net, name) for name in ATTRIBUTES}
    calls |= {
        "score": lambda: net.score(X, y),
        "names": net.get_feature_names_out,
        "tags": lambda: repr(get_tags(net)),
        "unit_report": lambda: unit_report(net, X),
        "prototypes": lambda: prototypes(net, X, output=1),
    }
    if isinstance(net, DistanceNetRegressor):  # a classifier's uses `class_weight`
        calls["gradient_flow"] = lambda: gradient_flow(net, X, y)
    outputs = {name: net.__dict__[name] for name in vars(net) if name.endswith("_")}
    for name, call in calls.items():
        try:
            outputs[name] = call()
        except (AttributeError, ValueError) as error:
            outputs[name] = f"{type(error).__name__}: {error}"
    return {name: joblib.hash(value) for name, value in outputs.items()}


ATTRIBUTES = [
    name
    for kind in (DistanceNetClassifier, DistanceNetRegressor)
    for name in dir(kind)
    if name.endswith("_") and not name.startswith("_")
] + ["novelty_threshold_"]


def test_every_parameter_has_another_value():
    names = {name for net, _ in FITS.values() for name in net.get_params()}
    assert names == OTHERS.keys()


@pytest.mark.parametrize(
    ("case", "name"), [(case, name) for case, (net, _) in FITS.items() for name in net.get_params()]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parameters_set_after_the_fit_change_no_output(case, name):
    net, y = fitted(case), FITS[case][1]
    expected = outputs_of(net, y)
    values = [value for value in OTHERS[name] if repr(value) != repr(getattr(net, name))]
    assert values
    for value in values:
        assert outputs_of(deepcopy(net).set_params(**{name: value}), y) == expected
