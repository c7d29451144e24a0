"""Texts of CSV files."""


def lines(header, row, n=60):
    """Return the text of a file with a row for each number below n."""
    return "\n".join([header, *(row(i) for i in range(n))]) + "\n"
