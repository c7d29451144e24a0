"""Tasks of a fit on a cluster: labels, waiting with a time limit, and an end that leaves none."""

import time
import uuid
from threading import Lock
from weakref import WeakSet

import dask
import distributed
from distributed.scheduler import KilledWorker

#: Seconds between two looks at whether a task has ended, and how long a fit waits for a worker.
POLL, WORKERLESS = 2.0, 60.0
#: Once an epoch the parameters travel as a part of a graph, of whose size Dask would warn.
ANY_SIZE = {"distributed.admin.large-graph-warning-threshold": "1 TiB"}
#: Fits in several threads must not restore each other's setting of Dask's configuration.
SUBMITTING = Lock()


def client_of(estimator):
    """Return the client that is set, or else the current one of this process."""
    name, client = type(estimator).__name__, estimator.client
    if client is None:
        try:
            client = distributed.get_client()
        except ValueError as error:
            raise ValueError(
                f"{name} found no Dask client: start one, for example by "
                "'client = distributed.Client()', or pass it as 'client'."
            ) from error
    if getattr(client, "asynchronous", False):
        raise ValueError(
            f"The client of {name} must not be asynchronous, because 'fit' waits for the cluster; "
            "start another one with asynchronous=False, and call 'fit' outside of its event loop."
        )
    return client


class Tasks:
    """The tasks of a fit, a context that drops those that are left at its end.

    Keys begin with a label, by which Dask's dashboard groups tasks. Tasks are never bound to a
    worker, and no data is scattered: so all that a worker had can be computed again elsewhere.
    """

    def __init__(self, client):
        self.client, self.token = client, uuid.uuid4().hex[:12]
        self.futures: WeakSet = WeakSet()
        self.n_tasks = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        # What nobody waits for is dropped. `Client.cancel` fails on tasks inside of graphs.
        for future in list(self.futures):
            future.release()

    def key(self, label):
        """Return a key for a task; all tasks of a fit have different ones."""
        self.n_tasks += 1
        return f"{label}-{self.token}-{self.n_tasks}"

    def submit(self, label, function, *arguments):
        """Submit a task whose arguments may be futures; return its future."""
        with SUBMITTING, dask.config.set(ANY_SIZE):
            future = self.client.submit(function, *arguments, key=self.key(label))
        self.futures.add(future)
        return future

    def compute(self, delayed):
        """Submit delayed objects, whose arguments may be partitions; return their futures."""
        with SUBMITTING, dask.config.set(ANY_SIZE):
            futures = self.client.compute(delayed)
        for future in futures:
            self.futures.add(future)
        return futures

    def results(self, futures):
        """Return the results of tasks, at once if they are there, and else when they are."""
        self._wait(futures)
        try:
            return self.client.gather(futures)
        except KilledWorker as error:
            raise RuntimeError(
                "The fit was given up, because each worker that tried one of its tasks died. "
                "They may lack memory: use more shards or smaller partitions, or give the "
                f"workers more of it. Dask reports: {error}"
            ) from error

    def _wait(self, futures):
        """Wait until tasks have ended, with a time limit while the cluster has no worker."""
        workerless_since = None
        while True:
            try:
                with self.client.as_current():  # it need not be the default one
                    distributed.wait(futures, timeout=POLL)
                return
            except TimeoutError:
                if self.client.nthreads():
                    workerless_since = None
                    continue
                workerless_since = workerless_since or time.monotonic()
                if time.monotonic() - workerless_since > WORKERLESS:
                    raise RuntimeError(
                        f"The fit was given up, because the cluster has had no worker for "
                        f"{WORKERLESS:.0f} seconds: start workers and call 'fit' again."
                    ) from None

    def result(self, future):
        """Return the result of a task."""
        return self.results([future])[0]

    def n_workers(self):
        """Return the number of workers, at least one, for which it waits."""
        self.result(self.submit("wait-for-worker", int))
        return len(self.client.nthreads())
