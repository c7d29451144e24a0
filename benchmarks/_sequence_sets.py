"""Sets of labelled sequences that aeon ships, and the models compared on them."""

from dataclasses import dataclass
from functools import cache, cached_property, partial

import numpy as np
from _sequence_runs import Job, describe, seeded, timed
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier

__all__ = ["MODELS", "SETS", "SequenceSet", "classification_jobs", "read_sets"]

#: All with classes except UnitTest, which is an excerpt for aeon's tests, and ACSF1, sequences of
#: 1,460 steps, which take minutes a fit.
SETS = (
    *("ArrowHead", "BasicMotions", "Covid3Month_disc", "GunPoint", "ItalyPowerDemand"),
    *("JapaneseVowels", "OSULeaf", "PickupGestureWiimoteZ"),
)


@dataclass(frozen=True)
class SequenceSet:
    """Sequences of shape (channels, steps) and their labels, split as shipped."""

    name: str
    train: list
    y_train: np.ndarray
    test: list
    y_test: np.ndarray

    @cached_property
    def lengths(self):
        return [sequence.shape[1] for sequence in (*self.train, *self.test)]

    @property
    def about(self):
        """Rows, channels, steps and classes."""
        shortest, longest = min(self.lengths), max(self.lengths)
        steps = f"{shortest} to {longest}" if shortest < longest else f"{longest}"
        return {
            "train / test": f"{len(self.train)} / {len(self.test)}",
            "channels x steps": f"{len(self.train[0])} x {steps}",
            "classes": len(np.unique(self.y_train)),
        }

    def step_major(self):
        """Training and test sequences of shape (steps, channels), as our recurrent nets take."""
        return [sequence.T for sequence in self.train], [sequence.T for sequence in self.test]

    def stretched(self):
        """Training and test sequences as arrays, interpolated to the longest training sequence."""
        n_steps = max(sequence.shape[1] for sequence in self.train)
        return stretch(self.train, n_steps), stretch(self.test, n_steps)

    def flattened(self):
        """The stretched sequences as rows."""
        return [array.reshape(len(array), -1) for array in self.stretched()]

    def unchanged(self):
        """The sequences as an array, or as a list if their lengths differ."""
        if len(set(self.lengths)) == 1:
            return np.array(self.train), np.array(self.test)
        return self.train, self.test


def stretch(sequences, n_steps):
    """Sequences as an array of one length, by linear interpolation of each channel."""
    steps = np.linspace(0, 1, n_steps)
    return np.array(
        [
            [np.interp(steps, np.linspace(0, 1, len(channel)), channel) for channel in sequence]
            for sequence in sequences
        ]
    )


def read_sets(only=None):
    """All sets, or those in `only`."""
    from aeon.datasets import load_classification

    sets = []
    for name in SETS:
        if name in (only or SETS):
            (X, y), (X_test, y_test) = (
                load_classification(name, split=split) for split in ("train", "test")
            )
            sets.append(SequenceSet(name, list(X), y, list(X_test), y_test))
    return sets


# Models -------------------------------------------------------------------------------------------


def mini_rocket():
    from aeon.classification.convolution_based import MiniRocketClassifier

    return MiniRocketClassifier(random_state=0)


def nearest_neighbor():
    from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier

    return KNeighborsTimeSeriesClassifier(distance="dtw")


def feed_forward_net():
    return DistanceNetClassifier(random_state=0)


def perceptron():
    return make_pipeline(StandardScaler(), MLPClassifier(max_iter=1000, random_state=0))


def boosted_trees():
    # At the default of 20 rows a leaf the trees of the smallest sets have no split.
    trees = HistGradientBoostingClassifier(random_state=0)
    return GridSearchCV(trees, {"min_samples_leaf": [5, 20]}, cv=3)


OURS, FLAT_NET, NEIGHBOR = "recurrent net", "flat net", "1-NN DTW"
#: The function that makes each peer, and the form of its sequences.
MODELS = {
    FLAT_NET: (feed_forward_net, SequenceSet.flattened),
    "MiniRocket": (mini_rocket, SequenceSet.stretched),
    NEIGHBOR: (nearest_neighbor, SequenceSet.unchanged),
    "MLP": (perceptron, SequenceSet.flattened),
    "HGB": (boosted_trees, SequenceSet.flattened),
}
#: These give the same predictions with every seed.
DETERMINISTIC = (NEIGHBOR, "HGB")


@cache
def compile_peers():
    """Have aeon's functions compiled, so that no run is timed with it."""
    X, y = np.random.default_rng(0).standard_normal((4, 2, 20)), np.array([0, 0, 1, 1])
    for make in (mini_rocket, nearest_neighbor):
        for sequences in (X, X[:, :1]):
            make().fit(sequences, y).predict(sequences)


def fit_and_predict(estimator, train, y_train, test):
    return estimator.fit(train, y_train).predict(test)


def run_classifier(ledger, sequences, make, form, seed):
    """Fit a classifier and predict; the score is the accuracy."""
    if make in (mini_rocket, nearest_neighbor):
        compile_peers()
    train, test = form(sequences)
    predictions, seconds = timed(
        fit_and_predict, seeded(make(), seed), train, sequences.y_train, test
    )
    score = accuracy_score(sequences.y_test, predictions)
    return {"score": float(score), "seconds": seconds}


def classification_jobs(sets, nets, n_seeds):
    """The runs of all models; `nets` has the recurrent nets by set."""
    for sequences in sets:
        net = nets[sequences.name]
        models = {OURS: (lambda net=net: net, SequenceSet.step_major)} | MODELS
        for model, (make, form) in models.items():
            for seed in range(1 if model in DETERMINISTIC else n_seeds):
                run = partial(run_classifier, sequences=sequences, make=make, form=form, seed=seed)
                own = model in (OURS, FLAT_NET)
                yield Job(sequences.name, model, describe(make()), seed, run, own)
