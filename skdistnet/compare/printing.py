"""What the command prints: the data, the table of models and the verdict."""

from collections import defaultdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as TextTable

from .formats import clean, decimal, duration, file_size, interval, shorten, signed, significant

__all__ = ["print_data", "print_results"]

#: Columns with the same note are listed up to this number.
MAX_NAMES = 3
#: Width of the table where there is no terminal.
WIDTH = 120


def counted(number, noun):
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def quoted(name):
    return repr(clean(name))


def print_data(comparison):
    """Print what is compared, and what reading has changed."""
    table = comparison.table
    task = f"{table.task} of {quoted(table.target)}"
    if table.is_classification:
        task += f" ({len(table.classes)} classes)"
    sizes = f"{counted(len(table.y), 'row')}, {counted(table.X.shape[1], 'feature')}"
    print(f"{clean(table.name)}: {task}, {sizes}")
    for note in table.notes:
        print(f"  {clean(note)}")
    by_note = defaultdict(list)
    for column in table.columns:
        if column.note:
            by_note[column.note].append(quoted(column.name))
    for note, names in by_note.items():
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        print(f"  {', '.join(names[:MAX_NAMES])}{more}: {clean(note)}")
    print(f"  {clean(comparison.split_description)}", flush=True)


def difference_with_interval(summary):
    """Return the difference to ours as text; ours has none."""
    if summary.difference is None:
        return ""
    text = signed(summary.difference)
    if summary.low is None:
        return text
    return f"{text} ({interval(summary.low, summary.high)})"


def table_of_models(comparison):
    """Return the table of models as rich draws it."""
    text = TextTable(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    text.add_column("model", no_wrap=True)
    is_partial = any(one.n_splits < len(comparison.splits) for one in comparison.summaries)
    headings = [
        *(["splits"] if is_partial else []),
        comparison.score_name,
        "difference (95 % interval)",
        comparison.loss_name,
        comparison.calibration_name,
        "fit",
        "1,000 rows",
        "size",
    ]
    for heading in headings:
        text.add_column(heading, justify="right", no_wrap="interval" in heading)
    for one in comparison.summaries:
        loss = decimal(one.loss) if comparison.table.is_classification else significant(one.loss, 3)
        text.add_row(
            one.model,
            *([f"{one.n_splits} of {len(comparison.splits)}"] if is_partial else []),
            decimal(one.score),
            difference_with_interval(one),
            loss,
            decimal(one.calibration),
            duration(one.fit_seconds),
            duration(one.predict_ms / 1000),
            file_size(one.n_bytes),
        )
    return text


def print_results(comparison):
    """Print the table of models and the verdict."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print()
    console.print(table_of_models(comparison))
    console.print()
    for model, message in comparison.failures.items():
        print(f"{model} failed: {shorten(message, 200)}")
    if comparison.interrupted:
        print("Interrupted: the table shows what was done until then.")
    console.print(comparison.verdict, soft_wrap=not console.is_terminal)
