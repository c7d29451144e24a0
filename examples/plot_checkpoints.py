"""
Resume an interrupted fit from a checkpoint
===========================================

A long fit may be interrupted by a time limit, a lack of memory or a power cut. With ``checkpoint``,
a folder, the net saves its training state there every 10 epochs. If you start the same program
again, training resumes from the last saved epoch. This example kills a process twice while it
trains a net on handwritten digits.
"""

import re
import subprocess
import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np

# %%
# The program prints each epoch and, after the fit, a digest of the learned parameters. Its argument
# is the folder for checkpoints.

PROGRAM = """
import hashlib
import sys

from sklearn.datasets import load_digits
from skdistnet import DistanceNetClassifier

X, y = load_digits(return_X_y=True)
net = DistanceNetClassifier(
    50,
    max_iter=60,
    random_state=0,
    verbose=True,
    checkpoint=sys.argv[1] if len(sys.argv) > 1 else None,
)
net.fit(X, y)
digest = hashlib.sha256()
for array in net.centroids_ + net.inverse_radii_:
    digest.update(array.tobytes())
print("parameters:", digest.hexdigest())
"""

# %%
# Run it in a process of its own and kill that process at a given epoch.


def run(*arguments, kill_at=None):
    """Run the program; the epochs and losses that it printed, and its last line."""
    command = [sys.executable, "-u", "-W", "ignore", "-c", PROGRAM, *arguments]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(f"Epoch {kill_at}/"):
                process.kill()
    matches = re.findall(r"^Epoch +(\d+)/\d+ +loss ([\d.]+)", "".join(lines), flags=re.MULTILINE)
    return *np.array(matches, dtype=float).T, lines[-1]


with tempfile.TemporaryDirectory() as folder:
    runs = [run(folder, kill_at=epoch) for epoch in (17, 46, None)]
uninterrupted = run()

# %%
# The third process finishes with the parameters of an uninterrupted fit, bit for bit. Only the
# epochs since the last checkpoint have to be trained again.

for number, (epochs, _, _) in enumerate(runs, start=1):
    print(f"process {number}: epochs {epochs[0]:2.0f} to {epochs[-1]:2.0f}")
print("the same parameters:", runs[-1][2] == uninterrupted[2])

figure, (curves, stairs) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
curves.plot(*uninterrupted[:2], color="#bbbbbb", linewidth=7, label="uninterrupted")
trained = 0
for number, (epochs, losses, _) in enumerate(runs, start=1):
    color = ["#c8501e", "#e0a030", "#1f5fa8"][number - 1]
    steps = trained + np.arange(1, len(epochs) + 1)
    trained = steps[-1]
    curves.plot(epochs, losses, color=color, label=f"process {number}")
    stairs.plot(steps, epochs, color=color, marker=".", markersize=4)
    if number < len(runs):
        curves.plot(epochs[-1], losses[-1], "x", color="black", markersize=9, zorder=3)
        stairs.plot(steps[-1], epochs[-1], "x", color="black", markersize=9, zorder=3)
        offset = {"xytext": (-10, -1), "textcoords": "offset points", "ha": "right"}
        stairs.annotate("killed", (steps[-1], epochs[-1]), **offset)
curves.set(
    title="Three processes, two of them killed, one curve",
    xlabel="epoch",
    ylabel="training loss",
    yscale="log",
)
curves.legend()
stairs.set(
    title="A checkpoint every 10 epochs",
    xlabel="epochs trained, including repeated ones",
    ylabel="epoch of the fit",
    yticks=range(0, 61, 10),
)
stairs.grid(axis="y", color="#dddddd")

plt.show()
