"""
Run a grid search on a Dask cluster
===================================

scikit-learn uses joblib for parallel work, and joblib can send its tasks to a Dask cluster: the
fits of a grid search, and also the starts of a net with ``n_init``. The cluster of this example is
two processes on one machine. With the address of a scheduler, ``Client("tcp://...:8786")``, the
same search runs on all machines of that cluster. The result is that of one process, bit for bit.

The example needs ``pip install "skdistnet[search]"`` and takes some seconds::

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
    """Run the grid search with the current backend of joblib."""
    net = DistanceNetClassifier(max_iter=20, random_state=0)
    with warnings.catch_warnings():
        # After so few epochs the loss is expected to fall still.
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
    for params, score in zip(results["params"], results["mean_test_score"], strict=True):
        setting = ", ".join(f"{name}={value}" for name, value in params.items())
        print(f"  {score:.4f}  {setting}")
    same = np.array_equal(results["mean_test_score"], alone.cv_results_["mean_test_score"])
    print("the same in one process:", same)
    print(f"accuracy of the best on test rows: {search.score(X_test, y_test):.4f}")
    print("losses of four starts:", [round(-score, 4) for score in several.init_scores_])


# Worker processes import this file and must not start clusters of their own.
if __name__ == "__main__":
    main()
