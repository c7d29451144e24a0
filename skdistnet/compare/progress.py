"""Progress of a comparison on the terminal, with an estimate of the time left."""

from collections import Counter, defaultdict
from statistics import fmean
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

__all__ = ["Progress", "TimeLeft", "format_time"]


def format_time(seconds):
    """Return a duration as text: "40 s" or "3 min"."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class TimeLeft:
    """Estimates how long the remaining jobs take from the times of those that are done.

    Parameters
    ----------
    models : list of str
        The model of each job.
    n_jobs : int
        Number of processes.
    """

    def __init__(self, models, n_jobs):
        self.n_jobs = n_jobs
        self.remaining = Counter(models)
        self.times: dict[str, list[float]] = defaultdict(list)
        self.updated = monotonic()

    def finish(self, model, seconds):
        """Count a finished job."""
        self.remaining[model] -= 1
        self.times[model].append(seconds)
        self.updated = monotonic()

    def seconds(self):
        """Return the estimated time left; None as long as a model has not finished any job."""
        waiting = {model: count for model, count in self.remaining.items() if count}
        if any(model not in self.times for model in waiting):
            return None
        means = {model: fmean(self.times[model]) for model in waiting}
        total = sum(count * means[model] for model, count in waiting.items())
        # No job can be divided among processes.
        total = max(total / self.n_jobs, *means.values(), 0.0)
        return max(total - (monotonic() - self.updated), 0.0)

    def __str__(self):
        seconds = self.seconds()
        return "time left: not known yet" if seconds is None else f"{format_time(seconds)} left"


class TimeLeftColumn(ProgressColumn):
    """The time left, counted down between jobs."""

    def __init__(self, time_left):
        super().__init__()
        self.time_left = time_left

    def render(self, task):
        return Text(str(self.time_left))


class Progress:
    """A context that shows finished jobs: a bar on a terminal, otherwise a line for each.

    Parameters
    ----------
    title : str
    models : list of str
        The model of each job.
    n_jobs : int
        Number of processes.
    """

    def __init__(self, title, models, n_jobs):
        self.time_left = TimeLeft(models, n_jobs)
        self.n_models, self.n_done = len(models), 0
        self.console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        self.bar = None
        if self.console.is_terminal:
            text = TextColumn("{task.description}", markup=False)
            columns = BarColumn(), MofNCompleteColumn(), TimeLeftColumn(self.time_left), text
            self.bar = Bar(*columns, console=self.console, transient=True)
            self.task = self.bar.add_task(title, total=len(models))
        else:
            self.console.print(title, soft_wrap=True)

    def __enter__(self):
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_):
        if self.bar:
            self.bar.stop()

    def finish(self, model, seconds, text):
        """Show that a job of a model is done, with a text about its result."""
        self.time_left.finish(model, seconds)
        self.n_done += 1
        if self.bar:
            self.bar.update(self.task, advance=1, description=text)
        else:
            count = f"[{self.n_done} of {self.n_models}]"
            self.console.print(f"{count} {text}; {self.time_left}", soft_wrap=True)
