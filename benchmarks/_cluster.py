"""Local clusters for benchmarks, rows that workers make, and what is measured on them."""

import os
import threading
import time
from contextlib import contextmanager, suppress

import dask
import dask.array
import distributed
import distributed.comm.tcp
import numpy as np
import psutil

__all__ = ["Bytes", "PeakMemory", "cluster_of", "generated", "worker_seconds"]

#: Number of classes of generated rows, of clusters in each, and share of inputs that matter.
N_CLASSES, N_CLUSTERS, INFORMATIVE = 8, 4, 0.6


@contextmanager
def cluster_of(n_workers, processes=True):
    """A client of a new local cluster of workers with one thread each."""
    options = {"n_workers": n_workers, "threads_per_worker": 1, "processes": processes}
    with (
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}),
        distributed.LocalCluster(**options, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def make_block(seed, n_rows, n_features):
    """Rows of a task with clusters in some of its inputs, the class as the last column."""
    n_informative = round(INFORMATIVE * n_features)
    centers = np.random.default_rng(1).normal(size=(N_CLUSTERS * N_CLASSES, n_informative))
    # Clusters are as far apart whatever the number of inputs.
    centers *= 4.2 / n_informative**0.5
    rng = np.random.default_rng((2, seed))
    cluster = rng.integers(len(centers), size=n_rows)
    block = rng.normal(size=(n_rows, n_features + 1)).astype(np.float32)
    block[:, :n_informative] += centers[cluster]
    block[:, -1] = cluster % N_CLASSES
    return block


def generated(n_rows, n_features, n_partitions, first=0):
    """X and y as Dask arrays, whose partitions the workers make."""
    size = n_rows // n_partitions
    blocks = [
        dask.array.from_delayed(
            dask.delayed(make_block)(first + number, size, n_features),
            shape=(size, n_features + 1),
            dtype=np.float32,
        )
        for number in range(n_partitions)
    ]
    whole = dask.array.concatenate(blocks)
    return whole[:, :-1], whole[:, -1].astype(np.int64)


def worker_seconds(client):
    """Seconds of processor time that each worker has used so far, as an array."""
    return np.array(list(client.run(time.process_time).values()))


class Bytes:
    """Counts the bytes that this process, with the client and the scheduler, sends and receives."""

    def __enter__(self):
        self.count, self.replaced = 0, {}
        tcp = distributed.comm.tcp
        write, from_frames = tcp.TCP.write, tcp.from_frames

        async def counted_write(comm, *args, **kwargs):
            written = await write(comm, *args, **kwargs)
            self.count += written or 0
            return written

        async def counted_from_frames(frames, *args, **kwargs):
            # This receives a list of frames, or one of lists.
            flat = [frames] if isinstance(frames, (bytes, memoryview, bytearray)) else list(frames)
            self.count += sum(memoryview(frame).nbytes for frame in flat)
            return await from_frames(frames, *args, **kwargs)

        self.replaced = {"write": write, "from_frames": from_frames}
        tcp.TCP.write, tcp.from_frames = counted_write, counted_from_frames
        return self

    def __exit__(self, *exception):
        distributed.comm.tcp.TCP.write = self.replaced["write"]
        distributed.comm.tcp.from_frames = self.replaced["from_frames"]


class PeakMemory:
    """The most memory that this process uses, above what it used at the beginning, in MB."""

    def __enter__(self):
        self.process, self.ended = psutil.Process(os.getpid()), threading.Event()
        self.before = self.highest = self.process.memory_info().rss
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.ended.wait(0.05):
            with suppress(psutil.Error):
                self.highest = max(self.highest, self.process.memory_info().rss)

    def __exit__(self, *exception):
        self.ended.set()
        self.thread.join()

    @property
    def megabytes(self):
        return (self.highest - self.before) / 2**20
