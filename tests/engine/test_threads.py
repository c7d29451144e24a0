"""BLAS threads are limited for small products only, and restored."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skdistnet.engine import Network
from skdistnet.engine.numerics import blas as products
from skdistnet.engine.numerics.threads import blas_threads

NETWORK = Network([10, 100, 3])
SMALL, LARGE = 5, products.LARGE // 1000


def numbers_of_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        if 2 not in numbers_of_threads():
            pytest.skip("BLAS has one thread only")
        yield


def test_small_products_get_one_thread():
    with blas_threads(NETWORK, SMALL):
        assert set(numbers_of_threads()) == {1}


def test_a_limit_of_the_caller_stays():
    with threadpool_limits(1, user_api="blas"):
        with blas_threads(NETWORK, SMALL):
            assert set(numbers_of_threads()) == {1}
        assert set(numbers_of_threads()) == {1}


def test_large_products_keep_threads_in_one_library():
    with blas_threads(NETWORK, LARGE):
        assert numbers_of_threads().count(2) == 1


def test_the_widest_layer_decides():
    with blas_threads(Network([10, 100, 300]), LARGE // 30 + 1):
        assert 2 in numbers_of_threads()
    with blas_threads(Network([10, 100, 3]), LARGE // 30 + 1):
        assert set(numbers_of_threads()) == {1}


@pytest.mark.parametrize("n_rows", [SMALL, LARGE])
def test_threads_are_restored_after_an_error(n_rows):
    before = numbers_of_threads()
    with pytest.raises(ZeroDivisionError), blas_threads(NETWORK, n_rows):
        raise ZeroDivisionError
    assert numbers_of_threads() == before


@pytest.mark.parametrize("n_rows", [SMALL, LARGE])
def test_threads_are_restored_when_contexts_overlap(n_rows):
    before = numbers_of_threads()
    first, second = blas_threads(NETWORK, n_rows), blas_threads(NETWORK, n_rows)
    first.__enter__()
    within = numbers_of_threads()
    second.__enter__()
    first.__exit__(None, None, None)
    assert numbers_of_threads() == within
    second.__exit__(None, None, None)
    assert numbers_of_threads() == before


@pytest.mark.parametrize("order", list(permutations([0, 1, 2])))
def test_threads_are_restored_after_any_exit_order(order):
    """A large use that starts during a small one must not restore that one's limit."""
    before = numbers_of_threads()
    uses = [blas_threads(NETWORK, n_rows) for n_rows in (SMALL, LARGE, SMALL)]
    for use in uses:
        use.__enter__()
    for number in order:
        uses[number].__exit__(None, None, None)
    assert numbers_of_threads() == before


def test_any_python_thread_sets_and_restores_limits():
    """Threadpoolctl obeys only one Python thread at a time, here the one of this test."""
    before, use = numbers_of_threads(), blas_threads(NETWORK, SMALL)

    def enter():
        use.__enter__()
        return numbers_of_threads()

    with ThreadPoolExecutor(1) as pool:
        assert set(pool.submit(enter).result()) == {1}
    use.__exit__(None, None, None)
    assert numbers_of_threads() == before
