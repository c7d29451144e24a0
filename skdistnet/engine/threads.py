"""BLAS threads, limited by the size of the work."""

import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from threadpoolctl import ThreadpoolController

from .products import LARGE

__all__ = ["blas_threads"]


@cache
def controllers():
    """Those of all BLAS libraries, and of the ones that large products do not use.

    Looking for the loaded libraries takes milliseconds: it is done once.
    """
    every = ThreadpoolController().select(user_api="blas")
    paths = [lib.filepath for lib in every.lib_controllers]
    idle = [path for path in paths if not {"scipy", "scipy.libs"} & set(Path(path).parts)]
    # With one library for NumPy and SciPy there is nothing to tell apart.
    return every, every.select(filepath=idle if len(idle) < len(paths) else [])


class Limits:
    """A limit that is set by the first of those who ask and lifted after the last.

    It holds for all of the process: were each to put back what it found, fits that overlap in
    several threads could leave the limit behind.
    """

    def __init__(self):
        self.lock, self.users = threading.Lock(), 0
        self.limiter: Any = None

    @contextmanager
    def one_thread(self, controller):
        with self.lock:
            if self.users == 0:
                self.limiter = controller.limit(limits=1)
            self.users += 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                if self.users == 0:
                    self.limiter.restore_original_limits()


ALL, IDLE = Limits(), Limits()


def blas_threads(network, n_rows):
    """Keep matrix products over batches of `n_rows` to one thread where more would slow them.

    Where they are large, the library that computes them keeps its threads and the other one, if
    NumPy and SciPy each bring their own, is kept to one: its idle threads wait by turning in
    circles, and made a training with two threads three times slower than with one.
    """
    largest = n_rows * max(m * n for m, n in zip(network.sizes, network.sizes[1:]))
    every, idle = controllers()
    return IDLE.one_thread(idle) if largest >= LARGE else ALL.one_thread(every)
