"""Numbers and names as the report shows them."""

import math

import pytest

from skdistnet.compare import formats


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (formats.decimal, 0.98765, "0.988"),
        (formats.decimal, -0.0001, "0.000"),
        (formats.decimal, None, formats.NO_VALUE),
        (formats.decimal, math.inf, formats.NO_VALUE),
        (formats.signed, 0.0104, "+0.010"),
        (formats.signed, -0.0104, f"{formats.MINUS}0.010"),
        (formats.signed, 0.0001, "0.000"),
        (formats.significant, 1234.5, "1,200"),
        (formats.significant, 9.96, "10"),
        (formats.significant, 0, "0"),
        (formats.significant, -1.5e-7, f"{formats.MINUS}1.5e{formats.MINUS}07"),
        (formats.plain, 250000.0, "250,000"),
        (formats.plain, 0.5, "0.5"),
        (formats.duration, 0.00042, "0.42 ms"),
        (formats.duration, 0.9999, "1.0 s"),
        (formats.duration, 75, "1.2 min"),
        (formats.duration, 86400, "24 h"),
        (formats.duration, math.nan, formats.NO_VALUE),
        (formats.file_size, 340_000, "340 kB"),
        (formats.percent, 0.8, "80 %"),
        (formats.percent, 1.0, "100 %"),
        (formats.percent, 0.9954, "99.5 %"),
        (formats.percent, 0.99999, "> 99.9 %"),
        (formats.percent, 0.00001, "< 0.1 %"),
        (formats.measure, "R^2", "R²"),
    ],
)
def test_numbers_are_shown(function, value, text):
    assert function(value).replace(formats.SPACE, " ") == text


def test_clean_leaves_one_printable_line():
    assert formats.clean("a\n b\x00\ud800\t$x$") == "a b\ufffd\ufffd $x$"


def test_long_names_end_with_an_ellipsis():
    assert formats.shorten("word " * 20, 10) == "word word…"
    assert formats.shorten("word", 4) == "word"
