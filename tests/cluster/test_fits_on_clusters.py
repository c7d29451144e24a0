"""Fits on a cluster: the same net whatever the workers, nearly as good as a local one."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csr_array
from sklearn.metrics import accuracy_score, make_scorer

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe")

import dask
import dask.dataframe as dd
import distributed
from cluster_fits import (
    DIABETES,
    DIABETES_Y,
    DIGITS,
    DIGITS_Y,
    KINDS,
    SMALL,
    fitted,
    fitted_locally,
    mixed_frame,
    partitioned,
)
from interrupted_fits import same

from skdistnet._dask import rounds, start
from skdistnet._dask.start import encode_held_out
from skdistnet.dask import DaskDistanceNetClassifier, DaskDistanceNetRegressor
from skdistnet.engine.training.shards import average

both_kinds = pytest.mark.parametrize(("kind", "X", "y"), KINDS.values(), ids=KINDS)


# The same net -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lone_worker():
    workers = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with (
        distributed.LocalCluster(**workers, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@both_kinds
@pytest.mark.parametrize("local_steps", [1, 2, "auto"])
def test_workers_do_not_change_the_net(client, lone_worker, kind, X, y, local_steps):
    options = {"n_shards": 3, "local_steps": local_steps, "batch_size": 40, "dropout": 0.2}
    net = fitted(client, kind, X, y, **options)
    assert same(net, fitted(client, kind, X, y, **options))
    assert same(net, fitted(lone_worker, kind, X, y, **options))


@both_kinds
def test_frames_and_arrays_give_the_same_net(client, kind, X, y):
    net = fitted(client, kind, X, y)
    frames = fitted(client, kind, pd.DataFrame(X), pd.Series(y))
    assert same(net, frames)


def test_shards_and_seed_change_the_net(client):
    kind, X, y = KINDS["classifier"]
    net = fitted(client, kind, X, y)
    assert not same(net, fitted(client, kind, X, y, n_shards=3))
    assert not same(net, fitted(client, kind, X, y, random_state=1))


def test_data_of_the_cluster_can_be_persisted(client):
    kind, X, y = KINDS["classifier"]
    net = fitted(client, kind, X, y)
    data = client.persist([partitioned(X), partitioned(y)])
    again = kind(**SMALL, client=client).fit(*data)
    assert same(net, again)
    assert again.score(*data) == net.to_local().score(X, y)


def test_default_client_is_used(client):
    kind, X, y = KINDS["classifier"]
    with client.as_current():
        net = fitted(None, kind, X, y)
        assert net.client_ is client
    assert net.client is None


def test_fewer_shards_than_workers_suffice(client):
    kind, X, y = KINDS["classifier"]
    assert fitted(client, kind, X, y, n_shards=1).n_shards_ == 1
    assert fitted(client, kind, X, y, n_shards=None).n_shards_ == 2


def test_shards_without_rows_are_left_out(client):
    net = fitted(client, DaskDistanceNetRegressor, DIABETES[:5], DIABETES_Y[:5], n_shards=9)
    assert net.n_shards_ == 5
    weights = np.arange(8) % 2 * 1.0
    net = fitted(
        client, DaskDistanceNetRegressor, DIABETES[:8], DIABETES_Y[:8], weights, n_shards=8
    )
    assert net.n_shards_ == 4


@pytest.mark.parametrize("local_steps", [1, 3])
def test_shard_of_few_weighted_rows_is_trained(client, local_steps):
    kind, X, y = KINDS["classifier"]
    weights = np.where(np.arange(600) < 301, 1.0, 0.0)
    options = {"bounds": 2, "batch_size": 30, "local_steps": local_steps}
    net = fitted(client, kind, X, y, weights, **options)
    assert net.n_shards_ == 2
    assert net.loss_curve_[-1] < net.loss_curve_[0]


def test_unknown_chunk_sizes_work(client):
    X, y = DIGITS[:600], DIGITS_Y[:600]
    kept = y != 4
    data = [partitioned(each)[partitioned(kept)] for each in (X, y)]
    assert np.isnan(data[0].shape[0])
    net = DaskDistanceNetClassifier(**SMALL, client=client).fit(*data)
    np.testing.assert_array_equal(net.classes_, np.delete(np.arange(10), 4))
    assert np.isnan(data[0].shape[0])
    assert net.score(*data) == pytest.approx(net.to_local().score(X[kept], y[kept]))


@pytest.mark.parametrize("form", [csr_array, coo_array])
def test_sparse_blocks_give_the_net_of_dense_ones(client, form):
    kind, X, y = KINDS["classifier"]
    blocks = partitioned(X).map_blocks(form, dtype=float, meta=csr_array((0, 0)))
    net = kind(**SMALL, client=client).fit(blocks, partitioned(y))
    np.testing.assert_allclose(net._theta_, fitted(client, kind, X, y)._theta_, atol=1e-3)
    assert net.score(blocks, partitioned(y)) == net.to_local().score(X, y)


def test_categories_of_partitions_may_differ(client):
    frame, y = mixed_frame()
    parts = [frame[:100].astype({"color": "category"}), frame[100:].astype({"color": "category"})]
    parts = [part.assign(city=part["city"].cat.remove_unused_categories()) for part in parts]
    rows = dd.from_delayed([dask.delayed(part) for part in parts], frame[:0], verify_meta=False)
    net = DaskDistanceNetClassifier(**SMALL, client=client).fit(rows, partitioned(y, [0, 100, 240]))
    expected = fitted(client, DaskDistanceNetClassifier, frame, y, bounds=[0, 100, 240])
    np.testing.assert_array_equal(net._theta_, expected._theta_)


def test_columns_in_chunks_work(client):
    kind, X, y = KINDS["regressor"]
    net = fitted(client, kind, X, y)
    columns = partitioned(X).rechunk({1: 3})
    assert same(net, kind(**SMALL, client=client).fit(columns, partitioned(y)))


def test_chunks_of_y_follow_those_of_x(client):
    kind, X, y = KINDS["regressor"]
    net = fitted(client, kind, X, y)
    assert same(net, kind(**SMALL, client=client).fit(partitioned(X), partitioned(y, 9)))


@pytest.mark.parametrize("n_rounds", [1, 2, 3])
@pytest.mark.parametrize("local_steps", [1, 2])
def test_rounds_in_a_graph_change_nothing(client, n_rounds, local_steps, monkeypatch):
    options = {"batch_size": 20, "local_steps": local_steps}
    net = fitted(client, DaskDistanceNetClassifier, DIGITS[:240], DIGITS_Y[:240], **options)
    monkeypatch.setattr(rounds, "ROUNDS_IN_A_GRAPH", n_rounds)
    again = fitted(client, DaskDistanceNetClassifier, DIGITS[:240], DIGITS_Y[:240], **options)
    assert same(net, again)


# As good as a local net ---------------------------------------------------------------------------


@pytest.mark.parametrize("local_steps", [1, 5, "auto"])
def test_digits_are_classified_as_well_locally(client, local_steps):
    options = {"hidden_layer_sizes": (30,), "max_iter": 40, "local_steps": local_steps}
    X, y = DIGITS[:1200], DIGITS_Y[:1200]
    net = fitted(client, DaskDistanceNetClassifier, X, y, n_shards=4, **options)
    local = fitted_locally(DaskDistanceNetClassifier, X, y, **options)
    scores = [one.score(DIGITS[1200:], DIGITS_Y[1200:]) for one in (net.to_local(), local)]
    assert scores[0] > scores[1] - 0.03
    assert scores[0] > 0.93
    # An epoch has two steps on each shard; of so few rows, "auto" makes small steps one by one.
    assert net.local_steps_ == {1: 1, 5: 2, "auto": 1}[local_steps]


def test_sorted_classes_are_learned(client):
    order = np.argsort(DIGITS_Y, kind="stable")
    options = {"hidden_layer_sizes": (30,), "max_iter": 40}
    X, y = DIGITS[order], DIGITS_Y[order]
    net = fitted(client, DaskDistanceNetClassifier, X, y, bounds=10, **options)
    assert net.to_local().score(X, y) > 0.95


@pytest.mark.parametrize("local_steps", [1, 5, "auto"])
def test_diabetes_is_predicted_as_well_locally(client, local_steps):
    options = {"max_iter": 25, "batch_size": 75, "local_steps": local_steps}
    net = fitted(client, DaskDistanceNetRegressor, DIABETES, DIABETES_Y, **options)
    local = fitted_locally(DaskDistanceNetRegressor, DIABETES, DIABETES_Y, **options)
    assert net.to_local().score(DIABETES, DIABETES_Y) > local.score(DIABETES, DIABETES_Y) - 0.05
    assert net.to_local().score(DIABETES, DIABETES_Y) > 0.45


@pytest.mark.parametrize(
    "options",
    [{"loss": "quantile", "quantile": 0.9}, {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}],
    ids=["one", "several"],
)
def test_quantiles_cover_their_share(client, options):
    net = fitted(client, DaskDistanceNetRegressor, DIABETES, DIABETES_Y, max_iter=60, **options)
    predicted = net.to_local().predict(DIABETES).reshape(len(DIABETES), -1)
    covered = np.mean(DIABETES_Y[:, np.newaxis] <= predicted, axis=0)
    np.testing.assert_allclose(covered, np.atleast_1d(options["quantile"]), atol=0.1)


def test_counts_are_predicted_by_poisson_loss(client):
    y = np.random.default_rng(0).poisson(np.exp(10 * DIABETES[:, 2] + 0.5))
    options = {"loss": "poisson", "max_iter": 40, "batch_size": 100}
    net = fitted(client, DaskDistanceNetRegressor, DIABETES, y, **options)
    assert net.to_local().predict(DIABETES).min() > 0
    assert net.to_local().score(DIABETES, y) > 0.2


@pytest.mark.parametrize("layout", ["indicators", "columns"])
def test_several_columns_of_labels_are_learned(client, layout):
    X, labels = DIGITS[:900], DIGITS_Y[:900]
    columns = [labels % 2, labels > 4] if layout == "indicators" else [labels % 3, labels // 4]
    y = np.column_stack(columns).astype(int)
    net = fitted(client, DaskDistanceNetClassifier, X, y, max_iter=30, hidden_layer_sizes=(20,))
    local = net.to_local()
    assert np.mean(local.predict(X) == y) > 0.9
    fresh = fitted_locally(DaskDistanceNetClassifier, X, y)
    for own, expected in zip(np.atleast_1d(net.classes_), np.atleast_1d(fresh.classes_)):
        np.testing.assert_array_equal(own, expected)
    assert np.shape(local.predict_proba(X)) == np.shape(fresh.predict_proba(X))


def test_several_targets_are_predicted(client):
    y = np.column_stack([DIABETES_Y, -10 * DIABETES_Y, DIABETES[:, 0]])
    net = fitted(client, DaskDistanceNetRegressor, DIABETES, y, max_iter=40, batch_size=50)
    assert net.to_local().predict(DIABETES).shape == y.shape
    assert net.to_local().score(DIABETES, y) > 0.5


@pytest.mark.filterwarnings("ignore:The loss after training")
def test_heavy_rows_count_more(client):
    X, y = np.zeros((300, 1)), np.repeat([0, 1, 1], 100)
    X[:, 0] = np.random.default_rng(0).normal(size=300)
    order = np.random.default_rng(1).permutation(300)
    heavy = np.where(y == 0, 8.0, 1.0)[order]
    options = {"max_iter": 60, "n_iter_no_change": 60}
    net = fitted(client, DaskDistanceNetClassifier, X, y[order], heavy, **options)
    assert net.to_local().predict_proba(X)[:, 0].mean() == pytest.approx(0.8, abs=0.06)


class Recorded:
    """The weights of shards in each mean; the workers share this process."""

    weights: list = []  # noqa: RUF012


def recorded_average(before, replicas, weights, momentum):
    Recorded.weights.append(weights)
    return average(before, replicas, weights, momentum)


def test_shards_count_by_weights_of_rows(client, monkeypatch):
    monkeypatch.setattr(rounds, "average", recorded_average)
    Recorded.weights.clear()
    kind, X, y = KINDS["classifier"]
    weights = np.repeat([1.0, 0.25], 300)
    fitted(client, kind, X, y, weights, bounds=2, batch_size=50, local_steps=2)
    assert len(Recorded.weights) >= 3
    assert all(found == [300.0, 75.0] for found in Recorded.weights)


@both_kinds
def test_only_ratios_of_weights_matter(client, kind, X, y):
    weights = np.random.default_rng(0).random(len(y)) + 0.5
    net = fitted(client, kind, X, y, weights, solver="sgd")
    scaled = fitted(client, kind, X, y, 1024 * weights, solver="sgd")
    np.testing.assert_allclose(net.loss_curve_, scaled.loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(net._theta_, scaled._theta_, rtol=1e-4, atol=1e-6)


def test_frames_with_categories_are_learned(client):
    X, y = mixed_frame(1200)
    options = {"max_iter": 30, "hidden_layer_sizes": (20,)}
    net = fitted(client, DaskDistanceNetClassifier, X, y, **options)
    local = fitted_locally(DaskDistanceNetClassifier, X, y, **options)
    assert net.to_local().score(X, y) > max(0.8, local.score(X, y) - 0.05)


@pytest.mark.parametrize(
    ("output_layer", "activation"),
    [("linear", "gaussian"), ("distance", "tanh"), ("linear", "relu")],
)
def test_other_layers_are_trained(client, output_layer, activation):
    X, y = DIGITS[:600], DIGITS_Y[:600]
    options = {"output_layer": output_layer, "activation": activation, "max_iter": 30}
    net = fitted(client, DaskDistanceNetClassifier, X, y, **options)
    assert net.to_local().score(X, y) > 0.85


def test_linear_part_is_trained(client):
    kind, X, y = KINDS["classifier"]
    net = fitted(client, kind, X, y, linear_part=True, max_iter=20)
    assert net.to_local().score(X, y) > 0.85


# Options of a fit ---------------------------------------------------------------------------------


@both_kinds
def test_best_of_several_starts_is_kept(client, kind, X, y):
    net = fitted(client, kind, X, y, n_init=2)
    assert len(net.init_scores_) == 2
    assert net.init_scores_[0] != net.init_scores_[1]
    alone = fitted(client, kind, X, y)
    assert alone.init_scores_[0] == net.init_scores_[0]
    best = int(np.argmax(net.init_scores_))
    assert np.array_equal(net._theta_, alone._theta_) == (best == 0)
    assert net.loss_curve_[-1] == pytest.approx(-net.init_scores_[best], rel=0.3)


@both_kinds
@pytest.mark.parametrize("given", [False, True], ids=["held out", "given"])
def test_early_stopping_keeps_the_best_epoch(client, kind, X, y, given):
    options = SMALL | {"early_stopping": True, "max_iter": 12, "learning_rate_init": 0.1}
    X_val, y_val = (partitioned(each[:100], [0, 30, 30, 100]) for each in (X, y))
    validation = {"X_val": X_val, "y_val": y_val} if given else {}
    data = [partitioned(each[100:]) for each in (X, y)]
    net = kind(**options, client=client).fit(*data, **validation)
    assert len(net.loss_curve_) == len(net.validation_scores_) == net.n_iter_
    assert len(net.validation_loss_curve_) == net.n_iter_
    assert net.best_epoch_ == np.argmin(net.validation_loss_curve_) + 1
    if given:
        score = net.to_local().score(X[:100], y[:100])
        assert net.validation_scores_[net.best_epoch_ - 1] == pytest.approx(score)


class Received:
    """Numbers of rows that are brought to the task that encodes validation rows."""

    n_rows: list = []  # noqa: RUF012


def recorded_held_out(encoder, parts):
    Received.n_rows.append(sum(len(one[1]) for one in parts))
    return encode_held_out(encoder, parts)


def test_only_held_out_rows_leave_their_partitions(client, monkeypatch):
    monkeypatch.setattr(start, "encode_held_out", recorded_held_out)
    Received.n_rows.clear()
    fitted(client, *KINDS["classifier"], early_stopping=True, validation_fraction=0.2)
    assert len(Received.n_rows) == 1
    assert 60 < Received.n_rows[0] < 180


def test_held_out_rows_are_not_trained_on(client):
    """Their labels cannot be learned, so only trained rows are predicted better than by chance."""
    X = np.random.default_rng(0).normal(size=(600, 20))
    y = np.random.default_rng(1).integers(0, 2, 600)
    options = {"early_stopping": True, "max_iter": 80, "hidden_layer_sizes": (50,)}
    options |= {"validation_fraction": 0.3, "n_iter_no_change": 80, "scoring": lambda *_: 0.0}
    net = fitted(client, DaskDistanceNetClassifier, X, y, **options)
    assert net.loss_curve_[-1] < 0.3
    assert min(net.validation_loss_curve_[-20:]) > 0.8


@pytest.mark.parametrize(
    "scoring",
    ["accuracy", make_scorer(accuracy_score)],
    ids=["name", "scorer"],
)
def test_scoring_selects_the_best_epoch(client, scoring):
    kind, X, y = KINDS["classifier"]
    options = {"early_stopping": True, "max_iter": 10, "scoring": scoring}
    net = fitted(client, kind, X, y, **options)
    assert net.best_epoch_ == np.argmax(net.validation_scores_) + 1
    assert all(0 <= score <= 1 for score in net.validation_scores_)


def test_verbose_prints_each_epoch(client, capsys):
    fitted(client, *KINDS["classifier"], verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("Epoch")] == ["1/3", "2/3", "3/3"]


def test_large_graphs_cause_no_warnings(client):
    """Dask warns of graphs of more than 10 MB, which those of large nets have."""
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 kB"}):
        fitted(client, *KINDS["classifier"], hidden_layer_sizes=(100,))
