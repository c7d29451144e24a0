"""The report of a comparison."""

import os
import re
import stat
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from comparisons import (
    CHINESE,
    CONSTANT,
    DOLLARS,
    IMAGE,
    LONG,
    RIGHT_TO_LEFT,
    SCRIPT,
    compare,
    draw_table,
    ensemble_comparison,
    hostile_comparison,
    interrupted_comparison,
)

from skdistnet.compare.report import page
from skdistnet.compare.report.model_sections import differences
from skdistnet.compare.report.net_sections import would_more_rows_help
from skdistnet.compare.results import Comparison

VOID = {"meta", "br", "img", "input", "hr", "link"}
SECTIONS = ["models", "data", "trust", "features", "rows", "doubt", "hardest", "cost", "settings"]


class Reader(HTMLParser):
    """Collects elements, the text outside of styles and scripts, and checks the nesting."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.parts = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.parts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.parts).split())

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def values(self, attribute):
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="module")
def comparison():
    return compare(draw_table())


@pytest.fixture(scope="module")
def read(comparison):
    return Reader(page.render(comparison))


@pytest.fixture(scope="module")
def hostile():
    return Reader(page.render(hostile_comparison()))


def test_page_has_all_sections(read, comparison):
    assert set(SECTIONS) <= set(read.values("id"))
    assert comparison.verdict in read.text
    assert "missing, because" not in read.text
    assert read.of("html") == [{"lang": "en"}]
    assert len(read.of("h1")) == 1


def test_table_of_models_shows_all_measures(read, comparison):
    for one in comparison.summaries:
        assert f"{one.score:.3f}" in read.text
    assert "0.43" in read.text or "430" in read.text
    assert "43 kB" in read.text


def test_code_is_shown_as_text(read, comparison):
    assert " ".join(comparison.code.split()) in read.text


def test_page_loads_nothing(read):
    for attribute in ("src", "srcset", "data", "action"):
        assert read.values(attribute) == []
    references = read.values("href") + read.values("xlink:href")
    assert all(one.startswith(("#", "data:image/png;base64,")) for one in references)
    policy = next(one["content"] for one in read.of("meta") if "http-equiv" in one)
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline'; img-src" in policy
    assert "script-src 'sha256-" in policy


def test_identifiers_are_unique(read):
    identifiers = read.values("id")
    assert len(identifiers) == len(set(identifiers))
    assert {one[1:] for one in read.values("href") if one[0] == "#"} <= set(identifiers)


def test_pictures_and_tables_are_described(read):
    assert all(one.get("aria-label") or one.get("aria-hidden") for one in read.of("svg"))
    assert len(read.of("caption")) == len(read.of("table"))
    assert len(read.of("figcaption")) == len(read.of("figure"))


def test_names_of_the_file_are_text(hostile):
    assert len(hostile.of("script")) == 1
    assert hostile.of("img") == []
    assert not any(name.startswith("on") for _, attrs in hostile.elements for name in attrs)
    for name in (SCRIPT, IMAGE, DOLLARS, RIGHT_TO_LEFT, CHINESE):
        assert name in hostile.text


def test_long_names_are_cut(hostile):
    assert LONG.strip() not in hostile.text
    assert LONG.strip() in hostile.values("title")


def test_page_of_regression():
    text = Reader(page.render(compare(draw_table("regression")))).text
    assert "Half of its predictions are off by at most" in text
    assert "R²" in text
    assert "R^2" not in text


def test_page_of_an_ensemble_with_two_classes():
    text = Reader(page.render(ensemble_comparison())).text
    assert "share that is versicolor" in text
    assert "here the first of the ensemble" in text


def test_interrupted_run_says_what_is_missing():
    text = Reader(page.render(interrupted_comparison())).text
    assert "interrupted after 4 of 9 fits" in text
    assert text.count("because the run was interrupted") == 3
    assert "2 of 3 splits" in text
    assert "no interval" in text


def test_run_without_any_result_is_shown(comparison):
    nothing = {"results": [], "summaries": [], "verdict": "", "inspection": None}
    empty = replace(comparison, **nothing, interrupted=True)
    text = Reader(page.render(empty)).text
    assert "No fit was completed" in text


def test_failed_models_are_named(comparison):
    failed = replace(comparison, failures={"MLP": "No <memory>."})
    assert "MLP failed: No <memory>." in Reader(page.render(failed)).text


def test_single_split_has_no_interval():
    assert "no interval" in Reader(page.render(compare(draw_table(), n_splits=1))).text


def test_importances_not_computed_are_dashes(comparison):
    unknown = np.full(len(comparison.inspection.features), np.nan)
    inspection = replace(comparison.inspection, importances=unknown, importances_std=unknown)
    assert "nan" not in Reader(page.render(replace(comparison, inspection=inspection))).text


def test_missing_learning_curves_are_explained(comparison):
    inspection = replace(comparison.inspection, train_sizes=np.array([60]), learning_curves={})
    text = Reader(page.render(replace(comparison, inspection=inspection))).text
    assert "Learning curves are missing, because the table has too few rows" in text


def test_many_columns_are_shortened(comparison):
    table = replace(comparison.table, columns=comparison.table.columns * 150)
    html = page.render(replace(comparison, table=table))
    assert f"{150 * 9 - 12:,} more columns" in html
    assert len(html) < 1_000_000
    assert len(Reader(html).of("tr")) < 100


def test_pages_of_the_same_results_are_equal(comparison):
    assert page.render(comparison) == page.render(comparison)


def test_written_page_is_complete(comparison, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    page.write_page(comparison, path)
    assert path.read_text(encoding="utf-8") == page.render(comparison)
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_keeps_the_old_page(comparison, tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError("no space left")

    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(page.os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        page.write_page(comparison, path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_written_page_has_ordinary_permissions(comparison, tmp_path):
    page.write_page(comparison, tmp_path / "report.html")
    (tmp_path / "other").touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_links_are_kept_when_written(comparison, tmp_path):
    target, link = tmp_path / "page.html", tmp_path / "link.html"
    link.symlink_to(target)
    page.write_page(comparison, link)
    assert link.is_symlink()
    assert target.exists()


def test_model_far_off_does_not_squeeze_others(comparison):
    shown = differences(comparison)
    assert shown["zero"] > 0
    for row in shown["rows"]:
        assert 0 <= row["left"] <= row["right"] <= 100
    rows = {row["summary"].model: row for row in shown["rows"]}
    assert set(rows) == {"random forest", CONSTANT}


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ([0.5, 0.6], "probably help"),
        ([0.6, 0.6], "no sign"),
        ([0.6, 0.599], "no sign"),
        ([0.6, 0.5], "up and down"),
    ],
)
def test_last_gain_says_whether_rows_help(scores, words):
    assert words in would_more_rows_help([10, 20], scores, "accuracy")


def test_gaps_of_histograms_are_kept():
    table = replace(draw_table("regression"), y=np.repeat([1.0, 2.0, 11.0], 30))
    html = page.render(Comparison(table, "net", ["net"], {}, [], "", "R^2", "MAE", "slope"))
    target = html[html.index("Target") :]
    places = re.findall(r'<rect x="(\d+)"', target[: target.index("</svg>")])
    assert places == ["0", "2", "19"]


def test_unknown_gain_says_nothing():
    assert would_more_rows_help([10, 20], [np.nan, 0.5], "accuracy") is None
    assert would_more_rows_help([10], [0.5], "accuracy") is None
