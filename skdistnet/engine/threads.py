"""BLAS threads, limited by the size of the work."""

import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from threadpoolctl import ThreadpoolController

from .products import LARGE

__all__ = ["blas_threads"]


class Limit:
    """Keeps a library to one thread from the first of those who ask until after the last.

    It holds for all of the process: were each to put back what it found, fits that overlap in
    several threads could leave the limit behind.
    """

    def __init__(self, library):
        self.library, self.lock, self.users = library, threading.Lock(), 0
        self.before = 0

    def acquire(self):
        with self.lock:
            if self.users == 0:
                self.before = self.library.num_threads
                self.library.set_num_threads(1)
            self.users += 1

    def release(self):
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.library.set_num_threads(self.before)


@cache
def limits():
    """Those of all BLAS libraries, and of the ones that large products do not use.

    Looking for the loaded libraries takes milliseconds: it is done once.
    """
    every = {}
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        every[library.filepath] = Limit(library)
    idle = [path for path in every if not {"scipy", "scipy.libs"} & set(Path(path).parts)]
    # With one library for NumPy and SciPy there is nothing to tell apart.
    return list(every.values()), [every[path] for path in idle if len(idle) < len(every)]


@contextmanager
def blas_threads(network, n_rows):
    """Keep matrix products over batches of `n_rows` to one thread where more would slow them.

    Where they are large, the library that computes them keeps its threads and the other one, if
    NumPy and SciPy each bring their own, is kept to one: its idle threads wait by turning in
    circles, and made a training with two threads three times slower than with one.
    """
    largest = n_rows * max(m * n for m, n in zip(network.sizes, network.sizes[1:]))
    every, idle = limits()
    chosen = idle if largest >= LARGE else every
    for limit in chosen:
        limit.acquire()
    try:
        yield
    finally:
        for limit in chosen:
            limit.release()
