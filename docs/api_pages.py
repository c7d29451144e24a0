"""Pages of the API reference, generated from ``__all__`` of the public packages.

New public names and packages appear in the reference without any change here. Each function and
class has its own page. A registry, a dict from names to classes or functions, has a page with the
docstring of its module and its entries.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import skdistnet

__all__ = ["public_packages", "write_pages"]


def public_packages():
    """Return skdistnet, its public subpackages and, if Dask is installed, the module for it."""
    names = [
        f"skdistnet.{module.name}"
        for module in pkgutil.iter_modules(skdistnet.__path__)
        if module.ispkg and not module.name.startswith("_")
    ]
    if importlib.util.find_spec("distributed"):
        names.append("skdistnet.dask")
    return [skdistnet, *map(importlib.import_module, sorted(names))]


def write_pages(folder):
    """Write the reference to `folder`, and remove the pages of names that no longer exist."""
    folder.mkdir(exist_ok=True)
    pages = {"index": index_page()}
    for package in public_packages():
        for name in package.__all__:
            pages[f"{package.__name__}.{name}"] = object_page(package, name)
    for old in folder.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        # Unchanged files keep their time stamp, so that Sphinx does not read them again.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def index_page():
    parts = [heading("API reference", "=")]
    for package in public_packages():
        names = sorted(package.__all__, key=str.lower)
        rows = "".join(
            f"   * - :py:obj:`~{package.__name__}.{name}`\n     - {summary(package, name)}\n"
            for name in names
        )
        pages = "".join(f"   {package.__name__}.{name}\n" for name in names)
        parts += [
            heading(package.__name__, "-"),
            f".. py:module:: {package.__name__}\n\n{inspect.getdoc(package)}\n",
            f".. list-table::\n   :widths: 30 70\n\n{rows}",
            f".. toctree::\n   :hidden:\n   :caption: {package.__name__}\n\n{pages}",
        ]
    return "\n".join(parts)


def object_page(package, name):
    value = getattr(package, name)
    if inspect.isclass(value):
        body = f".. autoclass:: {name}\n{members(value)}"
    elif callable(value):
        body = f".. autofunction:: {name}\n"
    else:
        body = data_body(package, name, value)
    gallery = f".. minigallery:: {package.__name__}.{name}\n   :add-heading: In the gallery\n"
    module = f".. py:currentmodule:: {package.__name__}\n"
    return "\n".join([heading(name, "="), module, body, gallery])


def members(cls):
    """Return autoclass options that list our own methods and properties.

    Methods inherited from scikit-learn, such as ``get_params``, are documented there.
    """
    names = []
    for name, member in inspect.getmembers(cls):
        code = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and callable(code):
            home = getattr(inspect.unwrap(code), "__module__", "")  # built-in methods have none
            names += [name] if home.startswith("skdistnet.") else []
    return f"   :members: {', '.join(names)}\n" if names else ""


def data_body(package, name, value):
    """Return the page body of a list or a registry: its description and its entries."""
    text = f".. py:data:: {name}\n\n" + indent(comment(package, name)) + "\n"
    if not isinstance(value, dict):
        return text + indent("".join(f"* ``{item!r}``\n" for item in value))
    names = {}  # by class or function; entries may be instances of one class
    for key, entry in value.items():
        shown = entry if inspect.isclass(entry) or inspect.isroutine(entry) else type(entry)
        names.setdefault(shown, []).append(f'"{key}"')
    entries = [
        heading(", ".join(keys), "-")
        + f".. auto{'class' if inspect.isclass(shown) else 'function'}:: "
        + f"{shown.__module__}.{shown.__qualname__}\n   :no-index:\n"
        for shown, keys in names.items()
    ]
    return "\n".join([text, *entries])


def summary(package, name):
    """Return the first paragraph of the description."""
    value = getattr(package, name)
    described = inspect.isclass(value) or callable(value)
    text = inspect.getdoc(value) if described else comment(package, name)
    return " ".join(text.partition("\n\n")[0].split())


def comment(package, name):
    """Return the module docstring of a registry, else the comment above the assignment."""
    assignment = re.compile(rf"((?:^#: .*\n)*)^{name}(?:: [^=\n]+)? = ", re.MULTILINE)
    for module in [m for key, m in sys.modules.items() if key.startswith(package.__name__)]:
        if found := assignment.search(inspect.getsource(module)):
            is_registry = isinstance(getattr(package, name), dict)
            return inspect.getdoc(module) if is_registry else found[1].replace("#: ", "")
    raise LookupError(f"{package.__name__}.{name} is assigned in no module of its package.")


def heading(text, line):
    return f"{text}\n{line * len(text)}\n"


def indent(text):
    return "".join(f"   {line}\n" if line else "\n" for line in text.splitlines())


if __name__ == "__main__":
    write_pages(Path(__file__).parent / "api")
