"""The training loop: the rows it visits, when it stops, and which parameters it returns."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from training_runs import CONFIG, IDENTITY, N_ROWS, NETWORK, make_rows, make_state, standstill

from skdistnet.engine import LOSSES, SCHEDULES, SOLVERS
from skdistnet.engine.losses import normalized_weights
from skdistnet.engine.prediction import layer_output
from skdistnet.engine.training.loop import train
from skdistnet.engine.training.monitor import ADAPTIVE_MIN_RATE


@dataclass(frozen=True)
class RecordingLoss:
    """The squared error, which records the target of every batch."""

    batches: list = field(default_factory=list)

    def value_and_gradient(self, raw, target, weights, out):
        self.batches.append(target[:, 0].copy())
        return LOSSES["squared_error"]().value_and_gradient(raw, target, weights, out)


# Epochs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 5, 11, N_ROWS - 1, N_ROWS])
def test_epochs_visit_each_row_in_even_batches(batch_size):
    loss = RecordingLoss()
    config = replace(CONFIG, loss=loss, batch_size=batch_size, max_iter=2)
    rows = replace(make_rows(), target=np.arange(N_ROWS, dtype=float)[:, np.newaxis])
    train(NETWORK, IDENTITY, rows, config, make_state(config))
    steps = -(-N_ROWS // batch_size)
    assert len(loss.batches) == 2 * steps
    sizes = list(map(len, loss.batches))
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    epochs = [np.concatenate(loss.batches[:steps]), np.concatenate(loss.batches[steps:])]
    for visited in epochs:
        np.testing.assert_array_equal(np.sort(visited), np.arange(N_ROWS))
    reordered = batch_size < N_ROWS
    assert np.array_equal(*epochs) != reordered
    assert np.array_equal(epochs[0], np.arange(N_ROWS)) != reordered


@pytest.mark.parametrize("weighted", [True, False])
def test_epoch_loss_is_the_weighted_mean(weighted):
    config = replace(CONFIG, learning_rate_init=1e-300, max_iter=1)
    rows, state = make_rows(weighted=weighted), make_state(CONFIG)
    raw = NETWORK.forward(state.theta, rows.X)[-1]
    expected = 0.5 * np.average((raw - rows.target)[:, 0] ** 2, weights=rows.weights)
    result = train(NETWORK, IDENTITY, rows, config, state)
    assert result.loss_curve == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_epochs_can_be_trained_one_at_a_time(solver):
    config = replace(CONFIG, solver=SOLVERS[solver](), alpha=0.01)
    whole, parts = make_state(config), make_state(config)
    result = train(NETWORK, IDENTITY, make_rows(), config, whole)
    curve = []
    for _ in range(config.max_iter):
        curve += train(
            NETWORK, IDENTITY, make_rows(), replace(config, max_iter=1), parts
        ).loss_curve
    np.testing.assert_array_equal(parts.theta, result.theta)
    assert curve == result.loss_curve
    assert parts.n_steps == whole.n_steps == 5 * config.max_iter


def inverse_epochs(step, steps_per_epoch, total_steps):
    """A schedule as a user may write it."""
    return 1.0 / (1.0 + step // steps_per_epoch)


every_schedule = {name: make() for name, make in SCHEDULES.items()} | {"callable": inverse_epochs}


@pytest.mark.parametrize("schedule", every_schedule)
def test_schedules_report_their_rate_and_train(schedule):
    config = replace(
        CONFIG, schedule=every_schedule[schedule], learning_rate_init=0.05, max_iter=12
    )
    rates = []
    result = train(
        NETWORK,
        IDENTITY,
        make_rows(),
        config,
        make_state(config),
        report=lambda _, r: rates.append(r),
    )
    assert rates[0] == pytest.approx(0.05)
    assert (rates[-1] < 0.04) == (schedule not in ("constant", "adaptive"))
    assert result.loss_curve[-1] < 0.8 * result.loss_curve[0]


# End of a run -------------------------------------------------------------------------------------


def test_best_validation_epoch_is_returned():
    config = replace(CONFIG, learning_rate_init=0.3, max_iter=30, n_iter_no_change=100)
    validation = make_rows(seed=1)
    result = train(
        NETWORK,
        IDENTITY,
        make_rows(),
        config,
        make_state(config),
        validation,
        lambda raw: raw[0, 0],
    )
    curve = result.validation_loss_curve
    assert np.argmin(curve) < len(curve) - 1
    assert result.best_epoch == np.argmin(curve) + 1
    raw = layer_output(NETWORK, result.theta, IDENTITY, validation.X)
    weights = normalized_weights(None, N_ROWS, np.float64)
    assert config.loss.value(raw, validation.target, weights) == min(curve)
    assert result.validation_scores[result.best_epoch - 1] == raw[0, 0]
    assert len(curve) == len(result.loss_curve) == len(result.validation_scores)


def test_latest_parameters_are_returned_without_validation():
    config = replace(CONFIG, learning_rate_init=0.3, max_iter=30, n_iter_no_change=100)
    state = make_state(config)
    result = train(NETWORK, IDENTITY, make_rows(), config, state)
    assert result.loss_curve[-1] > min(result.loss_curve)
    np.testing.assert_array_equal(result.theta, state.theta)


@pytest.mark.parametrize(
    ("schedule", "validated", "reason", "n_epochs"),
    [
        ("constant", False, "plateau", 4),
        ("callable", False, "plateau", 4),
        ("constant", True, "plateau", 4),
        ("cosine", False, "budget", 12),
        ("cosine", True, "plateau", 4),
    ],
)
def test_plateau_stops_all_but_unvalidated_cosine(schedule, validated, reason, n_epochs):
    network, rows, make = standstill()
    config = replace(CONFIG, schedule=every_schedule[schedule], max_iter=12, n_iter_no_change=2)
    validation = (rows, lambda raw: 0.0) if validated else ()
    result = train(network, IDENTITY, rows, config, make(config), *validation)
    assert (result.reason, len(result.loss_curve)) == (reason, n_epochs)


def test_plateau_depends_on_tol():
    config = replace(
        CONFIG,
        max_iter=40,
        n_iter_no_change=1,
        tol=0.0,
        batch_size=N_ROWS,
        learning_rate_init=0.001,
    )
    assert train(NETWORK, IDENTITY, make_rows(), config, make_state(config)).reason == "budget"
    strict = replace(config, tol=1.0)
    result = train(NETWORK, IDENTITY, make_rows(), strict, make_state(config))
    assert (result.reason, len(result.loss_curve)) == ("plateau", 3)


def test_adaptive_lowers_the_rate_at_each_plateau():
    network, rows, make = standstill()
    config = replace(CONFIG, schedule=SCHEDULES["adaptive"](), max_iter=100, n_iter_no_change=1)
    state, rates = make(config), []
    result = train(
        network, IDENTITY, rows, config, state, report=lambda _, rate: rates.append(rate)
    )
    assert result.reason == "plateau"
    assert len(result.loss_curve) < 100
    steps = np.unique(rates)[::-1]
    np.testing.assert_allclose(steps, 0.01 / 5.0 ** np.arange(len(steps)))
    assert steps[-1] <= ADAPTIVE_MIN_RATE < steps[-2]
    assert state.rate_factor * config.learning_rate_init == pytest.approx(steps[-1])


@pytest.mark.parametrize("validated", [True, False])
def test_interrupt_keeps_the_completed_epochs(validated):
    def interrupt(result, rate):
        if len(result.loss_curve) == 3:
            raise KeyboardInterrupt

    state = make_state(CONFIG)
    validation = (make_rows(seed=1), lambda raw: 0.0) if validated else ()
    result = train(NETWORK, IDENTITY, make_rows(), CONFIG, state, *validation, report=interrupt)
    assert result.reason == "interrupted"
    assert len(result.loss_curve) == 3
    shorter = replace(CONFIG, max_iter=3)
    expected = train(NETWORK, IDENTITY, make_rows(), shorter, make_state(CONFIG), *validation)
    np.testing.assert_array_equal(result.theta, expected.theta)


def test_interrupted_score_leaves_curves_of_equal_length():
    calls = []

    def score(raw):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.0

    result = train(NETWORK, IDENTITY, make_rows(), CONFIG, make_state(CONFIG), make_rows(1), score)
    assert result.reason == "interrupted"
    curves = result.loss_curve, result.validation_loss_curve, result.validation_scores
    assert [len(curve) for curve in curves] == [2, 2, 2]
