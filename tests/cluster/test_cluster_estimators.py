"""The estimators' parameters, copies, refusals, and what passes through the client."""

import asyncio
import pickle
from inspect import Parameter, signature

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe")

import dask
import dask.array as da
import dask.dataframe as dd
import distributed
from cluster_fits import (
    DIGITS,
    DIGITS_Y,
    KINDS,
    LOCAL,
    SMALL,
    fitted,
    mixed_frame,
    partitioned,
)
from threadpoolctl import threadpool_info, threadpool_limits

from skdistnet.engine.training.loop import Trainer

both_kinds = pytest.mark.parametrize(("kind", "X", "y"), KINDS.values(), ids=KINDS)
KIND, X, Y = KINDS["classifier"]


# Parameters and copies ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LOCAL)
def test_constructor_extends_that_of_local_net(kind):
    own, local = (dict(signature(one).parameters) for one in (kind, LOCAL[kind]))
    added = {name: own.pop(name) for name in ("client", "n_shards", "local_steps")}
    assert own == local
    assert [one.default for one in added.values()] == [None, None, "auto"]
    assert {one.kind for one in added.values()} == {Parameter.KEYWORD_ONLY}
    assert list(kind().get_params()) == sorted([*own, *added])
    assert kind((7,)).hidden_layer_sizes == (7,)
    with pytest.raises(TypeError, match="units"):
        kind(units=3)


@pytest.mark.parametrize("kind", LOCAL)
def test_parameters_can_be_set(kind):
    net = kind().set_params(n_shards=4, alpha=0.1)
    assert (net.get_params()["n_shards"], net.alpha) == (4, 0.1)
    with pytest.raises(ValueError, match="shards"):
        net.set_params(shards=3)
    assert "n_shards=4" in repr(net)


@both_kinds
def test_clone_keeps_client_and_parameters(client, kind, X, y):
    net = fitted(client, kind, X, y)
    copied = clone(net)
    assert copied.client is client
    assert copied.get_params() == net.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(X)


@both_kinds
def test_local_copy_is_an_ordinary_net(client, kind, X, y):
    net = fitted(client, kind, X, y, alpha=0.01)
    local = net.to_local()
    assert type(local) is LOCAL[kind]
    expected = net.get_params()
    for name in ("client", "n_shards", "local_steps"):
        del expected[name]
    assert local.get_params() == expected
    assert "n_shards_" not in vars(local)
    np.testing.assert_array_equal(local.predict(X), net.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(local)).predict(X), local.predict(X))
    predicted = net.predict(X)
    local.partial_fit(X, y)
    np.testing.assert_array_equal(net.predict(X), predicted)


def test_local_copy_needs_a_fit():
    with pytest.raises(NotFittedError):
        KIND().to_local()
    with pytest.raises(NotFittedError):
        KIND().predict(X)


@both_kinds
def test_pickle_drops_the_client(client, kind, X, y):
    net = fitted(client, kind, X, y)
    restored = pickle.loads(pickle.dumps(net))
    assert restored.client is None
    assert net.client is client
    assert restored.n_shards_ == net.n_shards_ == 2
    np.testing.assert_array_equal(restored.predict(X), net.predict(X))
    np.testing.assert_array_equal(restored.predict(partitioned(X)).compute(), net.predict(X))


def test_kinds_of_estimators_are_recognised():
    assert is_classifier(KIND())
    assert is_regressor(KINDS["regressor"][0]())


# Refusals -----------------------------------------------------------------------------------------


def test_missing_client_is_reported():
    with pytest.raises(ValueError, match=r"found no Dask client.*'client'"):
        fitted(None, KIND, X, Y)


def test_asynchronous_client_is_refused(client):
    async def fit():
        address = client.scheduler.address
        options = {"asynchronous": True, "set_as_default": False}
        async with distributed.Client(address, **options) as other:
            fitted(other, KIND, X, Y)

    with pytest.raises(ValueError, match="must not be asynchronous"):
        asyncio.run(fit())


def test_errors_of_partitions_are_raised(client):
    """A TimeoutError, too, which waiting for tasks raises itself."""

    def read(block):
        raise TimeoutError("the store is slow")

    rows = partitioned(X).map_blocks(read, dtype=float, meta=X[:0])
    with pytest.raises(TimeoutError, match="the store is slow"):
        KIND(**SMALL, client=client).fit(rows, partitioned(Y))


DATA = {
    "rows in memory": (X, partitioned(Y), TypeError, r"'X' must be a Dask.*got ndarray"),
    "target in memory": (partitioned(X), Y, TypeError, r"'y' must be a Dask.*got ndarray"),
    "one dimension": (partitioned(Y), partitioned(Y), ValueError, "'X' must have 2 dim.*got 1"),
    "three dimensions": (partitioned(X[..., None]), partitioned(Y), ValueError, "'X'.*got 3"),
    "other rows": (partitioned(X), partitioned(Y[:-1]), ValueError, "600 rows and 'y' has 599"),
    "other partitions": (
        partitioned(pd.DataFrame(X), 4),
        partitioned(pd.Series(Y), 3),
        ValueError,
        "'X' has 4 partitions and 'y' has 3",
    ),
    "other rows in partitions": (
        partitioned(pd.DataFrame(X), [0, 300, 600]),
        partitioned(pd.Series(Y), [0, 200, 600]),
        ValueError,
        "'X' has 300 rows and 'y' has [24]00",
    ),
    "no target in a partition": (
        partitioned(pd.DataFrame(X), [0, 300, 600]),
        partitioned(pd.Series(Y), [0, 0, 600]),
        ValueError,
        "'X' has 300 rows and 'y' has [06]0*",
    ),
    "no rows": (partitioned(X[:0], 1), partitioned(Y[:0], 1), ValueError, "'X' must have rows"),
    "one row": (partitioned(X[:1], 1), partitioned(Y[:1], 1), ValueError, "at least 2 rows"),
    "missing label": (
        partitioned(X),
        partitioned(np.where(np.arange(600) == 200, np.nan, Y)),
        ValueError,
        r"In partition 1: .*NaN",
    ),
    "infinite value": (
        partitioned(np.where(np.arange(600)[:, None] == 599, np.inf, X)),
        partitioned(Y),
        ValueError,
        r"In partition 3: .*infinity",
    ),
    "continuous labels": (partitioned(X), partitioned(Y + 0.5), ValueError, "Unknown label type"),
}


@pytest.mark.parametrize(("rows", "y", "error", "message"), DATA.values(), ids=DATA)
def test_unsuitable_data_are_refused(client, rows, y, error, message):
    net = KIND(**SMALL, client=client)
    with pytest.raises(error, match=message):
        net.fit(rows, y)
    assert "n_features_in_" not in vars(net)


def test_different_columns_of_partitions_are_refused(client):
    blocks = [da.from_delayed(dask.delayed(X[:50, :n]), (50, 64), dtype=float) for n in (64, 63)]
    rows = da.concatenate(blocks)
    with pytest.raises(ValueError, match="partitions 0 and 1 differ"):
        KIND(**SMALL, client=client).fit(rows, partitioned(Y[:100], 2))


def test_numbers_among_categories_are_refused(client):
    frame, y = mixed_frame(100)
    frame["color"] = pd.Series([*frame["color"][:50], *range(50)], dtype=object)
    parts = [frame.iloc[:50], frame.iloc[50:].astype({"color": float})]
    rows = dd.from_delayed(list(map(dask.delayed, parts)), meta=frame.iloc[:0], verify_meta=False)
    with pytest.raises(ValueError, match="holds categories in some partitions and numbers"):
        KIND(**SMALL, client=client).fit(rows, partitioned(y, 2))


WEIGHTS = {
    "negative": (np.where(np.arange(600) == 300, -1.0, 1.0), "In partition 2: .*negative"),
    "zero": (np.zeros(600), "rows of positive weight"),
    "missing": (np.where(np.arange(600) == 300, np.nan, 1.0), "In partition 2: .*NaN"),
    "tiny in a partition": (np.where(np.arange(600) < 150, 1e-200, 1.0), "partition 0: .*1e-150"),
    "too few": (np.ones(599), "600 rows and 'sample_weight' has 599"),
    "two columns": (np.ones((600, 2)), "'sample_weight' must have 1 dimensions; got 2"),
}


@pytest.mark.parametrize(("weights", "message"), WEIGHTS.values(), ids=WEIGHTS)
def test_unsuitable_weights_are_refused(client, weights, message):
    with pytest.raises(ValueError, match=message):
        fitted(client, KIND, X, Y, weights)


OPTIONS = {
    "n_shards": (0, "'n_shards' parameter .* got 0"),
    "local_steps": ("often", "'local_steps' parameter .* got 'often'"),
    "client": ("localhost", "'client' parameter .* got 'localhost'"),
    "warm_start": (True, "'warm_start' parameter .* must be False"),
    "alpha": (-1, "'alpha' parameter .* got -1"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_bad_parameters_are_refused(client, name):
    value, message = OPTIONS[name]
    net = KIND(**SMALL | {"client": client} | {name: value})
    with pytest.raises(ValueError, match=message):
        net.fit(partitioned(X), partitioned(Y))


VALIDATION = {
    "no target": ({"X_val": X}, "'y_val' is None"),
    "no rows": ({"y_val": Y}, "'X_val' is None"),
    "other rows": ({"X_val": X, "y_val": Y[:5]}, "'X_val' has 600 rows and 'y_val' has 5"),
    "other class": ({"X_val": X, "y_val": Y + 5}, r"In the validation set \(X_val.*14"),
    "other columns": ({"X_val": X[:, :9], "y_val": Y}, "In the validation set .*9 features"),
    "empty": ({"X_val": X[:0], "y_val": Y[:0]}, "'X_val' has none"),
    "weight zero": (
        {"X_val": X, "y_val": Y, "sample_weight_val": np.zeros(600)},
        "'X_val' has none",
    ),
}


@pytest.mark.parametrize(("given", "message"), VALIDATION.values(), ids=VALIDATION)
def test_unsuitable_validation_rows_are_refused(client, given, message):
    given = {name: partitioned(data, 2) for name, data in given.items()}
    net = KIND(**SMALL, client=client)
    with pytest.raises(ValueError, match=message):
        net.fit(partitioned(X), partitioned(Y), **given)
    assert "n_features_in_" not in vars(net)


def test_validation_partitions_of_other_rows_are_refused(client):
    X_val, y_val = pd.DataFrame(X), pd.Series(Y)
    options = {
        "X_val": partitioned(X_val, [0, 300, 600]),
        "y_val": partitioned(y_val, [0, 200, 600]),
    }
    with pytest.raises(ValueError, match=r"In the validation set .*300 rows"):
        KIND(**SMALL, client=client).fit(partitioned(X), partitioned(Y), **options)


def test_too_few_rows_to_hold_out_are_refused(client):
    with pytest.raises(ValueError, match="early_stopping=True has held out none"):
        fitted(client, KIND, X[:4], Y[:4], early_stopping=True, validation_fraction=0.01)


def test_partial_fit_names_the_local_net():
    assert not hasattr(KIND(), "partial_fit")
    with pytest.raises(AttributeError, match="to_local"):
        KIND().partial_fit(X, Y)


def test_predictions_refuse_other_columns(client):
    net = fitted(client, KIND, X, Y)
    with pytest.raises(ValueError, match="63 features"):
        net.predict(partitioned(X[:, :63])).compute()
    with pytest.raises(ValueError, match="2 dim"):
        net.predict(partitioned(Y))


def test_score_samples_needs_a_distance_layer(client):
    net = fitted(client, KIND, X, Y, activation="relu")
    assert not hasattr(net, "score_samples")


# What passes where --------------------------------------------------------------------------------


def bytes_of(value):
    return len(pickle.dumps(value))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_client_gathers_no_partition(client, monkeypatch, early_stopping):
    sizes, gather = [], distributed.Client.gather

    def gathered(self, futures, *args, **options):
        found = gather(self, futures, *args, **options)
        sizes.extend(bytes_of(each) for each in found)
        return found

    monkeypatch.setattr(distributed.Client, "gather", gathered)
    rows = np.repeat(DIGITS, 10, axis=0)
    options = {"early_stopping": early_stopping, "bounds": 4}
    fitted(client, KIND, rows, np.repeat(DIGITS_Y, 10), **options)
    assert len(sizes) > 5
    assert max(sizes) < rows.nbytes / 4 / 10


class Counter:
    """Counts calls by number of partition; the workers share this process."""

    calls: dict = {}  # noqa: RUF012


@pytest.mark.parametrize("early_stopping", [False, True])
def test_partitions_are_computed_at_most_twice(client, early_stopping):
    Counter.calls.clear()

    def load(block, block_id=None):
        Counter.calls[block_id] = Counter.calls.get(block_id, 0) + 1
        return block

    rows = partitioned(X).map_blocks(load, dtype=X.dtype, meta=X[:0])
    options = SMALL | {"early_stopping": early_stopping, "n_init": 2}
    KIND(**options, client=client).fit(rows, partitioned(Y))
    assert len(Counter.calls) == 4
    assert max(Counter.calls.values()) <= 2


def threads_of_blas():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


@pytest.mark.parametrize("local_steps", [1, 2])
def test_tasks_use_one_blas_thread(client, monkeypatch, local_steps):
    found, original = [], Trainer.differentiate

    def differentiate(self, *args):
        found.append(threads_of_blas())
        return original(self, *args)

    monkeypatch.setattr(Trainer, "differentiate", differentiate)
    with threadpool_limits(2):
        fitted(client, KIND, X, Y, local_steps=local_steps, batch_size=100)
    assert set().union(*found) == {1}
