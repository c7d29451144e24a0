"""
Data that do not fit memory
===========================

A file of a million rows, 256 MB, is trained on by a process that may take no more than 100 MB of
memory beyond what it has at the start. ``numpy.memmap`` makes an array of the file whose rows
are read when they are looked at, and ``partial_fit`` is given them block by block. What the net has
learned is seen after each block on rows held out.

The rows are handwritten digits, each turned, stretched and shifted anew, so that no two are alike.
Held out are rows made of digits that are not in the file.

What more rows are worth is seen beside a net that is given one block as often as there are blocks.
"""

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier

N_BLOCKS, N_ROWS, N_PIXELS = 25, 40_000, 64
MEGABYTE = 10**6

# %%
# A digit is looked at through a grid of 8 x 8 pixels that is turned, stretched and shifted; between
# pixels it is interpolated.


def distorted(images, rng):
    """Each image turned, stretched and shifted at random, in single precision."""
    n_images, rows = len(images), np.arange(8) - 3.5
    y, x = (axis.ravel() for axis in np.meshgrid(rows, rows, indexing="ij"))
    angle, stretch = rng.normal(0, 0.25, n_images), np.exp(rng.normal(0, 0.12, n_images))
    cos, sin = np.cos(angle) / stretch, np.sin(angle) / stretch
    shift = rng.normal(4.5, 0.7, (2, n_images))
    # Places in images with a border of blank pixels, which is what lies outside.
    across = np.outer(cos, x) - np.outer(sin, y) + shift[0][:, None]
    down = np.outer(sin, x) + np.outer(cos, y) + shift[1][:, None]
    across, down = (np.clip(place, 0, 8.999).astype(np.float32) for place in (across, down))
    left, top = across.astype(np.intp), down.astype(np.intp)
    across -= left
    down -= top
    bordered = np.zeros((n_images, 10, 10), np.float32)
    bordered[:, 1:9, 1:9] = images.reshape(-1, 8, 8)
    pixels, at = bordered.ravel(), 100 * np.arange(n_images)[:, None] + 10 * top + left
    upper = (1 - across) * pixels[at] + across * pixels[at + 1]
    lower = (1 - across) * pixels[at + 10] + across * pixels[at + 11]
    return (1 - down) * upper + down * lower


def draw_rows(images, labels, n_rows, rng):
    """Distorted images, drawn at random, and their labels."""
    drawn = rng.integers(len(images), size=n_rows)
    return distorted(images[drawn], rng), labels[drawn]


# %%
# The limit is the operating system's, which is asked for it where it has one: Linux counts memory
# that a process has for itself, not the pages of files that it looks at.


@contextmanager
def memory_limit(extra):
    """Let this process take `extra` bytes more than it has, and no more."""
    if sys.platform != "linux":
        print("no limit of memory is set: this takes Linux")
        yield
        return
    import resource

    status = Path("/proc/self/status").read_text().splitlines()
    (taken,) = (1024 * int(line.split()[1]) for line in status if line.startswith("VmData"))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (taken + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


# %%
# Blocks are made by turns and written. The array is opened again to be read only.

digits, labels = load_digits(return_X_y=True)
known, held, known_labels, held_labels = train_test_split(
    digits, labels, stratify=labels, random_state=0
)
rng = np.random.default_rng(0)
X_val, y_val = draw_rows(held, held_labels, 4_000, rng)

curves = {}
with tempfile.TemporaryDirectory() as folder:
    path, shape = Path(folder) / "rows.dat", (N_BLOCKS * N_ROWS, N_PIXELS)
    X = np.memmap(path, dtype=np.float32, mode="w+", shape=shape)
    y = np.empty(len(X), dtype=np.int8)
    blocks = [slice(start, start + N_ROWS) for start in range(0, len(X), N_ROWS)]
    for block in blocks:
        X[block], y[block] = draw_rows(known, known_labels, N_ROWS, rng)
    X = np.memmap(path, dtype=np.float32, mode="r", shape=shape)
    print(f"file: {path.stat().st_size / MEGABYTE:.0f} MB, {len(X)} rows")

    # One thread, as each of a matrix product's has buffers of its own.
    with threadpool_limits(1), memory_limit(100 * MEGABYTE):
        try:
            np.array(X)
            print("the file fits the memory allowed")
        except MemoryError:
            print("to read the file as a whole: MemoryError")
        for name, given in {
            "all blocks, each once": blocks,
            "the first block, again and again": blocks[:1] * N_BLOCKS,
        }.items():
            # Steps that become smaller let the net settle.
            net = DistanceNetClassifier(
                100,
                learning_rate="inverse_time",
                decay_rate=0.05,
                scoring="accuracy",
                random_state=0,
            )
            for block in given:
                net.partial_fit(X[block], y[block], classes=range(10), X_val=X_val, y_val=y_val)
            curves[name] = net.validation_scores_
            print(f"{name}: accuracy on rows held out {net.validation_scores_[-1]:.3f}")
    example = X[:24].copy()
    del X  # before the file is removed

# %%
# Each point is a block later.

figure, (rows, ax) = plt.subplots(
    1, 2, figsize=(10.5, 4.2), width_ratios=[2, 3], layout="constrained"
)
mosaic = example.reshape(4, 6, 8, 8).transpose(0, 2, 1, 3).reshape(32, 48)
rows.imshow(mosaic, cmap="gray_r")
for line in range(8, 48, 8):
    rows.axvline(line - 0.5, color="#c8501e", linewidth=0.5)
for line in range(8, 32, 8):
    rows.axhline(line - 0.5, color="#c8501e", linewidth=0.5)
rows.set(title=f"24 of {N_BLOCKS * N_ROWS:,} rows", xticks=[], yticks=[])
for (name, scores), color in zip(curves.items(), ["#1f5fa8", "#c8501e"], strict=True):
    ax.plot(range(1, N_BLOCKS + 1), scores, "o-", color=color, markersize=4, label=name)
ax.set(
    title="A file of 256 MB, 100 MB of memory",
    xlabel=f"blocks of {N_ROWS:,} rows trained on",
    ylabel="accuracy on rows held out",
)
ax.grid(alpha=0.3)
ax.legend()

plt.show()
