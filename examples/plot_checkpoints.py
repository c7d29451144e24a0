"""
A fit that is killed, and goes on
=================================

A long fit may be cut off: a time limit, a full memory, a power cut. With ``checkpoint_dir`` it
keeps every few epochs what it needs to go on, and the same program, started again, goes on from
there.

Here a process that trains a net on handwritten digits is killed outright, twice. The third process
comes to the end, and to the very parameters of a fit that nobody disturbed, bit for bit. What is
lost are the epochs since the last checkpoint, which are trained again.

Run it with the path of the picture to write; it takes some seconds::

    python examples/plot_checkpoints.py checkpoints.png
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skdistnet import DistanceNetClassifier

N_EPOCHS, EVERY = 60, 10
KILLED_AT = [17, 46]
COLORS = ["#c8501e", "#e0a030", "#1f5fa8"]


def fit(folder):
    """Train on digits, with checkpoints in `folder`, or without if it is None."""
    X, y = load_digits(return_X_y=True)
    net = DistanceNetClassifier(
        50,
        max_iter=N_EPOCHS,
        random_state=0,
        verbose=folder is not None,
        checkpoint_dir=folder,
        checkpoint_every=EVERY,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return net.fit(X, y)


def fingerprint(net):
    """A line that tells the learned parameters apart from any others."""
    learned = hashlib.sha256()
    for array in (*net.centroids_, *net.inverse_radii_):
        learned.update(array.tobytes())
    return f"Parameters: {learned.hexdigest()}"


def fit_elsewhere(folder, kill_at):
    """Run this file in a process of its own until epoch `kill_at`; return what it has printed."""
    command = [sys.executable, "-u", __file__, "--train", folder]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(f"Epoch {kill_at}/"):
                process.kill()
    return lines


def read_losses(lines):
    """Epochs and losses of the lines of a process."""
    found = re.findall(r"^Epoch +(\d+)/\d+ +loss ([\d.]+)", "".join(lines), flags=re.MULTILINE)
    return np.array(found, dtype=float).T


def draw(figure, parts, undisturbed):
    """Losses by epoch, beside how far the fit had come with each epoch trained."""
    curves, stairs = figure.subplots(1, 2)
    curves.plot(
        range(1, N_EPOCHS + 1), undisturbed, color="#bbbbbb", linewidth=7, label="undisturbed"
    )
    trained = 0
    for number, (color, (epochs, losses)) in enumerate(zip(COLORS, parts, strict=True), start=1):
        steps = trained + np.arange(1, len(epochs) + 1)
        trained = steps[-1]
        curves.plot(epochs, losses, color=color, label=f"process {number}")
        stairs.plot(steps, epochs, color=color, marker=".", markersize=4)
        if epochs[-1] < N_EPOCHS:
            curves.plot(epochs[-1], losses[-1], "x", color="black", markersize=9, zorder=3)
            stairs.plot(steps[-1], epochs[-1], "x", color="black", markersize=9, zorder=3)
            place = {"xytext": (-10, -1), "textcoords": "offset points", "ha": "right"}
            stairs.annotate("killed", (steps[-1], epochs[-1]), **place)
    stairs.set_yticks(range(0, N_EPOCHS + 1, EVERY))
    stairs.grid(axis="y", color="#dddddd")
    curves.set(
        title="three processes, one curve", xlabel="epoch", ylabel="training loss", yscale="log"
    )
    stairs.set(
        title=f"a checkpoint every {EVERY} epochs",
        xlabel="epochs trained, those made again included",
        ylabel="epoch of the fit",
    )
    curves.legend()


def main(path):
    with tempfile.TemporaryDirectory() as folder:
        printed = [fit_elsewhere(folder, kill_at) for kill_at in [*KILLED_AT, None]]
    undisturbed = fit(None)
    parts = [read_losses(lines) for lines in printed]
    for number, (epochs, _) in enumerate(parts, start=1):
        print(f"process {number}: epochs {epochs[0]:2.0f} to {epochs[-1]:2.0f}")
    print("the same parameters:", fingerprint(undisturbed) == printed[-1][-1].rstrip())
    figure = plt.figure(figsize=(10.5, 4.2), layout="constrained")
    draw(figure, parts, undisturbed.loss_curve_)
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        print(fingerprint(fit(sys.argv[2])))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "checkpoints.png")
