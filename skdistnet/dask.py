"""Distance nets that are trained on a Dask cluster, on data larger than one machine."""

import copy
from inspect import Parameter, signature
from typing import Any, ClassVar

try:
    from dask import is_dask_collection as is_collection

    from ._dask.cluster import Tasks, client_of
    from ._dask.fit import ClusterFit
    from ._dask.prediction import predict_lazily, score_collections
except ImportError as error:
    message = f"skdistnet.dask needs the extra 'dask': pip install 'skdistnet[dask]' ({error})."
    raise ImportError(message) from error

from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._base.callbacks import fit_task, fitted_attributes, with_callbacks
from ._base.checkpoints import check_checkpoint_folder
from ._base.constraints import COUNT, NONE, OneOf, Rule, check_parameter, check_parameters
from ._base.docstrings import describe_parameters
from ._base.tabular import BaseDistanceNet, check_first_layer_is_distance
from ._base.trained import LEARNED
from .classifier import DistanceNetClassifier
from .regressor import DistanceNetRegressor

__all__ = ["DaskDistanceNetClassifier", "DaskDistanceNetRegressor"]

#: Parameters that the estimators have besides those of the local ones.
CLUSTER_PARAMETERS = {"client": None, "n_shards": None, "local_steps": "auto"}


def extend_constructor(cls):
    """Give a class the constructor of its local one, with `CLUSTER_PARAMETERS` at the end."""
    local = signature(cls._local_class.__init__)
    own = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default)
        for name, default in CLUSTER_PARAMETERS.items()
    ]
    extended = local.replace(parameters=[*local.parameters.values(), *own])

    def __init__(self, *args, **kwargs):
        bound = extended.bind(self, *args, **kwargs)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)

    __init__.__signature__ = extended  # type: ignore[attr-defined]
    cls.__init__ = __init__
    return cls


def lazy_method(name, result) -> Any:
    """Return the method that does for Dask collections what the local one of this name does."""

    def method(self, X):
        net = self.to_local()
        return predict_lazily(net, name, X) if is_collection(X) else getattr(net, name)(X)

    method.__name__ = name
    method.__doc__ = f"""Return the {result}, lazily for a Dask collection.

        Parameters
        ----------
        X : dask Array or DataFrame, or array-like, of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        result : dask Array, or ndarray for rows in memory
            In the form of the local estimator's `{name}`, which may be a list. Dask arrays have the
            chunks of X but for empty ones.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As the local method; for a collection, what concerns its rows only when the result is
            computed.
        """
    return method


class DaskDistanceNet(BaseDistanceNet, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """What both estimators have in place of the methods of the local ones.

    They have no `set_output`: scikit-learn would compute lazy results to make data frames of them.
    """

    _local_class: Any
    client: Any
    n_shards: Any
    local_steps: Any
    _cluster_constraints: ClassVar = {
        "client": [Rule("a distributed.Client", lambda value: hasattr(value, "submit")), NONE],
        "n_shards": [COUNT, NONE],
        "local_steps": [OneOf(("auto",)), COUNT],
    }

    @property
    def client_(self):
        """The client of the cluster that is used."""
        return client_of(self)

    def to_local(self):
        """Return the fitted net as an estimator for data in memory.

        It has all parameters but those of the cluster, and copies of all fitted attributes. Save
        it, export it or go on with its `partial_fit`.

        Returns
        -------
        net : DistanceNetClassifier or DistanceNetRegressor

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before the fit.
        """
        check_is_fitted(self)
        return self._as_local(
            {name: value for name, value in fitted_attributes(self).items() if name in LEARNED}
        )

    def _as_local(self, attributes):
        parameters = self.get_params(deep=False)
        own = {name: part for name, part in parameters.items() if name not in CLUSTER_PARAMETERS}
        net = self._local_class(**own)
        vars(net).update(copy.deepcopy(attributes))
        return net

    # Fit ------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the network to data that stay on the workers.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            Rows; a data frame may have columns of categories. Arrays may have unknown chunk sizes.
        y : dask Array, Series or DataFrame of shape (n_samples,) or (n_samples, n_outputs)
            Targets, in the partitions of X.
        sample_weight : dask Array or Series of shape (n_samples,), default=None
            Non-negative weights of rows, in the partitions of X; only their ratios matter.
        X_val, y_val, sample_weight_val : dask collections, default=None
            Validation rows, shaped as `X`, `y` and `sample_weight`. One worker uses them, at most
            100,000 random ones; the same holds for rows that ``early_stopping=True`` holds out.

        Returns
        -------
        self : DaskDistanceNetClassifier or DaskDistanceNetRegressor

        Raises
        ------
        ValueError, TypeError
            For a parameter out of its range, unsuitable data, partitions that do not match, and
            without a client. The estimator is left unchanged.
        RuntimeError
            If the cluster has no worker for a minute, or workers die again and again.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @with_callbacks
    def _fit(self, X, y, sample_weight, validation):
        check_parameters(self)
        name = type(self).__name__
        for parameter, rules in self._cluster_constraints.items():
            check_parameter(name, parameter, getattr(self, parameter), rules)
        if self.warm_start:
            raise ValueError(
                f"The 'warm_start' parameter of {name} must be False; to go on with the training, "
                "call 'partial_fit' of the estimator that 'to_local' returns."
            )
        check_checkpoint_folder(self)
        local = self._as_local({})
        task = fit_task(self, self.max_iter, self.n_init, X, y, sample_weight)
        if task is not None:
            task.begin()
        with Tasks(client_of(self)) as tasks:
            fit = ClusterFit(tasks, local, self.n_shards, self.local_steps)
            candidate = fit.run((X, y, sample_weight), validation, task)
        if task is not None:
            task.end(candidate)
        self._commit(candidate)
        self.n_shards_, self.local_steps_ = fit.n_shards_, fit.local_steps_
        return self

    @property
    def partial_fit(self):
        """Only the local estimator has it."""
        raise AttributeError(
            f"{type(self).__name__} has no 'partial_fit': call that of the estimator which "
            "'to_local' returns, block by block."
        )

    # Predictions ----------------------------------------------------------------------------------

    predict = lazy_method("predict", "predictions")
    transform = lazy_method("transform", "activations of the last hidden layer")
    score_samples = available_if(check_first_layer_is_distance)(
        lazy_method("score_samples", "novelty score of each row")
    )

    def score(self, X, y, sample_weight=None):
        """Return the score that the local estimator has.

        Parameters
        ----------
        X, y, sample_weight : dask collections as in :meth:`fit`, or arrays in memory
            Rows, their true targets and their weights. The targets and the predictions of all rows
            are brought to one worker.

        Returns
        -------
        score : float

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, for rows that do not suit it, and for partitions that do not match.
        """
        net = self.to_local()
        if not is_collection(X):
            return net.score(X, y, sample_weight)
        return score_collections(self.client, net, X, y, sample_weight)

    # Copies ---------------------------------------------------------------------------------------

    def __sklearn_clone__(self):
        parameters = self.get_params(deep=False)
        client = parameters.pop("client")  # cannot be copied
        own = {name: clone(value, safe=False) for name, value in parameters.items()}
        return type(self)(**own, client=client)

    def __getstate__(self):
        return super().__getstate__() | {"client": None}


@describe_parameters
@extend_constructor
class DaskDistanceNetClassifier(DaskDistanceNet, DistanceNetClassifier, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Classifier whose units measure distances to centroids, trained on a Dask cluster.

    It has the parameters and fitted attributes of :class:`~skdistnet.DistanceNetClassifier`. The
    data are Dask arrays or data frames of any size, which stay on the workers: each shard makes a
    few steps on its own rows, and then parameters are averaged over the shards. `n_jobs` has no
    effect: the starts of `n_init` are trained one after the other, each on all workers.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    client_ : distributed.Client
        The client that is used.
    n_shards_, local_steps_ : int
        Number of shards, and of steps on each of them between two means.
    {attributes}
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Labels, as in :class:`~skdistnet.DistanceNetClassifier`.

    See Also
    --------
    skdistnet.DistanceNetClassifier : The same for data in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet.dask import DaskDistanceNetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> order = np.random.default_rng(0).permutation(len(y))  # partitions should be alike
    >>> X, y = (da.from_array(each[order], chunks=50) for each in (X, y))
    >>> with Client(n_workers=1, processes=False, dashboard_address=":0") as client:
    ...     net = DaskDistanceNetClassifier(n_shards=2, random_state=0).fit(X, y)
    ...     score = net.score(X, y)
    >>> bool(score > 0.9)
    True
    >>> net.to_local()
    DistanceNetClassifier(random_state=0)
    """

    _local_class = DistanceNetClassifier

    predict_proba = lazy_method("predict_proba", "probabilities of the classes")
    predict_log_proba = lazy_method("predict_log_proba", "logarithms of the probabilities")
    decision_function = lazy_method("decision_function", "raw output")


@describe_parameters
@extend_constructor
class DaskDistanceNetRegressor(DaskDistanceNet, DistanceNetRegressor, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Regressor whose units measure distances to centroids, trained on a Dask cluster.

    It has the parameters and fitted attributes of :class:`~skdistnet.DistanceNetRegressor`. The
    data are Dask arrays or data frames of any size, which stay on the workers: each shard makes a
    few steps on its own rows, and then parameters are averaged over the shards. `n_jobs` has no
    effect: the starts of `n_init` are trained one after the other, each on all workers.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    client_ : distributed.Client
        The client that is used.
    n_shards_, local_steps_ : int
        Number of shards, and of steps on each of them between two means.
    {attributes}

    See Also
    --------
    skdistnet.DistanceNetRegressor : The same for data in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistnet.dask import DaskDistanceNetRegressor
    >>> X, y = (da.from_array(each, chunks=100) for each in load_diabetes(return_X_y=True))
    >>> with Client(n_workers=1, processes=False, dashboard_address=":0") as client:
    ...     net = DaskDistanceNetRegressor(n_shards=2, random_state=0).fit(X, y)
    ...     predicted = net.predict(X).compute()
    >>> predicted.shape
    (442,)
    """

    _local_class = DistanceNetRegressor
