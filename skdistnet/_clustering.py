"""k-means with weights, which the engine is handed because it does not import scikit-learn."""

import warnings

from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

__all__ = ["kmeans_centers"]


def kmeans_centers(H, n_clusters, weights, seed):
    """Centres (n_clusters, n_inputs) of the rows of `H`, which count by `weights`."""
    model = KMeans(n_clusters, n_init=1, max_iter=30, random_state=seed)
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: the engine sets centres that coincide apart.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(H, sample_weight=weights).cluster_centers_
