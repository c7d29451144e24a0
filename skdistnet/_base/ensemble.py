"""The base of both ensembles: the order of steps in fit, and what members have in common."""

from abc import ABCMeta, abstractmethod
from functools import partial
from typing import Any, ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from . import trial
from .callbacks import CallbackSupportMixin, fit_task, fitted_attributes, with_callbacks
from .checkpoints import check_seed
from .constraints import (
    BOOLEAN,
    COUNT,
    NETWORK_CONSTRAINTS,
    check_parameter,
    check_parameters,
)
from .docstrings import LinkedDocs
from .members import Kind, draw_folds, set_kind, train_member
from .messages import constant_loss, warn, warn_about_fit
from .start import choose_median_activation
from .training import run_parts
from .validation import check_sample_weight

LEARNED = ("estimators_", "oof_decision_function_", "oof_prediction_", "oof_score_")


def attributes_of(candidate, changed):
    """Return fitted attributes of an ensemble: those of a copy of it, or with a member alone."""
    if isinstance(candidate, BaseEnsemble):
        return fitted_attributes(candidate)
    net = candidate._candidate(keep=True)
    vars(net).update(changed)
    return {"estimators_": [net]}


def members_have(name):
    """Return the check for `available_if` that the members have the method `name`."""

    def check(self):
        getattr(self._first(), name)  # raises an AttributeError that explains why there is none
        return True

    return check


class BaseEnsemble(
    CallbackSupportMixin,
    LinkedDocs,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base of both ensembles. They differ in what they average."""

    estimators_: list[Any]
    _member_class: ClassVar[Any]
    #: Parameters in which the members differ from each other, which take turns.
    _kinds: ClassVar[tuple[Kind, ...]]
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "n_estimators": [COUNT],
        "out_of_fold": [BOOLEAN],
        **{name: NETWORK_CONSTRAINTS[name] for name in ("n_jobs", "random_state", "verbose")},
    }

    def __init__(
        self,
        estimator=None,
        n_estimators=4,
        *,
        out_of_fold=False,
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.out_of_fold = out_of_fold
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _out_of_fold(self, data, raw, weights):
        """Return the out-of-fold attributes; `raw` is NaN for rows that are never left out."""

    # Fit ------------------------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the members, each from a seed of its own, after trials that all of them share.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, as in the `fit` of a net.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels or targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of rows.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation rows: each member keeps the parameters of its best epoch on them.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError, ValueError
            If `estimator` is not a net of the right kind, for a parameter out of its range, and for
            unsuitable data. The ensemble is left unchanged.
        """
        nets = self._unfitted_members()
        validation_set = X_val, y_val, sample_weight_val
        leader, data, trials, seeds = nets[0]._prepare_fit(X, y, sample_weight, validation_set)
        leader.n_jobs = self.n_jobs
        folds = draw_folds(leader, data, len(nets), seeds[0]) if self.out_of_fold else None
        arguments = leader.max_iter, len(trials) + len(nets), X, y, sample_weight
        task = fit_task(self, *arguments, attributes_of)
        if task is not None:
            task.begin()
        tried = trial.run_trials(leader, trials, data, seeds[0], task)
        if tried and tried[-1][1].reason == "interrupted":
            net, result, _ = tried[-1]
            net._fit_novelty(*trials[len(tried) - 1].take(*data), seeds[0])
            members: list[tuple] = [(nets[0]._commit(net), result, [], None)]
        else:
            pairs = [(each, net) for each, (net, *_) in zip(trials, tried)]
            members = self._train_members(nets, leader, data, pairs, folds, task)
        candidate = self._with_trained(members, data, folds, sample_weight, _num_samples(X))
        if task is not None:
            task.end(candidate)
        self._end_fit(members, tried, data)
        self.__dict__ = vars(candidate)
        return self

    def _unfitted_members(self):
        """Return a net for each member, its parameters checked."""
        name, expected = type(self).__name__, self._member_class
        for parameter, rules in self._parameter_constraints.items():
            check_parameter(name, parameter, getattr(self, parameter), rules)
        own: Any = type(self._net())
        if not issubclass(own, expected) or own.fit is not expected.fit:
            raise TypeError(
                f"The 'estimator' parameter of {name} must be None or a {expected.__name__}, or of "
                f"a subclass that has no 'fit' of its own; got {self.estimator!r}."
            )
        if self.out_of_fold and (self.n_estimators == 1 or self._net().early_stopping is True):
            raise ValueError(
                f"out_of_fold=True of {name} needs at least two members, which leave out rows in "
                "turn, and an 'estimator' that does not set aside rows itself; got n_estimators="
                f"{self.n_estimators} and early_stopping={self._net().early_stopping!r}."
            )
        if self._net().checkpoint is not None:
            check_seed(self)  # the members have seeds in any case
        generator, nets = check_random_state(self.random_state), []
        for number in range(self.n_estimators):
            net = clone(self._net())
            net.random_state = int(generator.randint(np.iinfo(np.int32).max))
            set_kind(net, self._kind(number))
            check_parameters(net)
            nets.append(net)
        return nets

    def _kind(self, number):
        return self._kinds[number % len(self._kinds)]

    def _train_members(self, nets, leader, data, tried, folds, task):
        """Return what :func:`train_member` returns for each net; `n_jobs` at the same time."""
        found, arguments = fitted_attributes(leader), []
        weights = trial.feature_weights(tried, data)
        for number, net in enumerate(nets):
            member = net._candidate(keep=False)
            vars(member).update(found)
            kind = self._kind(number)
            member._takes_ranks_ = kind.ranked
            member._feature_weights_ = weights if kind.weighted else None
            left_out = None if folds is None else folds == number
            seeds = net._draw_seeds(net.n_init)
            if net.init_median_activation != "auto":
                member.__dict__.pop("init_median_activation_", None)
            elif "init_median_activation_" in found and member.activation != leader.activation:
                # Units of another kernel are as narrow at another median.
                del member.init_median_activation_
                choose_median_activation(member, data.rows, seeds[0])
            part = task and task.part("member", len(seeds))
            # Dask sends large arguments to each worker only once, but not if they are in a tuple.
            arguments.append((member, *data, tried, left_out, seeds, part))
        trained = run_parts(partial(train_member, verbose=self.verbose), arguments, self.n_jobs)
        # Members keep parameters of the types that the user has passed.
        return [(net._commit(member), *others) for net, (member, *others) in zip(nets, trained)]

    def _with_members(self, nets):
        """Return a copy of the ensemble with these nets as its members."""
        own = {name: value for name, value in vars(self).items() if name not in LEARNED}
        copy = object.__new__(type(self))
        copy.__dict__ = own | {"estimators_": nets}
        return copy

    def _with_trained(self, members, data, folds, sample_weight, n_rows):
        """Return a copy of the ensemble with the members that were trained to their end, or one."""
        complete = [each for each in members if each[1].reason != "interrupted"] or members[:1]
        candidate = self._with_members([net for net, *_ in complete])
        if folds is not None and len(complete) == self.n_estimators:
            shape, dtype = (len(folds), complete[0][0].n_outputs_), complete[0][-1].dtype
            raw = np.full(shape, np.nan, dtype)
            for number, (*_, of_member) in enumerate(complete):
                raw[folds == number] = of_member
            weights = check_sample_weight(sample_weight, n_rows)
            candidate.__dict__ |= candidate._out_of_fold(data, raw, weights)
        return candidate

    def _end_fit(self, members, tried, data):
        """Warn about the members, and remove all checkpoints unless the fit was interrupted."""
        reasons = [result.reason for _, result, *_ in members]
        if "interrupted" in reasons:
            n_complete = len(reasons) - reasons.count("interrupted")
            warn(
                f"Training was interrupted after {n_complete} of {self.n_estimators} members; the "
                f"ensemble has {'these' if n_complete else 'only the net that was being trained'}."
            )
            return
        for checkpoint in (*(one for *_, one in tried), *(one for m in members for one in m[2])):
            if checkpoint is not None:
                checkpoint.remove()
        # One warning: most members would give the same.
        worst = max(members, key=lambda each: (each[1].reason == "diverged", each[1].n_halvings))
        warn_about_fit(worst[0], worst[1], partial(constant_loss, data.rows))

    # Fitted members -------------------------------------------------------------------------------

    def _net(self):
        """Return the estimator that members are copies of."""
        return self._member_class() if self.estimator is None else self.estimator

    def _first(self):
        """Return the first member; before the fit, what it will be a copy of."""
        return self.estimators_[0] if "estimators_" in vars(self) else self._net()

    def _fitted(self):
        check_is_fitted(self)
        return self.estimators_

    @property
    def _codec(self):
        return self._fitted()[0]._codec

    def _raw_outputs(self, X):
        """Return the raw output of each member."""
        members = self._fitted()
        X = members[0]._check_rows(X)
        return [net._raw_output(X) for net in members]

    @property
    def n_features_in_(self):
        """Number of features."""
        return self._fitted()[0].n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the columns of X; absent if it had none."""
        return self._fitted()[0].feature_names_in_

    @property
    def is_categorical_(self):
        """Mask of the features that are categories, (n_features,); None if none are."""
        return self._fitted()[0].is_categorical_

    @property
    def categories_(self):
        """For each feature an array of its levels, None for numbers; None without categories."""
        return self._fitted()[0].categories_

    @property
    def trial_(self):
        """What the trials have found, as in a net."""
        return self._fitted()[0].trial_

    @property
    def feature_relevances_(self):
        """Relevance of each feature, (n_features,), averaged over the members; the sum is 1."""
        return np.mean([net.feature_relevances_ for net in self._fitted()], axis=0)

    #: The name that scikit-learn's tools look for.
    feature_importances_ = feature_relevances_

    def transform(self, X):
        """Return the activations of the last hidden layer of each member, side by side.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        activations : ndarray of shape (n_samples, n_units of all members)

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for nets without hidden layers.
        """
        return np.hstack([net.transform(X) for net in self._fitted()])

    @property
    def _n_features_out(self):
        return sum(net._n_features_out for net in self._fitted())

    @available_if(members_have("score_samples"))
    def score_samples(self, X):
        """Return the novelty score of each row, averaged over the members; lower is less like X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            At most 0; higher is more like the training data.

        Raises
        ------
        AttributeError, sklearn.exceptions.NotFittedError
            If the first layer of the nets is not a distance layer, and before the fit.
        """
        return np.mean([net.score_samples(X) for net in self._fitted()], axis=0)

    @available_if(members_have("novelty_threshold"))
    def novelty_threshold(self, false_alarm_rate):
        """Return the score below which a given share of new rows like the training data fall.

        It is the mean of the members' thresholds, which follow the scores of rows that members have
        left out, if `out_of_fold` is set, or else of rows that the trials have held out; those of
        members with other inputs than the nets of the trials follow training rows.

        Parameters
        ----------
        false_alarm_rate : float in (0, 1)
            Share of known rows to score below the threshold.

        Returns
        -------
        threshold : float
            A threshold of :meth:`score_samples`.

        Raises
        ------
        AttributeError, sklearn.exceptions.NotFittedError, ValueError
            As :meth:`score_samples`; ValueError for a rate out of its range.
        """
        members = self._fitted()
        return float(np.mean([net.novelty_threshold(false_alarm_rate) for net in members]))

    @property
    def novelty_threshold_(self):
        """The score below which 5 % of known rows fall."""
        return float(np.mean([net.novelty_threshold_ for net in self._fitted()]))

    def __sklearn_tags__(self):
        tags, of_net = super().__sklearn_tags__(), get_tags(self._first())
        for name in ("input_tags", "target_tags", "classifier_tags", "transformer_tags"):
            setattr(tags, name, getattr(of_net, name))
        return tags
