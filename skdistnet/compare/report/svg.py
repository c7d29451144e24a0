"""Matplotlib figures as SVG elements that follow the colours of the page they are placed in."""

import io
import re
import warnings
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from ..formats import shorten

__all__ = ["GRID", "INK", "MUTED", "SERIES", "blank_axes", "finish", "picture"]

#: Colours that stand for variables of the page, which differ between light and dark. Black is ink,
#: so that what a display draws in black follows too.
INK, MUTED, GRID = "#000000", "#000001", "#000002"
SERIES = [f"#00010{index}" for index in range(6)]
VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid"} | {
    color: f"series-{index}" for index, color in enumerate(SERIES)
}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the fonts of the page
    "svg.hashsalt": "skdistnet",
    "text.parse_math": False,  # a "$" in a name is a dollar
    "font.size": 11.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=SERIES),
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
ROUNDED = {"d", "x", "y"}
SIZE = 370, 272


@contextmanager
def page_style():
    """Draw in the style of the page, whatever the user's settings are, which are kept."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has other fonts
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def blank_axes(size=SIZE):
    """Return the axes of a new figure of `size` in points, which pyplot does not know of."""
    figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
    return figure.subplots()


def finish(ax, xlabel, ylabel, legend_columns=2):
    """Label the axes and place the legend, if there is one, above them."""
    ax.set(xlabel=shorten(xlabel, 60), ylabel=shorten(ylabel, 44))
    handles, labels = ax.get_legend_handles_labels()
    if ax.get_legend() is not None:
        ax.get_legend().remove()
    if handles:
        place = {"loc": "outside upper left", "ncols": legend_columns, "borderaxespad": 0.2}
        ax.figure.legend(handles, labels, handlelength=1.8, columnspacing=1.2, **place)


def picture(draw):
    """Make a function that draws on axes and returns them return an SVG element, as a decorator.

    The first parameter of the new function is the identifier of the picture within its page, the
    second the text that describes it for those who do not see it.
    """

    def drawn(identifier, description, *args, **options):
        with page_style():
            ax = draw(*args, **options)
            buffer = io.StringIO()
            metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            ax.figure.savefig(buffer, format="svg", metadata=metadata)
        return as_element(buffer.getvalue(), identifier, description)

    drawn.__doc__, drawn.__name__ = draw.__doc__, draw.__name__
    return drawn


def as_element(document, identifier, description):
    """Return an SVG document of matplotlib as an element of an HTML page."""
    root = ElementTree.fromstring(document)
    # Styles in it would hold for the whole page, which has them for pictures only.
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{SVG}style", f"{SVG}metadata"):
                parent.remove(child)
    referenced = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", document))
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        attributes = {
            name.removeprefix(XLINK): adapt(value, identifier)
            for name, value in element.attrib.items()
            if name != "id" or value in referenced
        }
        if "id" in attributes:
            attributes["id"] = f"{identifier}-{attributes['id']}"
        for name in ROUNDED & attributes.keys():
            attributes[name] = " ".join(round_numbers(attributes[name]).split())
        element.attrib.clear()
        element.attrib.update(attributes)
        if element.tag != "text":
            element.text = (element.text or "").strip()
        element.tail = None
    view = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": view, "role": "img", "aria-label": description})
    return ElementTree.tostring(root, encoding="unicode")


def adapt(value, identifier):
    """Return the value of an attribute with references, colours and fonts of the page."""
    value = re.sub(r"(^|url\()#(?=[a-zA-Z])", rf"\1#{identifier}-", value)
    for color, name in VARIABLES.items():
        value = value.replace(color, f"var(--{name})")
    return re.sub(r"font: (?:\w+ )*([\d.]+px) [^;]*", r"font-size: \1", value)


def round_numbers(path):
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found.group()):.1f}", path)
