"""Fits cut off in a chosen epoch, and what they leave, for the tests of checkpoints."""

from contextlib import contextmanager, suppress
from unittest.mock import patch

import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base.callbacks import learned
from skdistnet._base.hashing import digest
from skdistnet.engine.training import loop as training

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
N_EPOCHS = 9
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": N_EPOCHS, "random_state": 0, "batch_size": 30}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


class CutOff(Exception):
    """What ends a fit at a chosen place."""


@contextmanager
def epochs_counted(fatal=None, error=CutOff):
    """The list of epochs trained meanwhile; the one of number `fatal`, from 1, fails."""
    epochs, whole = [], training.Trainer.train_epoch

    def epoch(self):
        epochs.append(len(epochs) + 1)
        if len(epochs) == fatal:
            raise error
        return whole(self)

    with patch.object(training.Trainer, "train_epoch", epoch):
        yield epochs


def same(net, other):
    """Whether all that two nets have learned is equal, bit for bit."""
    return digest(learned(net)) == digest(learned(other))


def checkpointed(net, folder, every=2):
    return clone(net).set_params(checkpoint_dir=folder, checkpoint_every=every)


def cut_off_and_resumed(net, folder, fatal, *data, every=2, error=CutOff, **options):
    """A net whose fit was cut off in the epoch `fatal`, and the epochs of the fit thereafter."""
    net = checkpointed(net, folder, every)
    with epochs_counted(fatal, error), suppress(CutOff):
        net.fit(*data, **options)
    with epochs_counted() as epochs:
        net.fit(*data, **options)
    assert not list(folder.iterdir())
    return net, epochs


def kept_file(net, folder, *data):
    with epochs_counted(6), pytest.raises(CutOff):
        net.fit(*data)
    (path,) = folder.iterdir()
    return path
