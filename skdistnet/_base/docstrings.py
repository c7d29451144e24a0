"""The description of what both estimators have, parameters and attributes, written once.

And where the documentation is, which estimators shown as HTML link to.
"""

from .._version import __version__

__all__ = ["LinkedDocs", "describe_parameters"]

#: The documentation of the version that is installed; ``api/`` below it is written by Sphinx.
DOCS_URL = f"https://skdistnet.readthedocs.io/en/v{__version__}"


class LinkedDocs:
    """What scikit-learn's HTML representation links to; a parameter's text is in its tooltip."""

    _doc_link_module = "skdistnet"
    _doc_link_template = f"{DOCS_URL}/api/skdistnet.{{estimator_name}}.html"


PARAMETERS = {
    "hidden_layer_sizes": """
hidden_layer_sizes : int or sequence of int, default={default}
    Units of each hidden layer; () is a net of the output layer alone.""",
    "activation": """
activation : str or sequence of str, default={default}
    What hidden units answer, one name for all layers or one for each. "gaussian" and "cauchy" make
    a distance layer: ``exp(-d^2 / 2)`` and ``1 / (1 + d^2)`` of the scaled distance d to the
    unit's centroid. "relu", "tanh", "logistic" and "identity" make a dot-product layer. Mixing
    them makes a hybrid.""",
    "output_layer": """
output_layer : {{"distance", "linear"}}, default={default}
    Logits are -1/2 squared distance to a trainable centroid for each class, or affine.""",
    "loss": """
loss : {{"squared_error", "absolute_error", "huber", "poisson", "quantile"}}, default={default}
    What training makes small, and so what is predicted: the mean of the target, its median,
    something between the two that outliers move little, the mean of counts, or quantiles.
    "poisson" needs a y that is not negative, takes it as it is and predicts ``exp(raw output)``.
    The other losses are of targets standardised inside the model: by mean and standard deviation
    for "squared_error", else by the median and the interquartile range / 1.349, which estimates
    the standard deviation without regard to outliers.""",
    "huber_delta": """
huber_delta : float, default={default}
    Where the loss "huber" turns from a square into a straight line, for errors in units of the
    target's spread (the interquartile range / 1.349), so that the units of y do not matter.""",
    "quantile": """
quantile : float in (0, 1) or increasing sequence of them, default={default}
    Which quantile the loss "quantile" predicts. A list of levels takes a 1-D y and predicts a
    column for each level; none is ever below that of a lower level.""",
    "radius_type": """
radius_type : {{"diag", "spherical", "tied"}}, default={default}
    Inverse radii of distance layers: one for each input of each unit (the paper), one for each
    unit, or one for each input, shared by the units of a layer.""",
    "init": """
init : {{"sample", "kmeans", "uniform"}}, array-like or callable, default={default}
    Where centroids start. "sample": rows of the layer's own input; "kmeans": its cluster centres;
    "uniform": 0.5 + 0.3 U[0, 1), the paper's, meant for inputs in [0, 1]. An array of shape (units
    of the first layer, n_features), in the units of X, places the first layer; deeper ones then
    start from "sample". A callable ``(X, n_units, random_state) -> (n_units, n_inputs)`` is asked
    for every hidden distance layer and given the layer's own input, which for the first one is
    centred and scaled if `standardize` says so. Except for "uniform", centroids of a distance
    output start at the means of the classes.""",
    "init_median_activation": """
init_median_activation : float in (0, 1) or None, default={default}
    Radii of hidden distance layers start so that this is the layer's median activation on its own
    input. None is the start of the paper, f (1 + 0.4 N(0, 1)) with f = sqrt(2 ln(10) / n_inputs),
    which looks at no data and serves the output layer, too.""",
    "n_init": """
n_init : int, default={default}
    Number of starts that `fit` trains from, each with a seed of its own drawn from `random_state`;
    the first is that of ``n_init=1``. The best is kept: by `scoring` of the validation rows, which
    are the same for all, where there are some, else by the last training loss. `partial_fit`, and
    `fit` that goes on under `warm_start`, have one start.""",
    "n_jobs": """
n_jobs : int or None, default={default}
    Number of starts trained at the same time, by joblib, in processes unless its
    ``parallel_config`` says otherwise; -1 is one for each processor, None is 1 unless it says
    otherwise.""",
    "standardize": """
standardize : bool, default={default}
    Centre and scale features inside the model, each by its standard deviation (of more than 64
    features all by the root of n_features / 64 more, since distances add up over them). Where two
    thirds of the features, and eight or more, have one range in common, as pixels do, they are
    taken to share a unit and get one scale. Fitted attributes are in the units of X all the
    same.""",
    "solver": """
solver : {{"rmsprop", "sgd", "adam"}}, default={default}
    Update rule. "rmsprop" averages the gradient after dividing it by the root of its mean square;
    epsilon stands outside of the root.""",
    "learning_rate": """
learning_rate : {{"constant", "cosine", "invscaling", "inverse_time", "adaptive"}}, \
default={default}
    Schedule. "cosine" falls to zero over `max_iter` epochs. "invscaling" divides by
    ``t ** power_t`` at step t. "inverse_time" divides by ``1 + decay_rate * e`` after epoch e, each
    time anew, as the reference does. "adaptive" divides by 5 whenever the loss stands still.""",
    "learning_rate_init": """
learning_rate_init : float or "auto", default={default}
    Step size to begin with. "auto" is {rate} / sqrt(number of hidden layers).""",
    "power_t": """
power_t : float, default={default}
    Exponent of "invscaling".""",
    "decay_rate": """
decay_rate : float, default={default}
    Of "inverse_time".""",
    "rho": """
rho : float in [0, 1), default={default}
    How much of the mean square of the gradient "rmsprop" keeps at each step.""",
    "momentum": """
momentum : float in [0, 1), default={default}
    Of "rmsprop": how much of the average of the normalised gradient is kept at each step. Of
    "sgd": heavy-ball momentum.""",
    "nesterovs_momentum": """
nesterovs_momentum : bool, default={default}
    Whether "sgd" uses Nesterov's momentum.""",
    "beta_1": """
beta_1 : float in [0, 1), default={default}
    How much of the mean gradient "adam" keeps at each step.""",
    "beta_2": """
beta_2 : float in [0, 1), default={default}
    How much of the mean square "adam" keeps at each step.""",
    "epsilon": """
epsilon : float, default={default}
    Added to the root of the mean square by "rmsprop" and "adam".""",
    "alpha": """
alpha : float, default={default}
    Strength of decay of centroids, inverse radii and weights, not of intercepts.""",
    "decay": """
decay : {{"prior", "decoupled", "coupled"}}, default={default}
    "prior" pulls centroids and inverse radii back to where they started, and weights to zero, in
    proportion to the loss: it adds ``alpha * loss / n_samples`` times the way to the gradient, as
    a Gaussian prior does when the variance of the errors is unknown, so that it holds back where
    data are noisy and lets go where they are not; for losses that bear outliers, the loss is told
    from the median of the errors here. "decoupled" shrinks by ``rate * alpha`` at each
    step, outside of the gradient's normalisation; "coupled" adds ``alpha / batch size`` times the
    parameter to the gradient, as the reference does. With these two the first layer's centroids
    shrink towards the mean of the data, or, coupled and without `standardize`, towards zero; all
    else shrinks towards zero.""",
    "dropout": """
dropout : float in [0, 1), default={default}
    Share of the outputs of hidden units that are replaced by their unit's mean over the batch while
    training; of L hidden layers each has ``1 - (1 - dropout)**(1 / L)`` of its outputs replaced.
    Those left count for so much more that squared distances are, in the mean, what they are without
    dropout.""",
    "dropout_schedule": """
dropout_schedule : {{"constant", "learning_rate"}}, default={default}
    "constant": the same share in every epoch. "learning_rate": the share falls as the learning rate
    does, with ``learning_rate="cosine"`` from `dropout` to nothing at the end, so that what is
    learned under much dropout is fitted, in the last epochs, to answers without it [2]_.""",
    "label_smoothing": """
label_smoothing : float in [0, 1), default={default}
    Share of each label that training spreads evenly over all classes; `fit` spreads it over the
    classes that have rows of positive weight.""",
    "class_weight": """
class_weight : {{"balanced"}}, dict, list of dict or None, default={default}
    Positive weights of classes, multiplied into the weights of rows, of validation rows too. A dict
    has them by label, with the rule of :func:`sklearn.utils.class_weight.compute_class_weight`: it
    may name labels that `y` lacks only if it names all of those in `y`; labels that it leaves out
    weigh 1. "balanced" gives each class the same sum of weights, `sample_weight` included; it
    needs all rows, so `partial_fit` does not accept it. For several outputs pass "balanced" or a
    list of dicts, one for each output, in order (the classes of a label in an indicator matrix are
    0 and 1); the weights of a row's classes are multiplied.""",
    "dtype": """
dtype : {{"float32", "float64"}} or None, default={default}
    Precision of parameters and computation; None is that of X.""",
    "batch_size": """
batch_size : int or "auto", default={default}
    Rows of a step at the most, over which those of an epoch are dealt evenly: of 201 rows and
    batches of 200, steps are of 100 and 101. "auto" is 200, or all rows where there are fewer.""",
    "max_iter": """
max_iter : int, default={default}
    Epochs at the most; under `warm_start`, further epochs.""",
    "shuffle": """
shuffle : bool, default={default}
    Whether each epoch takes the rows in another order.""",
    "random_state": """
random_state : int, RandomState instance or None, default={default}
    Decides the start, the order of rows and the validation rows.""",
    "tol": """
tol : float, default={default}
    A loss that improves by less counts as standing still.""",
    "n_iter_no_change": """
n_iter_no_change : int, default={default}
    Training ends when the loss has stood still for more than so many epochs: `scoring` of the
    validation rows where there are some, else the training loss, but for "cosine", which ends as
    planned.""",
    "early_stopping": """
early_stopping : bool, default={default}
    Whether to set rows aside, watch `scoring` on them, and bring back the parameters of the epoch
    where it was best. A validation set given to fit does the same and takes their place.""",
    "validation_fraction": """
validation_fraction : float in (0, 1), default={default}
    Share of the rows set aside by `early_stopping`.""",
    "scoring": """
scoring : str or callable, default={default}
    What is watched on validation rows: "loss", the smaller the better, or the name of a scorer of
    scikit-learn or a callable ``(estimator, X, y) -> float``, the higher the better. It is given a
    fitted copy of the estimator, arrays, and, where rows have weights, `sample_weight`.
    ``validation_scores_`` are its answers; for "loss" they are {score}.""",
    "false_alarm_rate": """
false_alarm_rate : float in (0, 1), default={default}
    Share of known rows that `novelty_threshold_` takes for novel. It is measured on the rows set
    aside by `early_stopping`, where there are enough of them for one such row; else on up to 4000
    training rows, each by what the others look like. That the network itself was trained on them is
    then left out: new rows raise more alarms, the fewer the training rows the more.""",
    "handle_novelty": """
handle_novelty : {{"prior"}} or None, default={default}
    What is answered about rows unlike the training data. None: what the network makes of them,
    which may be certain of anything. "prior": probabilities of rows below ``novelty_threshold_``
    are mixed with the shares of the classes among the training rows, by weight, the more the
    farther below, and far away they are those shares. Rows at the threshold and above are answered
    as ever. `predict` follows, and `decision_function` then gives logarithms of the probabilities.
    Every prediction takes a :meth:`score_samples` besides. Set it before `fit`: a value set
    afterwards changes no prediction.""",
    "warm_start": """
warm_start : bool, default={default}
    Whether fit goes on from where the last one ended, solver and random generator included. Layers
    and `dtype` must then be the same; `init`, `init_median_activation` and `standardize` were for
    the start, and are not looked at again.""",
    "checkpoint_dir": """
checkpoint_dir : str, path-like or None, default={default}
    Folder, made where there is none, in which `fit` keeps what it needs to go on: a file for each
    start, removed when the fit is over. A fit that was cut off goes on from there when it is called
    again with the same parameters, data and seed, to the same result, bit for bit; any other fit
    has a file of its own. `random_state` must then be set. `partial_fit` takes no part.""",
    "checkpoint_every": """
checkpoint_every : int, default={default}
    Epochs between two checkpoints.""",
    "verbose": """
verbose : bool or int, default={default}
    Whether to print a line for each epoch.""",
}

ATTRIBUTES = """
centroids_, inverse_radii_ : list of ndarray
    For each layer, the centroids (n_units, n_inputs) and the inverse radii, which broadcast to
    that shape; None for a dot-product layer. Those of the first layer are in the units of X,
    centroids NaN for a column that was NaN throughout. Read-only, computed when asked for.
coefs_, intercepts_ : list of ndarray
    For each layer, the weights (n_inputs, n_units) and intercepts (n_units,); None for a
    distance layer. Read-only as well.
feature_relevances_, feature_importances_ : ndarray of shape (n_features,)
    Where the first layer is a distance layer: the share of each feature in its distances, weighted
    by the variance of its activations. They sum to 1. The second name is for tools that use it,
    such as :class:`~sklearn.feature_selection.RFE` and
    :class:`~sklearn.feature_selection.SelectFromModel`.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns of X, where it had any.
n_layers_, n_outputs_ : int
    Layers, the input included, and outputs of the network: one for each class or target, and for
    each label of an indicator matrix two, without and with it.
n_iter_ : int
    Epochs trained, over all calls that went on from one another.
best_epoch_ : int
    The epoch, the first being 1, whose parameters were kept: the best of the last call on the
    validation rows, or, without any, its last.
t_ : int
    Rows that the solver has seen.
init_scores_ : list of float
    For each start of `fit`, what the best was chosen by, the higher the better: losses are
    negative.
novelty_threshold_ : float
    Rows with :meth:`score_samples` below it are unlike the training data. Not there after
    :meth:`partial_fit`, nor for a net whose first layer is not one of distances."""


def describe_parameters(cls):
    """Put the descriptions of parameters and shared attributes where the docstring says so.

    Store the parameters' defaults as `_own_defaults`, which subclasses inherit, whatever
    parameters they have.
    """
    defaults = cls.__init__.__kwdefaults__ | dict(
        zip(("hidden_layer_sizes", "activation"), cls.__init__.__defaults__)
    )
    lines = "".join(
        text.format(
            default=f'"{value}"' if isinstance(value, str) else value,
            rate=cls._rate,
            score=cls._score_name,
        )
        for name, text in PARAMETERS.items()
        if (value := defaults.get(name, text)) is not text
    )
    for mark, text in (("parameters", lines), ("attributes", ATTRIBUTES)):
        cls.__doc__ = cls.__doc__.replace(f"\n    {{{mark}}}", text.replace("\n", "\n    "))
    cls._own_defaults = defaults
    return cls
