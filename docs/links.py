"""Links that Sphinx cannot make by itself.

The pages of the guide can also be read as plain Markdown, where public names are code and the
gallery is the folder of examples; `link_names` turns both into links. `link_elsewhere` derives the
addresses of scikit-learn's and matplotlib's pages from their names, so that a build needs no
network.
"""

import re

from api_pages import public_packages
from docutils import nodes

__all__ = ["link_elsewhere", "link_names"]

SITES = {
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{name}.html",
    "joblib": "https://joblib.readthedocs.io/en/stable/generated/{name}.html",
    "matplotlib.axes.Axes": "https://matplotlib.org/stable/api/_as_gen/{name}.html",
}


def link_names(app, page, source):
    """Link the examples and public names that a page mentions to their own pages."""
    if not str(app.env.doc2path(page)).endswith(".md"):
        return
    public = {name: package for package in public_packages() for name in package.__all__}
    names = re.compile(rf"(?<!\[)`({'|'.join(public)})`")
    parts = re.split(r"(^```.*?^```$)", source[0], flags=re.MULTILINE | re.DOTALL)
    for number in range(0, len(parts), 2):  # between blocks of code
        text = parts[number].replace("](../examples)", "](gallery/index.rst)")
        text = re.sub(r"(?<!\[)`examples/(plot_[a-z0-9_]+)\.py`", r"[\g<0>](gallery/\1.rst)", text)
        parts[number] = names.sub(
            lambda found: f"{{py:obj}}`~{public[found[1]].__name__}.{found[1]}`", text
        )
    source[0] = "".join(parts)


def link_elsewhere(app, env, node, contnode):
    """Resolve a reference to another library, or to another package of skdistnet."""
    target = node.get("reftarget", "")
    if node.get("refdomain") == "py":
        ours = f"skdistnet.{target}"
        domain = env.get_domain("py")
        found = domain.resolve_xref(env, node["refdoc"], app.builder, "obj", ours, node, contnode)
        if found is not None:
            return found
    for prefix, address in SITES.items():
        if target == prefix or target.startswith(f"{prefix}."):
            address = address.format(name=target)
            return nodes.reference("", "", contnode, refuri=address, internal=False)
    return None
