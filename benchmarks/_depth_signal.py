"""What layers that have not been trained yet let through of the rows."""

import numpy as np
from _depth_nets import WIDTH, rows_as_centroids
from _harness import quiet
from sklearn.neighbors import KNeighborsClassifier

from skdistnet import DistanceNetClassifier

__all__ = ["signal_rows"]

LAYERS = 20
#: Rows at the most, of which two thirds are looked up to classify the others.
ROWS = 3_000


STARTS = {
    "relays (default)": {},
    "rows in every layer, median 0.5": {"init": rows_as_centroids},
    "rows in every layer, median 0.1": {"init": rows_as_centroids, "init_median_activation": 0.1},
}


def layer_outputs(images, settings):
    """Outputs of all hidden layers at the start."""
    net = DistanceNetClassifier(
        (WIDTH,) * LAYERS, max_iter=1, learning_rate_init=1e-12, random_state=0, **settings
    )
    with quiet():
        net.fit(images.X[:ROWS], images.y[:ROWS])
    X = (images.X[:ROWS] - net._input_shift_) / net._input_scale_
    return net._network.forward(net._theta_, X)[:-1]


def signal_rows(images):
    """Rows of a table: by start, accuracy of nearest neighbours and variance in one direction."""
    rows, y = [], images.y[:ROWS]
    known, asked = np.split(np.arange(len(y)), [2 * len(y) // 3])
    for name, settings in STARTS.items():
        outputs = layer_outputs(images, settings)
        accuracy, first = {"start": name, "": "5 neighbours, %"}, {"start": "", "": "one direction"}
        shown = {"pixels": images.X[:ROWS]}
        shown |= {f"layer {number}": outputs[number - 1] for number in (1, 2, 3, 5, 10, 20)}
        for place, H in shown.items():
            neighbours = KNeighborsClassifier(5).fit(H[known], y[known])
            found = neighbours.score(H[asked], y[asked])
            squares = np.linalg.svd(H - H.mean(axis=0), compute_uv=False) ** 2
            accuracy[place] = f"{100 * found:.1f}"
            first[place] = f"{squares[0] / squares.sum():.2f}"
        rows += [accuracy, first]
    return rows
