"""Links that Sphinx cannot follow by itself.

Pages are written to be read on GitHub as well, where the gallery is the folder of examples and the
README is a page. And references to scikit-learn's and matplotlib's classes need no list of them
from the network, as the address of each follows from its name.
"""

import re

from docutils import nodes

__all__ = ["link_elsewhere", "link_examples"]

SITES = {
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{name}.html",
    "matplotlib.axes.Axes": "https://matplotlib.org/stable/api/_as_gen/{name}.html",
}


def link_examples(app, name, source):
    """Let examples that a page names lead to their pages in the gallery."""
    if not app.env.doc2path(name, base=False).endswith(".md"):
        return
    text = re.sub(r"\]\(\.\./examples\)", "](gallery/index.rst)", source[0])
    text = re.sub(r"(?<!\[)`examples/(plot_\w+)\.py`", r"[`examples/\1.py`](gallery/\1.rst)", text)
    source[0] = text


def link_elsewhere(app, env, node, contnode):
    """Lead to another library's page, or to what stands in another package of ours."""
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
