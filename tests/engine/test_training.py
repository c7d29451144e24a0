"""The epoch loop: what it visits, when it stops, and which parameters it returns."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from training_runs import CONFIG, IDENTITY, N_ROWS, NETWORK, make_rows, make_run, standstill

from skdistnet.engine import LOSSES, SCHEDULES, SOLVERS
from skdistnet.engine.losses import normalized_weights
from skdistnet.engine.prediction import layer_output
from skdistnet.engine.training.loop import train
from skdistnet.engine.training.monitor import ADAPTIVE_MIN_RATE


@dataclass(frozen=True)
class Witness:
    """The squared error, which notes the target of every batch."""

    batches: list = field(default_factory=list)

    def value_and_gradient(self, raw, target, weights, out):
        self.batches.append(target[:, 0].copy())
        return LOSSES["squared_error"].value_and_gradient(raw, target, weights, out)


# What an epoch visits -----------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [1, 5, 11, N_ROWS - 1, N_ROWS])
def test_each_epoch_visits_each_row_once_in_batches_of_even_size(shuffle, batch_size):
    witness = Witness()
    config = replace(CONFIG, loss=witness, shuffle=shuffle, batch_size=batch_size, max_iter=2)
    rows = replace(make_rows(), target=np.arange(N_ROWS, dtype=float)[:, np.newaxis])
    train(NETWORK, IDENTITY, rows, config, make_run(config))
    steps = -(-N_ROWS // batch_size)
    assert len(witness.batches) == 2 * steps
    sizes = list(map(len, witness.batches))
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    epochs = [np.concatenate(witness.batches[:steps]), np.concatenate(witness.batches[steps:])]
    for visited in epochs:
        np.testing.assert_array_equal(np.sort(visited), np.arange(N_ROWS))
    reordered = shuffle and batch_size < N_ROWS
    assert np.array_equal(*epochs) != reordered
    assert np.array_equal(epochs[0], np.arange(N_ROWS)) != reordered


@pytest.mark.parametrize("weighted", [True, False])
def test_the_loss_of_an_epoch_is_the_weighted_mean_before_the_steps(weighted):
    config = replace(CONFIG, learning_rate_init=1e-300, max_iter=1)
    rows, run = make_rows(weighted=weighted), make_run(CONFIG)
    raw = NETWORK.forward(run.theta, rows.X)[-1]
    expected = 0.5 * np.average((raw - rows.target)[:, 0] ** 2, weights=rows.weights)
    outcome = train(NETWORK, IDENTITY, rows, config, run)
    assert outcome.loss_curve == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_epochs_at_a_constant_rate_may_be_trained_one_at_a_time(solver):
    config = replace(CONFIG, solver=SOLVERS[solver](), alpha=0.01)
    whole, parts = make_run(config), make_run(config)
    outcome = train(NETWORK, IDENTITY, make_rows(), config, whole)
    curve = []
    for _ in range(config.max_iter):
        curve += train(
            NETWORK, IDENTITY, make_rows(), replace(config, max_iter=1), parts
        ).loss_curve
    np.testing.assert_array_equal(parts.theta, outcome.theta)
    assert curve == outcome.loss_curve
    assert parts.n_steps == whole.n_steps == 5 * config.max_iter


def inverse_epochs(step, steps_per_epoch, total_steps):
    """A schedule as a user may write it."""
    return 1.0 / (1.0 + step // steps_per_epoch)


every_schedule = {name: make() for name, make in SCHEDULES.items()} | {"callable": inverse_epochs}


@pytest.mark.parametrize("schedule", every_schedule)
def test_every_schedule_reports_its_rate_and_lowers_the_loss(schedule):
    config = replace(
        CONFIG, schedule=every_schedule[schedule], learning_rate_init=0.05, max_iter=12
    )
    rates = []
    outcome = train(
        NETWORK,
        IDENTITY,
        make_rows(),
        config,
        make_run(config),
        report=lambda _, r: rates.append(r),
    )
    assert rates[0] == pytest.approx(0.05)
    assert (rates[-1] < 0.04) == (schedule not in ("constant", "adaptive"))
    assert outcome.loss_curve[-1] < 0.8 * outcome.loss_curve[0]


# When it stops, and what it returns ---------------------------------------------------------------


def test_the_parameters_of_the_best_validation_loss_are_returned():
    config = replace(CONFIG, learning_rate_init=0.3, max_iter=30, n_iter_no_change=100)
    validation = make_rows(seed=1)
    outcome = train(
        NETWORK, IDENTITY, make_rows(), config, make_run(config), validation, lambda raw: raw[0, 0]
    )
    curve = outcome.validation_loss_curve
    assert np.argmin(curve) < len(curve) - 1
    assert outcome.best_epoch == np.argmin(curve) + 1
    raw = layer_output(NETWORK, outcome.theta, IDENTITY, validation.X)
    weights = normalized_weights(None, N_ROWS, np.float64)
    assert config.loss.value(raw, validation.target, weights) == min(curve)
    assert outcome.validation_scores[outcome.best_epoch - 1] == raw[0, 0]
    assert len(curve) == len(outcome.loss_curve) == len(outcome.validation_scores)


def test_without_validation_the_latest_parameters_are_returned():
    config = replace(CONFIG, learning_rate_init=0.3, max_iter=30, n_iter_no_change=100)
    run = make_run(config)
    outcome = train(NETWORK, IDENTITY, make_rows(), config, run)
    assert outcome.loss_curve[-1] > min(outcome.loss_curve)
    np.testing.assert_array_equal(outcome.theta, run.theta)


@pytest.mark.parametrize(
    ("schedule", "validated", "reason", "n_epochs"),
    [
        ("constant", False, "plateau", 4),
        ("invscaling", False, "plateau", 4),
        ("callable", False, "plateau", 4),
        ("constant", True, "plateau", 4),
        ("cosine", False, "budget", 12),
        ("cosine", True, "plateau", 4),
    ],
)
def test_a_plateau_ends_a_training_but_no_cosine_without_validation(
    schedule, validated, reason, n_epochs
):
    network, rows, run = standstill()
    config = replace(CONFIG, schedule=every_schedule[schedule], max_iter=12, n_iter_no_change=2)
    given = (rows, lambda raw: 0.0) if validated else ()
    outcome = train(network, IDENTITY, rows, config, run(config), *given)
    assert (outcome.reason, len(outcome.loss_curve)) == (reason, n_epochs)


def test_a_loss_that_falls_by_more_than_tol_is_no_plateau():
    config = replace(
        CONFIG,
        max_iter=40,
        n_iter_no_change=1,
        tol=0.0,
        batch_size=N_ROWS,
        learning_rate_init=0.001,
    )
    assert train(NETWORK, IDENTITY, make_rows(), config, make_run(config)).reason == "budget"
    strict = replace(config, tol=1.0)
    outcome = train(NETWORK, IDENTITY, make_rows(), strict, make_run(config))
    assert (outcome.reason, len(outcome.loss_curve)) == ("plateau", 3)


def test_adaptive_lowers_the_rate_at_every_plateau_down_to_its_smallest():
    network, rows, make = standstill()
    config = replace(CONFIG, schedule=SCHEDULES["adaptive"](), max_iter=100, n_iter_no_change=1)
    run, rates = make(config), []
    outcome = train(network, IDENTITY, rows, config, run, report=lambda _, rate: rates.append(rate))
    assert outcome.reason == "plateau"
    assert len(outcome.loss_curve) < 100
    steps = np.unique(rates)[::-1]
    np.testing.assert_allclose(steps, 0.01 / 5.0 ** np.arange(len(steps)))
    assert steps[-1] <= ADAPTIVE_MIN_RATE < steps[-2]
    assert run.rate_factor * config.learning_rate_init == pytest.approx(steps[-1])


@pytest.mark.parametrize("validated", [True, False])
def test_an_interrupt_ends_the_training_and_keeps_what_was_learned(validated):
    def interrupt(outcome, rate):
        if len(outcome.loss_curve) == 3:
            raise KeyboardInterrupt

    run = make_run(CONFIG)
    given = (make_rows(seed=1), lambda raw: 0.0) if validated else ()
    outcome = train(NETWORK, IDENTITY, make_rows(), CONFIG, run, *given, report=interrupt)
    assert outcome.reason == "interrupted"
    assert len(outcome.loss_curve) == 3
    shorter = replace(CONFIG, max_iter=3)
    expected = train(NETWORK, IDENTITY, make_rows(), shorter, make_run(CONFIG), *given)
    np.testing.assert_array_equal(outcome.theta, expected.theta)


def test_an_interrupt_within_a_score_leaves_curves_of_one_length():
    calls = []

    def score(raw):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.0

    outcome = train(NETWORK, IDENTITY, make_rows(), CONFIG, make_run(CONFIG), make_rows(1), score)
    assert outcome.reason == "interrupted"
    curves = outcome.loss_curve, outcome.validation_loss_curve, outcome.validation_scores
    assert [len(curve) for curve in curves] == [2, 2, 2]
