import numpy as np
import pytest

from skdistnet.engine.numerics import memory


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [7, (3, 5), (2, 100, 784), 100_003])
def test_arrays_are_aligned_to_cache_lines(shape, dtype):
    for array in (
        memory.empty(shape, dtype),
        memory.copy(np.ones(shape, dtype)),
    ):
        assert array.ctypes.data % memory.CACHE_LINE == 0
        assert array.shape == np.empty(shape).shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_copies_are_independent():
    original = np.arange(6.0)
    duplicate = memory.copy(original)
    duplicate += 1
    np.testing.assert_array_equal(original, np.arange(6.0))
