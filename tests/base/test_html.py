"""The HTML representation links to the API page of the class and describes its parameters."""

import re

import pytest
from sklearn.utils import estimator_html_repr

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
    RejectingClassifier,
    __version__,
)

KINDS = [
    DistanceNetClassifier,
    DistanceNetRegressor,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
]


@pytest.mark.parametrize("kind", KINDS)
def test_links_to_api_page_of_installed_version(kind):
    links = re.findall(r'href="(https?://[^"#]*)', estimator_html_repr(kind(random_state=7)))
    page = f"/en/v{__version__}/api/skdistnet.{kind.__name__}.html"
    assert links
    assert all(link.endswith(page) for link in links)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_shows_its_description(kind):
    html = estimator_html_repr(kind())
    if "param-doc-description" not in html:
        pytest.skip("scikit-learn before 1.8 shows no descriptions")
    shown = set(re.findall(r"--doc-link-(\w+);", html))
    assert shown >= set(kind().get_params())


def test_subclass_of_another_package_has_no_link():
    class Other(DistanceNetClassifier):
        __module__ = "another.package"

    assert "skdistnet.readthedocs" not in estimator_html_repr(Other())


def test_rejecting_classifier_links_both_classes():
    html = estimator_html_repr(RejectingClassifier(DistanceNetClassifier()))
    for kind in (RejectingClassifier, DistanceNetClassifier):
        assert f"/en/v{__version__}/api/skdistnet.{kind.__name__}.html" in html
