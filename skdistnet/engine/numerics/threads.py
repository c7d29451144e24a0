"""Limits of BLAS threads by the size of the matrix products."""

import threading
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from threadpoolctl import ThreadpoolController

from .blas import LARGE

#: How often to set a library's number of threads; another Python thread may interfere.
ATTEMPTS = 10


def set_threads(library, number):
    """Set a library's number of threads, from any Python thread.

    threadpoolctl 3.8 obeys only the Python thread that set a number first, until that gives up
    control; but fits that overlap may start and end in different threads.
    """
    give_up_control = getattr(library, "clear_controlling_thread", lambda force: None)
    for _ in range(ATTEMPTS):
        give_up_control(force=True)
        library.set_num_threads(number)
        give_up_control(force=True)
        if library.num_threads == number:
            break


class Limit:
    """A context, shared by all fits in a process, that limits a library to one thread.

    It ends with its last user: if each fit restored the number that it had found, fits that overlap
    in several threads could leave the limit behind.
    """

    def __init__(self, library):
        self.library, self.lock, self.users, self.before = library, threading.Lock(), 0, 0

    def __enter__(self):
        with self.lock:
            if self.users == 0:
                self.before = self.library.num_threads
                if self.before != 1:
                    set_threads(self.library, 1)
            self.users += 1

    def __exit__(self, *exception):
        with self.lock:
            self.users -= 1
            if self.users == 0 and self.before != 1:
                set_threads(self.library, self.before)


@cache
def limits():
    """Return limits of all BLAS libraries, and of those that large products do not use."""
    # Finding the loaded libraries takes milliseconds: the result is cached.
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    every = {library.filepath: Limit(library) for library in libraries}
    idle = [path for path in every if not {"scipy", "scipy.libs"} & set(Path(path).parts)]
    # If NumPy and SciPy share a library, none is idle.
    return list(every.values()), [every[path] for path in idle if len(idle) < len(every)]


@contextmanager
def blas_threads(network, n_rows):
    """Keep products over batches of `n_rows` to one thread where more would slow them down.

    For large products only the library that does not compute them is limited, if NumPy and SciPy
    have their own: its idle threads spin, which made fits with two threads three times slower.
    """
    largest = n_rows * max(m * n for m, n in zip(network.sizes, network.sizes[1:]))
    every, idle = limits()
    with ExitStack() as stack:
        for limit in idle if largest >= LARGE else every:
            stack.enter_context(limit)
        yield


@contextmanager
def single_blas_thread():
    """Keep all products to one thread: others of the machine's cores have work of their own."""
    with ExitStack() as stack:
        for limit in limits()[0]:
            stack.enter_context(limit)
        yield
