"""Digests distinguish different values and are the same in every process."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array

from skdistnet._base.hashing import BLOCK_BYTES, digest

SCRIPT = """
from functools import partial
import numpy as np
from sklearn.metrics import f1_score, make_scorer
from skdistnet._base.hashing import digest


class Scorer:
    def __init__(self, weight):
        self.weight = weight

    def __call__(self, net, X, y):
        return self.weight


def own(y, prediction):
    return (y == prediction).mean() if "a" in {"a", "b", "c"} else 0.0


print(digest([
    own, lambda x: x + 1, Scorer(0.5), partial(own, y=1), make_scorer(own), make_scorer(f1_score),
    np.arange(3), np.array(["a", None], dtype=object), {"b": 1, "a": None}, float("nan"),
]))
"""


def shift(amount):
    return lambda x: x + amount


DIFFERENT = [
    None,
    0,
    0.0,
    "0",
    (),
    [],
    [1, 2],
    [2, 1],
    {"a": 1},
    {"a": 2},
    np.zeros(2),
    np.zeros((2, 1)),
    np.zeros(2, dtype=np.float32),
    np.zeros(2, dtype=int),
    np.ones(2),
    np.array(["a", "b"]),
    np.array(["a", "b"], dtype=object),
    csr_array([[0, 1.0]]),
    csr_array([[1.0, 0]]),
    len,
    int,
    np.mean,
    shift,
    shift(1),
    shift(2),
    lambda x: x + 1,
    lambda x: x + 2,
    lambda x, y=1: x + y,
    lambda x, y=2: x + y,
    partial(shift, 1),
    partial(shift, 2),
]


def test_different_values_have_different_digests():
    assert len({digest(value) for value in DIFFERENT}) == len(DIFFERENT)


def test_equal_values_have_equal_digests():
    text = "".join(["a", "b"])
    assert digest([text, text]) == digest(["ab", "".join(["a", "b"])])
    assert digest(shift(1)) == digest(shift(1))
    row = [0.5, np.arange(3)]
    assert digest([row, row]) == digest([[0.5, np.arange(3)], [0.5, np.arange(3)]])


@pytest.mark.parametrize("shape", [(0,), (5,), (7, 3), (2, 3, 4), (0, 4), (3, 0)])
def test_memory_layout_does_not_change_the_digest(shape, tmp_path):
    array = np.random.default_rng(0).normal(size=shape)
    views = [np.asfortranarray(array), np.repeat(array[..., None], 2, axis=-1)[..., 0]]
    if array.size:
        np.save(tmp_path / "array.npy", array)
        views.append(np.load(tmp_path / "array.npy", mmap_mode="r"))
    assert {digest(view) for view in views} == {digest(array)}


def test_every_block_of_a_large_array_matters():
    array = np.zeros((3 * BLOCK_BYTES // 4 // 8 + 1, 8), dtype=np.float32)
    digests = {digest(array)}
    for row in (0, len(array) // 2, -1):
        array[row, 3] = 1
        digests.add(digest(array))
    assert len(digests) == 4


def test_sparse_format_does_not_change_the_digest():
    dense = np.arange(12.0).reshape(3, 4) % 3
    assert digest(csr_array(dense)) == digest(csc_array(dense))


def test_digests_agree_between_processes():
    # Hashes of strings, and so the order of sets, differ from process to process.
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_values_without_digest_raise():
    def endless():
        return endless

    for value in [endless, (number for number in range(3))]:
        with pytest.raises(ValueError, match="cannot be pickled"):
            digest(value)
