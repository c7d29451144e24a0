"""The regressor's losses: predictions, units, scores and errors."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_diabetes, load_linnerud, make_friedman1
from sklearn.metrics import d2_pinball_score, d2_tweedie_score, r2_score
from sklearn.model_selection import cross_val_score, train_test_split

from skdistnet import DistanceNetRegressor
from skdistnet._targets.scores import SCORES
from skdistnet.engine.losses import REGRESSION_LOSSES
from skdistnet.inspection import gradient_flow, prototypes

DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
LINNERUD, LINNERUD_Y = load_linnerud(return_X_y=True)
SMALL = {"hidden_layer_sizes": (10, 10), "max_iter": 5, "random_state": 0}
LEVELS = [0.05, 0.5, 0.95]
every_loss = pytest.mark.parametrize("loss", REGRESSION_LOSSES)
CHOICES = [{"loss": loss} for loss in REGRESSION_LOSSES] + [
    {"loss": "quantile", "quantile": LEVELS}
]


def skewed(n_rows=2000):
    """Return targets that are independent of X and whose mean is far from their median."""
    rng = np.random.default_rng(0)
    return np.zeros((n_rows, 1)), 7.0 + rng.exponential(3.0, n_rows)


# Predictions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "best"),
    [
        ({"loss": "squared_error"}, np.mean),
        ({"loss": "absolute_error"}, np.median),
        ({"loss": "poisson"}, np.mean),
        ({"loss": "quantile", "quantile": 0.9}, lambda y: np.quantile(y, 0.9)),
        ({"loss": "quantile", "quantile": LEVELS}, lambda y: np.quantile(y, LEVELS)),
        ({"loss": "huber", "huber_delta": 100.0}, np.mean),
        ({"loss": "huber", "huber_delta": 1e-3}, np.median),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_constant_net_predicts_the_best_constant(options, best):
    X, y = skewed()
    settings = {"batch_size": 2000, "max_iter": 300, "early_stopping": False, "random_state": 0}
    net = DistanceNetRegressor((), **settings, **options)
    prediction = net.fit(X, y).predict(X[:1])[0]
    np.testing.assert_allclose(prediction, best(y), rtol=0.01)


@pytest.mark.parametrize("options", CHOICES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_loss_explains_held_out_rows(options, dtype):
    options = SMALL | {"max_iter": 30} | options
    net = DistanceNetRegressor(**options, dtype=dtype).fit(DIABETES, DIABETES_Y)
    assert net.loss_curve_[-1] < 0.9 * net.loss_curve_[0]
    at_least = 0.12 if options["loss"] == "quantile" else 0.35
    assert cross_val_score(net, DIABETES, DIABETES_Y, cv=3).mean() > at_least


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_robust_losses_resist_outliers(loss):
    X, y = make_friedman1(300, noise=1.0, random_state=0)
    spoiled = y.copy()
    spoiled[:10] += 100 * y.std()
    scores = {}
    for name in ("squared_error", loss):
        net = DistanceNetRegressor((30,), max_iter=40, random_state=0, loss=name)
        scores[name] = r2_score(y[200:], net.fit(X[:200], spoiled[:200]).predict(X[200:]))
    assert scores["squared_error"] < 0
    assert scores[loss] > 0.4


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_one_outlier_does_not_block_robust_losses(loss):
    X, y = make_friedman1(300, noise=1.0, random_state=0)
    net = DistanceNetRegressor((30,), max_iter=40, random_state=0, loss=loss)
    net.fit(X[:200], np.r_[1e9, y[1:200]])
    assert r2_score(y[200:], net.predict(X[200:])) > 0.75


def test_quantile_intervals_cover_held_out_rows():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (3000, 1))
    y = np.sin(2 * X[:, 0]) + (0.1 + 0.4 * (X[:, 0] > 0)) * rng.normal(size=3000)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    net = DistanceNetRegressor((30,), loss="quantile", quantile=LEVELS, random_state=0)
    low, _, high = net.fit(X_train, y_train).predict(X_test).T
    inside = (low <= y_test) & (y_test <= high)
    for rows in (X_test[:, 0] > 0, X_test[:, 0] <= 0):  # the noisy half, and the other
        assert inside[rows].mean() == pytest.approx(0.9, abs=0.05)


SPREAD = DistanceNetRegressor(**SMALL, loss="quantile", quantile=[0.1, 0.11, 0.5, 0.9])
SPREAD.fit(DIABETES, DIABETES_Y)


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, (2, 10), elements=st.floats(-1e9, 1e9)))
def test_quantiles_never_cross_for_any_input(X):
    assert (np.diff(SPREAD.predict(X), axis=1) >= 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_poisson_means_are_positive_and_finite(dtype):
    net = DistanceNetRegressor((), "relu", loss="poisson", max_iter=5, dtype=dtype, random_state=0)
    far = 1e6 * np.vstack([DIABETES, -DIABETES])
    prediction = net.fit(DIABETES, DIABETES_Y).predict(far)
    assert np.isfinite(prediction).all()
    assert (prediction > 0).all()


def test_poisson_starts_at_the_mean():
    for scale in (1e-4, 1.0, 1e6):
        net = DistanceNetRegressor(**SMALL | {"max_iter": 1, "learning_rate_init": 1e-9})
        net.set_params(loss="poisson").fit(DIABETES, scale * DIABETES_Y)
        mean = net.predict(DIABETES).mean()
        assert scale * DIABETES_Y.mean() / 4 < mean < 4 * scale * DIABETES_Y.mean()


# Units --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [o for o in CHOICES if o["loss"] != "poisson"], ids=str)
def test_target_units_do_not_matter(options):
    net = DistanceNetRegressor(**SMALL, **options)
    expected = net.fit(DIABETES, DIABETES_Y).predict(DIABETES)
    moved = net.fit(DIABETES, 1024 * DIABETES_Y + 4096).predict(DIABETES)
    np.testing.assert_allclose(moved, 1024 * expected + 4096, rtol=1e-6)


def test_attributes_reproduce_predictions():
    functions = {"identity": lambda raw: raw, "exp": np.exp}
    for loss in REGRESSION_LOSSES:
        X = np.clip(DIABETES, -0.1, 0.1)  # values far out are compressed
        net = DistanceNetRegressor((), loss=loss, max_iter=5, random_state=0)
        prediction = net.fit(X, DIABETES_Y).predict(X)
        raw = X @ net.coefs_[0] + net.intercepts_[0] + (X - X.mean(axis=0)) @ net.linear_coef_.T
        np.testing.assert_allclose(functions[net.out_activation_](raw)[:, 0], prediction)


def test_each_quantile_has_an_output():
    net = DistanceNetRegressor(**SMALL, loss="quantile", quantile=tuple(LEVELS))
    net.fit(DIABETES, DIABETES_Y)
    assert net.out_activation_ == "cumulative_softplus"
    assert net.n_outputs_ == 3
    assert net.predict(DIABETES[:2]).shape == (2, 3)
    assert net.set_params(quantile=[0.5]).fit(DIABETES, DIABETES_Y).predict(DIABETES).shape == (
        442,
        1,
    )


# Scores -------------------------------------------------------------------------------------------


def test_every_loss_has_a_score():
    assert set(SCORES) == set(REGRESSION_LOSSES)


@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 2, 442)], ids=["even", "weighted"])
def test_scores_equal_scikit_learn(weights):
    expected = {
        "poisson": lambda p: d2_tweedie_score(DIABETES_Y, p, sample_weight=weights, power=1),
        "quantile": lambda p: d2_pinball_score(DIABETES_Y, p, sample_weight=weights, alpha=0.3),
    }
    for loss in REGRESSION_LOSSES:
        net = DistanceNetRegressor(**SMALL, loss=loss, quantile=0.3).fit(DIABETES, DIABETES_Y)
        metric = expected.get(loss, lambda p: r2_score(DIABETES_Y, p, sample_weight=weights))
        score = net.score(DIABETES, DIABETES_Y, weights)
        assert type(score) is float
        assert score == pytest.approx(metric(net.predict(DIABETES)))


@every_loss
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float16])
def test_targets_and_weights_may_have_any_dtype(loss, dtype):
    y, weights = np.arange(442) % 2, np.arange(442) % 3 % 2
    y[:100] = 0  # so that weights of 0 and 1 change the score
    net = DistanceNetRegressor(**SMALL | {"max_iter": 2}, loss=loss)
    expected = net.fit(DIABETES, y.astype(float), weights.astype(float)).predict(DIABETES)
    score = net.score(DIABETES, y.astype(float), weights.astype(float))
    net.fit(DIABETES, y.astype(dtype), weights.astype(dtype))
    np.testing.assert_array_equal(net.predict(DIABETES), expected)
    assert net.score(DIABETES, y.astype(dtype), weights.astype(dtype)) == pytest.approx(score)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.0]])
def test_constant_target_is_scored_like_r2(weights):
    """Its deviance is zero and must not be a divisor, for held-out rows during training too."""
    y = np.array([3.0, 3.0, 3.0 if weights is None else 5.0])
    for prediction, expected in [(y, 1.0), (y + 1.0, 0.0)]:
        for name in ("poisson", "squared_error", "quantile"):
            assert SCORES[name](y, prediction, weights, 0.5) == expected
            score = SCORES[name].of_rows(y[:, np.newaxis], weights, 0.5)
            assert score(prediction[:, np.newaxis]) == expected
    options = {"early_stopping": True, "validation_fraction": 0.5, "max_iter": 2}
    net = DistanceNetRegressor(loss="poisson", **options, random_state=0)
    net.fit(np.arange(20.0).reshape(-1, 2), np.full(10, 7.0))
    assert np.isfinite(net.validation_scores_).all()


@every_loss
@pytest.mark.parametrize("weights", [None, np.arange(21) % 3], ids=["even", "weighted"])
def test_scores_during_training_equal_scikit_learn(loss, weights):
    rng = np.random.default_rng(0)
    y, score = rng.gamma(2.0, size=(21, 2)), SCORES[loss]
    of_rows = score.of_rows(y, weights, 0.3)
    for prediction in (rng.gamma(2.0, size=y.shape), np.full_like(y, 2.0), 1.1 * y):
        expected = [score(*columns, weights, 0.3) for columns in zip(y.T, prediction.T)]
        assert of_rows(prediction) == pytest.approx(np.mean(expected))


def test_score_of_several_quantiles_is_the_mean():
    net = DistanceNetRegressor(**SMALL, loss="quantile", quantile=LEVELS).fit(DIABETES, DIABETES_Y)
    columns = zip(LEVELS, net.predict(DIABETES).T, strict=True)
    expected = np.mean([d2_pinball_score(DIABETES_Y, p, alpha=level) for level, p in columns])
    assert net.score(DIABETES, DIABETES_Y) == pytest.approx(expected)


@every_loss
def test_score_of_several_targets_is_the_mean(loss):
    net = DistanceNetRegressor((20,), alpha=0.0, max_iter=200, random_state=0, loss=loss)
    net.fit(LINNERUD, LINNERUD_Y)
    assert net.predict(LINNERUD).shape == LINNERUD_Y.shape
    one_by_one = [
        SCORES[loss](target, predicted, None, 0.5)
        for target, predicted in zip(LINNERUD_Y.T, net.predict(LINNERUD).T, strict=True)
    ]
    assert net.score(LINNERUD, LINNERUD_Y) == pytest.approx(np.mean(one_by_one))
    assert min(one_by_one) > 0.2


@pytest.mark.parametrize("options", CHOICES, ids=str)
def test_best_validation_score_matches_best_epoch(options):
    net = DistanceNetRegressor(**SMALL | {"max_iter": 30}, **options, early_stopping=True)
    net.fit(DIABETES, DIABETES_Y)
    best = int(np.argmin(net.validation_loss_curve_))
    assert net.best_validation_score_ == net.validation_scores_[best]
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    _, held_out = net._codec.split(DIABETES_Y, net.validation_fraction, seed)
    expected = net.score(DIABETES[held_out], DIABETES_Y[held_out])
    assert net.best_validation_score_ == pytest.approx(expected)


@pytest.mark.parametrize("options", CHOICES, ids=str)
def test_gradient_flow_uses_the_chosen_loss(options):
    net = DistanceNetRegressor(**SMALL, **options).fit(DIABETES, DIABETES_Y)
    target = net._codec.encode(DIABETES_Y, np.float64)
    network, X = net._network, net._input_map.scale_points(DIABETES)
    raw = network.forward(net._theta_, X)[-1]
    out = np.empty_like(raw)
    net._codec.loss.value_and_gradient(raw, target, np.full(len(X), 1 / len(X)), out)
    intercepts = np.linalg.norm(out.sum(axis=0))
    flow = gradient_flow(net, DIABETES, DIABETES_Y)
    assert flow.intercepts_gradient_norm[-1] == pytest.approx(intercepts)


def test_prototypes_decompose_log_poisson_mean():
    net = DistanceNetRegressor(**SMALL, loss="poisson").fit(DIABETES, DIABETES_Y)
    explanation = prototypes(net, DIABETES[:5])
    np.testing.assert_allclose(np.exp(explanation.raw_output), net.predict(DIABETES[:5]))


# Errors and continued fits ------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_poisson_refuses_negative_targets(call):
    net = DistanceNetRegressor(**SMALL, loss="poisson")
    with pytest.raises(ValueError, match=r"target of 'poisson' must be .*negative; .* from -1.0"):
        getattr(net, call)(DIABETES, np.where(DIABETES_Y > 340, -1.0, DIABETES_Y))
    assert not [name for name in vars(net) if name.endswith("_")]


def test_negative_target_of_weight_zero_is_ignored():
    net = DistanceNetRegressor(**SMALL, loss="poisson")
    weights = np.r_[0.0, np.ones(441)]
    net.fit(DIABETES, np.r_[-1.0, DIABETES_Y[1:]], weights)
    assert np.isfinite(net.loss_)


def test_quantile_list_needs_one_target():
    net = DistanceNetRegressor(**SMALL, loss="quantile", quantile=LEVELS)
    with pytest.raises(ValueError, match=r"must be 1-D where 'quantile' is a list.*\(20, 3\)"):
        net.fit(LINNERUD, LINNERUD_Y)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"loss": "squared_error"}, {"loss": "poisson"}),
        ({"loss": "quantile", "quantile": 0.5}, {"quantile": LEVELS}),
        ({"loss": "huber"}, {"huber_delta": 3.0}),
    ],
)
def test_continued_fit_keeps_its_loss(before, after):
    net = DistanceNetRegressor(**SMALL, **before, warm_start=True).fit(DIABETES, DIABETES_Y)
    expected = net.predict(DIABETES)
    net.set_params(**after)
    for call in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=r"differs from that of the fit to be continued"):
            call(DIABETES, DIABETES_Y)
    np.testing.assert_array_equal(net.predict(DIABETES), expected)


@pytest.mark.parametrize("options", CHOICES, ids=str)
def test_pickled_partial_fits_equal_one_fit(options):
    options = SMALL | options | {"learning_rate": "constant", "max_iter": 3}
    options["early_stopping"] = False
    parts = DistanceNetRegressor(**options)
    for _ in range(3):
        parts = pickle.loads(pickle.dumps(parts)).partial_fit(DIABETES, DIABETES_Y)
    one_fit = DistanceNetRegressor(**options).fit(DIABETES, DIABETES_Y)
    np.testing.assert_array_equal(parts.predict(DIABETES), one_fit.predict(DIABETES))


@pytest.mark.parametrize(("dtype", "value"), [("float32", 1e300), ("float64", 1.7e308)])
def test_overflowing_later_target_is_refused(dtype, value):
    net = DistanceNetRegressor(**SMALL, dtype=dtype)
    net.partial_fit(DIABETES, DIABETES_Y / 1e3)
    before = net.predict(DIABETES)
    with pytest.raises(ValueError, match=r"'y' reaches .* once scaled as in the first call"):
        net.partial_fit(DIABETES[:3], [0.0, value, 1.0])
    np.testing.assert_array_equal(net.predict(DIABETES), before)


def test_score_of_rounding_noise_is_zero():
    y = 1e12 + np.random.default_rng(0).normal(size=len(DIABETES))
    net = DistanceNetRegressor(**SMALL | {"max_iter": 1, "loss": "poisson"}).fit(DIABETES, y)
    assert net.score(DIABETES, y) == 0.0
    assert net.score(DIABETES, net.predict(DIABETES)) == 1.0
