"""
A grid search on the workers of a Dask cluster
==============================================

What scikit-learn runs in parallel, it runs by joblib, and joblib can hand its tasks to a Dask
cluster: the fits of a grid search, and as well the starts of a net with ``n_init``. The cluster
here is two processes of this machine. With the address of a scheduler in place of it,
``Client("tcp://...:8786")``, the same search runs on all the machines of that cluster.

The result does not depend on who computes it: it is that of one process, bit for bit.

It needs ``pip install "skdistnet[search]"`` and takes some seconds::

    python examples/search_dask.py
"""

import warnings

import numpy as np
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skdistnet import DistanceNetClassifier

GRID = {"hidden_layer_sizes": [20, 50], "learning_rate_init": [0.01, 0.03, 0.1]}


def search_of(X, y):
    """The grid searched by whatever joblib is set to, one after the other if by nothing."""
    net = DistanceNetClassifier(max_iter=20, random_state=0)
    with warnings.catch_warnings():
        # That the loss still falls after so few epochs is no news.
        warnings.simplefilter("ignore")
        return GridSearchCV(net, GRID, cv=3).fit(X, y)


def main():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    # One thread for each worker, as each fit is one task.
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        parallel_config("dask"),
    ):
        search = search_of(X_train, y_train)
        several = DistanceNetClassifier(20, n_init=4, n_jobs=-1, random_state=0)
        several.fit(X_train, y_train)
    alone = search_of(X_train, y_train)

    print("scores of candidates on the cluster")
    results = search.cv_results_
    for given, score in zip(results["params"], results["mean_test_score"], strict=True):
        named = ", ".join(f"{name}={value}" for name, value in given.items())
        print(f"  {score:.4f}  {named}")
    same = np.array_equal(results["mean_test_score"], alone.cv_results_["mean_test_score"])
    print("the same in one process:", same)
    print(f"accuracy of the best on test rows: {search.score(X_test, y_test):.4f}")
    print("losses of four starts:", [round(-score, 4) for score in several.init_scores_])


# Worker processes import this file, and are not to start clusters of their own.
if __name__ == "__main__":
    main()
