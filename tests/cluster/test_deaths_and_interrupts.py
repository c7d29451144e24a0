"""Workers that die, Ctrl-C, and the end of a fit: the same net, a message, no task left."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe")

import dask
import distributed
from cluster_fits import KINDS, SMALL, fitted, partitioned
from interrupted_fits import same

from skdistnet._dask import cluster as cluster_tasks
from skdistnet._dask.cluster import Tasks
from skdistnet._dask.rounds import RoundTrainer
from skdistnet.dask import DaskDistanceNetClassifier

KIND, X, Y = KINDS["classifier"]
OPTIONS = {"max_iter": 8, "batch_size": 50, "n_shards": 3, "local_steps": 2}
#: Seconds after which a fit counts as hanging.
PATIENCE = 100


@contextmanager
def processes(n_workers, **options):
    workers = {"n_workers": n_workers, "threads_per_worker": 1, "processes": True}
    with (
        distributed.LocalCluster(**workers, **options, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(n_workers)
        yield cluster, client


def in_time(function, *arguments, **options):
    """Return what a function returns in a thread of its own, or fail if it hangs."""
    outcome = {}

    def run():
        try:
            outcome["result"] = function(*arguments, **options)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "the fit hangs"
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


def keys_of(client):
    """Return the keys of all tasks on the scheduler."""
    return set(client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks)))


#: Keys of tasks that tests of other files may have left on the cluster that they share.
EARLIER: set = set()


@pytest.fixture(autouse=True)
def earlier_tasks(request):
    EARLIER.clear()
    if "client" in request.fixturenames:
        EARLIER.update(keys_of(request.getfixturevalue("client")))


def n_tasks(client):
    """Return the number of a test's tasks on the scheduler, once it has heard of released ones."""
    for _ in range(100):
        left = keys_of(client) - EARLIER
        if not left:
            return 0
        time.sleep(0.1)
    return len(left)


@contextmanager
def before_epochs(act):
    """Call `act(number)` before each epoch, counted from 0."""
    numbers, original = count(), RoundTrainer.train_epoch

    def epoch(self):
        act(next(numbers))
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RoundTrainer, "train_epoch", epoch)
        yield


# Deaths -------------------------------------------------------------------------------------------


def test_net_of_killed_workers_is_the_same(client):
    undisturbed = fitted(client, KIND, X, Y, **OPTIONS)
    # One is left whether or not Dask's nannies restart the others, which they sometimes fail to.
    with processes(3) as (_, own):
        pids = sorted(own.run(os.getpid).values())

        def kill(number):
            if number in (2, 5):
                # In the midst of the epoch's rounds.
                threading.Timer(0.03, os.kill, (pids.pop(), signal.SIGKILL)).start()

        with before_epochs(kill):
            net = in_time(fitted, own, KIND, X, Y, **OPTIONS)
        assert len(pids) == 1
        assert n_tasks(own) == 0
    assert same(net, undisturbed)


def test_death_of_all_workers_is_survived(client):
    undisturbed = fitted(client, KIND, X, Y, **OPTIONS)
    with processes(1) as (cluster, own):

        def kill(number):
            if number == 3:
                (pid,) = own.run(os.getpid).values()
                os.kill(pid, signal.SIGKILL)
                cluster.scale(2)

        with before_epochs(kill):
            net = in_time(fitted, own, KIND, X, Y, **OPTIONS)
    assert same(net, undisturbed)


def test_lack_of_workers_is_reported(client, monkeypatch):
    monkeypatch.setattr(cluster_tasks, "POLL", 0.2)
    monkeypatch.setattr(cluster_tasks, "WORKERLESS", 1.0)
    workers = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with (
        distributed.LocalCluster(**workers, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as own,
    ):

        def scale_down(number):
            if number == 2:
                cluster.scale(0)

        net = KIND(**SMALL | OPTIONS, client=own)
        with before_epochs(scale_down), pytest.raises(RuntimeError, match="no worker for 1 second"):
            in_time(net.fit, partitioned(X), partitioned(Y))
        assert not hasattr(net, "_theta_")
        assert n_tasks(own) == 0


def test_tasks_that_kill_workers_are_given_up():
    def die(block):
        os.kill(os.getpid(), signal.SIGKILL)

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), processes(1) as (_, own):
        rows = partitioned(X).map_blocks(die, dtype=X.dtype, meta=X[:0])
        net = KIND(**SMALL, client=own)
        with pytest.raises(RuntimeError, match="each worker that tried one of its tasks died"):
            in_time(net.fit, rows, partitioned(Y))
        assert n_tasks(own) == 0


def test_cluster_that_has_no_worker_is_reported(monkeypatch):
    monkeypatch.setattr(cluster_tasks, "POLL", 0.2)
    monkeypatch.setattr(cluster_tasks, "WORKERLESS", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as own,
        pytest.raises(RuntimeError, match="start workers"),
    ):
        in_time(fitted, own, KIND, X, Y)


def test_workers_that_join_late_are_used():
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as own,
    ):
        threading.Timer(0.5, cluster.scale, (1,)).start()
        net = in_time(fitted, own, KIND, X, Y, n_shards=None)
    assert net.n_shards_ == 1


# Ctrl-C and errors --------------------------------------------------------------------------------


@contextmanager
def interrupt_at(number):
    """Raise KeyboardInterrupt while results are waited for, the `number`-th time, from 0."""
    numbers, original = count(), Tasks.results

    def results(self, futures):
        if next(numbers) == number:
            raise KeyboardInterrupt
        return original(self, futures)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tasks, "results", results)
        yield numbers


def waits_before_training(client):
    """Return how often an undisturbed fit waits before its first epoch."""
    waits = []
    with interrupt_at(None) as numbers, before_epochs(lambda _: waits.append(next(numbers))):
        fitted(client, KIND, X, Y, **OPTIONS)
    return waits[0]


def test_interrupt_before_training_changes_nothing(client):
    n_waits = waits_before_training(client)
    assert n_waits > 2
    net, kept = KIND(**SMALL | OPTIONS, client=client), []
    for number in range(n_waits):
        with interrupt_at(number), pytest.raises(KeyboardInterrupt) as caught:
            net.fit(partitioned(X), partitioned(Y))
        kept.append(caught)  # Python keeps the last traceback, and so all that the fit had
        with pytest.raises(NotFittedError):
            net.to_local()
        assert n_tasks(client) == 0


@pytest.mark.parametrize("early_stopping", [False, True])
def test_interrupt_during_training_keeps_best_epoch(client, early_stopping):
    def interrupt(number):
        if number == 4:
            raise KeyboardInterrupt

    options = OPTIONS | {"early_stopping": early_stopping}
    with before_epochs(interrupt), pytest.warns(UserWarning, match="interrupted after 4 epochs"):
        net = fitted(client, KIND, X, Y, **options)
    assert net.n_iter_ == len(net.loss_curve_) == 4
    assert net.score(X, Y) > 0.5
    assert n_tasks(client) == 0


def test_interrupt_within_an_epoch_keeps_complete_parameters(client):
    n_waits = waits_before_training(client)
    with interrupt_at(n_waits + 2), pytest.warns(UserWarning, match="interrupted after 2 epochs"):
        net = fitted(client, KIND, X, Y, **OPTIONS)
    expected = []
    original = RoundTrainer.train_epoch

    def epoch(self):
        loss = original(self)
        expected.append(self.state.theta.copy())
        return loss

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RoundTrainer, "train_epoch", epoch)
        fitted(client, KIND, X, Y, **OPTIONS)
    np.testing.assert_array_equal(net._theta_, expected[1])
    assert n_tasks(client) == 0


@pytest.fixture
def interruptible():
    """Raise KeyboardInterrupt for Ctrl-C, which processes of pytest-xdist ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_signal_interrupts_a_fit_that_waits(client, interruptible):
    def interrupt(number):
        if number == 1:
            threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()

    options = OPTIONS | {"max_iter": 2000, "n_iter_no_change": 2000}
    with before_epochs(interrupt), pytest.warns(UserWarning, match="interrupted after"):
        net = fitted(client, KIND, X, Y, **options)
    assert 0 < net.n_iter_ < 2000
    assert n_tasks(client) == 0


def test_refit_that_fails_keeps_the_net(client):
    net = fitted(client, KIND, X, Y)
    theta = net._theta_
    bad = np.where(np.arange(len(Y)) == 500, np.nan, Y)
    with pytest.raises(ValueError, match="NaN"):
        net.fit(partitioned(X), partitioned(bad))
    assert net._theta_ is theta
    assert n_tasks(client) == 0


@pytest.mark.parametrize("options", [{}, {"n_init": 2}, {"early_stopping": True}])
def test_no_task_is_left_after_a_fit(client, options):
    fitted(client, KIND, X, Y, **options)
    assert n_tasks(client) == 0


def test_other_tasks_of_the_client_are_left(client):
    kept = client.submit(sum, [1, 2], key="kept")
    data = client.persist(partitioned(X))
    DaskDistanceNetClassifier(**SMALL, client=client).fit(data, partitioned(Y))
    assert kept.result() == 3
    np.testing.assert_array_equal(client.compute(data).result(), X)
    del data
    kept.release()
    assert n_tasks(client) == 0
