"""Time an epoch of the published recipe: the authors' own code beside ours, on one machine.

Theirs is Octave code, https://github.com/ToKu2015/NN_DMGA. The script needs a clone of it, and GNU
Octave with OpenBLAS::

    python benchmarks/reference_epochs.py --data FOLDER/mnist.npz --reference CLONE
    python benchmarks/reference_epochs.py --data FILE --reference CLONE --markdown FILE

It calls their functions for initialisation, gradients and updates as their script does, on rows in
memory, and counts neither reading files nor the tests between epochs. The time of ours, and of an
MLPClassifier of relus, is what further epochs add to a fit, in both precisions. All nets have
layers of 100 and 100, batches of 100, one BLAS thread, and take turns.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from _depth_nets import MLPS, RECIPE
from _depth_runs import read_images
from _harness import add_output_options, alternate, fail, publish, quiet, ratio, seconds
from scipy.io import savemat
from threadpoolctl import threadpool_limits

HIDDEN = (100, 100)
REFERENCE = "the reference, Octave"
#: The functions of the reference that the driver calls.
FUNCTIONS = ("InitializeWeights", "costFunction", "UpdateWeights")
#: Calls the reference's functions; prints seconds and the mean loss of each epoch.
DRIVER = """
addpath(getenv("REFERENCE"));
load(getenv("IMAGES"));
n_rows = rows(X);
targets = zeros(n_rows, 10);
targets(sub2ind(size(targets), 1:n_rows, labels)) = 1;
weights = InitializeWeights([columns(X), 100, 100, 10]);
momentum = magnitude = cell(3, 2);
rate = 0.01;
for epoch = 1:str2double(getenv("EPOCHS"))
  tic;
  order = randperm(n_rows);
  total = 0;
  for first = 1:100:n_rows
    batch = order(first:min(first + 99, n_rows));
    [loss, gradients] = costFunction(weights, X(batch, :), targets(batch, :), 0.001);
    [weights, momentum, magnitude] = UpdateWeights(
      weights, gradients, momentum, magnitude, rate, 0);
    total += loss * numel(batch) / n_rows;
  end
  printf("epoch %d: %.6f s, loss %.6f\\n", epoch, toc, total);
  rate /= 1 + 0.01 * epoch;
end
"""


def reference_epoch(folder, images, n_epochs):
    """A function that runs the authors' code and returns the mean seconds of its epochs."""
    driver = Path(images).with_name("driver.m")
    driver.write_text(DRIVER)
    settings = {"REFERENCE": str(folder), "IMAGES": str(images), "EPOCHS": str(n_epochs)}
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

    def measure():
        ran = subprocess.run(
            ["octave-cli", "--quiet", str(driver)],
            env=os.environ | settings | threads,
            capture_output=True,
            text=True,
        )
        epochs = re.findall(r"^epoch \d+: ([\d.]+) s, loss ([\d.]+)$", ran.stdout, re.MULTILINE)
        if len(epochs) != n_epochs:
            fail(f"the reference did not run to its end: {ran.stderr.strip()}")
        print(f"{REFERENCE}: " + "; ".join(f"{s} s, loss {loss}" for s, loss in epochs), flush=True)
        return statistics.fmean(float(each) for each, _ in epochs)

    return measure


def epoch_of(contender, images, dtype, n_epochs):
    """A function that returns the seconds that a further epoch adds to a fit."""
    X = images.X.astype(dtype)

    def fit(n):
        return lambda: contender.make(HIDDEN, n, seed=0).fit(X, images.y)

    def measure():
        with quiet():
            return (seconds(fit(1 + n_epochs)) - seconds(fit(1))) / n_epochs

    return measure


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FILE", required=True, help="images as an .npz file")
    add("--reference", metavar="FOLDER", required=True, help="a clone of the authors' code")
    add("--epochs", type=int, default=3, help="first epochs of each; default: %(default)s")
    add("--repeats", type=int, default=3, help="rounds; default: %(default)s")
    add_output_options(parser, "reference_epochs.json")
    args = parser.parse_args()
    for name in FUNCTIONS:
        if not (Path(args.reference) / f"{name}.m").exists():
            parser.error(f"--reference: there is no {name}.m in {args.reference}")
    if not shutil.which("octave-cli"):
        parser.error("octave-cli is needed to run the reference: install GNU Octave")
    for name in ("epochs", "repeats"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return args


def measure_all(args, images):
    """Seconds of an epoch by name, a list over rounds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.mat"
        # Octave counts classes from 1.
        labels = images.y.astype(np.float64)[np.newaxis] + 1
        savemat(path, {"X": images.X.astype(np.float64), "labels": labels})
        measures = {REFERENCE: reference_epoch(Path(args.reference).resolve(), path, args.epochs)}
        for contender in (RECIPE, MLPS[0]):
            for dtype in (np.float64, np.float32):
                name = f"{contender.name}, {np.dtype(dtype).name}"
                measures[name] = epoch_of(contender, images, dtype, args.epochs)
        return alternate(measures, args.repeats)


def main():
    args = parse_arguments()
    images = read_images(args.data)
    with threadpool_limits(1, user_api="blas"):
        rounds = measure_all(args, images)
    rows = [
        {
            "net": name,
            "epoch, s": statistics.median(times),
            "the reference's epoch / this": ratio(rounds, REFERENCE, name),
        }
        for name, times in rounds.items()
    ]
    title = f"An epoch of 100-100 on {len(images.X):,} images, mean over {args.epochs}, one thread"
    publish({title: rows}, args, "reference", {"rounds": rounds})


if __name__ == "__main__":
    main()
