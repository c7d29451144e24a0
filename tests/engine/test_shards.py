"""Rounds of shards: one process's steps, means of parameters, momentum, and repetition."""

from dataclasses import replace

import numpy as np
import pytest
from training_runs import CONFIG, IDENTITY, N_INPUTS, NETWORK, make_rows, make_state

from skdistnet.engine import SOLVERS
from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.optim.weight_decay import PENALTIES, WeightDecay
from skdistnet.engine.training.loop import Trainer, Updater
from skdistnet.engine.training.mapped_rows import BatchedRows
from skdistnet.engine.training.shards import Replica, Shard, average, joint_step, weighted_mean

SEED, N_ROWS, N_STEPS = 7, 23, 5
#: Unequal shards of the rows.
PARTS = [slice(0, 9), slice(9, 13), slice(13, N_ROWS)]
SHIFTED = InputMap(np.full(N_INPUTS, 0.3), np.full(N_INPUTS, 1.5), np.full(N_INPUTS, -0.45))
every_solver = pytest.mark.parametrize("solver", SOLVERS)
both_weights = pytest.mark.parametrize("weighted", [False, True], ids=["equal", "weighted"])


def config_of(solver, **options):
    return replace(CONFIG, solver=SOLVERS[solver](), **options)


def replica_of(config):
    state = make_state(config)
    return Replica(state.theta, state.solver_state, np.zeros_like(state.theta), 0)


def shards_of(rows, batch_size=N_ROWS, parts=PARTS, input_map=IDENTITY):
    mean_weight = None if rows.weights is None else rows.weights.mean()
    return [
        Shard(number, NETWORK, input_map, rows.take(part), batch_size, mean_weight)
        for number, part in enumerate(parts)
    ]


def joint_rounds(shards, replica, config, n_steps, steps_per_epoch=1):
    updater = Updater(NETWORK, config, shards[0].rows.origin)
    for _ in range(n_steps):
        gradients = [one.differentiate(replica, config, SEED, steps_per_epoch) for one in shards]
        replica = joint_step(replica, gradients, updater, config, steps_per_epoch)
    return replica


def local_rounds(shard, replica, config, sizes, steps_per_epoch, momentum=0.0):
    for size in sizes:
        after = shard.advance(replica, config, SEED, size, steps_per_epoch)
        replica = average(replica, [after], [1.0], momentum)
    return replica


def replicas_from(before):
    """Return two replicas after a round from a common one."""
    rng = np.random.default_rng(4)
    return [
        replace(
            before,
            theta=before.theta + rng.normal(size=len(before.theta)),
            solver_state={k: v + rng.random(v.shape) for k, v in before.solver_state.items()},
            n_steps=before.n_steps + 3,
            loss=loss,
            weight=weight,
        )
        for loss, weight in [(2.0, 5.0), (0.5, 1.0)]
    ]


# Rounds of one step -------------------------------------------------------------------------------


@every_solver
@both_weights
@pytest.mark.parametrize("penalty", [None, *PENALTIES])
def test_joint_steps_equal_those_of_one_process(solver, weighted, penalty):
    decay = {"alpha": 0.3, "penalty": penalty} if penalty else {}
    config, rows = config_of(solver, **decay), make_rows(n_rows=N_ROWS, weighted=weighted)
    start = replica_of(config)
    shards = shards_of(rows, input_map=SHIFTED)
    actual = joint_rounds(shards, start, config, N_STEPS)
    theta, state = start.theta.copy(), config.solver.init(start.theta)
    X = np.empty_like(rows.X)
    SHIFTED.apply(rows.X, X)
    for _ in range(N_STEPS):
        _, gradient = NETWORK.loss_and_grad(theta, X, rows.target, rows.weights)
        if penalty:
            pull = WeightDecay(NETWORK, penalty, config.alpha, SHIFTED.origin)
            pull.apply(theta, gradient, config.learning_rate_init, N_ROWS)
        config.solver.step(theta, gradient, state, config.learning_rate_init)
    assert np.abs(theta - start.theta).max() > 0.01
    np.testing.assert_allclose(actual.theta, theta, rtol=0, atol=1e-10)
    for name, value in state.items():
        np.testing.assert_allclose(actual.solver_state[name], value, rtol=0, atol=1e-10)


@both_weights
def test_joint_loss_is_that_of_all_rows(weighted):
    rows = make_rows(n_rows=N_ROWS, weighted=weighted)
    start = replica_of(CONFIG)
    after = joint_rounds(shards_of(rows), start, CONFIG, 1)
    expected, _ = NETWORK.loss_and_grad(start.theta, rows.X, rows.target, rows.weights)
    assert after.loss / after.weight == pytest.approx(expected, rel=1e-12)


@both_weights
def test_joint_batches_of_an_epoch_cover_rows(weighted):
    """With a rate of zero, the mean of an epoch's gradients is that of all rows."""
    config = replace(CONFIG, batch_size=3)
    rows = make_rows(n_rows=24, weighted=weighted)
    shards = shards_of(rows, 3, [slice(0, 12), slice(12, 24)])
    start, total = replica_of(config), 0.0
    for step in range(4):
        replica = replace(start, n_steps=step)
        parts = [one.differentiate(replica, config, SEED, 4) for one in shards]
        total += weighted_mean([one.gradient for one in parts], [one.n_rows for one in parts])
    _, expected = NETWORK.loss_and_grad(start.theta, rows.X, rows.target, rows.weights)
    np.testing.assert_allclose(total / 4, expected, rtol=0, atol=1e-12)


# Rounds of several steps --------------------------------------------------------------------------


@every_solver
def test_round_makes_the_steps_of_a_trainer(solver):
    config, rows = config_of(solver, alpha=0.1), make_rows(n_rows=N_ROWS)
    (shard,) = shards_of(rows, config.batch_size, [slice(None)])
    start = replica_of(config)
    after = shard.advance(start, config, SEED, 5, 5)
    trainer = Trainer(
        NETWORK, BatchedRows(NETWORK, IDENTITY, rows, config.batch_size), config, make_state(config)
    )
    rng = np.random.default_rng((SEED, 0, 0, 1))
    loss, weight = trainer.train_batches(list(trainer.rows.batches.epoch(rng)))
    np.testing.assert_array_equal(after.theta, trainer.state.theta)
    assert (after.loss, after.weight, after.n_steps) == (loss, weight, 5)


@every_solver
@pytest.mark.parametrize("sizes", [[1] * 10, [2, 3, 4, 1], [3, 2, 5]])
def test_round_sizes_do_not_change_one_shard(solver, sizes):
    config, rows = config_of(solver), make_rows(n_rows=N_ROWS, weighted=True)
    (shard,) = shards_of(rows, config.batch_size, [slice(None)])
    start = replica_of(config)
    expected = local_rounds(shard, start, config, [5, 5], 5)
    # No round goes beyond its epoch of five steps.
    bounds = np.cumsum([0, *sizes])
    sizes = np.diff(np.union1d(bounds, [5])).tolist()
    actual = local_rounds(shard, start, config, sizes, 5)
    np.testing.assert_allclose(actual.theta, expected.theta, rtol=0, atol=1e-13)
    assert actual.n_steps == expected.n_steps == 10
    assert actual.loss == pytest.approx(expected.loss, rel=1e-12)


def test_round_of_gradients_equals_round_of_steps():
    config, rows = replace(CONFIG, alpha=0.2), make_rows(n_rows=N_ROWS)
    (shard,) = shards_of(rows, config.batch_size, [slice(None)])
    start = replica_of(config)
    expected = local_rounds(shard, start, config, [5], 5)
    actual = joint_rounds([shard], start, config, 5, 5)
    np.testing.assert_allclose(actual.theta, expected.theta, rtol=0, atol=1e-13)


def test_epochs_have_different_batches():
    (shard,) = shards_of(make_rows(n_rows=N_ROWS), 5, [slice(None)])
    start = replica_of(CONFIG)
    first = shard.differentiate(start, CONFIG, SEED, 5)
    second = shard.differentiate(replace(start, n_steps=5), CONFIG, SEED, 5)
    assert np.abs(first.gradient - second.gradient).max() > 1e-6


def test_shards_of_equal_rows_have_different_batches():
    rows = make_rows(n_rows=N_ROWS)
    first, second = shards_of(rows, 5, [slice(None), slice(None)])
    start = replica_of(CONFIG)
    one, other = (shard.differentiate(start, CONFIG, SEED, 5) for shard in (first, second))
    assert np.abs(one.gradient - other.gradient).max() > 1e-6


@both_weights
def test_unequal_shards_make_equally_many_steps(weighted):
    shards = shards_of(make_rows(n_rows=N_ROWS, weighted=weighted), 3)
    assert len({shard.n_batches for shard in shards}) > 1
    start = replica_of(CONFIG)
    after = [shard.advance(start, CONFIG, SEED, 4, 4) for shard in shards]
    assert [each.n_steps for each in after] == [4, 4, 4]
    mean = 1.0 if not weighted else sum(shard.weights.sum() for shard in shards) / N_ROWS
    for shard, each in zip(shards, after):
        own = len(shard.rows) if not weighted else shard.weights.sum() / mean
        assert each.weight == pytest.approx(own)


def test_shard_of_few_rows_repeats_its_batches():
    (shard,) = shards_of(make_rows(n_rows=N_ROWS), 5, [slice(0, 2)])
    start = replica_of(CONFIG)
    after = shard.advance(start, CONFIG, SEED, 5, 5)
    assert (after.n_steps, after.weight) == (5, 5.0)
    assert np.isfinite(after.theta).all()
    gradients = [
        shard.differentiate(replace(start, n_steps=step), CONFIG, SEED, 5) for step in range(5)
    ]
    assert [each.n_rows for each in gradients] == [1] * 5
    np.testing.assert_array_equal(gradients[0].gradient, gradients[2].gradient)
    assert np.abs(gradients[0].gradient - gradients[1].gradient).max() > 1e-6


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_repeated_round_gives_the_same_bits(dropout):
    config = replace(CONFIG, dropout=dropout)
    rows = make_rows(n_rows=N_ROWS)
    start = replica_of(config)
    (shard,) = shards_of(rows, 5, [PARTS[0]])
    first = shard.advance(start, config, SEED, 2, 4)
    shard.advance(first, config, SEED, 2, 4)
    shard.advance(replace(start, n_steps=8), config, SEED, 4, 4)
    again = shard.advance(start, config, SEED, 2, 4)
    (copied,) = shards_of(rows, 5, [PARTS[0]])
    elsewhere = copied.advance(start, config, SEED, 2, 4)
    np.testing.assert_array_equal(first.theta, again.theta)
    np.testing.assert_array_equal(first.theta, elsewhere.theta)


def test_rounds_leave_their_replica_unchanged():
    rows, start = make_rows(n_rows=N_ROWS), replica_of(CONFIG)
    kept = start.theta.copy(), {name: part.copy() for name, part in start.solver_state.items()}
    shards = shards_of(rows, 5)
    average(start, [shard.advance(start, CONFIG, SEED, 2, 4) for shard in shards], [1, 2, 3], 0.5)
    joint_rounds(shards, start, CONFIG, 2, 4)
    np.testing.assert_array_equal(start.theta, kept[0])
    for name, part in kept[1].items():
        np.testing.assert_array_equal(start.solver_state[name], part)


def test_dropout_masks_differ_between_rounds_and_shards():
    config, rows = replace(CONFIG, dropout=0.5), make_rows(n_rows=N_ROWS)
    whole = shards_of(rows, N_ROWS, [slice(None), slice(None)])
    start = replica_of(config)
    first = whole[0].differentiate(start, config, SEED, 1).gradient
    other_shard = whole[1].differentiate(start, config, SEED, 1).gradient
    other_round = whole[0].differentiate(replace(start, n_steps=1), config, SEED, 1).gradient
    assert np.abs(first - other_shard).max() > 1e-6
    assert np.abs(first - other_round).max() > 1e-6


# Means --------------------------------------------------------------------------------------------


def test_mean_is_weighted():
    arrays = [np.array([1.0, 2.0]), np.array([5.0, -2.0])]
    np.testing.assert_allclose(weighted_mean(arrays, [3.0, 1.0]), [2.0, 1.0])
    np.testing.assert_array_equal(arrays[0], [1.0, 2.0])


def test_average_of_weighted_replicas_follows_formula():
    before = replace(replica_of(CONFIG), loss=1.0, weight=2.0)
    one, other = replicas_from(before)
    after = average(before, [one, other], [3.0, 1.0], 0.0)
    np.testing.assert_allclose(after.theta, 0.75 * one.theta + 0.25 * other.theta)
    for name, value in after.solver_state.items():
        parts = one.solver_state[name], other.solver_state[name]
        np.testing.assert_allclose(value, 0.75 * parts[0] + 0.25 * parts[1])
    assert (after.loss, after.weight, after.n_steps) == (3.5, 8.0, 3)


def test_average_with_momentum_follows_formula():
    before = replica_of(CONFIG)
    before = replace(before, move=np.linspace(-1, 1, len(before.theta)))
    replicas = replicas_from(before)
    after = average(before, replicas, [1.0, 1.0], 0.6)
    d = (replicas[0].theta + replicas[1].theta) / 2 - before.theta
    move = 0.6 * before.move + d
    np.testing.assert_allclose(after.move, move, rtol=1e-13)
    np.testing.assert_allclose(after.theta, before.theta + d + 0.6 * move, rtol=1e-12)


def test_average_keeps_counts_of_solver():
    config = config_of("adam")
    before = replica_of(config)
    counted = replace(before, solver_state=before.solver_state | {"n_steps": 4})
    assert average(before, [counted, counted], [1, 1], 0.0).solver_state["n_steps"] == 4


@both_weights
def test_shard_losses_average_to_that_of_all_rows(weighted):
    rows, theta = make_rows(n_rows=N_ROWS, weighted=weighted), replica_of(CONFIG).theta
    shards = shards_of(rows, 5)
    losses = [shard.loss(theta, CONFIG.loss) for shard in shards]
    weights = [len(s.rows) if s.weights is None else s.weights.sum() for s in shards]
    expected, _ = NETWORK.loss_and_grad(theta, rows.X, rows.target, rows.weights)
    assert np.average(losses, weights=weights) == pytest.approx(expected, rel=1e-12)
