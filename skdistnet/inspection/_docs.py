"""Texts that docstrings of this package and of the displays share, as ``{name, ax}`` inserts."""

import inspect
import re
from textwrap import indent

SHARED_DOCS = {
    "attributes": """Attributes
----------
ax_ : matplotlib Axes
    Axes of the plot.
figure_ : matplotlib Figure
    Figure of the axes.""",
    "distance_net": """estimator : DistanceNetClassifier or DistanceNetRegressor
    Fitted, with a distance layer as first layer.""",
    "net": """estimator : DistanceNetClassifier or DistanceNetRegressor
    Fitted, by ``fit`` or ``partial_fit``, with layers of any kind.""",
    "net_for_tables_or_sequences": """estimator : a distance net for tables or for sequences
    Fitted, with layers of any kind: DistanceNetClassifier, DistanceNetRegressor,
    RecurrentDistanceNetClassifier or RecurrentDistanceNetRegressor.""",
    "net_or_ensemble": """estimator : a distance net, or an ensemble of them
    Fitted, with layers of any kind: DistanceNetClassifier, DistanceNetRegressor,
    DistanceNetEnsembleClassifier or DistanceNetEnsembleRegressor.""",
    "rows": """X : {array-like, sparse matrix} of shape (n_samples, n_features)
    Rows, such as the training data.""",
    "targets": """y : array-like of shape (n_samples,) or (n_samples, n_targets)
    Their labels or targets.""",
    "features": """features : int, sequence of int or str, or None, default=20
    Number of features to show, the most relevant ones; the features by index or name; or all.""",
    "feature_names": """feature_names : sequence of str, default=None
    Names of the features; None takes those seen in the fit, else x0, x1 and so on.""",
    "image_shape": """image_shape : sequence of two ints, default=None
    Height and width of images that have a feature for each pixel, row by row.""",
    "name": """name : str, default=None
    Name in the legend, to distinguish estimators on the same axes.""",
    "sample_weight": """sample_weight : array-like of shape (n_samples,), default=None
    Non-negative weights of rows; only their ratios matter.""",
    "ax": """ax : matplotlib Axes, default=None
    Axes to draw on; None creates a figure.""",
    "line_kw": """line_kw : dict, default=None
    Keyword arguments for :meth:`matplotlib.axes.Axes.plot`.""",
    "display": """Returns
-------
display : :class:`{own_name}`

Raises
------
ImportError
    If matplotlib is not installed.""",
    "net_errors": """TypeError, sklearn.exceptions.NotFittedError
    For other estimators, and before the fit.""",
    "iris": """Examples
--------
>>> from sklearn.datasets import load_iris
>>> from skdistnet import DistanceNetClassifier
>>> from {own_package} import {own_name}
>>> X, y = load_iris(return_X_y=True, as_frame=True)""",
}


def with_shared_docs(documented, owner=None):
    """Insert shared texts into the docstring of a function, or of a method of the class `owner`."""
    owner = owner or documented

    def shared(match):
        text = "\n".join(SHARED_DOCS[name] for name in match[2].split(", "))
        text = text.replace("{own_name}", owner.__name__)
        package = owner.__module__.rpartition(".")[0]
        return indent(text.replace("{own_package}", package), match[1])

    text = inspect.cleandoc(documented.__doc__ or "")
    documented.__doc__ = re.sub(r"^( *)\{([\w, ]+)\}$", shared, text, flags=re.MULTILINE)
    return documented
