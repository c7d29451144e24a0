"""
Run a grid search on Ray
========================

Ray has a backend for joblib. ``register_ray`` registers it, and within ``parallel_config("ray")``
the fits of a grid search are tasks of Ray: on the cores of this machine, or of the cluster that
``ray.init(address=...)`` connects to. The result is that of one process, bit for bit.

The example needs ``pip install ray`` and takes some seconds, most of them to start Ray::

    python examples/search_ray.py
"""

import warnings

import numpy as np
import ray
from joblib import parallel_config
from ray.util.joblib import register_ray
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

    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    register_ray()
    with parallel_config("ray", n_jobs=2):
        search = search_of(X_train, y_train)
    ray.shutdown()
    alone = search_of(X_train, y_train)

    print("scores of candidates on the workers")
    results = search.cv_results_
    for params, score in zip(results["params"], results["mean_test_score"], strict=True):
        setting = ", ".join(f"{name}={value}" for name, value in params.items())
        print(f"  {score:.4f}  {setting}")
    same = np.array_equal(results["mean_test_score"], alone.cv_results_["mean_test_score"])
    print("the same in one process:", same)
    print(f"accuracy of the best on test rows: {search.score(X_test, y_test):.4f}")


if __name__ == "__main__":
    main()
