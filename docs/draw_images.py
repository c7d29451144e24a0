"""Draw the pictures of docs/images: run examples and write what they show.

An example draws a figure and ends with ``plt.show()``. Here nothing is shown: the figure goes to a
file named after the example, ``two_moons.png`` for ``plot_two_moons.py``::

    python docs/draw_images.py                        the pictures that are there, drawn anew
    python docs/draw_images.py two_moons quantiles    these
    python docs/draw_images.py --folder /tmp hybrid   somewhere else
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
    """The script that draws the picture `name`."""
    return DOCS.parent / "examples" / f"plot_{name}.py"


def draw(name, folder):
    """Run the example `name`, and write its last figure into `folder`."""
    plt.show = lambda: None  # Agg would warn that it shows nothing
    runpy.run_path(str(example(name)), run_name="__main__")
    if not plt.get_fignums():
        raise SystemExit(f"plot_{name}.py has drawn no figure.")
    picture = folder / f"{name}.png"
    plt.gcf().savefig(picture, dpi=110)
    plt.close("all")
    print(f"wrote {picture}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/images.")
    parser.add_argument("names", nargs="*", help="examples, without plot_ and .py")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    # Benchmarks draw the others.
    drawn = [path.stem for path in sorted(IMAGES.glob("*.png")) if example(path.stem).exists()]
    for name in arguments.names or drawn:
        draw(name, arguments.folder)
