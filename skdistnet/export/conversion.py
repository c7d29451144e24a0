"""Conversion of fitted estimators to ONNX, alone or in pipelines of skl2onnx."""

from importlib.util import find_spec

import numpy as np
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.pipeline import Pipeline

from ..classifier import DistanceNetClassifier
from ..ensemble import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
from ..inspection._fitted_net import check_members
from ..regressor import DistanceNetRegressor

ESTIMATORS = (
    DistanceNetClassifier,
    DistanceNetRegressor,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
)
#: Names of options and the values allowed, the default first.
NET_OPTIONS: dict[str, list] = {"score_samples": [False, True], "missing_values": [True, False]}
CLASSIFIER_OPTIONS: dict[str, list] = {
    "zipmap": [True, False, "columns"],
    "raw_scores": [False, True],
    **NET_OPTIONS,
}
#: Operators that the graphs use exist from this opset on.
FIRST_OPSET = 13


def to_onnx(estimator, *, dtype=None, target_opset=None, options=None):
    """Convert a fitted net or ensemble to an ONNX model.

    Parameters
    ----------
    estimator : DistanceNetClassifier, DistanceNetRegressor or an ensemble of them
        Fitted estimator: any kernels, radius types, layers, losses and targets.
    dtype : {"float32", "float64"}, default=None
        Of the numbers in X, and of the computation. None is that of the net.
    target_opset : int or dict, default=None
        Version of the operators, 13 at least; a dict gives one for each domain. None is the latest
        that skl2onnx is tested with.
    options : dict, default=None
        Those that differ from their defaults: "zipmap" (False), True for a list of dicts of
        probabilities, "columns" for an output for each class, both for targets of a single column;
        "raw_scores" (False), whether "probabilities" has the decision function instead, for two
        classes with both signs; "score_samples" (False), whether novelty scores are a further
        output; "missing_values" (True), whether NaN is a missing value. A graph without them is
        smaller, and faster for single rows; rows with NaN then have outputs of NaN. The first three
        are those of skl2onnx.

    Returns
    -------
    model : onnx.ModelProto
        With the input "X", (n_rows, n_features), or one input (n_rows, 1) for each column if some
        are categories: strings, integers, booleans or numbers, as the levels are; in strings "",
        "nan", "NaN", "None" and "<NA>" are missing values. Outputs of classifiers are "label" and
        "probabilities", as of `predict` and `predict_proba` (for several columns of labels a list),
        that of regressors is "variable", of shape (n_rows, n_targets).

    Raises
    ------
    TypeError, sklearn.exceptions.NotFittedError, ImportError
        For other estimators, before the fit, and without the extra ``skdistnet[onnx]``.
    ValueError
        For an unknown dtype or option, an older opset, labels that are neither integers nor
        strings, and for columns and levels that float32 would not keep apart.

    See Also
    --------
    register_converters : For pipelines with other estimators.
    to_numpy : A Python file that needs NumPy only.

    Notes
    -----
    The graph has no validation: infinite values and others beyond the range of the dtype count as
    far away but finite, where `predict` raises a ValueError. A net whose first layer is not a
    distance layer, with which `predict` refuses NaN, returns NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.export import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier(max_iter=5, random_state=0).fit(X, y)
    >>> session = onnxruntime.InferenceSession(to_onnx(net).SerializeToString())
    >>> labels, probabilities = session.run(None, {"X": X})
    >>> bool(np.array_equal(labels, net.predict(X)))
    True
    >>> bool(np.allclose(probabilities, net.predict_proba(X), rtol=1e-12))
    True
    """
    if isinstance(estimator, Pipeline):
        raise TypeError(
            "to_onnx takes a net or an ensemble; got a Pipeline. Call register_converters(), and "
            "skl2onnx.to_onnx with the pipeline and some rows."
        )
    check_members(estimator, "to_onnx")
    register_converters()
    register(type(estimator))  # which may be a subclass
    from skl2onnx import convert_sklearn

    from ._onnx.columns import input_types

    types = input_types(estimator, check_dtype(dtype, estimator))
    check_opset(target_opset)
    defaults = {"zipmap": False} if is_classifier(estimator) else {}
    return convert_sklearn(
        estimator,
        initial_types=types,
        target_opset=target_opset,
        options={id(estimator): defaults | check_options(options, estimator)},
        name=f"ONNX({type(estimator).__name__})",
    )


def register_converters():
    """Register the estimators with skl2onnx, whose `to_onnx` then converts pipelines with them.

    The estimators may be steps of a `Pipeline`, behind a `ColumnTransformer`, in a `GridSearchCV`
    or inside other estimators that skl2onnx converts. The options are those of :func:`to_onnx`, but
    "zipmap" is True by default, as in skl2onnx. The activations of hidden units, `transform`, are
    not converted. A second call changes nothing.

    Raises
    ------
    ImportError
        Without the extra ``skdistnet[onnx]``.

    See Also
    --------
    to_onnx : For a net or an ensemble alone.

    Examples
    --------
    >>> import skl2onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.export import register_converters
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier(max_iter=5, random_state=0)
    >>> pipeline = make_pipeline(PCA(2), net).fit(X, y)
    >>> register_converters()
    >>> model = skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False})
    >>> [output.name for output in model.graph.output]
    ['label', 'probabilities']
    """
    missing = [name for name in ("onnx", "skl2onnx") if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Conversion to ONNX needs the packages {' and '.join(missing)}: install the extra, "
            "pip install 'skdistnet[onnx]'."
        )
    for kind in ESTIMATORS:
        register(kind)


def register(kind):
    """Register a class of estimators with skl2onnx."""
    from skl2onnx import update_registered_converter

    from ._onnx.converter import alias_of, convert, parse, set_output_types

    functions = set_output_types, convert
    options = options_of(kind)
    update_registered_converter(kind, alias_of(kind), *functions, parser=parse, options=options)


def options_of(kind):
    """Return the options of a class of estimators, and the values that each may have."""
    return CLASSIFIER_OPTIONS if issubclass(kind, ClassifierMixin) else NET_OPTIONS


def members_of(estimator):
    """Return the nets of an ensemble, or the net."""
    return getattr(estimator, "estimators_", [estimator])


def check_dtype(dtype, estimator):
    """Return the dtype to convert to: the one that is given, or that of the net."""
    if dtype is None:
        return members_of(estimator)[0]._network.dtype
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = None
    if name not in ("float32", "float64"):
        raise ValueError(
            f"The 'dtype' parameter of to_onnx must be 'float32', 'float64' or None; got {dtype!r}."
        )
    return np.dtype(name)


def check_opset(target_opset):
    """Raise a ValueError if the opset lacks operators that the graphs need."""
    main = target_opset.get("", FIRST_OPSET) if isinstance(target_opset, dict) else target_opset
    if main is not None and main < FIRST_OPSET:
        raise ValueError(
            f"The 'target_opset' parameter of to_onnx must be at least {FIRST_OPSET}; "
            f"got {target_opset!r}."
        )


def check_options(options, estimator):
    """Return the options as a dict; raise a ValueError for one that the estimator does not have."""
    allowed, options = options_of(type(estimator)), dict(options or {})
    for name, value in options.items():
        if name not in allowed or not any(value is each or value == each for each in allowed[name]):
            raise ValueError(
                f"The 'options' parameter of to_onnx takes, for {type(estimator).__name__}, "
                f"{allowed}; got {options}."
            )
    return options
