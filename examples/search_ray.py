"""
A grid search on the workers of Ray
===================================

Ray brings a backend for joblib of its own. ``register_ray`` makes it known, and within
``parallel_config("ray")`` the fits of a grid search are tasks of Ray: on the cores of this machine,
or of the cluster that ``ray.init(address=...)`` connects to.

The result does not depend on who computes it: it is that of one process, bit for bit.

It needs ``pip install ray`` and takes some seconds, most of which Ray needs to start::

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
    """The grid searched by whatever joblib is set to, one after the other if by nothing."""
    net = DistanceNetClassifier(max_iter=20, random_state=0)
    with warnings.catch_warnings():
        # That the loss still falls after so few epochs is no news.
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
    for given, score in zip(results["params"], results["mean_test_score"], strict=True):
        named = ", ".join(f"{name}={value}" for name, value in given.items())
        print(f"  {score:.4f}  {named}")
    same = np.array_equal(results["mean_test_score"], alone.cv_results_["mean_test_score"])
    print("the same in one process:", same)
    print(f"accuracy of the best on test rows: {search.score(X_test, y_test):.4f}")


if __name__ == "__main__":
    main()
