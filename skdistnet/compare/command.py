"""The command ``compare``: the order of its steps."""

import platform
from time import perf_counter

import sklearn
from joblib import cpu_count

from .._version import __version__
from .arguments import check_arguments
from .evaluation import Failure, Job, Stopped, metric_names, on_interrupt, run_jobs, stop
from .inspection import inspect_net, learning_curve_jobs
from .models import make_candidates
from .reading import load_demo, read_table
from .reproduction import code_lines
from .results import Comparison
from .splits import leave_out_rare_classes, make_splits, sample_rows
from .statistics import find_best_other, summarize, verdict
from .table import InputError

__all__ = ["compare"]

#: The demo leaves out the model that takes the longest.
NOT_IN_DEMO = "HistGradientBoosting"
#: The exit code of programs that Ctrl-C ends.
INTERRUPTED = 130


def read(args):
    """Return the table of the arguments, and the Python call that returns it."""
    if args.demo:
        return load_demo(), "load_demo()"
    options = {"task": args.task, "groups": args.groups, "time": args.time}
    table = read_table(args.file, args.target, **options)
    options |= {"task": None if args.task == "auto" else args.task}
    given = {"target": args.target, **options}
    arguments = [f"{key}={value!r}" for key, value in given.items() if value is not None]
    return table, f"read_table({', '.join([repr(args.file), *arguments])})"


def prepare(args):
    """Return a comparison that is ready to run, its candidates, and the call that reads it."""
    table, reading = read(args)
    table = sample_rows(table, args.max_rows, args.random_state)
    table = leave_out_rare_classes(table, args.folds)
    splits, description = make_splits(table, args.folds, args.repeats, args.random_state)
    candidates = make_candidates(
        table, tune=args.tune, ensemble=args.ensemble, random_state=args.random_state
    )
    if args.demo:
        del candidates[NOT_IN_DEMO]
    score_name, loss_name = metric_names(table, splits)
    of_classes = table.is_classification
    comparison = Comparison(
        table=table,
        ours=next(iter(candidates)),
        models=list(candidates),
        descriptions={name: one.description for name, one in candidates.items()},
        splits=splits,
        split_description=description,
        score_name=score_name,
        loss_name=loss_name,
        calibration_name="calibration error" if of_classes else "calibration slope",
        settings=describe_run(args, candidates),
    )
    return comparison, candidates, reading


def describe_run(args, candidates):
    """Return what the page says about the settings of a run."""
    grids = {
        f"{name} chooses from": "; ".join(map(str, one.grid))
        for name, one in candidates.items()
        if one.grid
    }
    return {
        "command": args.command_line,
        "versions": f"skdistnet {__version__}, scikit-learn {sklearn.__version__}, "
        f"Python {platform.python_version()}",
        "random state": str(args.random_state),
        "processes": f"{n_processes(args)}, one thread each",
        **grids,
    }


def n_processes(args):
    return args.n_jobs or cpu_count()


def evaluate(comparison, jobs, title, args):
    """Run jobs with a progress bar, and yield results as they arrive."""
    from .progress import Progress

    n_jobs, name = n_processes(args), comparison.score_name
    models = [job.candidate.name for job in jobs]
    run = {"n_jobs": n_jobs, "random_state": args.random_state}
    with Progress(title, models, n_jobs) as progress:
        for job, result, seconds in run_jobs(jobs, comparison.table, name, **run):
            failed = isinstance(result, Failure)
            text = f"failed: {result}" if failed else f"{name} {result.score:.3f}"
            progress.finish(job.candidate.name, seconds, f"{job.candidate.name}: {text}")
            yield job, result


def compare_models(comparison, candidates, args):
    """Evaluate all models on all splits, or as many as there are until Ctrl-C."""
    jobs = [
        Job(candidate, number, train, held_out, number == 0 and name == comparison.ours)
        for number, (train, held_out) in enumerate(comparison.splits)
        for name, candidate in candidates.items()
    ]
    title = f"comparing {len(candidates)} models on {len(comparison.splits)} splits"
    try:
        with on_interrupt(stop):
            for job, result in evaluate(comparison, jobs, title, args):
                if isinstance(result, Failure):
                    comparison.failures[job.candidate.name] = str(result)
                else:
                    comparison.results.append(result)
    except Stopped:
        comparison.interrupted = True


def look_into_net(comparison, candidates, args):
    """Inspect the net of the first split, unless it is missing or this is interrupted."""
    if comparison.interrupted or all(one.estimator is None for one in comparison.results):
        return
    other = find_best_other(comparison)
    of_curves = [comparison.ours, *([other.model] if other else [])]
    seed = args.random_state
    jobs = learning_curve_jobs(comparison, [candidates[name] for name in of_curves], seed)
    try:
        with on_interrupt(stop):
            found = [result for _, result in evaluate(comparison, jobs, "learning curves", args)]
            found = [result for result in found if not isinstance(result, Failure)]
            comparison.inspection = inspect_net(comparison, found, seed)
    except Stopped:
        comparison.interrupted = True


def compare(args):
    """Run the command and return its exit code.

    Raises
    ------
    InputError
        Before any model is trained.
    """
    start = perf_counter()
    check_arguments(args)
    from .printing import print_data, print_results

    comparison, candidates, reading = prepare(args)
    print_data(comparison)
    compare_models(comparison, candidates, args)
    if not comparison.results:
        return report_nothing(comparison)
    comparison.summaries = summarize(comparison)
    comparison.verdict = verdict(comparison)
    print_results(comparison)
    if args.report:
        look_into_net(comparison, candidates, args)
        comparison.code = code_lines(comparison, candidates, reading)
        comparison.seconds = perf_counter() - start
        write_report(comparison, args.report)
    return INTERRUPTED if comparison.interrupted else 0


def report_nothing(comparison):
    """Print why there is no result, and return the exit code."""
    for model, message in comparison.failures.items():
        print(f"{model} failed: {message}")
    print("Interrupted before the first result." if comparison.interrupted else "No result.")
    return INTERRUPTED if comparison.interrupted else 1


def write_report(comparison, path):
    """Write the page and print where it is."""
    from .report.page import write_page

    try:
        write_page(comparison, path)
    except OSError as error:
        raise InputError(f"--report {path} cannot be written: {error.strerror}") from error
    print(f"\nReport: {path.resolve()}")
