"""The API reference covers every public name, and the layout in contributing.md every module."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def api_pages():
    specification = importlib.util.spec_from_file_location("api_pages", DOCS / "api_pages.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_public_packages_are_found(api_pages):
    names = {package.__name__ for package in api_pages.public_packages()}
    assert names >= {"skdistnet", "skdistnet.displays", "skdistnet.engine", "skdistnet.inspection"}


def test_every_public_name_has_a_page(api_pages, tmp_path):
    api_pages.write_pages(tmp_path / "api")
    index = (tmp_path / "api" / "index.rst").read_text(encoding="utf-8")
    for package in api_pages.public_packages():
        for name in package.__all__:
            page = (tmp_path / "api" / f"{package.__name__}.{name}.rst").read_text(encoding="utf-8")
            assert f":: {name}\n" in page
            assert f"~{package.__name__}.{name}`" in index


def test_registry_page_lists_all_entries(api_pages, tmp_path):
    solvers = sys.modules["skdistnet.engine"].SOLVERS
    api_pages.write_pages(tmp_path)
    page = (tmp_path / "skdistnet.engine.SOLVERS.rst").read_text(encoding="utf-8")
    assert "update rules over one flat parameter vector" in page.lower()
    for name, solver in solvers.items():
        assert f'"{name}"' in page
        assert f"autoclass:: skdistnet.engine.optim.solvers.{solver.__qualname__}\n" in page


def test_page_of_removed_name_is_deleted(api_pages, tmp_path):
    (tmp_path / "skdistnet.Former.rst").write_text("Former", encoding="utf-8")
    api_pages.write_pages(tmp_path)
    assert not (tmp_path / "skdistnet.Former.rst").exists()


def test_scikit_learn_methods_are_not_documented(api_pages, tmp_path):
    api_pages.write_pages(tmp_path)
    page = (tmp_path / "skdistnet.DistanceNetClassifier.rst").read_text(encoding="utf-8")
    members = page.partition(":members: ")[2].partition("\n")[0].split(", ")
    assert {"fit", "predict_proba", "score_samples", "centroids_"} <= set(members)
    assert not {"get_params", "set_fit_request", "set_output"} & set(members)


def layout_paths():
    """Yield the paths of the tree in contributing.md."""
    tree = (DOCS / "contributing.md").read_text(encoding="utf-8").partition("```text\n")[2]
    parents = []
    for line in tree.partition("```")[0].splitlines():
        branch, name = re.match(r"([│├└─\s]*)(\S+)", line).groups()
        parents[len(branch) // 4 :] = [name]
        yield Path("".join(parents))


def test_layout_matches_the_files():
    root, listed = DOCS.parent, set(layout_paths())
    assert all((root / path).exists() for path in listed)
    modules = [*root.glob("skdistnet/**/*.py"), *root.glob("tests/*.py")]
    expected = {path.relative_to(root) for path in modules if path.stem[:2] != "__"}
    assert expected - {Path("skdistnet/_version.py")} <= listed
    folders = {path.parent.relative_to(root) for path in root.glob("tests/*/*.*")}
    assert {path for path in folders if path.name[:2] != "__"} <= listed


def test_package_imports_without_docstrings():
    code = "import sys, skdistnet.displays as package; sys.exit(package.__doc__)"
    subprocess.run([sys.executable, "-OO", "-c", code], check=True, cwd=DOCS.parent)
