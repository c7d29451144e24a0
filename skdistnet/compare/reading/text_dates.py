"""Dates as people write them, and the features that a column of dates becomes."""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

__all__ = ["date_features", "parse_dates"]

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
YEAR = r"(?P<year>\d{4}|\d{2})"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
#: The time of day and the offset from UTC. The offset is dropped: features are in local time.
TIME = (
    r"(?:(?:[T,]\s*|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:Z|UTC|GMT|[-+]\d{2}(?::?\d{2})?)?)?"
)
FORMS = [
    re.compile(date + TIME, re.ASCII)
    for date in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?",
        rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark){YEAR}",
        rf"{DAY}[-/ ]*{NAME}[-/, ]*{YEAR}",
        rf"{NAME}[- ]{DAY},?[- ]+(?P<year>\d{{4}})",
        rf"{NAME}[-/, ]+(?P<year>\d{{4}})",
    )
]
#: The form with a day and a month whose order must be found.
TWO_NUMBERS = FORMS[1]


def month_number(name):
    """Return the number of a month's English name or abbreviation; 0 if it is none."""
    name = "sep" if name.lower() == "sept" else name.lower()
    return next((i for i, full in enumerate(MONTHS, 1) if full.startswith(name)), 0)


def to_datetime(match, day_first):
    """Return the date that a form has matched, or None if there is no such day."""
    if match is None:
        return None
    part = match.groupdict()
    year, day = int(part["year"]), part.get("day") or 1
    if len(part["year"]) == 2:
        year += 1900 if year >= 69 else 2000
    if "first" in part:
        day, month = (part["first"], part["other"])[:: 1 if day_first else -1]
    else:
        month = month_number(part["name"]) if "name" in part else part["month"]
    hour, half = int(part["hour"] or 0), part["half"]
    if half:
        hour = hour % 12 + 12 * (half[0] in "pP")
    microsecond = int(f"{part['fraction'] or 0:0<6}"[:6])
    clock = (hour, int(part["minute"] or 0), int(part["second"] or 0), microsecond)
    try:
        return datetime(year, int(month), int(day), *clock)
    except ValueError:
        return None


def is_day_first(matches, default):
    """Return whether days stand before months, and a note that says so."""
    pairs = [(int(m["first"]), int(m["other"])) for m in matches if m is not None]
    evidence = [max(numbers) > 12 for numbers in zip(*pairs)]
    day_first = evidence[0] if any(evidence) else default
    mark = next(m["mark"] for m in matches if m is not None)
    order = mark.join(["dd", "mm", "yyyy"] if day_first else ["mm", "dd", "yyyy"])
    return day_first, f"read as {order}" + ("" if any(evidence) else ", as no day is above 12")


def parse_dates(words, day_first):
    """Parse words as dates, all in the form of the first ones.

    Parameters
    ----------
    words : sequence of str
    day_first : bool
        Whether 01/02/2020 is in February if the other dates leave that open.

    Returns
    -------
    dates : ndarray of datetime64[us], shape (n_words,), or None
        NaT for words that are not dates; None if hardly any of the first words is one.
    note : str
        How the order of day and month was found; empty if the form has a fixed one.
    """
    head = words[:20]
    fits = [sum(form.fullmatch(word) is not None for word in head) for form in FORMS]
    if max(fits) <= 0.8 * len(head):
        return None, ""
    form = FORMS[int(np.argmax(fits))]
    matches, note = [form.fullmatch(word) for word in words], ""
    if form is TWO_NUMBERS:
        day_first = day_first or all(m["mark"] == "." for m in matches if m is not None)
        day_first, note = is_day_first(matches, day_first)
    dates = [to_datetime(match, day_first) for match in matches]
    return np.array(dates, dtype="datetime64[us]"), note


def date_features(name, dates, *, days=True):
    """Compute numbers from dates, each only if it varies.

    Parameters
    ----------
    name : str
        Name of the column of dates.
    dates : ndarray of datetime64[us]
    days : bool
        Whether to include the days since 1970.

    Returns
    -------
    features : dict of str to ndarray of float
        Days since the beginning of 1970, with fractions for the time of day; months from 1;
        weekdays from 0, which is Monday; hours with fractions for minutes.
    """
    missing = np.isnat(dates)
    day, month = dates.astype("datetime64[D]"), dates.astype("datetime64[M]")
    numbers = {
        "month": month.astype(np.int64) % 12 + 1.0,
        "weekday": (day.astype(np.int64) + 3) % 7 + 0.0,
        "hour": (dates - day) / np.timedelta64(1, "h"),
    }
    if days:
        numbers = {"days": (dates - np.datetime64(0, "D")) / np.timedelta64(1, "D"), **numbers}
    varying = {key: value for key, value in numbers.items() if np.ptp(value[~missing]) > 0}
    return {f"{name} ({key})": np.where(missing, np.nan, value) for key, value in varying.items()}
