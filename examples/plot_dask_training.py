"""
Train one net on a Dask cluster
===============================

The rows of this example are made on the workers of a cluster and stay there: 100,000 points on
three spirals, in 16 partitions. They are divided into shards, all of which are trained on at the
same time, and after some steps the parameters are averaged over the shards. We train with 1, 2, 4
and 8 shards and compare the accuracies on validation rows, epoch by epoch.

The cluster is two threads of this process, so that the example runs anywhere. With
``Client("tcp://...:8786")``, the address of a scheduler, the same lines train on many machines. The
example needs ``pip install "skdistnet[dask]"`` and takes less than a minute.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask import delayed
from distributed import Client, LocalCluster

from skdistnet.dask import DaskDistanceNetClassifier

N_PARTITIONS, ROWS = 16, 6_250
SHARDS = (1, 2, 4, 8)


def spirals(seed):
    """Return points and their spiral, as columns; a worker calls this for each partition."""
    rng = np.random.default_rng(seed)
    arm, turn = rng.integers(3, size=ROWS), 2.5 * np.sqrt(rng.random(ROWS))
    angle = 2 * np.pi * (turn + arm / 3)
    points = turn * np.stack([np.cos(angle), np.sin(angle)]) + rng.normal(
        scale=0.08, size=(2, ROWS)
    )
    return np.stack([*points, arm], axis=1)


def rows_of(seeds):
    """Return X and y as Dask arrays, of which nothing is computed yet."""
    blocks = [da.from_delayed(delayed(spirals)(s), (ROWS, 3), dtype=float) for s in seeds]
    whole = da.concatenate(blocks)
    return whole[:, :2].astype(np.float32), whole[:, 2].astype(np.int64)


# %%
# Without a number of shards, there is one for each worker. The number decides about the net, the
# workers do not.

nets, workers = {}, {"n_workers": 2, "threads_per_worker": 1, "processes": False}
with LocalCluster(**workers, dashboard_address=":0") as cluster, Client(cluster) as client:
    X, y = rows_of(range(N_PARTITIONS))
    X_val, y_val = rows_of([N_PARTITIONS])
    for n_shards in SHARDS:
        net = DaskDistanceNetClassifier(n_shards=n_shards, scoring="accuracy", random_state=0)
        nets[n_shards] = net.fit(X, y, X_val=X_val, y_val=y_val)
        print(
            f"{n_shards} shards: accuracy {net.score(X_val, y_val):.4f} after {net.n_iter_} epochs"
        )

    # %%
    # Predictions for Dask arrays are lazy. Rows in memory are predicted at once.

    print(nets[4].predict_proba(X))
    axis = np.linspace(-2.8, 2.8, 300, dtype=np.float32)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1)
    predicted = nets[4].predict(plane.reshape(-1, 2)).reshape(300, 300)
    some, labels = X_val[:1500].compute(), y_val[:1500].compute()

# %%
# ``to_local`` returns an ordinary estimator, which needs no cluster and no Dask.

print(nets[4].to_local())

fig, (left, right) = plt.subplots(ncols=2, figsize=(9, 4.2), constrained_layout=True)
left.contourf(axis, axis, predicted, levels=[-0.5, 0.5, 1.5, 2.5], cmap="Pastel1")
left.scatter(*some.T, c=labels, s=4, cmap="Set1", vmax=8)
left.set(title="4 shards: predictions, and some rows", aspect="equal", xticks=[], yticks=[])
for n_shards, net in nets.items():
    label = "1 shard: as on one machine" if n_shards == 1 else f"{n_shards} shards"
    right.plot(np.arange(1, net.n_iter_ + 1), net.validation_scores_, label=label)
right.set(xlabel="epoch", ylabel="accuracy on validation rows", title="What shards cost")
right.set_ylim(bottom=0.85)
right.legend(loc="lower right")
plt.show()
