"""When training stops before `max_iter`, what it keeps and what it reports."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, r2_score

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import training as _fitting
from skdistnet.engine.training import loop as training

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "max_iter": 60,
    "random_state": 0,
    "batch_size": 30,
    "learning_rate": "constant",
    "learning_rate_init": 0.1,
}
STOPPED = SMALL | {"early_stopping": True, "validation_fraction": 0.3}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def raw_output(net, X):
    return net.predict(X) if isinstance(net, DistanceNetRegressor) else net.decision_function(X)


@pytest.fixture
def split(monkeypatch):
    """The training and validation rows of the last fit."""
    seen = {}

    def spy(network, input_map, rows, *args, validation=None, **options):
        seen.update(training=rows, validation=validation)
        return training.train(network, input_map, rows, *args, validation=validation, **options)

    monkeypatch.setattr(_fitting, "train", spy)
    return seen


def interrupt_epoch(monkeypatch, number):
    """Raise KeyboardInterrupt in the epoch of this number, counted from 1."""
    epochs, original = [], training.Trainer.train_epoch

    def epoch(self):
        epochs.append(1)
        if len(epochs) == number:
            raise KeyboardInterrupt
        return original(self)

    monkeypatch.setattr(training.Trainer, "train_epoch", epoch)


# The best epoch -----------------------------------------------------------------------------------


@both_kinds
def test_parameters_come_from_best_validation_epoch(kind, X, y):
    net = kind(**STOPPED).fit(X, y)
    best = int(np.argmin(net.validation_loss_curve_))
    assert best < net.n_iter_ - 1
    assert net.best_validation_score_ == net.validation_scores_[best]
    assert net.best_epoch_ == best + 1
    ended = kind(**STOPPED | {"max_iter": best + 1}).fit(X, y)
    assert ended.validation_loss_curve_ == net.validation_loss_curve_[: best + 1]
    np.testing.assert_array_equal(raw_output(net, X), raw_output(ended, X))


def test_classifier_curves_are_held_out_loss_and_accuracy(split):
    net = DistanceNetClassifier(**STOPPED).fit(WINE, WINE_Y, np.arange(1.0, len(WINE) + 1))
    rows = split["validation"]
    codes, predicted = rows.target.argmax(axis=1), net.predict_proba(rows.X)
    loss = log_loss(codes, predicted, sample_weight=rows.weights)
    assert loss == pytest.approx(min(net.validation_loss_curve_), rel=1e-10)
    score = accuracy_score(codes, predicted.argmax(axis=1), sample_weight=rows.weights)
    assert score == pytest.approx(net.best_validation_score_)


def test_regressor_curves_are_held_out_loss_and_r2(split):
    net = DistanceNetRegressor(**STOPPED).fit(DIABETES, DIABETES_Y)
    rows, std = split["validation"], DIABETES_Y.std()
    y = rows.target[:, 0] * std + DIABETES_Y.mean()
    predicted = net.predict(rows.X)
    loss = 0.5 * mean_squared_error(y, predicted) / std**2
    assert loss == pytest.approx(min(net.validation_loss_curve_), rel=1e-9)
    assert r2_score(y, predicted) == pytest.approx(net.best_validation_score_)


@both_kinds
def test_curves_have_one_entry_per_epoch(kind, X, y):
    net = kind(**STOPPED).fit(X, y)
    curves = net.loss_curve_, net.validation_loss_curve_, net.validation_scores_
    assert [len(curve) for curve in curves] == [net.n_iter_] * 3
    assert net.n_iter_ < net.max_iter
    assert net.n_iter_ > net.n_iter_no_change
    net.set_params(warm_start=True, max_iter=2).fit(X, y).fit(X, y)
    curves = net.loss_curve_, net.validation_loss_curve_, net.validation_scores_
    assert [len(curve) for curve in curves] == [net.n_iter_] * 3
    assert net.best_epoch_ == net.n_iter_ - 1 + np.argmin(net.validation_loss_curve_[-2:])


@both_kinds
def test_without_early_stopping_nothing_is_validated(kind, X, y):
    net = kind(**SMALL | {"max_iter": 3}).fit(X, y)
    for name in ("validation_loss_curve_", "validation_scores_", "best_validation_score_"):
        assert not hasattr(net, name)
    assert net.best_epoch_ == net.n_iter_ == 3


# The split ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
def test_split_is_stratified(split, fraction):
    options = STOPPED | {"validation_fraction": fraction, "max_iter": 1}
    DistanceNetClassifier(**options).fit(WINE, WINE_Y)
    parts = split["training"], split["validation"]
    assert len(parts[1]) == pytest.approx(fraction * len(WINE), abs=1)
    together = np.concatenate([part.X for part in parts])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(WINE, axis=0))
    for part in parts:
        np.testing.assert_allclose(
            part.target.mean(axis=0), np.bincount(WINE_Y) / len(WINE), atol=0.06
        )


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_every_class_keeps_training_rows(split, fraction):
    y = np.zeros(len(WINE), dtype=int)
    y[:60], y[60], y[61:63], y[63:66] = 1, 2, 3, 4
    options = STOPPED | {"validation_fraction": fraction, "max_iter": 2}
    net = DistanceNetClassifier(**options).fit(WINE, y)
    counts = np.bincount(split["training"].target.argmax(axis=1))
    assert counts.min() >= 1
    assert counts[2] == 1
    assert split["validation"].target.sum(axis=0)[2] == 0
    assert np.isfinite(net.predict_proba(WINE)).all()


@pytest.mark.parametrize("counts", [(2, 2), (1, 2), (1, 1, 2), (2, 3), (1, 9), (5, 1, 1, 1)])
@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.9])
def test_classifier_fits_few_rows_per_class(counts, fraction):
    y = np.repeat(np.arange(len(counts)), counts)
    options = STOPPED | {"validation_fraction": fraction, "max_iter": 2}
    net = DistanceNetClassifier(**options).fit(WINE[: len(y)], y)
    assert len(net.validation_loss_curve_) == 2


def test_one_row_per_class_cannot_be_validated():
    net = DistanceNetClassifier(**STOPPED)
    with pytest.raises(ValueError, match="early_stopping"):
        net.fit(WINE[:3], [0, 1, 2])


@pytest.mark.parametrize("n_rows", [2, 3, 8, 12])
def test_regressor_fits_few_rows(n_rows):
    options = STOPPED | {"validation_fraction": 0.1, "max_iter": 2}
    net = DistanceNetRegressor(**options).fit(DIABETES[:n_rows], DIABETES_Y[:n_rows])
    assert len(net.validation_scores_) == 2
    assert np.isfinite(net.predict(DIABETES)).all()


@pytest.mark.parametrize("n_rows", [2, 3, 30])
def test_large_validation_fraction_leaves_a_training_row(n_rows):
    """scikit-learn's own split refuses to hold out 99 % of few rows."""
    options = STOPPED | {"validation_fraction": 0.99, "max_iter": 2}
    net = DistanceNetRegressor(**options).fit(DIABETES[:n_rows], DIABETES_Y[:n_rows])
    assert net.t_ == 2
    assert np.isfinite(net.predict(DIABETES)).all()


# Interrupts ---------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_interrupt_keeps_learned_parameters(kind, X, y, early_stopping, monkeypatch):
    options = STOPPED | {"early_stopping": early_stopping}
    expected = kind(**options | {"max_iter": 2}).fit(X, y)
    interrupt_epoch(monkeypatch, 3)
    net = kind(**options)
    with pytest.warns(
        UserWarning, match="interrupted after 2 epochs; the estimator keeps"
    ) as caught:
        net.fit(X, y)
    assert caught[0].filename == __file__
    assert net.n_iter_ == len(net.loss_curve_) == 2
    np.testing.assert_array_equal(raw_output(net, X), raw_output(expected, X))


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_interrupt_in_first_epoch_keeps_the_start(kind, X, y, early_stopping, monkeypatch):
    interrupt_epoch(monkeypatch, 1)
    net = kind(**STOPPED | {"early_stopping": early_stopping})
    with pytest.warns(UserWarning, match="interrupted after 0 epochs"):
        net.fit(X, y)
    assert np.isfinite(raw_output(net, X)).all()
    assert (net.n_iter_, net.t_, net.loss_curve_) == (0, 0, [])


# Warnings and messages ----------------------------------------------------------------------------


@both_kinds
def test_loss_still_falling_at_max_iter_warns(kind, X, y):
    net = kind(**SMALL | {"max_iter": 2, "learning_rate_init": 0.01})
    message = r"still falling after 'max_iter' \(2\) epochs"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        net.fit(X, y)
    assert caught[0].filename == __file__


@both_kinds
@pytest.mark.filterwarnings("error")
def test_plateau_and_exhausted_budget_do_not_warn(kind, X, y):
    options = SMALL | {"early_stopping": False}
    assert kind(**options | {"tol": 0.5}).fit(X, y).n_iter_ < 20
    assert kind(**options | {"tol": 0.01, "learning_rate": "cosine"}).fit(X, y).n_iter_ == 60


@pytest.mark.filterwarnings("error")
def test_overfitting_past_best_epoch_does_not_warn():
    X, y = DIABETES, DIABETES_Y
    net = DistanceNetRegressor(alpha=0.0, n_iter_no_change=60, max_iter=50, random_state=0)
    net.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    assert net.loss_curve_[-6] - net.loss_curve_[-1] > 5 * net.tol
    assert net.best_epoch_ < 45


@both_kinds
def test_divergence_warning_names_learning_rate(kind, X, y):
    options = {"solver": "sgd", "learning_rate_init": 1e300, "hidden_layer_sizes": ()}
    net = kind(**SMALL | options)
    with pytest.warns(ConvergenceWarning, match=r"Training diverged .* \(now 1e\+300\)"):
        net.fit(X, y)
    assert np.isfinite(net.predict(X)).all()
    assert np.isfinite(net.loss_curve_).all()


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_verbose_prints_one_line_per_epoch(kind, X, y, early_stopping, capsys):
    options = STOPPED | {"early_stopping": early_stopping, "max_iter": 3, "verbose": True}
    net = kind(**options).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines):
        loss = re.match(rf"Epoch {number + 1}/3  loss (\d+\.\d+)  ", line)
        assert float(loss[1]) == pytest.approx(net.loss_curve_[number], abs=1e-5)
        assert "  learning rate 0.1  " in line
        assert re.search(r"  \d+\.\d s$", line)
        assert ("validation loss" in line) == ("score" in line) == early_stopping
    net.set_params(verbose=False).fit(X, y)
    assert capsys.readouterr().out == ""
