"""Numbers as people write them: decimal commas, separated thousands, currency and percent signs."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["find_decimal_mark", "parse_numbers"]

SIGNS = "%$€£¥₹"
AFFIXES = re.compile(rf"([-+\u2212]?)\s*([{SIGNS}]?)\s*(.*?)\s*([{SIGNS}]?)", re.DOTALL)
INFINITY = re.compile(r"[-+]?inf(inity)?", re.IGNORECASE)
#: Other separators of thousands: spaces (also those that do not break) and the Swiss apostrophe.
SPACERS = " \u00a0\u202f'\u2019"


def number_pattern(decimal, thousands):
    """Compile a pattern of numbers with such a decimal mark and separator of thousands."""
    grouped = rf"[1-9]\d{{0,2}}(?P<mark>[{thousands}{SPACERS}])\d{{3}}(?:(?P=mark)\d{{3}})*"
    return re.compile(
        rf"[-+\u2212]?(?:(?:{grouped}|\d+)(?:[{decimal}]\d*)?|[{decimal}]\d+)(?:[eE][-+]?\d+)?",
        re.ASCII,
    )


PATTERNS = {".": number_pattern(".", ","), ",": number_pattern(",", ".")}


def sure_pattern(decimal, thousands):
    """Compile a pattern of numbers in which the decimal mark cannot separate thousands."""
    return re.compile(
        rf"[-+]?(?:\d+[{decimal}](?:\d{{1,2}}|\d{{4,}})|(?:0|\d{{4,}})[{decimal}]\d+"
        rf"|\d{{1,3}}(?:[{thousands}]\d{{3}})+[{decimal}]\d+)",
        re.ASCII,
    )


SURE_COMMA, SURE_POINT = sure_pattern(",", "."), sure_pattern(".", ",")
COMMA = re.compile(r"[-+]?\d+,\d+", re.ASCII)


def find_decimal_mark(cells, separator):
    """Find the decimal mark of a file, "." or ",", from some of its cells."""
    cells = [cell.strip(SIGNS + " ") for cell in cells]
    n_comma, n_point = (
        sum(pattern.fullmatch(cell) is not None for cell in cells)
        for pattern in (SURE_COMMA, SURE_POINT)
    )
    if n_comma or n_point:
        return "," if n_comma > n_point else "."
    # What is left are cells such as 1,234 and 1.234.
    unsure = separator != "," and any(COMMA.fullmatch(cell) for cell in cells)
    return "," if unsure else "."


def parse_number(word, decimal):
    """Return the value of a word, NaN if it is no number, and its currency or percent sign."""
    affixes = AFFIXES.fullmatch(word)
    if affixes is None:
        return np.nan, ""
    minus, before, body, after = affixes.groups()
    if INFINITY.fullmatch(body) and not before + after:
        return float(minus.replace("\u2212", "-") + body), ""
    number = PATTERNS[decimal].fullmatch(body)
    if number is None or (before and after) or (minus and body[0] in "-+\u2212"):
        return np.nan, ""
    if number["mark"]:
        body = body.replace(number["mark"], "")
    text = (minus + body).replace(decimal, ".").replace("\u2212", "-")
    return float(text), before or after


def parse_numbers(words, decimal):
    """Parse words as numbers with a given decimal mark.

    Parameters
    ----------
    words : sequence of str
    decimal : {".", ","}

    Returns
    -------
    values : ndarray of float, shape (n_words,)
        NaN for words that are not numbers.
    sign : str
        The currency or percent sign of all numbers; empty if they have none. If some numbers have
        a sign and others another one, or none, all values are NaN.
    """
    if decimal == "." or not any("." in word for word in words):
        try:
            values = np.array([float(word.replace(decimal, ".")) for word in words])
        except ValueError:
            pass
        else:
            # Python accepts 1_000, which is a code rather than a number.
            return np.where(["_" in word for word in words], np.nan, values), ""
    parsed = [parse_number(word, decimal) for word in words]
    values = np.array([value for value, _ in parsed], dtype=np.float64)
    # Zero is often written without a sign.
    signs = {sign for value, sign in parsed if value != 0 and not np.isnan(value)}
    if len(signs) > 1:
        return np.full(len(values), np.nan), ""
    return values, signs.pop() if signs else ""
