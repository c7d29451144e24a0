"""Draw the pictures of docs/images: run examples and write their figures to files.

An example draws its figures and ends with ``plt.show()``. Here nothing is shown: the figures go to
files named after the example, ``two_moons.png`` for ``plot_two_moons.py``; a second figure goes to
``two_moons_2.png``, and so on::

    python docs/draw_images.py                        redraw all pictures
    python docs/draw_images.py two_moons quantiles    draw these
    python docs/draw_images.py --folder /tmp hybrid   write to another folder
"""

import argparse
import runpy
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"


def example(name):
    """Return the path of the example that draws the picture `name`."""
    return DOCS.parent / "examples" / f"plot_{name}.py"


def draw(name, folder):
    """Run the example `name` and write its figures to `folder`."""
    plt.show = lambda: None  # Agg would warn that it cannot show figures
    runpy.run_path(str(example(name)), run_name="__main__")
    if not plt.get_fignums():
        raise SystemExit(f"plot_{name}.py has drawn no figure.")
    for position, number in enumerate(plt.get_fignums(), start=1):
        path = folder / (f"{name}.png" if position == 1 else f"{name}_{position}.png")
        plt.figure(number).savefig(path, dpi=110)
        print(f"wrote {path}")
    plt.close("all")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/images.")
    parser.add_argument("names", nargs="*", help="examples, without plot_ and .py")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    # Other pictures are drawn by benchmarks.
    drawn = [path.stem for path in sorted(IMAGES.glob("*.png")) if example(path.stem).exists()]
    for name in arguments.names or drawn:
        draw(name, arguments.folder)
