"""What is true of every net that was fitted, whatever it was fitted to, and of every refusal."""

import re
from contextlib import contextmanager

import joblib
import numpy as np

from skdistnet import DistanceNetRegressor

__all__ = ["answers", "as_before_if_refused", "assert_same_answers", "assert_sound"]

#: Why data may be refused, as a user reads it; any other message is an accident.
REASONS = re.compile(
    "|".join(
        [
            r"needs at least 2 rows, of positive weight, to fit; got",
            r"'sample_weight' must not be zero for every row",
            r"sample_weight contains infinity",
            r"X contains (NaN, which \w+ takes for missing only where|infinity)",
            r"Column \d+ of X (reaches|lies around) .*: rescale X or set",
            r"'y' reaches .*, which is too large for",
            r"The target of 'poisson' must be finite and not negative",
            r"early_stopping=True needs a (class of at least two rows|row) to validate on",
            r"'class_weight' and 'sample_weight' must multiply to weights",
            r"'sample_weight' gives the classes weights too far apart",
            r"'y' must be 1-D where 'quantile' is a list",
            r"In the validation set",
            r"must hold none but the classes known",
        ]
    )
)


@contextmanager
def as_before_if_refused(net):
    """A list that holds the reason if the block was refused; the net is then as it was."""
    before, reasons = joblib.hash(vars(net)), []
    try:
        yield reasons
    except ValueError as error:
        if not REASONS.search(str(error)):
            raise AssertionError(f"Not a reason that a user can read: {error}") from error
        assert joblib.hash(vars(net)) == before
        reasons.append(str(error))


def answers(net, rows):
    """All that a net says about rows, by method; lists over outputs stay lists."""
    methods = ["predict"]
    if not isinstance(net, DistanceNetRegressor):
        methods += ["predict_proba", "predict_log_proba", "decision_function"]
    if hasattr(net, "score_samples") and hasattr(net, "novelty_threshold_"):
        methods.append("score_samples")
    return {method: getattr(net, method)(rows) for method in methods}


def assert_same_answers(found, expected):
    """Bit for bit, whatever they are."""
    assert found.keys() == expected.keys()
    for method in found:
        pair = found[method], expected[method]
        for one, other in zip(*pair) if isinstance(pair[0], list) else [pair]:
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other, err_msg=method)


def assert_sound(net, rows, y):
    """Answers to rows, and what was learned of y, are finite and of the right shape and dtype."""
    found, dtype = answers(net, rows), np.dtype(net._network.dtype)
    if isinstance(net, DistanceNetRegressor):
        assert_predictions(net, found["predict"], len(rows), y, dtype)
    else:
        assert_labels(net, found, len(rows), y, dtype)
    if "score_samples" in found:
        scores = found["score_samples"]
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


def assert_labels(net, found, n_rows, y, dtype):
    labels = found["predict"]
    assert labels.shape == (n_rows, *y.shape[1:])
    outputs = zip(*(as_list(found[name]) for name in list(found)[1:4]))
    for number, (probabilities, logarithms, decisions) in enumerate(outputs):
        assert probabilities.dtype == logarithms.dtype == decisions.dtype == dtype
        assert not np.isnan(decisions).any()
        assert (logarithms <= 0).all()
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        if net._label_kind_ == "multilabel":
            assert probabilities.shape == decisions.shape == labels.shape
            continue
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        classes, column = as_list(net.classes_)[number], labels.reshape(n_rows, -1)[:, number]
        assert probabilities.shape == logarithms.shape == (n_rows, len(classes))
        assert column.dtype == classes.dtype
        # Of probabilities that are equal but for rounding, the raw output tells the larger.
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
