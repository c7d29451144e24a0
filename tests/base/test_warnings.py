"""When a fit warns that its result is poor, and what it advises."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.exceptions import ConvergenceWarning

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

IRIS, IRIS_Y = load_iris(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
LINE = np.linspace(0, 30, 300)[:, np.newaxis]
SINE = np.sin(2 * LINE[:, 0])
FINE_SINE = np.sin(4 * LINE[:, 0])
SLOW = {"solver": "sgd", "learning_rate_init": 1e-8}


def messages(net, X, y, **fit_options):
    """Return the messages of the warnings of a fit, all of which must point to this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.fit(X, y, **fit_options)
    for warning in caught:
        assert warning.category is ConvergenceWarning
        assert warning.filename == __file__
    return [str(warning.message) for warning in caught]


def classifier(**options):
    return DistanceNetClassifier(random_state=0, **options)


def regressor(**options):
    return DistanceNetRegressor(random_state=0, **options)


# A net no better than a constant ------------------------------------------------------------------


def test_unlearned_sine_warns_with_advice():
    (message,) = messages(regressor(), LINE, SINE)
    assert "is hardly lower than that of a constant prediction, 0.5" in message
    assert message.endswith("try a smaller 'init_median_activation' (now 0.5).")
    advised = regressor(init_median_activation=0.01)
    assert messages(advised, LINE, SINE) == []
    assert advised.score(LINE, SINE) > 0.9


CONSTANT_NETS = {
    "weights": ({}, SINE, {"sample_weight": 1.0 + np.arange(300) % 3}),
    "float32": ({"dtype": "float32"}, SINE, {}),
    "outputs": ({}, np.column_stack([FINE_SINE, -FINE_SINE]), {}),
    "a constant output": ({}, np.column_stack([SINE, np.ones(300)]), {}),
    "poisson": ({"loss": "poisson"}, np.round(2 + 2 * SINE), {}),
    "quantiles": ({"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}, SINE, {}),
    "early stopping": ({"early_stopping": True, "n_iter_no_change": 60}, FINE_SINE, {}),
    "no trial": ({"early_stopping": False, "linear_part": False, "alpha": 1.0}, SINE, {}),
    "starts": ({"n_init": 2}, SINE, {}),
    "sgd": (SLOW, SINE, {}),
}


@pytest.mark.parametrize(("options", "y", "fit_options"), CONSTANT_NETS.values(), ids=CONSTANT_NETS)
def test_nets_no_better_than_a_constant_warn_once(options, y, fit_options):
    (message,) = messages(regressor(**options), LINE, y, **fit_options)
    assert "lower than that of a constant prediction" in message


def test_few_epochs_found_by_a_trial_warn():
    rng, net = np.random.default_rng(0), regressor()
    (message,) = messages(net, rng.normal(size=(300, 3)), rng.normal(size=300))
    assert net.n_iter_ < 50
    assert "lower than that of a constant prediction" in message


def test_loss_above_constant_is_reported():
    for net, X, y in [
        (regressor(**SLOW), LINE, SINE),
        (classifier(**SLOW, output_layer="linear"), IRIS, IRIS_Y),
    ]:
        (message,) = messages(net, X, y)
        assert " is not lower than that of a constant prediction" in message


# Advice -------------------------------------------------------------------------------------------


ADVICE = {
    "sgd": (
        SLOW | {"alpha": 3.0},
        "alpha=0 (now 3.0) and a larger 'learning_rate_init' (now 1e-08)",
    ),
    "a small rate": ({"learning_rate_init": 1e-9}, "a larger 'learning_rate_init' (now 1e-09)"),
    "no hidden layer": ({"hidden_layer_sizes": (), "solver": "adam"}, "hidden layers"),
    "no distance layer": (
        {"activation": "relu", **SLOW},
        "a larger 'learning_rate_init' (now 1e-08)",
    ),
    "data-free radii": (
        {"init_median_activation": None, "learning_rate_init": 1e-9},
        "a larger 'learning_rate_init' (now 1e-09)",
    ),
}


@pytest.mark.parametrize(("options", "advice"), ADVICE.values(), ids=ADVICE)
def test_advice_fits_the_settings(options, advice):
    (message,) = messages(regressor(**options), LINE, SINE)
    assert message.endswith(f"If y depends on X, try {advice}.")


# No warning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_default_classifiers_do_not_warn(load):
    X, y = load(return_X_y=True)
    assert messages(classifier(), X, y) == []


def test_default_regressors_do_not_warn():
    assert messages(regressor(), DIABETES, DIABETES_Y) == []


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_constant_inputs_do_not_warn(make, standardize):
    y = np.random.default_rng(0).integers(2, size=100)
    net = make(standardize=standardize, hidden_layer_sizes=(10,))
    assert messages(net, np.full((100, 2), 3.0), y) == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "poisson"},
        {"loss": "absolute_error"},
        {"loss": "quantile", "quantile": [0.1, 0.9]},
    ],
    ids=["squared", "poisson", "absolute", "quantiles"],
)
@pytest.mark.parametrize("value", [0.0, 3.3])
def test_constant_targets_do_not_warn(options, value):
    assert messages(regressor(**options), IRIS, np.full(150, value)) == []


@pytest.mark.parametrize("output_layer", ["distance", "linear"])
def test_single_class_does_not_warn(output_layer):
    net = classifier(output_layer=output_layer)
    assert messages(net, IRIS, np.zeros(150)) == []


def test_weight_on_one_class_does_not_warn():
    weights = np.where(IRIS_Y == 0, 1.0, 1e-9)
    assert messages(classifier(), IRIS, IRIS_Y, sample_weight=weights) == []


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_huge_outlier_does_not_warn(loss):
    y = DIABETES_Y.copy()
    y[3] = 1e12
    net = regressor(loss=loss, hidden_layer_sizes=(20,))
    assert messages(net, DIABETES, y) == []


def test_short_runs_do_not_warn():
    assert messages(regressor(max_iter=49, early_stopping=False), LINE, SINE) == []


def test_code_without_module_name_is_warned():
    names = {"net": classifier(max_iter=2), "X": IRIS, "y": IRIS_Y}
    with pytest.warns(ConvergenceWarning, match="still falling") as caught:
        exec("net.fit(X, y)", names)
    assert [warning.filename for warning in caught] == ["<string>"]
