"""Seconds of an epoch of the published recipe: the authors' own code beside ours, in one run.

Theirs is Octave code, https://github.com/ToKu2015/NN_DMGA; a clone of it and GNU Octave with
OpenBLAS are needed::

    python benchmarks/reference_epochs.py --data FOLDER/mnist.npz --reference CLONE
    python benchmarks/reference_epochs.py --data FILE --reference CLONE --markdown FILE

Their functions for start, gradients and update are called as their script does, on rows that are
in memory already; reading files, and the tests between epochs, are not counted. Ours is the time
that more epochs take, in both precisions, beside MLPClassifier's of relus. All have layers of 100
and 100, batches of 100, one BLAS thread, and take turns.
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
from _depth_runs import fail, read_images
from _harness import alternate, print_table, quiet, ratio, seconds, write_json, write_section
from scipy.io import savemat
from threadpoolctl import threadpool_limits

HIDDEN = (100, 100)
REFERENCE = "the reference, Octave"
#: The functions of the reference that are called.
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
    """A function that runs the reference and returns the mean seconds of its epochs."""
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
        found = re.findall(r"^epoch \d+: ([\d.]+) s, loss ([\d.]+)$", ran.stdout, re.MULTILINE)
        if len(found) != n_epochs:
            fail(f"the reference did not run to its end: {ran.stderr.strip()}")
        print(f"{REFERENCE}: " + "; ".join(f"{s} s, loss {loss}" for s, loss in found), flush=True)
        return statistics.fmean(float(each) for each, _ in found)

    return measure


def epoch_of(contender, images, dtype, n_epochs):
    """A function that returns the seconds of an epoch: what further ones add to a fit."""
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
    add("--repeats", type=int, default=3, help="turns; default: %(default)s")
    add("--markdown", metavar="FILE", help="write the table into this file too")
    add("--output", default="reference_epochs.json", help="JSON to write; default: %(default)s")
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
    """Seconds of an epoch by name, each a list over turns."""
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
            "epoch, s": statistics.median(found),
            "the reference's epoch / this": ratio(rounds, REFERENCE, name),
        }
        for name, found in rounds.items()
    ]
    title = f"An epoch of 100-100 on {len(images.X):,} images, mean over {args.epochs}, one thread"
    print_table(title, rows)
    write_json(args.output, {"rounds": rounds})
    if args.markdown:
        write_section(args.markdown, "reference", {title: rows})


if __name__ == "__main__":
    main()
