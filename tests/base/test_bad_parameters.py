"""`fit` validates each constructor parameter; errors name it in one common form."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import INITIALIZERS

X, Y = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0}
KINDS = [DistanceNetClassifier, DistanceNetRegressor]

NAMES = ["nonsense", "", 1, None, ["gaussian"]]
FLAGS = [None, 1, "True", np.nan]
POSITIVE = [0, 0.0, -0.1, np.nan, np.inf, None, "0.1", True, 1j]
NOT_NEGATIVE = [-1e-9, np.nan, np.inf, None, "0.1", True]
FRACTION = [-0.1, 1, 1.0, 1.5, np.nan, None, "0.1", True]
WITHIN = [0, 0.0, *FRACTION]
COUNT = [0, -1, 1.0, 2.5, np.nan, None, "2", True]

#: Values that are out of range or of the wrong type.
INVALID = {
    "hidden_layer_sizes": [0, -1, (5, 0), (5, 2.5), [[5]], "5", None, 2.5, True, (True,), {5}],
    "activation": ["nonsense", "", 1, None, ["gaussian", "nonsense"], {"gaussian"}],
    "output_layer": NAMES,
    "radius_type": NAMES,
    "linear_part": FLAGS,
    "loss": [*NAMES, "log_loss", ["huber"], {"huber"}],
    "huber_delta": POSITIVE,
    "quantile": [*WITHIN, [], (), [0.5, 0.5], [0.9, 0.1], [0.1, 1.0], [0.1, None], {0.1, 0.9}],
    "init": ["kmean", "", 1, None, 0.5, {"sample"}, np.str_("kmean"), ["sample"], [[1, 2], [3]]],
    "init_median_activation": [value for value in WITHIN if value is not None],
    "n_init": COUNT,
    "n_jobs": [0, 1.0, 2.5, np.nan, "2", True, "all"],
    "standardize": FLAGS,
    "categorical_features": ["dtype", "", 1, 2.5, True, {0}, [0.5], [None], [[0, 1]], ["a", 0]],
    "solver": NAMES,
    "learning_rate": [*NAMES, 0.01],
    "learning_rate_init": POSITIVE,
    "rho": FRACTION,
    "momentum": FRACTION,
    "beta_1": FRACTION,
    "beta_2": FRACTION,
    "epsilon": POSITIVE,
    "alpha": NOT_NEGATIVE,
    "penalty": NAMES,
    "dropout": FRACTION,
    "label_smoothing": FRACTION,
    "class_weight": ["balance", 1, [], {0: 0}, {0: -1.0}, {0: None}, {0: np.inf}, [{0: 0.0}], [1]],
    "dtype": ["float16", "int64", "", 32, np.float32],
    "batch_size": [value for value in COUNT if value != "auto"],
    "max_iter": COUNT,
    "random_state": [-1, 2**32, 1.5, "0", np.random.default_rng(0)],
    "tol": NOT_NEGATIVE,
    "n_iter_no_change": COUNT,
    "early_stopping": FLAGS,
    "validation_fraction": WITHIN,
    "scoring": ["nonsense", "", "log_loss", 1, None, ["accuracy"], {"accuracy"}],
    "warm_start": FLAGS,
    "checkpoint": ["", 1, True, b"folder", ["folder"]],
    "verbose": [-1, 1.5, None, "yes", np.nan],
}

#: Valid values at the ends of the ranges.
EXTREME = [
    {"init_median_activation": 1e-6},
    {"init_median_activation": 1 - 1e-6},
    {"rho": 0.0, "momentum": 0.0, "alpha": 0, "tol": 0},
    {"beta_1": 0.0, "beta_2": 0.0, "solver": "adam"},
    {"batch_size": 1, "max_iter": 1, "n_iter_no_change": 1},
    {"batch_size": 10**9, "random_state": 2**32 - 1},
    {
        "max_iter": np.int64(2),
        "learning_rate_init": np.float32(0.01),
        "linear_part": np.bool_(False),
    },
    {"hidden_layer_sizes": 5},
    {"hidden_layer_sizes": []},
    {"hidden_layer_sizes": np.array([4, 3]), "activation": ["relu", "gaussian"]},
    {"random_state": np.random.RandomState(0)},
    {"learning_rate_init": 1, "epsilon": 1},
]


def parameters_of(kind):
    return kind().get_params(deep=False)


def cases():
    for kind in KINDS:
        for name in parameters_of(kind):
            for value in INVALID[name]:
                shown = re.sub(" at 0x.*", "", repr(value))
                yield pytest.param(kind, name, value, id=f"{kind.__name__[11:]}-{name}-{shown}")


def test_every_parameter_has_constraints_and_invalid_examples():
    for kind in KINDS:
        assert set(parameters_of(kind)) == set(kind._parameter_constraints)
    assert {name for kind in KINDS for name in parameters_of(kind)} == set(INVALID)


@pytest.mark.parametrize(("kind", "name", "value"), list(cases()))
@pytest.mark.filterwarnings("error")
def test_fit_names_parameter_and_invalid_value(kind, name, value):
    estimator = kind(**SMALL | {name: value})
    assert estimator.get_params()[name] is value
    with pytest.raises(ValueError, match=r"^The ") as caught:
        estimator.fit(X, Y)
    message = str(caught.value)
    assert message.startswith(f"The {name!r} parameter of {kind.__name__}")
    assert message.endswith(f"; got {value!r}.")


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_validated_before_data(kind):
    message = r"'max_iter' parameter .* an int in \[1, 9223372036854775807\]; got 0"
    with pytest.raises(ValueError, match=message):
        kind(max_iter=0).fit(X[:0], Y[:0])
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    with pytest.raises(ValueError, match=message):
        kind(max_iter=0).partial_fit(X[:0], Y[:0], **classes)


def test_message_lists_allowed_values():
    with pytest.raises(ValueError, match="The 'init'") as caught:
        DistanceNetClassifier(init="kmean").fit(X, Y)
    assert str(caught.value) == (
        "The 'init' parameter of DistanceNetClassifier must be "
        f"one of {sorted(INITIALIZERS)}, an array or a callable; got 'kmean'."
    )


# With a median activation near 1, all activations are almost equal, and training warns of
# divergence.
@pytest.mark.filterwarnings("ignore:Training diverged")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", EXTREME, ids=lambda options: "-".join(options))
def test_range_ends_are_valid(kind, options):
    estimator = kind(**SMALL | options).fit(X, Y)
    assert np.isfinite(estimator.predict(X)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(6, 3), (5, 4), (4, 6), (24,), (1, 6, 4)])
def test_init_array_needs_one_row_per_unit(kind, shape):
    with pytest.raises(ValueError, match=r"'init' parameter of .* \(6, 4\); got shape") as caught:
        kind(**SMALL, init=np.zeros(shape)).fit(X, Y)
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_init_array_must_be_finite(kind):
    with pytest.raises(ValueError, match=r"'init' parameter of .* must be finite"):
        kind(**SMALL, init=np.full((6, 4), np.nan)).fit(X, Y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [[], ["relu", "relu"], ("gaussian", "tanh", "relu")])
def test_activations_must_match_hidden_layers(kind, names):
    message = r"'activation' parameter of .* one for each of the 1 hidden layers; got "
    with pytest.raises(ValueError, match=message):
        kind(**SMALL, activation=names).fit(X, Y)


@pytest.mark.parametrize("kind", KINDS)
def test_fit_does_not_modify_parameters(kind):
    lists = {"activation": ["tanh", "gaussian"], "hidden_layer_sizes": [4, 3]}
    estimator = kind(**SMALL | lists).fit(X, Y)
    assert estimator.activation is lists["activation"]
    assert estimator.hidden_layer_sizes is lists["hidden_layer_sizes"]
    assert lists == {"activation": ["tanh", "gaussian"], "hidden_layer_sizes": [4, 3]}


@pytest.mark.parametrize("options", [{"activation": "relu"}, {"hidden_layer_sizes": ()}])
def test_init_array_needs_hidden_distance_layer(options):
    net = DistanceNetClassifier(**{"hidden_layer_sizes": 6, "init": np.zeros((6, 4))} | options)
    with pytest.raises(ValueError, match=r"'init' parameter.* a hidden distance layer"):
        net.fit(X, Y)
