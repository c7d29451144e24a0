"""Sequences in batches: whole ones, and windows that continue from states of the epoch."""

import numpy as np
import pytest
from recurrent_networks import N_INPUTS, draw_parameters, make_network

from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.training import Rows
from skdistnet.engine.training.sequences import MOST_PASSES, USUAL_BATCHES, BatchedSequences

N_STEPS, LENGTH, N_OUTPUTS = 30, 7, 2
MAP = InputMap(np.ones(N_INPUTS), np.full(N_INPUTS, 0.5), np.zeros(N_INPUTS))


def make_rows(lengths=(30, 30, 18, 4), weights=None):
    """Return sequences whose targets are their number and the numbers of their steps."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(len(lengths), N_STEPS, N_INPUTS))
    number, step = np.indices(X.shape[:2])
    target = np.stack([number, step], axis=2).astype(float)
    for sequence, length in enumerate(lengths):
        X[sequence, length:] = target[sequence, length:] = np.nan
    return Rows(X, target.reshape(len(X), -1), weights)


def batched(rows, by_step=True, truncation=LENGTH, batch_size=3, **options):
    network = make_network(by_step=by_step)
    return BatchedSequences(network, MAP, rows, batch_size, truncation=truncation, **options)


def loaded(sequences, seed=0):
    """Yield the weights of each batch of an epoch, its target and its workspace."""
    theta = draw_parameters(sequences.network)
    for rows, weights, _ in sequences.epoch(theta, np.random.default_rng(seed)):
        n_rows = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        work = sequences.workspace(n_rows)
        yield weights, sequences.load(rows, work), work


def test_windows_hold_consecutive_steps_with_targets():
    rows, seen = make_rows(), set()
    sequences = batched(rows)
    for _, target, work in loaded(sequences):
        by_step = target.reshape(len(target), LENGTH, N_OUTPUTS)
        for number, window in enumerate(by_step):
            sequence, steps = window[:, 0], window[:, 1]
            is_step = ~np.isnan(steps)
            assert len(set(sequence[is_step])) == 1
            np.testing.assert_array_equal(np.diff(steps[is_step]), 1)
            which, first = int(sequence[0]), int(steps[0])
            inputs = sequences.X[which, first : first + LENGTH]
            np.testing.assert_array_equal(work.layers[0].X[:, number], np.nan_to_num(inputs))
            seen |= {(which, int(step)) for step in steps[is_step]}
    assert len(seen) == sum((30, 30, 18, 4))


def test_windows_do_not_reach_beyond_sequences():
    starts = []
    sequences = batched(make_rows())
    for seed in range(20):
        list(loaded(sequences, seed))
        starts.append(sequences.windows.starts)
    starts, owners = np.array(starts), sequences.windows.sequences
    last = [starts[:, owners == number].max() for number in range(4)]
    assert last == [30 - LENGTH, 30 - LENGTH, 18 - LENGTH, 0]
    assert starts.min() == 0


def test_no_window_is_without_a_target():
    rows = make_rows()
    by_step = rows.target.reshape(4, N_STEPS, N_OUTPUTS)
    by_step[0, :25], by_step[1, 3:20], by_step[2, ::2] = np.nan, np.nan, np.nan
    is_target, sequences = ~np.isnan(by_step[:, :, 0]), batched(rows)
    seen = np.zeros((4, N_STEPS), bool)
    for seed in range(20):
        list(loaded(sequences, seed))
        windows = sequences.windows
        steps = windows.starts[:, np.newaxis] + np.arange(LENGTH)
        inside = is_target[windows.sequences[:, np.newaxis], steps]
        # Steps of late windows lead up to their targets.
        assert (inside[:, -1] | ((windows.starts == 0) & inside.any(axis=1))).all()
        seen[windows.sequences[:, np.newaxis], steps] = True
    assert seen[is_target].all()
    assert not seen[0, : 25 - LENGTH + 1].any()


def test_windows_continue_from_states_of_the_epoch():
    rows, sequences = make_rows(), batched(make_rows())
    theta = draw_parameters(sequences.network)
    states = sequences.network.states(theta, MAP, rows.X)
    first = sequences.network.views(theta)[0]["initial_state"]
    for _, target, work in loaded(sequences):
        sequences.network.prepare(sequences.network.views(theta), work)
        sequences.network.run_forward(sequences.network.views(theta), work)
        for number, window in enumerate(target.reshape(len(target), LENGTH, N_OUTPUTS)):
            which, start = (int(each) for each in window[0])
            before = states[which, start - 1] if start else first
            actual = work.layers[0].H[:, number]
            np.testing.assert_allclose(actual[0], before, rtol=1e-12)
            n_steps = np.count_nonzero(~np.isnan(window[:, 1]))
            inside = states[which, start : start + n_steps]
            np.testing.assert_allclose(actual[1 : n_steps + 1], inside, rtol=1e-12)


def test_windows_are_drawn_anew_by_seed():
    sequences = batched(make_rows())
    drawn = []
    for seed in (0, 1, 0):
        list(loaded(sequences, seed))
        drawn.append(sequences.windows.starts)
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.parametrize("n_sequences", [1, 2, 50])
@pytest.mark.parametrize("batch_size", [1, 5])
def test_an_epoch_has_enough_batches(n_sequences, batch_size):
    sequences = batched(make_rows((30,) * n_sequences), batch_size=batch_size)
    n_covering = n_sequences * -(-N_STEPS // LENGTH)
    n_windows = len(sequences.windows)
    assert n_covering <= n_windows <= MOST_PASSES * n_covering
    assert n_windows == MOST_PASSES * n_covering or n_windows >= USUAL_BATCHES * batch_size
    assert n_windows < max(n_covering + 1, USUAL_BATCHES * batch_size + n_covering)


def test_weights_of_windows_sum_to_sequences():
    weights = np.array([1.0, 2.0, 3.0, 0.5])
    sequences = batched(make_rows(weights=weights))
    of_windows = sequences.windows.weights(weights)
    for number, weight in enumerate(weights):
        total = of_windows[sequences.windows.sequences == number].sum()
        np.testing.assert_allclose(total, weight, rtol=1e-12)


def test_sequences_with_equal_targets_weigh_the_same():
    rows = make_rows((30, 30))
    by_step = rows.target.reshape(2, N_STEPS, N_OUTPUTS)
    by_step[0, 6:] = by_step[1, ~(np.arange(N_STEPS) % 5 == 0)] = np.nan
    sequences = batched(rows, batch_size=10**6)
    ((weights, _, _),) = loaded(sequences)
    is_first = sequences.windows.sequences == 0
    assert np.count_nonzero(is_first) < np.count_nonzero(~is_first)
    np.testing.assert_allclose(weights[is_first].sum(), weights[~is_first].sum(), rtol=1e-12)


def test_batches_of_windows_may_exceed_sequences():
    sequences = batched(make_rows((30,)), batch_size=1, window_batch=4)
    sizes = [len(target) for _, target, _ in loaded(sequences)]
    assert max(sizes) == 4


@pytest.mark.parametrize("n_sequences", [1, 40])
def test_huge_batches_are_of_all_windows(n_sequences):
    sequences = batched(make_rows((30,) * n_sequences), window_batch=10**9)
    assert sequences.batches.n_batches == 1
    assert len(sequences.windows) == MOST_PASSES * n_sequences * -(-N_STEPS // LENGTH)


@pytest.mark.parametrize(
    ("by_step", "truncation"), [(False, LENGTH), (True, None), (True, N_STEPS), (False, None)]
)
def test_whole_sequences_are_not_cut(by_step, truncation):
    rows = make_rows()
    target = rows.target if by_step else np.arange(8.0).reshape(4, 2)
    sequences = batched(Rows(rows.X, target), by_step, truncation, batch_size=4)
    assert sequences.windows is None
    ((_, loaded_target, work),) = loaded(sequences)
    # Batches are in a random order.
    order = np.argsort(loaded_target[:, 0])
    np.testing.assert_array_equal(loaded_target[order], target)
    assert work.layers[0].truncation == truncation
    mapped = np.nan_to_num(sequences.X)
    np.testing.assert_array_equal(work.layers[0].X.transpose(1, 0, 2)[order], mapped)
