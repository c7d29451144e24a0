"""
Compare a distance net with an MLP on your data
===============================================

This script tunes a distance net and scikit-learn's multi-layer perceptron on your data and compares
them. Both get the same rows, folds, layer sizes, epochs and number of settings to choose from. In
each outer fold a grid search selects a setting on the training rows alone, so that the held-out
rows judge the tuning as well. Half of the distance net's settings are hybrids: a layer of dot
products, then a layer of distances. The grids were chosen after trial runs on digits with other
folds, so scores on digits are slightly optimistic for both::

    python examples/compare_with_mlp.py
    python examples/compare_with_mlp.py --data mine.csv --target price
    python examples/compare_with_mlp.py --data mine.npz      (arrays X and y)

It prints a table and writes a picture. For both, missing values are imputed and columns of strings
are one-hot encoded. The script needs matplotlib, and pandas for a CSV:
``pip install "skdistnet[examples]"``.
"""

import argparse
import importlib.util
import sys
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_validate
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import resample
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

HIDDEN = (64, 64)
INNER_FOLDS = 2
SEED = 4
#: A CSV column of integers with more distinct values than this is a quantity, not a label.
MAX_CLASSES = 20
#: Names of the columns and scikit-learn's scorers; the picture shows the first.
METRICS = {
    "classification": {"accuracy": "accuracy", "log-loss": "neg_log_loss"},
    "regression": {"R^2": "r2", "RMSE": "neg_root_mean_squared_error"},
}
COLORS = {"distance net": "#0072B2", "MLP": "#D55E00"}


class InputError(Exception):
    """The user's input cannot be used, for the reason in the message."""


def one_line(error):
    return " ".join(str(error).split()) or type(error).__name__


def read_npz(path):
    """The arrays X, as a matrix of floats, and y of an .npz file."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in ("X", "y") if name in file}
            names = ", ".join(file.files) or "none"
    except Exception as error:  # a damaged archive may raise any type
        raise InputError(f"{path} cannot be read as .npz: {one_line(error)}") from error
    if len(arrays) < 2:
        raise InputError(f"{path} must hold arrays X and y; its arrays: {names}")
    X, y = arrays["X"], arrays["y"]
    if X.dtype.kind not in "biuf" or y.dtype.kind not in "biufU":
        raise InputError(f"X must hold numbers, y numbers or strings; got {X.dtype} and {y.dtype}")
    if 0 in (X.ndim, y.ndim, X.size) or y.size != len(y):
        raise InputError(f"X must be a table, y one value a row; got shapes {X.shape}, {y.shape}")
    if len(X) != len(y):
        raise InputError(f"X and y differ in length: {len(X)} and {len(y)} rows")
    return X.reshape(len(X), -1).astype(np.float64), y.ravel()


def read_csv(path, target):
    """The other columns as a data frame, and the column `target` as an array."""
    try:
        import pandas as pd
    except ImportError as error:
        raise InputError("a CSV needs pandas: pip install 'skdistnet[examples]'") from error
    try:
        frame = pd.read_csv(path, low_memory=False)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise InputError(f"{path} cannot be read as CSV: {one_line(error)}") from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path} cannot be read as CSV: rows have more cells than the header")
    if target not in frame.columns:
        problem = "--target is missing" if target is None else f"there is no column {target!r}"
        raise InputError(f"{problem}; columns of {path}: {', '.join(frame.columns)}")
    y = frame.pop(target)
    if not len(frame.columns):
        raise InputError(f"{path} has no column but the target {target!r}")
    if y.isna().any():
        raise InputError(f"the target {target!r} is missing in {y.isna().sum()} of {len(y)} rows")
    for name in frame.select_dtypes(exclude="number"):  # booleans count as strings
        frame[name] = frame[name].astype(object).map(str, na_action="ignore").astype(object)
    if y.dtype.kind not in "iuf":
        return frame, y.map(str).to_numpy(dtype=np.str_)
    labels = y.nunique() <= MAX_CLASSES and (y % 1 == 0).all()
    return frame, y.to_numpy(dtype=np.int64 if labels else np.float64)


def load_data(path, target):
    """X, y and a name to print; without a path, digits."""
    if path is None:
        X, y = load_digits(return_X_y=True)
        return X, y, "digits"
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if path.suffix.lower() == ".npz":
        return *read_npz(path), path.name
    if path.suffix.lower() == ".csv":
        return *read_csv(path, target), path.name
    raise InputError(f"--data must end in .npz or .csv; got {path}")


def choose_task(y, task):
    """The task, inferred from the dtype of y if it is "auto", and y in a dtype that suits it."""
    fractional = y.dtype.kind == "f"
    if fractional and not np.all(np.isfinite(y)):
        raise InputError(f"the target is NaN or infinite in {np.sum(~np.isfinite(y))} rows")
    if task == "auto":
        task = "regression" if fractional else "classification"
    if task == "regression" and y.dtype.kind == "U":
        raise InputError("regression needs a target of numbers; this one holds strings")
    if task == "classification" and fractional and np.any(y != np.round(y)):
        raise InputError("classification needs labels; the target holds fractions")
    dtype = np.float64 if task == "regression" else np.int64 if fractional else y.dtype
    return task, y.astype(dtype)


def check_data(X, y, task, n_folds):
    """Raise InputError for data that cannot be cross-validated."""
    numbers = X.select_dtypes("number").to_numpy() if hasattr(X, "iloc") else X
    if np.isinf(numbers).any():
        raise InputError("the columns hold infinite values")
    if len(y) < (least := max(20, 4 * n_folds)):
        raise InputError(f"{len(y)} rows are too few: at least {least} are needed")
    values, counts = np.unique(y, return_counts=True)
    if len(values) < 2:
        noun = "class" if task == "classification" else "value"
        raise InputError(f"the target has a single {noun}: {values[0]}")
    least = max(n_folds, 2 * INNER_FOLDS)
    if task == "classification" and counts.min() < least:
        rarest = f"class {values[counts.argmin()]} has {counts.min()}"
        raise InputError(f"{n_folds} folds need at least {least} rows of each class; {rarest}")


def preparation(X):
    """A transformer that imputes missing numbers and encodes strings."""
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    if not hasattr(X, "iloc"):
        return imputer
    # A missing string is a category of its own; rare and unknown strings share one.
    rare = {"handle_unknown": "infrequent_if_exist", "max_categories": 20}
    encoder = OneHotEncoder(**rare, sparse_output=False)
    numbers = make_column_selector(dtype_include="number")
    strings = make_column_selector(dtype_exclude="number")
    return ColumnTransformer([("numbers", imputer, numbers), ("strings", encoder, strings)])


def make_folds(task, n_folds):
    folds = StratifiedKFold if task == "classification" else KFold
    return folds(n_folds, shuffle=True, random_state=SEED)


def make_searches(X, task, max_iter, n_jobs):
    """A grid search for each model, over 8 settings each."""
    common = {"hidden_layer_sizes": HIDDEN, "max_iter": max_iter, "random_state": SEED}
    starts = {"net__init": ["sample", "kmeans"], "net__learning_rate_init": [0.01, 0.03]}
    families = [{"net__activation": ["gaussian"]}, {"net__activation": [("relu", "gaussian")]}]
    if task == "classification":
        net, mlp, prefix = DistanceNetClassifier(**common), MLPClassifier(**common), "net__"
        for family, output_layer in zip(families, ("distance", "linear")):
            family["net__output_layer"] = [output_layer]
    else:
        # The distance net standardises its target itself; the MLP needs a transformer.
        mlp = TransformedTargetRegressor(MLPRegressor(**common), transformer=StandardScaler())
        net, prefix = DistanceNetRegressor(**common), "net__regressor__"
    # The same holds for the inputs.
    net = Pipeline([("prepare", preparation(X)), ("net", net)])
    mlp = Pipeline([("prepare", preparation(X)), ("scale", StandardScaler()), ("net", mlp)])
    # On small data an MLP needs a strong penalty.
    mlp_grid = {
        f"{prefix}activation": ["relu", "tanh"],
        f"{prefix}alpha": [1e-4, 1.0],
        f"{prefix}learning_rate_init": [0.001, 0.003],
    }
    inner = {"cv": make_folds(task, INNER_FOLDS), "n_jobs": n_jobs}
    return {
        "distance net": GridSearchCV(net, [family | starts for family in families], **inner),
        "MLP": GridSearchCV(mlp, mlp_grid, **inner),
    }


def describe(setting):
    """A setting as text, without the names of the pipeline's steps."""
    return ", ".join(f"{name.split('__')[-1]}={setting[name]}" for name in sorted(setting))


def run_fold(search, X, y, task, fold):
    """Tune and refit on the fold's training rows; scores on its held-out rows."""
    metrics = METRICS[task]
    scores = cross_validate(
        search, X, y, cv=[fold], scoring=metrics, return_estimator=True, error_score="raise"
    )
    fitted = scores["estimator"][0]
    net = fitted.best_estimator_["net"]
    score, loss = (scores[f"test_{name}"][0] for name in metrics)
    return {
        **dict(zip(metrics, (score, -loss))),  # scikit-learn's scorers negate losses
        "fit time (s)": fitted.refit_time_,
        "setting": describe(fitted.best_params_),
        "loss_curve": getattr(net, "regressor_", net).loss_curve_,
    }


def compare(searches, X, y, task, n_folds):
    """Results of each model, a row for each fold; prints the progress."""
    start = perf_counter()
    results = {name: [] for name in searches}

    def report(text):
        print(f"{perf_counter() - start:5.0f} s  {text}", flush=True)

    main_metric = next(iter(METRICS[task]))
    for number, fold in enumerate(make_folds(task, n_folds).split(X, y), start=1):
        for name, search in searches.items():
            where = f"fold {number} of {n_folds}  {name:12}"
            report(f"{where}  tries 8 settings on {len(fold[0])} rows")
            row = run_fold(search, X, y, task, fold)
            results[name].append(row)
            report(f"{where}  {main_metric} {row[main_metric]:.4f} with {row['setting']}")
    return results


def print_results(results, task):
    """Print means and standard deviations, and the difference in each fold."""
    columns = (*METRICS[task], "fit time (s)")
    print("\n" + " " * 12 + "".join(f"{title:>22}" for title in columns))
    print(" " * 12 + f"{'mean':>14}{'std':>8}" * len(columns))
    for name, rows in results.items():
        values = [[row[title] for row in rows] for title in columns]
        cells = (f"{np.mean(v):14.4f}{np.std(v, ddof=1):8.4f}" for v in values)
        print(f"{name:12}" + "".join(cells))
    ours, theirs = results.values()
    gaps = (f"{one[columns[0]] - other[columns[0]]:+.4f}" for one, other in zip(ours, theirs))
    print(f"\n{columns[0]}, distance net minus MLP, fold by fold: {', '.join(gaps)}")


def draw(results, metric, title, path):
    """Draw the loss curves of the refitted models beside the scores of the folds."""
    # A Figure without pyplot needs no display and does not touch the user's backend.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    figure.suptitle(title)
    losses, scores = figure.subplots(1, 2, width_ratios=(3, 2))
    for pair in zip(*results.values()):
        scores.plot([0, 1], [row[metric] for row in pair], color="0.8", lw=1)
    for position, (name, rows) in enumerate(results.items()):
        color = COLORS[name]
        for row in rows:
            epochs = np.arange(1, len(row["loss_curve"]) + 1)
            label = name if row is rows[0] else None
            losses.plot(epochs, row["loss_curve"], color=color, alpha=0.7, lw=1.3, label=label)
        values = [row[metric] for row in rows]
        scores.plot([position] * len(rows), values, "o", color=color, alpha=0.7, ms=7, mew=0)
        mean, align = np.mean(values), ("right", "left")[position]
        scores.hlines(mean, position - 0.15, position + 0.15, color=color, lw=2.5)
        x = position + (-0.2, 0.2)[position]
        scores.text(x, mean, f"mean\n{mean:.4f}", color=color, ha=align, va="center")
    losses.set(title="Training loss of the best setting of each fold", yscale="log")
    losses.set(xlabel="epoch", ylabel="loss (with penalty, or of smoothed labels)")
    losses.legend(frameon=False)
    scores.set(title="Held-out score of each fold", ylabel=metric)
    scores.set(xlim=(-0.75, 1.75), xticks=[0, 1], xticklabels=list(results))
    for axes in (losses, scores):
        axes.grid(axis="y", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150, format="png")


def parse(argv):
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("--data", type=Path, help=".npz file with arrays X and y, or .csv file; default: digits")
    add("--target", help="column of the CSV to predict")
    task_help = f"""auto: regression if the target has fractions or, in a CSV, more than
        {MAX_CLASSES} distinct integers; else classification; default: %(default)s"""
    add("--task", choices=["auto", "classification", "regression"], default="auto", help=task_help)
    add("--max-rows", type=int, default=2000, help="random rows at most; default: %(default)s")
    add("--folds", type=int, default=4, help="outer folds; default: %(default)s")
    add("--max-iter", type=int, default=60, help="epochs of each fit; default: %(default)s")
    add("--n-jobs", type=int, default=2, help="fits at a time; default: %(default)s")
    add("--output", type=Path, default="compare_with_mlp.png", help="PNG file to write")
    return parser.parse_args(argv)


def check_arguments(args):
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("the picture needs matplotlib: pip install 'skdistnet[examples]'")
    if args.folds < 2 or args.max_iter < 1 or args.max_rows < 1 or args.n_jobs == 0:
        raise InputError("--folds must be 2 or more, --max-iter and --max-rows 1, --n-jobs not 0")
    if not args.output.parent.is_dir() or args.output.is_dir():
        raise InputError(f"--output must be a file in an existing folder; got {args.output}")


def run(args):
    check_arguments(args)
    X, y, name = load_data(args.data, args.target)
    task, y = choose_task(y, args.task)
    n_rows = len(y)
    if n_rows > args.max_rows:
        X, y = resample(X, y, replace=False, n_samples=args.max_rows, random_state=SEED)
    check_data(X, y, task, args.folds)
    what = f"classification, {len(np.unique(y))} classes" if task == "classification" else task
    drawn = f" drawn at random from {n_rows} (--max-rows)" if len(y) < n_rows else ""
    print(f"{name}: {what}, {len(y)} rows{drawn}, {X.shape[1]} columns", flush=True)
    searches = make_searches(X, task, args.max_iter, args.n_jobs)
    # Both get the same epochs on purpose, so a warning that more might help is no news. A single
    # BLAS thread for both keeps the fit times comparable.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        results = compare(searches, X, y, task, args.folds)
    print_results(results, task)
    try:
        draw(results, next(iter(METRICS[task])), f"Distance net and MLP on {name}", args.output)
    except OSError as error:
        raise InputError(f"the picture cannot be written: {one_line(error)}") from error
    print(f"\nPicture: {args.output}")


def main(argv=None):
    try:
        run(parse(argv))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
