"""Properties of every fitted net, and of every error raised for invalid data."""

import re
from contextlib import contextmanager

import joblib
import numpy as np

from skdistnet import DistanceNetRegressor

__all__ = [
    "as_list",
    "assert_same_predictions",
    "assert_sound",
    "predict_all",
    "unchanged_if_refused",
]

#: The messages with which data may be refused; any other error is a bug.
REASONS = re.compile(
    "|".join(
        [
            r"needs at least 2 (rows|sequences), of positive weight, to fit; got",
            r"'sample_weight' must not be zero for every row",
            r"sample_weight contains infinity",
            r"X contains (NaN, which \w+ accepts as missing values only if|infinity)",
            r"Column \d+ of X (reaches|lies around) .*: rescale X or set",
            r"'y' reaches .*, which is too large for",
            r"The target of 'poisson' must be finite and not negative",
            r"early_stopping=True needs a (class of at least two rows|row) to validate on",
            r"'class_weight' and 'sample_weight' must multiply to weights",
            r"'sample_weight' gives the classes weights too far apart",
            r"'y' must be 1-D where 'quantile' is a list",
            r"In the validation set",
            r"Each sequence of X must have at least one step",
            r"early_stopping=True needs at least two sequences",
            r"must hold only the known classes",
            r"out_of_fold=True finds no rows that a member could leave out",
        ]
    )
)


@contextmanager
def unchanged_if_refused(net):
    """Yield a list that receives the message if the block is refused; the net must not change."""
    before, reasons = joblib.hash(vars(net)), []
    try:
        yield reasons
    except ValueError as error:
        if not REASONS.search(str(error)):
            raise AssertionError(f"Not one of the expected messages: {error}") from error
        assert joblib.hash(vars(net)) == before
        reasons.append(str(error))


def predict_all(net, rows):
    """Return the outputs of all prediction methods by name; lists over outputs stay lists."""
    methods = ["predict"]
    if not isinstance(net, DistanceNetRegressor):
        methods += ["predict_proba", "predict_log_proba", "decision_function"]
    if hasattr(net, "score_samples") and hasattr(net, "novelty_threshold_"):
        methods.append("score_samples")
    return {method: getattr(net, method)(rows) for method in methods}


def assert_same_predictions(predictions, expected):
    """Check that all predictions are equal, bit for bit."""
    assert predictions.keys() == expected.keys()
    for method in predictions:
        pair = predictions[method], expected[method]
        for one, other in zip(*pair) if isinstance(pair[0], list) else [pair]:
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other, err_msg=method)


def assert_sound(net, rows, y):
    """Check that predictions and fitted attributes are finite, of the right shape and dtype."""
    predictions, dtype = predict_all(net, rows), np.dtype(net._network.dtype)
    if isinstance(net, DistanceNetRegressor):
        assert_predictions(net, predictions["predict"], len(rows), y, dtype)
    else:
        assert_labels(net, predictions, len(rows), y, dtype)
    if "score_samples" in predictions:
        scores = predictions["score_samples"]
        assert scores.shape == (len(rows),)
        assert (scores <= 0).all()
        assert net.novelty_threshold_ <= 0
    assert_attributes(net, rows.shape[1])


def assert_predictions(net, predicted, n_rows, y, dtype):
    assert predicted.dtype in (dtype, np.float64)
    assert np.isfinite(predicted).all()
    if net.loss == "quantile" and np.ndim(net.quantile):
        assert predicted.shape == (n_rows, len(net.quantile))
        assert (np.diff(predicted, axis=1) >= 0).all()
        return
    assert predicted.shape == (n_rows, *y.shape[1:])
    if net.loss == "poisson":
        assert (predicted >= 0).all()


def assert_labels(net, predictions, n_rows, y, dtype):
    labels = predictions["predict"]
    assert labels.shape == (n_rows, *y.shape[1:])
    outputs = zip(*(as_list(predictions[name]) for name in list(predictions)[1:4]))
    for number, (probabilities, logarithms, decisions) in enumerate(outputs):
        assert probabilities.dtype == logarithms.dtype == decisions.dtype == dtype
        assert not np.isnan(decisions).any()
        assert (logarithms <= 0).all()
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        if net._codec.kind == "multilabel":
            assert probabilities.shape == decisions.shape == labels.shape
            continue
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        classes, column = as_list(net.classes_)[number], labels.reshape(n_rows, -1)[:, number]
        assert probabilities.shape == logarithms.shape == (n_rows, len(classes))
        assert column.dtype == classes.dtype
        # Where probabilities differ by rounding only, the raw output decides.
        chosen = probabilities[np.arange(n_rows), np.searchsorted(classes, column)]
        np.testing.assert_array_equal(chosen, probabilities.max(axis=1))


def as_list(value):
    return value if isinstance(value, list) else [value]


def assert_attributes(net, n_features):
    sizes = n_features, *np.atleast_1d(net.hidden_layer_sizes), net.n_outputs_
    sizes = [int(size) for size in sizes]
    parameters = net.centroids_, net.inverse_radii_, net.coefs_, net.intercepts_
    for n_in, n_out, centroids, radii, coefs, intercepts in zip(sizes, sizes[1:], *parameters):
        if coefs is None:
            assert intercepts is None
            assert centroids.shape == np.broadcast_shapes(centroids.shape, radii.shape)
            assert centroids.shape == (n_out, n_in)
            assert not (radii < 0).any()
        else:
            assert centroids is radii is None
            assert (coefs.shape, intercepts.shape) == ((n_in, n_out), (n_out,))
    assert net.n_features_in_ == n_features
    assert net.n_iter_ == len(net.loss_curve_) <= net.max_iter
    assert np.isfinite(net.loss_curve_).all()
    assert len(net.init_scores_) == net.n_init
