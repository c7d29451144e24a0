"""BLAS threads, limited by the size of the work."""

import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from threadpoolctl import ThreadpoolController

from .blas import LARGE

__all__ = ["blas_threads"]

#: How often to ask a library for a number of threads; another thread of Python may come between.
ATTEMPTS = 10


def set_threads(library, number):
    """Set a library's number of threads, from whatever thread of Python.

    threadpoolctl 3.8 hears none but the thread that was first to set one, until it gives control
    back; but the first and the last of fits that overlap need not be of one thread.
    """
    give_control_back = getattr(library, "clear_controlling_thread", lambda force: None)
    for _ in range(ATTEMPTS):
        give_control_back(force=True)
        library.set_num_threads(number)
        give_control_back(force=True)
        if library.num_threads == number:
            break


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
                set_threads(self.library, 1)
            self.users += 1

    def release(self):
        with self.lock:
            self.users -= 1
            if self.users == 0:
                set_threads(self.library, self.before)


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
