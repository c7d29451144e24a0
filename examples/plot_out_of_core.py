"""
Data that do not fit memory
===========================

A file of 1,200,000 rows is trained on by a process that may not hold it: it may take 100 MB of
memory more than it had at the start, and the file has 300 MB. :class:`numpy.memmap` makes an array
of the file whose rows are read when they are looked at, and ``partial_fit`` is given them block by
block.

The rows are handwritten digits, each shifted, turned and blurred anew, so that no two are
alike. What the net has learned is seen after each block on rows made of digits that are not in the
file. Beside it is a net that was given what fits memory: the first block, for as many steps.

Run it with a path to write the picture there; half a minute, most of it to make the file::

    python examples/plot_out_of_core.py out_of_core.png
"""

import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier

N_ROWS, BLOCK = 1_200_000, 40_000
EXTRA = 100 * 2**20  # bytes
