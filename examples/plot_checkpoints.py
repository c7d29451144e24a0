"""
A fit that is killed, and goes on
=================================

A long fit may be cut off: a time limit, a full memory, a power cut. With ``checkpoint_dir`` it
keeps every few epochs what it needs to go on, and the same program, started again, goes on from
there. Here a process that trains a net on handwritten digits is killed outright, twice.
"""

import re
import subprocess
import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np

# %%
# The program: a fit that prints its epochs and, when it is over, a digest of all that it has
# learned. The folder for checkpoints is its argument.

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
    checkpoint_dir=sys.argv[1] if len(sys.argv) > 1 else None,
    checkpoint_every=10,
)
net.fit(X, y)
learned = hashlib.sha256()
for array in net.centroids_ + net.inverse_radii_:
    learned.update(array.tobytes())
print("parameters:", learned.hexdigest())
"""

# %%
# It runs in a process of its own, which is killed when it has come to an epoch, if one is given.


def run(*arguments, kill_at=None):
    """What the program has printed: epochs, their losses, and the last line."""
    command = [sys.executable, "-u", "-W", "ignore", "-c", PROGRAM, *arguments]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(f"Epoch {kill_at}/"):
                process.kill()
    found = re.findall(r"^Epoch +(\d+)/\d+ +loss ([\d.]+)", "".join(lines), flags=re.MULTILINE)
    return *np.array(found, dtype=float).T, lines[-1]


with tempfile.TemporaryDirectory() as folder:
    runs = [run(folder, kill_at=epoch) for epoch in (17, 46, None)]
undisturbed = run()

# %%
# The third process comes to the end, and to the very parameters of a fit that nobody disturbed, bit
# for bit. What is lost are the epochs since the last checkpoint, which are trained again.

for number, (epochs, _, _) in enumerate(runs, start=1):
    print(f"process {number}: epochs {epochs[0]:2.0f} to {epochs[-1]:2.0f}")
print("the same parameters:", runs[-1][2] == undisturbed[2])

figure, (curves, stairs) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
curves.plot(*undisturbed[:2], color="#bbbbbb", linewidth=7, label="undisturbed")
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
        place = {"xytext": (-10, -1), "textcoords": "offset points", "ha": "right"}
        stairs.annotate("killed", (steps[-1], epochs[-1]), **place)
curves.set(
    title="Three processes, two of them killed: one curve",
    xlabel="epoch",
    ylabel="training loss",
    yscale="log",
)
curves.legend()
stairs.set(
    title="A checkpoint every 10 epochs",
    xlabel="epochs trained, those made again included",
    ylabel="epoch of the fit",
    yticks=range(0, 61, 10),
)
stairs.grid(axis="y", color="#dddddd")

plt.show()
