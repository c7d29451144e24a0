"""Descriptions of parameters and attributes that both estimators have, and links to the docs."""

import re
from inspect import signature

from .._version import __version__

#: The documentation of the installed version; Sphinx writes ``api/`` below it.
DOCS_URL = f"https://skdistnet.readthedocs.io/en/v{__version__}"


class LinkedDocs:
    """Mixin that links scikit-learn's HTML representation to the documentation."""

    _doc_link_module = "skdistnet"
    _doc_link_template = f"{DOCS_URL}/api/skdistnet.{{estimator_name}}.html"


#: The parameters of both estimators, including those that only one of them, or of Dask's, has.
PARAMETERS = """
hidden_layer_sizes : int or sequence of int
    Units of each hidden layer; () for no hidden layer.
activation : str or sequence of str
    Activation of hidden units: one name for all layers or one for each. "gaussian" and "cauchy"
    make a distance layer: ``exp(-d^2 / 2)`` and ``1 / (1 + d^2)`` of the scaled distance d to the
    unit's centroid. "relu", "tanh", "logistic" and "identity" make a dot-product layer.
output_layer : {"distance", "linear"}
    Logits are -1/2 squared distance to a trainable centroid of each class, or affine.
loss : {"squared_error", "absolute_error", "huber", "poisson", "quantile"}
    Loss to minimise, which decides what is predicted: the mean of the target, its median, a
    compromise that outliers move little, the mean of counts, or quantiles. "poisson" needs a
    non-negative y, takes it as it is and predicts ``exp(raw output)``. For the other losses targets
    are standardised inside the model: by mean and standard deviation for "squared_error", else by
    the median and the interquartile range / 1.349, a robust estimate of the standard deviation.
huber_delta : float
    Error at which the loss "huber" changes from a square to a straight line, in units of the
    interquartile range / 1.349 of the target.
quantile : float in (0, 1) or increasing sequence of them
    Quantile that the loss "quantile" predicts. A list of levels takes a 1-D y and predicts a column
    for each level; they never cross.
radius_type : {"diag", "spherical", "tied"}
    Inverse radii of distance layers: one for each input of each unit (the paper), one for each
    unit, or one for each input, shared by the units of a layer.
linear_part : bool
    Whether a linear function of the features is added to the output, to the logits of classes or
    the prediction. So predictions can follow a trend beyond the training data, where the units
    are constant, as far as training leaves the trend to it and not to the units. It is trained with
    the rest, is zero at the mean of the data, and `linear_coef_` has its coefficients.
init : {"sample", "kmeans", "uniform"}, array-like or callable
    Initial centroids. "sample": rows of the layer's own input; "kmeans": its cluster centres;
    "uniform": 0.5 + 0.3 U[0, 1) as in the paper, for inputs in [0, 1]. An array of shape (units of
    the first layer, n_features), in the units of X, sets the first layer; deeper ones use "sample".
    A callable ``(X, n_units, random_state) -> (n_units, n_inputs)`` is called for each hidden
    distance layer with its own input, which for the first one is centred and, with `standardize`,
    scaled, and projected if features are many. Centroids of a distance output are the means of the
    classes, except for "uniform".
init_median_activation : "auto", float in (0, 1) or None
    Initial radii of hidden distance layers are such that this is the layer's median activation on
    its own input. "auto" is 0.5, but narrower units for a first layer whose activations then
    predict rows better, by the leave-one-out errors of ridge regressions;
    `init_median_activation_` is what it chose. None is the initialisation of the paper,
    f (1 + 0.4 N(0, 1)) with f = sqrt(2 ln(10) / n_inputs), which does not depend on the data, for
    the output layer too.
n_init : int
    Number of initialisations that `fit` trains from, each with a seed drawn from `random_state`;
    the first is that of ``n_init=1``. The best is kept: by `scoring` on validation rows, if there
    are any, else by the last training loss. `partial_fit` and a `fit` that continues have one.
n_jobs : int or None
    Number of trials, and then of initialisations, trained at the same time, by joblib; -1 for one
    per processor. None is 1 unless in a :func:`joblib.parallel_config` context.
standardize : bool
    Centre and scale features inside the model, each by its standard deviation. If two thirds of the
    features, and at least eight, have the same range, as pixels do, they share one scale. Scales
    are larger by the root of n_features / 64 for more than 64 features, because distances add up
    over them. Values far out, beyond three interquartile ranges from the quartiles, count for mean
    and deviation as if they were at that limit, and in columns that have such values the model sees
    about the logarithm of those beyond 4 scales. More than 1,000 features, or 256 most of which are
    zero in nearly all rows, are projected by `fit` onto 64 to 256 directions. Fitted attributes are
    in the units of X in any case.
categorical_features : "from_dtype", array-like or None
    Features that are categories: a mask, indices or names. "from_dtype": in a data frame of pandas
    or polars those of dtype category, enum, string or boolean (but not more than 256 booleans), or
    of objects that include strings or booleans; dates raise an error. In an array none. Any two
    levels have the same distance, like two typical values of a number, and each unit learns at
    which level it lies and how much the feature counts. In `fit` the levels of a feature with more
    than 20 lie at their mean target instead, by :class:`~sklearn.preprocessing.TargetEncoder`, and
    so do those of the longest features if there are more than 512 in all. A missing level is a
    missing value, and so, in predictions, is a level that was not in the training data.
solver : {"rmsprop", "sgd", "adam"}
    Update rule. "rmsprop" applies momentum to the gradient divided by the root of its mean square;
    epsilon is outside the root.
learning_rate : {"constant", "cosine", "adaptive"} or callable
    Schedule. "cosine" falls to zero over `max_iter` epochs. "adaptive" divides by 5 whenever the
    loss has stalled. A callable ``(step, steps_per_epoch, total_steps) -> factor`` gives the factor
    on `learning_rate_init`; `step` counts from 0 and `total_steps` is None in `partial_fit`. A
    function of a module can be pickled and saved in checkpoints.
learning_rate_init : float or "auto"
    Initial step size. "auto" is {rate} / sqrt(number of hidden layers).
rho : float in [0, 1)
    Decay of the mean square of the gradient at each step of "rmsprop".
momentum : float in [0, 1)
    Nesterov's momentum of "sgd"; for "rmsprop" the decay of the mean normalised gradient at each
    step.
beta_1 : float in [0, 1)
    Decay of the mean gradient at each step of "adam".
beta_2 : float in [0, 1)
    Decay of the mean square of the gradient at each step of "adam".
epsilon : float
    Added to the root of the mean square by "rmsprop" and "adam".
alpha : float
    Strength of the penalty on centroids, inverse radii and weights; intercepts have none.
penalty : {"decoupled", "coupled"}
    Regulariser. "decoupled" shrinks parameters by ``rate * alpha`` at each step, outside the
    normalised gradient. "coupled" adds ``alpha / batch size`` times the parameter to the gradient,
    as in the paper's code. Both shrink the first layer's centroids towards the mean of the data
    ("coupled" without `standardize`: towards zero), and all else towards zero.
dropout : float in [0, 1)
    Share of the outputs of hidden units that training replaces by their unit's mean over the batch.
    With L hidden layers each one replaces ``1 - (1 - dropout)**(1 / L)``. The other outputs are
    weighted so that the expected squared distances are those without dropout.
label_smoothing : float in [0, 1)
    Share of each label that training spreads evenly over the classes; in `fit` over those that have
    rows of positive weight.
class_weight : {"balanced"}, dict, list of dict or None
    Positive weights of classes, multiplied into the weights of training and validation rows. A dict
    has them by label, with the rule of :func:`sklearn.utils.class_weight.compute_class_weight`: it
    may name labels that `y` lacks only if it names all of those in `y`; labels that it omits weigh
    1. "balanced" gives each class the same sum of weights, `sample_weight` included; `partial_fit`
    does not accept it, because it needs all rows. For several outputs pass "balanced" or a list of
    dicts, one for each output (the classes of a label in an indicator matrix are 0 and 1); the
    weights of a row's classes are multiplied.
dtype : {"float32", "float64"} or None
    Precision of parameters and computation; None is that of X.
batch_size : int or "auto"
    Largest number of rows per step; batches are of equal size, except for one row: 201 rows with a
    batch size of 200 make steps of 100 and 101 rows. "auto" is 200, or all rows if fewer.
max_iter : int
    Largest number of epochs; under `warm_start`, of further epochs.
random_state : int, RandomState instance or None
    Determines the initialisation, the order of rows and the validation rows.
tol : float
    The loss has stalled if it improves by less than this.
n_iter_no_change : int
    Training stops when the loss has stalled for more than this number of epochs. The loss is that
    of the training rows or, if there are any, `scoring` of the validation rows. Without validation
    rows "cosine" does not stop early.
early_stopping : "auto" or bool
    Whether rows are set aside to validate on. "auto": `fit` makes a trial first, or up to five with
    few rows. It trains a net on some of the rows and finds, on those set aside, the best epoch;
    then it trains on all rows for as many epochs as that suggests, `max_iter` at most. Large data
    are tried on 4000 random rows; with fewer than 60 different rows there is no trial. True: the
    rows are not trained on, and the parameters of the epoch with the best `scoring` on them are
    kept. False: train for `max_iter` epochs. In all cases a validation set passed to fit replaces
    rows set aside, and the best epoch on it is kept. Where rows are ordered in time or belong to
    groups, pass such a set: random rows of the same time or group say too little about others.
validation_fraction : float in (0, 1)
    Share of the rows that are set aside.
scoring : str or callable
    Criterion on the validation rows: "loss", to be minimised, or the name of a scorer of
    scikit-learn or a callable ``(estimator, X, y) -> float``, to be maximised. The scorer gets a
    fitted copy of the estimator, arrays, and, if rows have weights, `sample_weight`.
    ``validation_scores_`` are its values; for "loss" they are {score}.
warm_start : bool
    Whether fit continues the last one, with its solver and random generator. Layers and `dtype`
    must be the same; `init`, `init_median_activation`, `standardize` and `categorical_features` are
    not used again.
checkpoint : str, path-like or None
    Folder in which `fit` saves, every ten epochs, what it needs to resume: a file for each
    initialisation, removed at the end of the fit. An interrupted fit resumes when it is called
    again with the same parameters, data and seed, with the same result, bit for bit; any other fit
    has files of its own. Requires `random_state`. `partial_fit` saves nothing.
verbose : bool or int
    Whether to print a line for each epoch.
client : distributed.Client or None
    The client of the cluster; None is the current one. Pickles and copies of workers lack it.
n_shards : int or None
    Number of shards into which the rows are divided. All are trained on at the same time, so it
    should be a multiple of the number of workers, which is what None stands for. The net depends on
    it, but not on the workers: set it for the same net on another cluster.
local_steps : int or "auto"
    Number of steps on each shard between two means over the shards. 1 averages the gradients of all
    steps: each is then a step on the joint batch of all shards. "auto" depends on the sizes of the
    net, so that communication takes an eighth of the time where a message takes as long as on one
    machine.
"""

ATTRIBUTES = """
centroids_, inverse_radii_ : list of ndarray
    For each layer, the centroids (n_units, n_inputs) and the inverse radii, which broadcast to
    that shape; None for a dot-product layer. Those of the first layer are in the units of X; its
    centroids are NaN in a column that was NaN throughout. If features are projected (see
    `standardize`), an inverse radius is that of steps along this feature alone. In a feature of
    categories a centroid is the position in `categories_` of the level nearest to it, which
    :meth:`decode_levels` names, and an inverse radius is the root mean square scaled distance
    between two levels. Read-only, computed on access.
coefs_, intercepts_ : list of ndarray
    For each layer, the weights (n_inputs, n_units) and intercepts (n_units,); None for a
    distance layer. Read-only, computed on access.
linear_coef_ : ndarray of shape (n_outputs, n_features) or None
    Coefficients of the linear part in the units of X and y, NaN for categories; None without it.
    Read-only, computed on access.
feature_relevances_, feature_importances_ : ndarray of shape (n_features,)
    If the first layer is a distance layer: the share of each feature in its distances, weighted by
    the variance of its activations. They sum to 1. The linear part does not count. The second name
    is the one that tools such as :class:`~sklearn.feature_selection.RFE` look for.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns of X, if it has any.
is_categorical_ : ndarray of bool of shape (n_features,), or None
    Which features are categories; None if none are.
categories_ : list of ndarray or None, or None
    For each feature the array of its levels, None for a feature of numbers; None if all are.
n_layers_, n_outputs_ : int
    Number of layers, including the input, and of outputs: one for each class or target, and two
    for each label of an indicator matrix, without and with it.
n_iter_ : int
    Number of epochs, over all calls that continued the same training.
best_epoch_ : int
    The epoch, counted from 1, whose parameters were kept: the best one of the last call on the
    validation rows or, without any, the last one.
t_ : int
    Number of rows that the solver has seen.
trial_ : dict or None
    What the trials of "auto" have found: their number `n_trials`, the numbers of rows that each
    trained on and all validated on, `n_samples` and `n_validation_samples`, their mean
    `validation_loss_curve` and `validation_scores`, the `best_epoch`, `n_epochs`, the number of
    epochs to train on all rows, and `median_activation_errors`, pairs of the median activations
    tried for the first layer and their errors. None if `fit` made no trial. Absent after
    :meth:`partial_fit` alone.
init_median_activation_ : float
    The median activation of the first layer that "auto" chose; absent for other values.
init_scores_ : list of float
    For each initialisation of `fit`, the score that it was selected by; losses are negative.
novelty_threshold_ : float
    The :meth:`score_samples` below which 5 % of new rows fall if they are like the training data.
    :meth:`novelty_threshold` gives it for another share. Absent after :meth:`partial_fit`, and if
    the first layer is not a distance layer."""


#: The parameters and attributes of both ensembles.
ENSEMBLE_PARAMETERS = """
estimator : {net} or None, default=None
    The net that members are copies of; None is one with default parameters. The members are of
    four kinds, which differ in number of layers, kernel, radius type and scale of the features, as
    far as the net has its default for the parameter.
n_estimators : int, default=4
    Number of members.
out_of_fold : bool, default=False
    Whether each member leaves out one of `n_estimators` parts of the rows, so that every row is
    predicted by a member that was not trained on it: ``oof_`` attributes, and thresholds of novelty
    scores, are then those of new rows. The members, which see fewer rows, are slightly worse.
n_jobs : int or None, default=None
    Number of trials, and then of members, trained at the same time, by joblib; -1 for one per
    processor. None is 1 unless in a :func:`joblib.parallel_config` context. The result is the same.
random_state : int, RandomState instance or None, default=None
    Determines the `random_state` of each member, and the rows that it leaves out.
verbose : bool or int, default=False
    Whether to print a line for each member."""

ENSEMBLE_ATTRIBUTES = """
estimators_ : list of {net}
    The members, fitted.
n_features_in_, feature_names_in_ : int, ndarray of shape (n_features,)
    Number of features; names of the columns of X, if it has any.
trial_ : dict or None
    What the trials have found, as in the members.
feature_relevances_, feature_importances_ : ndarray of shape (n_features,)
    Mean over the members; they sum to 1.
novelty_threshold_ : float
    The :meth:`score_samples` below which 5 % of new rows fall if they are like the training data.
oof_score_ : float
    With `out_of_fold`, the score of the predictions by members that left the rows out."""


def insert(cls, texts):
    """Replace each mark, a name in braces, in the docstring of a class by a text."""
    for mark, text in texts.items():
        # Python has no docstrings with the option -OO.
        cls.__doc__ = (cls.__doc__ or "").replace(f"{{{mark}}}", text.replace("\n", "\n    "))
    return cls


def describe_ensemble(cls):
    """Insert the descriptions of parameters and shared attributes into an ensemble's docstring."""
    texts = {"parameters": ENSEMBLE_PARAMETERS, "attributes": ENSEMBLE_ATTRIBUTES}
    net = cls._member_class.__name__
    return insert(cls, {mark: text.strip().format(net=net) for mark, text in texts.items()})


def describe_parameters(cls):
    """Insert the descriptions of parameters and shared attributes into the docstring of a class."""
    return describe(cls, PARAMETERS, ATTRIBUTES)


def describe(cls, texts_of_parameters, attributes):
    """Insert descriptions into a docstring; of two for one parameter the later one counts."""
    entries = re.split(r"\n+(?=\w+ : )", texts_of_parameters.strip())
    described = {entry.split(" : ")[0]: entry.split("\n", 1) for entry in entries}
    parameters = []
    for name, parameter in signature(cls).parameters.items():
        heading, text = described[name]
        default = parameter.default
        default = f'"{default}"' if isinstance(default, str) else default
        parameters.append(f"{heading}, default={default}\n{text}")
    texts = {"parameters": "\n".join(parameters), "attributes": attributes.strip()}
    texts |= {"rate": str(cls._learning_rate_of_one_layer), "score": cls._score_name}
    return insert(cls, texts)


#: The parameters of nets for sequences that others lack, or that mean something else there.
RECURRENT_PARAMETERS = """
n_units : int
    Number of units.
activation : {"gaussian", "cauchy"}
    Kernel of the distance d to a unit's centroid: ``exp(-d^2 / 2)`` or ``1 / (1 + d^2)``.
radius_type : {"diag", "spherical", "tied"}
    Inverse radii: one for each input of each unit, one for each unit, or one for each input, shared
    by all units. Inputs and states have radii of their own in any case.
init : {"auto", "mixed", "identity", "integrator"}
    How units read the states at first. "integrator": hardly, so that a state is a leaky mean.
    "identity": each its own, such that it is repeated. "mixed": every second unit is of the one
    kind, the others of the other. "auto": "integrator" for numbers as targets of each step, such as
    forecasts, else "mixed". Except with radii "diag", all are integrators. Centroids among inputs
    are steps of the data.
init_median_activation : float in (0, 1)
    Initial radii of the inputs are such that this is the median of the kernel over steps, if the
    states have no effect. Units that repeat their state are wider, with means of 0.6 to 0.95.
leaking_rate : "auto", float in (0, 1] or sequence of them
    The share of its state that a unit replaces at each step, its inverse time scale. "auto": rates
    are trained, from time scales spread between one step and the length of the sequences (or of
    windows, see `truncation`). Otherwise these rates, one for all units or one for each, are kept.
truncation : "auto", int or None
    Number of steps over which gradients flow back: truncated backpropagation through time. With a
    target for each step, longer sequences are trained on in windows of this length, drawn anew in
    each epoch, which continue from the states that the net had there at the beginning of the epoch.
    None stands for whole sequences; "auto" is 64 with a target for each step, else None.
standardize : bool
    Centre and scale features inside the model, each by its standard deviation over all steps.
    Values far out, beyond three interquartile ranges from the quartiles, count for mean and
    deviation as if they were at that limit, and in features that have such values the model sees
    about the logarithm of those beyond 4 scales. Fitted attributes are in the units of X in any
    case.
learning_rate_init : float or "auto"
    Initial step size. "auto" is {rate}.
class_weight : dict, "balanced" or None
    Weights of classes, by label, that multiply those of sequences. None for labels of steps.
batch_size : int or "auto"
    Largest number of sequences, or of windows, in a batch. "auto" is 50 sequences or 16 windows. If
    windows are few, an epoch has up to eight times as many.
early_stopping : "auto" or bool
    Whether data are set aside to validate on. "auto": `fit` makes a trial first, or up to five with
    few sequences. It trains a net on some of the sequences and finds the best epoch on those set
    aside; then it trains on all for as many epochs as that suggests, `max_iter` at most. With fewer
    than 60 sequences there is no trial, except with 60 or more targets for steps: the last targets
    of each sequence are then set aside. True: these sequences are not trained on, and the
    parameters of the epoch with the best `scoring` on them are kept. False: train for `max_iter`
    epochs. A validation set passed to fit replaces what is set aside.
validation_fraction : float in (0, 1)
    Share of the sequences, or of the targets of each, that is set aside.
scoring : str or callable
    Criterion on the validation sequences: "loss", to be minimised, or, with a target for each
    sequence, the name of a scorer of scikit-learn or a callable ``(estimator, X, y) -> float``, to
    be maximised. ``validation_scores_`` are its values; for "loss" they are {score}.
warm_start : bool
    Whether fit continues the last one, with its solver and random generator. The network and the
    form of `y` must be the same; `init`, `init_median_activation`, `standardize` and rates given as
    `leaking_rate` are not used again.
"""
#: What the shared descriptions say of `partial_fit`, which nets for sequences lack, and instead.
WITHOUT_PARTIAL_FIT = {
    "`partial_fit` and a `fit` that continues have one.": "A `fit` that continues has one.",
    " and `total_steps` is None in `partial_fit`.": ".",
    " `partial_fit` saves nothing.": "",
}

RECURRENT_ATTRIBUTES = """
centroids_, inverse_radii_ : ndarray
    The centroids among inputs, (n_units, n_features), and the inverse radii, which broadcast to
    that shape, in the units of X. Read-only, computed on access.
state_centroids_, state_inverse_radii_ : ndarray
    Likewise among states, (n_units, n_units).
leaking_rates_, initial_state_ : ndarray of shape (n_units,)
    Leaking rate of each unit, and the state before the first step.
n_features_in_ : int
    Number of features of a step.
n_outputs_ : int
    Number of outputs.
out_activation_ : str
    Function from raw output to prediction.
loss_curve_, loss_, best_loss_ : list of float, float, float
    Mean training loss of each epoch, the last and the smallest.
validation_loss_curve_, validation_scores_ : list of float
    Loss and score on the validation sequences after each epoch.
best_validation_score_, best_epoch_ : float, int
    The epoch, counted from 1, whose parameters were kept, and its score.
n_iter_, t_ : int
    Number of epochs, and of sequences that the solver has seen.
trial_ : dict or None
    What the trials of "auto" have found, as in :class:`DistanceNetClassifier`; None without one.
init_scores_ : list of float
    For each initialisation of `fit`, the score that it was selected by; losses are negative."""


def describe_recurrent(cls):
    """Insert the descriptions of parameters and attributes into the docstring of a net."""
    shared = PARAMETERS
    for text, other in WITHOUT_PARTIAL_FIT.items():
        shared = shared.replace(text, other)
    return describe(cls, shared + RECURRENT_PARAMETERS, RECURRENT_ATTRIBUTES)
