"""k-means with weights, which the engine is handed because it does not import scikit-learn."""

import warnings
from threading import Lock

from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

__all__ = ["kmeans_labels"]

#: Filters of warnings, and the limit of BLAS threads within KMeans, are those of the whole process,
#: and are put back as they were found: of two at once the later would leave the other's behind.
ONE_AT_A_TIME = Lock()


def kmeans_labels(H, n_clusters, weights, seed):
    """For each row of `H`, which counts by `weights`, the number of its cluster."""
    model = KMeans(n_clusters, n_init=1, max_iter=30, random_state=seed)
    with ONE_AT_A_TIME, warnings.catch_warnings():
        # Fewer distinct rows than clusters: the engine places a row where a cluster is empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(H, sample_weight=weights).labels_
