"""Labels, probabilities and predictions from the raw output, as nodes of an ONNX graph."""

import numpy as np

from ..._targets.labels import MultilabelCodec, SingleLabelCodec
from .layers import known

# Classification -----------------------------------------------------------------------------------


def classification(graph, codec, raws, names, raw_scores=False):
    """Write labels and probabilities to the outputs of two names, from the raws of all members.

    `raw_scores` replaces probabilities by the decision function.
    """
    logits = [by_output(graph, codec, raw) for raw in raws]
    is_ensemble = len(logits) > 1
    scores = logits[0]  # which still differ where probabilities round to 1
    if is_ensemble:
        members = [softmax(graph, parts) for parts in logits]
        scores = [mean(graph, parts) for parts in zip(*members)]
    graph.write(most_probable(graph, codec, scores), names[0])
    if not raw_scores:
        values = scores if is_ensemble else softmax(graph, scores)
    else:
        values = logarithms(graph, scores) if is_ensemble else scores
        values = [decisions(graph, *pair) for pair in zip(values, codec.sizes)]
    if isinstance(codec, MultilabelCodec):
        values = [graph.op("Gather", values[0], np.int64(1), axis=2)]
    elif not isinstance(codec, SingleLabelCodec):
        values = [graph.op("SequenceConstruct", *values)]
    graph.write(values[0], names[1])


def softmax(graph, logits):
    return [graph.op("Softmax", part, axis=-1) for part in logits]


def logarithms(graph, probabilities):
    tiny = graph.numbers(np.finfo(graph.dtype).tiny)
    return [graph.op("Log", graph.op("Max", part, tiny)) for part in probabilities]


def by_output(graph, codec, raw):
    """Return the logits of each output; of a multilabel target one array (n_rows, n_labels, 2)."""
    if isinstance(codec, SingleLabelCodec):
        return [raw]
    if isinstance(codec, MultilabelCodec):
        shape = np.array([-1, len(codec.classes), 2], dtype=np.int64)
        return [graph.op("Reshape", raw, shape)]
    return [graph.columns(raw, np.arange(group.start, group.stop)) for group in codec.groups]


def decisions(graph, logits, n_classes):
    """Return the logits of an output; of two classes their difference, with both signs."""
    if n_classes != 2:
        return logits
    signs = graph.numbers([[1.0, -1.0], [-1.0, 1.0]])
    return graph.op("MatMul", logits, signs)


def most_probable(graph, codec, scores):
    """Return the labels of largest score, in the form of `predict`."""
    if isinstance(codec, MultilabelCodec):
        return graph.op("ArgMax", scores[0], axis=-1, keepdims=0)
    is_single = isinstance(codec, SingleLabelCodec)
    columns = []
    for classes, score in zip(codec.columns, scores):
        number = graph.op("ArgMax", score, axis=-1, keepdims=int(not is_single))
        classes = as_labels(classes)
        is_number = np.array_equal(classes, np.arange(len(classes)))
        columns.append(number if is_number else graph.op("Gather", classes, number))
    return graph.concat(columns)


def as_labels(classes):
    """Return classes as int64 or strings, the labels that ONNX has.

    Raises a ValueError for other numbers than integers, and for mixed kinds.
    """
    if all(isinstance(label, str) for label in classes):
        return np.asarray(classes, dtype=object)
    try:
        with np.errstate(invalid="ignore"):
            integers = np.asarray(classes).astype(np.int64)
    except (TypeError, ValueError):
        integers = None
    if integers is None or not np.array_equal(integers, classes):
        raise ValueError(
            "Labels in ONNX are integers or strings; got the classes "
            f"{np.asarray(classes).tolist()}: turn 'y' into one of these and fit again."
        )
    return integers


def mean(graph, values):
    """Return the mean of values of members."""
    if len(values) == 1:
        return values[0]
    return graph.op("Mul", graph.op("Sum", *values), graph.numbers(1.0 / len(values)))


# Regression ---------------------------------------------------------------------------------------


def prediction(graph, codec, raws):
    """Return predictions (n_rows, n_targets) in the units of the target."""
    values = [inverse_link(graph, codec, raw) for raw in raws]
    dtype = codec.prediction_dtype(graph.dtype)
    if dtype != graph.dtype:
        values = [graph.cast(value, dtype) for value in values]
    # The mean before the units, which are linear, so that sums of large numbers do not overflow.
    value = values[0]
    if len(values) > 1:
        value = graph.op("Mul", graph.op("Sum", *values), np.asarray(1.0 / len(values), dtype))
    # Where a target has not varied, the prediction is its value.
    varies = codec.n_varied > 0
    scale, shift = codec.scale * varies, np.where(varies, codec.shift, codec.constant)
    value = graph.op("Mul", value, scale.astype(dtype))
    value = graph.op("Add", value, shift.astype(dtype))
    largest = np.finfo(dtype).max.astype(dtype)
    return graph.op("Clip", value, -largest, largest)


def inverse_link(graph, codec, raw):
    """Return what the loss estimates, in its own units."""
    if codec.out_activation == "exp":
        limits = np.finfo(graph.dtype)
        bounds = graph.numbers(limits.tiny), graph.numbers(limits.max)
        return graph.op("Clip", graph.op("Exp", raw), *bounds)
    known(codec.out_activation, ("identity", "exp", "cumulative_softplus"), "inverse link")
    return increasing(graph, codec, raw) if codec.predicts_levels else raw


def increasing(graph, codec, raw):
    """Return quantiles that never cross: the lowest one, and softplus of z for each gap."""
    n_levels = len(codec.loss.quantile)
    lowest = graph.columns(raw, [0])
    if n_levels == 1:
        return lowest
    z = graph.columns(raw, np.arange(1, n_levels))
    # Softplus is max(z, 0) + log(1 + exp(-|z|)); the operator of that name is in float32 only.
    tail = graph.op("Exp", graph.op("Neg", graph.op("Abs", z)))
    tail = graph.op("Log", graph.op("Add", tail, graph.numbers(1.0)))
    gaps = graph.op("Add", graph.op("Max", z, graph.numbers(0.0)), tail)
    sums = graph.numbers(np.triu(np.ones((n_levels, n_levels))))
    return graph.op("MatMul", graph.concat([lowest, gaps]), sums)
