"""Fit nets to tables of many columns or many classes, beside MLPClassifier.

Times, and peaks of memory that Python allocates during a fit, are divided by those of MLPClassifier
for the same rows; accuracies are those on rows held out. Each figure is a mean over draws of the
data. Dense columns are standardised for MLPClassifier, and sparse ones are passed as they are::

    python benchmarks/wide.py --markdown docs/benchmarks.md
    python benchmarks/wide.py --draws 1 --only "tf-idf, 600 x 3,000"
"""

import argparse
import functools
import statistics
import tracemalloc

import numpy as np
from _harness import add_output_options, publish, quiet, seconds
from scipy.sparse import csr_array
from sklearn.datasets import make_blobs, make_classification
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier


def texts(n_texts, n_words, rng):
    """Draw texts of 60 words on four topics, as tf-idf."""
    topics = rng.dirichlet(np.full(n_words, 0.02), size=4)
    common = 1 / np.arange(1, n_words + 1)
    common /= common.sum()
    y = rng.integers(0, 4, n_texts)
    words = [rng.choice(n_words, 60, p=0.3 * topics[label] + 0.7 * common) for label in y]
    cells = np.repeat(np.arange(n_texts), 60), np.concatenate(words)
    counts = csr_array((np.ones(60 * n_texts), cells), shape=(n_texts, n_words))
    return TfidfTransformer(sublinear_tf=True).fit_transform(counts), y


def levels(n_rows, n_levels, rng):
    """Draw rows of one-hot levels; the first two columns interact."""
    columns = [rng.choice(n, n_rows, p=rng.dirichlet(np.ones(n))) for n in n_levels]
    effects = [rng.normal(size=(n, 2))[column] for n, column in zip(n_levels, columns)]
    first, second = (rng.normal(size=n)[column] for n, column in zip(n_levels[:2], columns))
    scores = sum(effects) / len(effects) ** 0.5 + 0.5 * rng.gumbel(size=(n_rows, 2))
    scores[:, 0] += first * second
    return OneHotEncoder().fit_transform(np.stack(columns, axis=1)), scores.argmax(axis=1)


def dense(n_rows, n_columns, rng):
    """Draw four times as many rows as to train on, with 20 informative columns."""
    seed = int(rng.integers(2**31))
    return make_classification(4 * n_rows, n_columns, n_informative=20, random_state=seed)


def blobs(n_rows, spread, rng):
    """Draw rows of 1,000 classes."""
    seed = int(rng.integers(2**31))
    return make_blobs(n_rows, 50, centers=1_000, cluster_std=spread, random_state=seed)


#: The data, and the share of rows to train on.
TASKS = {
    "tf-idf, 600 x 3,000": (functools.partial(texts, 600, 3_000), 0.75),
    "tf-idf, 1,500 x 10,000": (functools.partial(texts, 1_500, 10_000), 0.75),
    "dense, 60 x 5,000": (functools.partial(dense, 60, 5_000), 0.25),
    "dense, 200 x 8,000": (functools.partial(dense, 200, 8_000), 0.25),
    "3 columns of 50 to 200 levels": (functools.partial(levels, 2_000, (50, 100, 200)), 0.75),
    "3 columns of 100 to 300 levels": (functools.partial(levels, 5_000, (100, 200, 300)), 0.75),
    "6 columns of 50 to 500 levels": (
        functools.partial(levels, 4_000, (50, 80, 120, 200, 300, 500)),
        0.75,
    ),
    "1,000 classes, 6,700 x 50": (functools.partial(blobs, 6_700, 4.0), 0.75),
    "1,000 classes, 13,300 x 50": (functools.partial(blobs, 13_300, 8.0), 0.75),
}


def peak_bytes(function):
    """Peak of the memory that a call allocates."""
    tracemalloc.start()
    function()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def least_seconds(fit):
    """Time of a fit, the shorter one of two if it is below a second."""
    first = seconds(fit)
    return first if first > 1 else min(first, seconds(fit))


def measure(draw, share, seed):
    """Measure one draw: ratio of times, accuracy of ours and of MLPClassifier, ratio of memory.

    Memory, which hardly depends on the draw, is that of the first one.
    """
    X, y = draw(np.random.default_rng(seed))
    X, X_test, y, y_test = train_test_split(X, y, train_size=share, random_state=seed)
    models = [DistanceNetClassifier(random_state=0), MLPClassifier(random_state=0)]
    if isinstance(X, np.ndarray):
        models[1] = make_pipeline(StandardScaler(), models[1])
    fits = [functools.partial(model.fit, X, y) for model in models]
    times = [least_seconds(fit) for fit in fits]
    results = [times[0] / times[1], *(model.score(X_test, y_test) for model in models)]
    peaks = [peak_bytes(fit) for fit in fits] if seed == 0 else None
    return results + ([peaks[0] / peaks[1]] if peaks else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS), help="tasks")
    parser.add_argument("--draws", type=int, default=5, help="draws of the data; default: 5")
    add_output_options(parser, "wide.json")
    args = parser.parse_args()
    names, rows = ["time / MLP's", "accuracy", "MLP's accuracy"], []
    with quiet(), threadpool_limits(1, user_api="blas"):
        for task in args.only:
            draws = [measure(*TASKS[task], seed) for seed in range(args.draws)]
            means = map(statistics.fmean, zip(*draws))
            memory = {"memory / MLP's": draws[0][-1]}
            rows.append({"task": task} | dict(zip(names, means)) | memory)
    publish({f"Many columns and classes, mean of {args.draws} draws": rows}, args, "wide")


if __name__ == "__main__":
    main()
