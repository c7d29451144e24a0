"""A cluster of two workers in this process, for tests that do not kill one."""

import pytest


@pytest.fixture(scope="session")
def client():
    """Return a client that is not the default one, so that estimators must use it."""
    distributed = pytest.importorskip("distributed", reason="needs the extra 'dask'")
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
    with (
        distributed.LocalCluster(**workers, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client
