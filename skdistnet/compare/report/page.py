"""The report: one HTML page that needs no other file and no network."""

import base64
import hashlib
import os
import secrets
from importlib.resources import files
from pathlib import Path

import jinja2

from .. import formats
from ..statistics import find_best_other
from .data_section import data_section
from .model_sections import (
    advice,
    cost_section,
    differences,
    in_words,
    reliability_section,
    settings_section,
)
from .net_sections import (
    doubt_section,
    feature_section,
    hardest_section,
    learning_section,
    novelty_section,
)

__all__ = ["render", "write_page"]

#: Shows the button that copies the code; the page works without it.
SCRIPT = """
const button = document.getElementById("copy");
button.hidden = !navigator.clipboard;
button.onclick = async () => {
  await navigator.clipboard.writeText(document.getElementById("code").textContent);
  button.textContent = "Copied";
};
"""


def write_page(comparison, path):
    """Write the report of a comparison to a file, which is complete or as it was before.

    Parameters
    ----------
    comparison : Comparison
    path : path-like
    """
    content = render(comparison).encode()
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def render(comparison):
    """Return the report of a comparison.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    html : str
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {name: getattr(formats, name) for name in formats.__all__}
    show_loss = formats.decimal if comparison.table.is_classification else three_digits
    environment.filters |= {"in_words": in_words, "loss": show_loss}
    html = environment.from_string(beside("page.html")).render(context(comparison))
    # File names may have bytes that are no text.
    return html.encode(errors="replace").decode()


def beside(name):
    """Return the text of a file of this package."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def three_digits(value):
    """Return an absolute error, which may be of any size."""
    return formats.significant(value, 3)


def context(comparison):
    """Return what the template shows."""
    summaries = {one.model: one for one in comparison.summaries}
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    shown = {
        "c": comparison,
        "table": comparison.table,
        "style": beside("page.css"),
        "script": SCRIPT,
        "script_hash": f"sha256-{digest}",
        "score_name": formats.measure(comparison.score_name),
        "best_score": max((one.score for one in summaries.values()), default=None),
        "best_loss": min((one.loss for one in summaries.values()), default=None),
        "ours": summaries.get(comparison.ours),
        "other": find_best_other(comparison),
        "advice": advice(comparison),
        "n_fits": len(comparison.models) * len(comparison.splits),
        "differences": differences(comparison),
        "data": data_section(comparison.table),
        "reliability": reliability_section(comparison),
        "doubt": doubt_section(comparison),
        "hardest": hardest_section(comparison),
        "cost": cost_section(comparison),
        "settings": settings_section(comparison),
        "features": None,
        "learning": None,
        "novelty": None,
    }
    if comparison.inspection is not None:
        shown["features"] = feature_section(comparison.inspection)
        shown["learning"] = learning_section(comparison)
        shown["novelty"] = novelty_section(comparison)
    return shown
