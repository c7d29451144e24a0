"""Configuration of the documentation: ``python -m sphinx -W --keep-going docs docs/_build``."""

import sys
from pathlib import Path

# The gallery looks up names of this module even in examples that it does not run.
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sphinx_gallery.sorting import FileNameSortKey

import skdistnet

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from api_pages import write_pages  # noqa: E402
from links import link_elsewhere, link_names  # noqa: E402

project = "skdistnet"
author = copyright = "The skdistnet developers"
version = release = skdistnet.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.ipynb", "gallery/*.py", "gallery/*.md5"]
nitpicky = True
nitpick_ignore_regex = [("py:mod", r"skdistnet\.engine\..*")]  # modules without a page
default_role = "literal"
smartquotes = False  # readers copy strings
add_module_names = False
toc_object_entries_show_parents = "hide"

# Pages are Markdown; pytest runs their examples.
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

# numpydoc formats the docstrings; api_pages.py lists the methods.
numpydoc_show_class_members = False
autodoc_default_options = {"member-order": "alphabetical"}
autodoc_typehints = "none"

#: Examples that come first in the gallery; the others follow by name.
FIRST_EXAMPLES = [
    "plot_two_moons.py",
    "plot_how_it_works.py",
    "plot_parameters.py",
    "plot_digit_centroids.py",
    "plot_hybrid.py",
    "plot_gradient_flow.py",
    "plot_novelty.py",
    "plot_quantiles.py",
    "plot_relevances.py",
    "plot_categories.py",
    "plot_missing_values.py",
    "plot_multilabel.py",
]


class GalleryOrder(FileNameSortKey):
    """Sort key of the gallery: `FIRST_EXAMPLES`, then file names."""

    def __call__(self, filename):
        first = FIRST_EXAMPLES.index(filename) if filename in FIRST_EXAMPLES else 99
        return first, filename


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "conf.GalleryOrder",
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("skdistnet",),
    "reference_url": {"skdistnet": None},
    "min_reported_time": 1,
    "show_memory": False,
    "parallel": 2,
    "download_all_examples": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "skdistnet"
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "benchmarks": [], "contributing": []}
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True


def setup(app):
    """Write the API reference before Sphinx collects pages, and connect the link functions."""
    app.connect("config-inited", lambda app, config: write_pages(DOCS / "api"))
    app.connect("source-read", link_names)
    app.connect("missing-reference", link_elsewhere)
