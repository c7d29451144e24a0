"""Fitted estimators as a Python file that needs NumPy only, with their numbers beside it."""

from pathlib import Path

import numpy as np
from sklearn.base import is_classifier

from .._targets.labels import MultilabelCodec, SingleLabelCodec
from .._version import __version__
from ..engine.input_scaling import KNEE, largest_square_root
from ..engine.quantile_map import QuantileMap
from ..inspection._fitted_net import check_members

NETWORK = '''"""{name} of {n_features} features, written by skdistnet {version}; needs NumPy."""

from pathlib import Path

import numpy as np

with np.load(Path(__file__).with_suffix(".npz")) as stored:
    FILE = {{name: stored[name] for name in stored}}
NETS = [{{k.split(".")[1]: FILE[k] for k in FILE if k.startswith(f"{{i}}.")}} for i in range({n})]
ACTIVATIONS = {{{activations}}}


def raw_output(X, net):
    """Return the output of the last layer: -1/2 squared distances, or affine."""
    x, dtype = np.asarray(X, dtype=np.float64), net["dtype"].dtype
    if x.shape[1:] != ({n_features},):
        raise ValueError(f"X must have the shape (n_rows, {n_features}); got {{x.shape}}.")
    z = (x - net["shift"]) / net["scale"]
{maps}    x = z = np.clip(z, -net["bound"], net["bound"]).astype(dtype)
    w, missing = np.ones((1, x.shape[1]), dtype), np.isnan(x)
    if "centroids0" in net and missing.any():  # distances over observed inputs, scaled up
        x, missing = np.where(missing, 0, x), missing & ~missing.all(axis=1, keepdims=True)
        z, w = x, (~missing / np.mean(~missing, axis=1, keepdims=True)).astype(dtype)
    for k, activation in enumerate(net["activations"]):
        if f"centroids{{k}}" in net:
            c, r = (net[f"{{name}}{{k}}"].astype(dtype) for name in ("centroids", "inverse_radii"))
            z, c = z - c.mean(axis=0), c - c.mean(axis=0)  # smaller numbers, the same distances
            r2, r2c = np.broadcast_to(r * r, c.shape), r * r * c
            z = (w * z) @ r2c.T - ((w * z * z) @ r2.T + w @ (r2c * c).T) / 2
            z = np.minimum(z, 0)
        else:
            z = z @ net[f"coefs{{k}}"].astype(dtype) + net[f"intercepts{{k}}"].astype(dtype)
        z = ACTIVATIONS[activation](z)
        w = np.ones((1, z.shape[1]), dtype)
    return z + x @ net["linear_coefs"] if "linear_coefs" in net else z
'''

RANKS = """    if "ranks" in net:  # as normal scores; a straight line beyond the training data
        inside = np.clip(x, net["values"][0], net["values"][-1])
        ranks = [np.interp(*t) for t in zip(inside.T, net["values"].T, net["ranks"].T)]
        z = (x - inside) / net["scale"]
        z = np.stack(ranks, axis=1) + np.where(net["far_out"], np.arcsinh(z), z)
"""
COMPRESSED = """    if "ranks" not in net:  # logarithms of values far out
        far = np.copysign({knee} + np.arcsinh(np.abs(z) - {knee}), z)
        z = np.where(net["far_out"] & (np.abs(z) > {knee}), far, z)
"""
WEIGHTED = """    z = z * net["weights"]
"""
PROJECTED = """    z = np.nan_to_num(np.clip(z, -net["bound"], net["bound"])) @ net["components"]
"""

ACTIVATIONS = {
    "cauchy": "lambda u: 1 / (1 - 2 * u)",
    "distance": "lambda u: u",
    "gaussian": "np.exp",
    "identity": "lambda z: z",
    "logistic": "lambda z: (1 + np.tanh(z / 2)) / 2",
    "relu": "lambda z: np.maximum(z, 0)",
    "tanh": "np.tanh",
}

CLASSIFICATION = '''

def predict_proba(X):
    """Return the probabilities of the classes{form}, averaged over the nets."""
    outputs = []
    for z in zip(*(np.split(raw_output(X, net), {ends}, axis=1) for net in NETS)):
        e = np.exp(z - np.max(z, axis=2, keepdims=True))
        outputs.append(np.mean(e / e.sum(axis=2, keepdims=True), axis=0))
    return {probabilities}


def predict(X):
    """Return the most probable classes."""
    p = predict_proba(X)
    return {labels}
'''

REGRESSION = '''

def predict(X):
    """Return predictions, averaged over the nets."""
    outputs = []
    for z in (raw_output(X, net) for net in NETS):
{link}        outputs.append(z)
    y = np.mean(outputs, axis=0, dtype=np.float64)
    y = np.clip(y * FILE["scale"] + FILE["shift"], -FILE["largest"], FILE["largest"])
    return y.astype(FILE["largest"].dtype){shape}
'''

EXPONENTIAL = """        with np.errstate(over="ignore"):  # finite, however far out
            z = np.minimum(np.exp(z), np.finfo(z.dtype).max)
"""
CUMULATIVE = """        gaps = np.logaddexp(0, z[:, 1:])  # positive, so quantiles never cross
        z = np.cumsum(np.concatenate([z[:, :1], gaps], axis=1), axis=1)
"""

LINKS = {"identity": "", "exp": EXPONENTIAL, "cumulative_softplus": CUMULATIVE}


def to_numpy(estimator, path):
    """Write a fitted net or ensemble as a Python file that needs NumPy only.

    The file has the functions `predict` and, for classifiers, `predict_proba`. Its numbers are in a
    .npz file beside it, without pickles. Copy both to a machine without scikit-learn, or read them:
    they are the whole model, in at most 60 lines.

    Parameters
    ----------
    estimator : DistanceNetClassifier, DistanceNetRegressor or an ensemble of them
        Fitted to numbers, which may have missing values: any kernels, radius types, layers, losses
        and targets.
    path : str or path-like
        Of the file to write, which ends in ".py". Existing files are replaced.

    Returns
    -------
    path : pathlib.Path
        The file; the numbers have the same name with ".npz".

    Raises
    ------
    TypeError, sklearn.exceptions.NotFittedError
        For other estimators, and before the fit.
    ValueError
        For columns of categories, labels that are neither numbers nor strings, and for another
        ending of `path`.

    See Also
    --------
    to_onnx : A model for other languages and for columns of categories.

    Notes
    -----
    The file checks the shape of X only: infinite values count as far away but finite, and a net
    whose first layer is not a distance layer, with which `predict` refuses NaN, returns NaN.

    Examples
    --------
    >>> import runpy, tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.export import to_numpy
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier(max_iter=5, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = to_numpy(net, Path(folder, "iris.py"))
    ...     model = runpy.run_path(path)
    >>> bool(np.allclose(model["predict_proba"](X), net.predict_proba(X)))
    True
    """
    path, members = Path(path), check_members(estimator, "to_numpy")
    if path.suffix != ".py":
        raise ValueError(f"The 'path' parameter of to_numpy must end in '.py'; got {str(path)!r}.")
    if members[0]._levels_ is not None:
        raise ValueError(
            f"to_numpy takes nets of numbers only, and this {type(estimator).__name__} has columns "
            "of categories: convert it with to_onnx."
        )
    arrays = {
        f"{number}.{name}": array
        for number, net in enumerate(members)
        for name, array in arrays_of_net(net).items()
    }
    describe = classification if is_classifier(estimator) else regression
    ending, of_target = describe(estimator._codec, members[0]._network.dtype)
    network = NETWORK.format(
        name=type(estimator).__name__,
        n_features=estimator.n_features_in_,
        version=__version__,
        n=len(members),
        activations=activations_of(members),
        maps=lines_of_maps(members),
    )
    np.savez(path.with_suffix(".npz"), **arrays, **of_target)
    path.write_text(network + ending, encoding="utf-8")
    return path


def arrays_of_net(net):
    """Return the numbers of a net by the names that the file reads."""
    input_map, network = net._number_map, net._network
    far_out = np.zeros(input_map.n_columns, dtype=bool)
    far_out[[] if input_map.far_out is None else input_map.far_out] = True
    weights = input_map.feature_weights
    arrays = {
        "shift": input_map.shift,
        "scale": input_map.scale,
        "far_out": far_out,
        "weights": np.ones(1) if weights is None else weights,
        "bound": np.float64(largest_square_root(input_map.n_columns, network.dtype)),
        "dtype": np.zeros(0, network.dtype),
        "activations": np.array([layer.activation or "distance" for layer in network.layers]),
    }
    if isinstance(input_map, QuantileMap):
        arrays |= {"values": input_map.knots[0], "ranks": input_map.knots[1]}
    if input_map.rotates:
        arrays["components"] = input_map.components
    for number, views in enumerate(network.views(net._theta_)):
        coefs = views.pop("linear_coefs", None)
        arrays |= {f"{name}{number}": narrowest(view) for name, view in views.items()}
    if coefs is not None:
        arrays["linear_coefs"] = coefs * network.dtype.type(network.linear_scale)
    return arrays


def activations_of(members):
    """Return the functions that the layers have."""
    layers = [layer for net in members for layer in net._network.layers]
    names = sorted({layer.activation or "distance" for layer in layers})
    for name in names:
        if name not in ACTIVATIONS:
            raise ValueError(f"to_numpy writes the activations {[*ACTIVATIONS]}; got {name!r}.")
    return ", ".join(f'"{name}": {ACTIVATIONS[name]}' for name in names)


def lines_of_maps(members):
    """Return the lines of those steps that the maps of inputs have beyond shift and scale."""
    maps = [net._number_map for net in members]
    ranked = [isinstance(each, QuantileMap) for each in maps]
    far_out = [each.far_out is not None for each in maps]
    steps = [
        (RANKS, any(ranked)),
        (COMPRESSED.format(knee=KNEE), any(np.greater(far_out, ranked))),
        (WEIGHTED, any(each.feature_weights is not None for each in maps)),
        (PROJECTED, any(each.rotates for each in maps)),
    ]
    return "".join(lines for lines, is_needed in steps if is_needed)


def narrowest(array):
    """Return an array in half precision if that is exact, as after `to_half_precision`."""
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.array_equal(half, array) else array


def classification(codec, dtype):
    """Return the end of a classifier's file, and its classes."""
    for classes in codec.columns:
        if not all(isinstance(label, (str, bool, int, float)) for label in classes.tolist()):
            raise ValueError(
                "to_numpy takes labels that are numbers or strings; got the classes "
                f"{classes.tolist()}: turn 'y' into one of these and fit again."
            )
    columns = [np.array(classes.tolist()) for classes in codec.columns]
    form, probabilities = " of each output", "outputs"
    labels = 'np.stack([FILE[f"classes{i}"][q.argmax(axis=1)] for i, q in enumerate(p)], 1)'
    if isinstance(codec, SingleLabelCodec):
        form, probabilities = "", "outputs[0]"
        labels = 'FILE["classes0"][p.argmax(axis=1)]'
    elif isinstance(codec, MultilabelCodec):
        form, probabilities = ", or labels", "np.stack([p[:, 1] for p in outputs], axis=1)"
        columns, labels = [], "(p > 0.5).astype(int)"
    ends = np.cumsum(codec.sizes)[:-1].tolist()
    arrays = {f"classes{number}": classes for number, classes in enumerate(columns)}
    ending = CLASSIFICATION.format(form=form, ends=ends, probabilities=probabilities, labels=labels)
    return ending, arrays


def regression(codec, dtype):
    """Return the end of a regressor's file, and the units of the target."""
    shape = "[:, 0]" if codec.n_dims == 1 and not codec.predicts_levels else ""
    ending = REGRESSION.format(link=LINKS[codec.out_activation], shape=shape)
    varies = codec.n_varied > 0
    largest = np.finfo(codec.prediction_dtype(dtype)).max
    arrays = {
        "scale": codec.scale * varies,
        "shift": np.where(varies, codec.shift, codec.constant),
        "largest": largest,
    }
    return ending, arrays
