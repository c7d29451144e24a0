"""The documentation without Sphinx: its API reference knows every public name."""

import importlib.util
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


def test_a_registry_s_page_has_all_entries(api_pages, tmp_path):
    solvers = sys.modules["skdistnet.engine"].SOLVERS
    api_pages.write_pages(tmp_path)
    page = (tmp_path / "skdistnet.engine.SOLVERS.rst").read_text(encoding="utf-8")
    assert "Update rules over one flat parameter vector." in page
    for name, solver in solvers.items():
        assert f'"{name}"' in page
        assert f"autoclass:: skdistnet.engine.optim.solvers.{solver.__qualname__}\n" in page


def test_a_page_of_a_name_that_is_gone_is_removed(api_pages, tmp_path):
    (tmp_path / "skdistnet.Former.rst").write_text("Former", encoding="utf-8")
    api_pages.write_pages(tmp_path)
    assert not (tmp_path / "skdistnet.Former.rst").exists()


def test_methods_of_scikit_learn_s_own_are_left_to_it(api_pages, tmp_path):
    api_pages.write_pages(tmp_path)
    page = (tmp_path / "skdistnet.DistanceNetClassifier.rst").read_text(encoding="utf-8")
    members = page.partition(":members: ")[2].partition("\n")[0].split(", ")
    assert {"fit", "predict_proba", "score_samples", "centroids_"} <= set(members)
    assert not {"get_params", "set_fit_request", "set_output"} & set(members)
