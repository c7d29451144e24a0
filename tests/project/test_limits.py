"""docs/limits.md is correct, for this package and for scikit-learn's estimators beside it."""

import inspect
import pickle
import re
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import skl2onnx
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import get_tags

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetRegressor,
    RecurrentDistanceNetClassifier,
)
from skdistnet.export import register_converters

ROOT = Path(__file__).parents[2]
X, Y = load_iris(return_X_y=True)
NUMBERS_X, NUMBERS = (part[:150] for part in load_diabetes(return_X_y=True))
FRACTIONAL = Y + 0.5
COLORS = ["red", "green", "blue"] * 50
DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"] * 50

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Training (was )?interrupted"),
]


@dataclass
class Library:
    """A classifier and a regressor with the same quick settings."""

    classifier: BaseEstimator
    regressor: BaseEstimator


def quick(*kinds, **options):
    return Library(*(kind(max_iter=5, random_state=0, **options) for kind in kinds))


LIBRARIES = {
    "skdistnet": quick(DistanceNetClassifier, DistanceNetRegressor),
    "MLP": quick(MLPClassifier, MLPRegressor),
    "HistGB": quick(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
}

# How a cell is decided ----------------------------------------------------------------------------


def setting(name, of="classifier"):
    """Check for a constructor parameter whose name contains `name`."""
    return lambda library: any(name in known for known in getattr(library, of).get_params())


def argument(method, name):
    def check(library):
        function = getattr(library.classifier, method, None)
        return function is not None and name in inspect.signature(function).parameters

    return check


def attribute(name):
    return lambda library: hasattr(library.classifier, name)


def fitted_attribute(name):
    return lambda library: hasattr(clone(library.classifier).fit(X, Y), name)


def accepts(X, y, of="classifier", **options):
    """Check that such data can be fitted, and that predictions have the shape of y."""

    def check(library):
        try:
            net = clone(getattr(library, of)).set_params(**options).fit(X, y)
        except (ValueError, TypeError):
            return False
        return net.predict(X).shape == np.shape(y)

    return check


def accepts_column(values, dtype):
    """Check that a data frame with such a column can be fitted."""

    def check(library):
        import pandas as pd

        frame = pd.DataFrame({"number": X[:, 0], "other": pd.Series(values).astype(dtype)})
        return accepts(frame, Y)(library)

    return check


def loss(name):
    return accepts(NUMBERS_X, np.abs(NUMBERS), of="regressor", loss=name)


def scale_does_not_matter(library):
    first, second = (clone(library.classifier).fit(X * unit, Y) for unit in (1.0, 1024.0))
    return np.allclose(first.predict_proba(X), second.predict_proba(X * 1024.0), atol=1e-6)


def computes_in_single_precision(library):
    return clone(library.regressor).fit(X.astype("f"), Y).predict(X.astype("f")).dtype == "f"


def names_are_checked(library):
    import pandas as pd

    net = clone(library.classifier).fit(pd.DataFrame(X, columns=list("abcd")), Y)
    with pytest.raises(ValueError, match="feature names"):
        net.predict(pd.DataFrame(X, columns=list("abce")))
    return True


def best_epoch_comes_back(library):
    """Check that a fit continued past its best epoch equals one that ended there."""
    noise = np.random.default_rng(0).normal(size=(200, 5))
    target = np.random.default_rng(1).integers(0, 2, 200)
    options = {"early_stopping": True, "n_iter_no_change": 8, "max_iter": 60, "random_state": 0}
    if "learning_rate_init" in library.classifier.get_params():
        options |= {"learning_rate": "constant", "learning_rate_init": 0.01}
    net = clone(library.classifier).set_params(**options, tol=0.0).fit(noise, target)
    curve = getattr(net, "validation_loss_curve_", None)
    if curve is None:
        scores = getattr(net, "validation_scores_", None)
        curve = -np.asarray(net.validation_score_[1:] if scores is None else scores)
    best = int(np.argmin(curve)) + 1
    assert best < len(curve)
    ended = clone(net).set_params(max_iter=best).fit(noise, target)
    return np.array_equal(ended.predict_proba(noise), net.predict_proba(noise))


def keeps_what_it_learned(library):
    """Check that a fit interrupted while it prints its progress leaves a usable net."""
    net = clone(library.classifier).set_params(verbose=1, max_iter=20)
    lines = []

    def interrupt(*args, **options):
        lines.append(args)
        if len(lines) == 4:
            raise KeyboardInterrupt

    with patch("builtins.print", interrupt):
        try:
            net.fit(X, Y)
        except KeyboardInterrupt:
            return False
    return net.n_iter_ < 20 and net.predict(X).shape == Y.shape


def quantile_levels(library):
    options = {"loss": "quantile", "quantile": [0.1, 0.9]}
    try:
        net = clone(library.regressor).set_params(**options).fit(NUMBERS_X, NUMBERS)
    except ValueError:
        return False
    return net.predict(NUMBERS_X).shape == (150, 2)


def weighs_classes(library):
    try:
        clone(library.classifier).set_params(class_weight="balanced").fit(X, Y)
    except ValueError:
        return False
    return True


def pickles(library):
    net = clone(library.classifier).fit(X, Y)
    return np.array_equal(pickle.loads(pickle.dumps(net)).predict_proba(X), net.predict_proba(X))


def converts_to_onnx(library):
    """Return None where skl2onnx lags behind scikit-learn, as for trees in 1.9."""
    register_converters()
    net = clone(library.classifier).fit(X, Y)
    try:
        return bool(skl2onnx.to_onnx(net, X[:1].astype(np.float32)).graph.node)
    except (RuntimeError, ValueError):
        return None if library is LIBRARIES["HistGB"] else False


def repeats_itself(library):
    first, second = (clone(library.classifier).fit(X, Y).predict_proba(X) for _ in range(2))
    return np.array_equal(first, second)


def records_loss(library):
    if hasattr(clone(library.classifier).fit(X, Y), "loss_curve_"):
        return True
    net = clone(library.classifier).set_params(early_stopping=True, scoring="loss").fit(X, Y)
    return "part" if len(net.train_score_) else False


def missing_values(library):
    X_missing = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    every = [library.classifier]
    if "activation" in library.classifier.get_params():
        every.append(clone(library.classifier).set_params(activation="relu"))
    actual = {accepts(X_missing, Y)(Library(kind, None)) for kind in every}
    return "part" if len(actual) == 2 else actual.pop()


def callbacks(library):
    if isinstance(library.classifier, DistanceNetClassifier):
        return "part" if find_spec("sklearn.callback") else None
    return hasattr(library.classifier, "set_callbacks")


def any_layer(library):
    return "activation" in library.classifier.get_params() and accepts(
        X, Y, activation=["relu", "gaussian"], hidden_layer_sizes=(5, 5)
    )(library)


def recurrent_net(library):
    """Return the package's net for sequences, or the library's own classifier."""
    if isinstance(library.classifier, DistanceNetClassifier):
        return RecurrentDistanceNetClassifier(4, max_iter=2, random_state=0)
    return clone(library.classifier)


def learns_sequences(library):
    """Check that sequences of different lengths can be fitted."""
    sequences = [np.tile(row, (2 + number % 3, 1)) for number, row in enumerate(X)]
    try:
        return recurrent_net(library).fit(sequences, Y).predict(sequences).shape == Y.shape
    except (ValueError, TypeError):
        return False


def has_recurrent_layers(library):
    return hasattr(type(recurrent_net(library)), "state_centroids_")


#: For each row of the tables, a function of a library: True, False, "part", or None if unknown.
def trains_on_clusters(library):
    """Whether the package has the same estimators for Dask."""
    package = library.classifier.__module__.split(".")[0]
    return find_spec(f"{package}.dask") is not None


ROWS = {
    "class weights": weighs_classes,
    "`sample_weight` in `fit`": argument("fit", "sample_weight"),
    "`sample_weight` in `partial_fit`": argument("partial_fit", "sample_weight"),
    "`sample_weight` in `score`": argument("score", "sample_weight"),
    "sparse X": accepts(csr_array(X), Y),
    "missing values": missing_values,
    "categorical features": accepts_column(COLORS, "category"),
    "columns of strings, as they are": accepts_column(COLORS, object),
    "dates": accepts_column(DAYS, "datetime64[ns]"),
    "unscaled features, in any unit": scale_does_not_matter,
    "sequences of any lengths": learns_sequences,
    "several labels per row (multilabel)": accepts(X, np.stack([Y == 1, Y == 2], 1).astype(int)),
    "several columns of labels (multioutput)": accepts(X, np.stack([Y, Y % 2], 1)),
    "several regression targets": accepts(X, np.stack([Y, -Y], 1), of="regressor"),
    "feature names checked": names_are_checked,
    "array API, tensors": lambda library: get_tags(library.classifier).array_api_support,
    "distance layers, and hybrids with dense layers": any_layer,
    "a linear part beside the hidden layers": setting("linear_part"),
    "recurrent layers": has_recurrent_layers,
    "convolution, attention, any module": setting("module"),
    "GPUs": setting("device"),
    "custom losses": loss(lambda y, prediction: abs(y - prediction)),
    "absolute error": loss("absolute_error"),
    "Huber's loss": loss("huber"),
    "Poisson deviance": loss("poisson"),
    "gamma deviance": loss("gamma"),
    "a single quantile": accepts(NUMBERS_X, NUMBERS, of="regressor", loss="quantile", quantile=0.9),
    "several quantiles that never cross": quantile_levels,
    "monotonic constraints": setting("monotonic"),
    "dropout": setting("dropout"),
    "label smoothing": setting("smoothing"),
    "L-BFGS": accepts(X, Y, solver="lbfgs"),
    "single precision throughout": computes_in_single_precision,
    "a validation set of your own": argument("fit", "X_val"),
    "early stopping": setting("early_stopping"),
    "epochs found on part of the rows, training on all": fitted_attribute("trial_"),
    "early stopping by any scorer": accepts(X, Y, early_stopping=True, scoring="f1_macro"),
    "the best epoch is restored": best_epoch_comes_back,
    "several starts, keeping the best": setting("n_init"),
    "`warm_start`": setting("warm_start"),
    "`partial_fit`": attribute("partial_fit"),
    "callbacks": callbacks,
    "Ctrl-C keeps the best result so far": keeps_what_it_learned,
    "one net from data on several machines": trains_on_clusters,
    "checkpoints": setting("checkpoint"),
    "metadata routing": attribute("set_fit_request"),
    "`random_state`: the same fit, bit for bit": repeats_itself,
    "novelty score": attribute("score_samples"),
    "feature relevances of the fitted model": lambda library: any(
        fitted_attribute(name)(library) for name in ("feature_relevances_", "feature_importances_")
    ),
    "curve of the training loss": records_loss,
    "pickle": pickles,
    "conversion to ONNX": converts_to_onnx,
    "hidden activations as features, `set_output`": attribute("set_output"),
}


def tables():
    """Return the cells of docs/limits.md: a dict of columns by row."""
    text = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    actual = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 5 and cells[0]:
            actual[cells[0]] = dict(zip(["skdistnet", "MLP", "skorch", "HistGB"], cells[1:]))
    return actual


CELLS = tables()


def test_every_row_is_checked():
    assert list(CELLS) == list(ROWS)


@pytest.mark.parametrize("column", LIBRARIES)
@pytest.mark.parametrize("row", ROWS)
def test_cell_matches_behaviour(row, column):
    library = LIBRARIES[column]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        actual = ROWS[row](library)
    stated = re.match(r"\[?(yes|no|part)\b", CELLS[row][column])[1]
    if actual is None:
        pytest.skip("cannot be determined with this scikit-learn")
    assert stated == {True: "yes", False: "no"}.get(actual, actual)


@pytest.mark.parametrize("row", CELLS)
def test_own_cell_links_to_existing_test(row):
    link = re.match(
        r'\[(yes|no|part)\]\(\.\./(tests/[\w/]+\.py) "(\w+)"\)', CELLS[row]["skdistnet"]
    )
    source = (ROOT / link[2]).read_text(encoding="utf-8")
    assert re.search(rf"^def {link[3]}\(", source, re.MULTILINE)


@pytest.mark.parametrize("row", CELLS)
def test_skorch_cell_links_to_its_documentation(row):
    assert re.match(
        r"\[(yes|no|part)\]\(https://(skorch\.readthedocs\.io/en/stable/|github\.com/skorch-dev/)",
        CELLS[row]["skorch"],
    )
