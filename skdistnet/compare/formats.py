"""Numbers and names as the report shows them."""

import math
import re

__all__ = ["clean", "decimal", "duration", "file_size", "interval", "measure"]
__all__ += ["percent", "plain", "shorten", "signed", "significant"]

NO_VALUE, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
#: Characters that XML forbids, and other control characters.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
TIMES = [(0.001, "ms"), (1, "s"), (60, "min"), (3600, "h")]
SIZES = [(1, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB")]


def clean(text):
    """Return `text` in one line, with a mark in place of each unprintable character."""
    return " ".join(UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(text)).split())


def shorten(text, width=40):
    """Return the clean text, cut to `width` characters with an ellipsis."""
    text = clean(text)
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def is_missing(value):
    """Return whether there is no finite number."""
    return value is None or not math.isfinite(value)


def decimal(value, digits=3):
    """Return a number with a fixed number of decimals."""
    if is_missing(value):
        return NO_VALUE
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", MINUS)


def plain(value):
    """Return a number of any kind with up to six digits."""
    return f"{value:,.6g}".replace("-", MINUS)


def signed(value, digits=3):
    """Return a difference with a fixed number of decimals and its sign."""
    sign = "+" if not is_missing(value) and round(value, digits) > 0 else ""
    return sign + decimal(value, digits)


def interval(low, high, digits=3):
    """Return an interval of a difference, with more decimals if these would hide its signs."""
    if low * high > 0:
        while digits < 9 and round(min(abs(low), abs(high)), digits) == 0:
            digits += 1
    return f"{signed(low, digits)} to {signed(high, digits)}"


def significant(value, digits=2):
    """Return a number rounded to significant digits."""
    if is_missing(value):
        return NO_VALUE
    if value == 0:
        return "0"
    value = float(f"{value:.{digits - 1}e}")
    exponent = math.floor(math.log10(abs(value)))
    if not -5 < exponent < 9:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return decimal(value, max(digits - 1 - exponent, 0))


def with_unit(value, units):
    """Return `value` with two significant digits in the largest unit that it reaches."""
    if is_missing(value):
        return NO_VALUE
    size, name = max((unit for unit in units if value >= 0.995 * unit[0]), default=units[0])
    return f"{significant(value / size)}{SPACE}{name}"


def duration(seconds):
    """Return a time with its unit."""
    return with_unit(seconds, TIMES)


def file_size(n_bytes):
    """Return the size of a file with its unit."""
    return with_unit(n_bytes, SIZES)


def percent(share):
    """Return a share in percent, with a decimal close to nothing and close to all."""
    if is_missing(share):
        return NO_VALUE
    if 0 < share < 0.001:
        return f"< 0.1{SPACE}%"
    if 0.999 < share < 1:
        return f"> 99.9{SPACE}%"
    digits = 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0
    return f"{100 * share:.{digits}f}{SPACE}%"


def measure(name):
    """Return the name of a metric as it is printed."""
    return name.replace("^2", "²")
