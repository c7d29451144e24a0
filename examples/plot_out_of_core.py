"""
Train on data that do not fit memory
====================================

In this example a process trains on a file of a million rows, 256 MB, and may use no more than
100 MB of additional memory. ``numpy.memmap`` makes an array of the file that reads rows when they
are accessed, and ``partial_fit`` trains on them block by block. After each block we measure the
accuracy on held-out rows.

The rows are handwritten digits, each rotated, scaled and shifted at random, so that no two are
alike. Held-out rows are made of digits that are not in the file.

To show how much more rows help, a second net trains on the first block again and again.
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
# Sample each digit at the points of a rotated, scaled and shifted grid of 8 x 8 pixels, with
# interpolation between pixels.


def distorted(images, rng):
    """Rotate, scale and shift each image at random, in single precision."""
    n_images, rows = len(images), np.arange(8) - 3.5
    y, x = (axis.ravel() for axis in np.meshgrid(rows, rows, indexing="ij"))
    angle, scale = rng.normal(0, 0.25, n_images), np.exp(rng.normal(0, 0.12, n_images))
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    shift = rng.normal(4.5, 0.7, (2, n_images))
    # Points of the grid, in images with a border of blank pixels.
    across = np.outer(cos, x) - np.outer(sin, y) + shift[0][:, None]
    down = np.outer(sin, x) + np.outer(cos, y) + shift[1][:, None]
    across, down = (np.clip(point, 0, 8.999).astype(np.float32) for point in (across, down))
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
# On Linux the operating system enforces the limit. It counts the private memory of a process, not
# the pages of files that it reads.


@contextmanager
def memory_limit(extra):
    """Limit the memory of this process to `extra` bytes more than it has now."""
    if sys.platform != "linux":
        print("memory is not limited: that needs Linux")
        yield
        return
    import resource

    status = Path("/proc/self/status").read_text().splitlines()
    (used,) = (1024 * int(line.split()[1]) for line in status if line.startswith("VmData"))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (used + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


# %%
# A learning rate that falls from block to block lets the net settle. In ``partial_fit`` the
# schedule does not know how many steps will follow.


def falling_rate(step, steps_per_epoch, total_steps):
    """Factor of the learning rate at a step: after block k it is divided by 1 + 0.05 k."""
    n_blocks = step // steps_per_epoch
    return 1 / np.prod(1 + 0.05 * np.arange(1, n_blocks + 1))


# %%
# Write the file block by block, and open it again for reading.

digits, labels = load_digits(return_X_y=True)
train, held_out, train_labels, held_out_labels = train_test_split(
    digits, labels, stratify=labels, random_state=0
)
rng = np.random.default_rng(0)
X_val, y_val = draw_rows(held_out, held_out_labels, 4_000, rng)

curves = {}
with tempfile.TemporaryDirectory() as folder:
    path, shape = Path(folder) / "rows.dat", (N_BLOCKS * N_ROWS, N_PIXELS)
    X = np.memmap(path, dtype=np.float32, mode="w+", shape=shape)
    y = np.empty(len(X), dtype=np.int8)
    blocks = [slice(start, start + N_ROWS) for start in range(0, len(X), N_ROWS)]
    for block in blocks:
        X[block], y[block] = draw_rows(train, train_labels, N_ROWS, rng)
    X = np.memmap(path, dtype=np.float32, mode="r", shape=shape)
    print(f"file: {path.stat().st_size / MEGABYTE:.0f} MB, {len(X)} rows")

    # Use one thread, since each thread of a matrix product has buffers of its own.
    with threadpool_limits(1), memory_limit(100 * MEGABYTE):
        try:
            np.array(X)
            print("the file fits the memory allowed")
        except MemoryError:
            print("reading the whole file: MemoryError")
        for name, sequence in {
            "all blocks, each once": blocks,
            "the first block, again and again": blocks[:1] * N_BLOCKS,
        }.items():
            net = DistanceNetClassifier(
                100, learning_rate=falling_rate, scoring="accuracy", random_state=0
            )
            for block in sequence:
                net.partial_fit(X[block], y[block], classes=range(10), X_val=X_val, y_val=y_val)
            curves[name] = net.validation_scores_
            print(f"{name}: accuracy on held-out rows {net.validation_scores_[-1]:.3f}")
    example = X[:24].copy()
    del X  # before the file is removed

# %%
# Each point is one more block.

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
    ylabel="accuracy on held-out rows",
)
ax.grid(alpha=0.3)
ax.legend()

plt.show()
