"""The parser, shape calculator and converter that skl2onnx calls for an estimator."""

import numpy as np
from skl2onnx.common.data_types import (
    DictionaryType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    SequenceType,
    StringTensorType,
)
from sklearn.base import is_classifier

from ..._targets.labels import MultilabelCodec, SingleLabelCodec
from ...engine.layers import Distance
from ...engine.projection import ProjectedMap
from ..conversion import members_of, options_of
from .columns import FLOATS, Columns
from .graph import Graph
from .inputs import mapped_rows
from .layers import network_outputs
from .novelty import novelty_score
from .outputs import as_labels, classification, mean, prediction


def chosen_options(holder, estimator):
    """Return the options for an estimator; `holder` is skl2onnx's scope or container."""
    defaults = {name: values[0] for name, values in options_of(type(estimator)).items()}
    return holder.get_options(estimator, defaults)


def compute_dtype(estimator, variables):
    """Return the dtype of the computation: that of the inputs, or of the net if none are floats."""
    types = [type(variable.type) for variable in variables]
    if DoubleTensorType in types:
        return np.dtype(np.float64)
    net = members_of(estimator)[0]
    return np.dtype(np.float32) if FloatTensorType in types else net._network.dtype


# Outputs ------------------------------------------------------------------------------------------


def parse(scope, estimator, inputs, custom_parsers=None):
    """Declare the outputs of an estimator."""
    operator = scope.declare_local_operator(alias_of(type(estimator)), estimator)
    operator.inputs = inputs
    options = chosen_options(scope, estimator)
    for name, kind in output_types(estimator, inputs, options):
        operator.outputs.append(scope.declare_local_variable(name, kind))
    zipmap, outputs = options.get("zipmap", False), list(operator.outputs)
    if zipmap and isinstance(estimator._codec, SingleLabelCodec):
        outputs[:2] = zip_probabilities(scope, estimator._codec, outputs[:2], zipmap)
    return outputs


def alias_of(kind):
    return f"Skdistnet{kind.__name__}"


def set_output_types(operator):
    """Set the types of the outputs, now that those of the inputs are known."""
    options = chosen_options(operator.scope_inst, operator.raw_operator)
    types = output_types(operator.raw_operator, operator.inputs, options)
    for variable, (_, kind) in zip(operator.outputs, types):
        variable.set_type(kind)


def output_types(estimator, inputs, options):
    """Return names and types of the outputs, those that skl2onnx has for other estimators."""
    codec, dtype = estimator._codec, compute_dtype(estimator, inputs)
    number = FLOATS[dtype.name]
    if is_classifier(estimator):
        outputs = label_types(codec, number)
    else:
        kind = FLOATS[codec.prediction_dtype(dtype).name]
        n_columns = len(codec.loss.quantile) if codec.predicts_levels else len(codec.shift)
        outputs = [("variable", kind([None, n_columns]))]
    if options["score_samples"]:
        outputs.append(("score_samples", number([None, 1])))
    return outputs


def label_types(codec, number):
    """Return names and types of the outputs of a classifier."""
    label = label_type(codec)
    if isinstance(codec, SingleLabelCodec):
        shape = [None, len(codec.classes)]
        return [("label", label([None])), ("probabilities", number(shape))]
    shape = [None, len(codec.classes)]
    is_multilabel = isinstance(codec, MultilabelCodec)
    probabilities = number(shape) if is_multilabel else SequenceType(number())
    return [("label", label(shape)), ("probabilities", probabilities)]


def label_type(codec):
    classes = [as_labels(classes) for classes in codec.columns]
    return StringTensorType if classes[0].dtype == object else Int64TensorType


def zip_probabilities(scope, codec, outputs, zipmap):
    """Declare skl2onnx's operator that pairs probabilities with classes; return its outputs."""
    label, number = label_type(codec), type(outputs[1].type)
    classes = as_labels(codec.classes).tolist()
    if zipmap == "columns":
        operator = scope.declare_local_operator("SklearnZipMapColumns")
        prefix = "s" if label is StringTensorType else "i"
        types = [(f"{prefix}{each}", number([None])) for each in classes]
    elif number is DoubleTensorType:
        raise ValueError(
            "The option zipmap=True is for float32, the only dtype of the operator ZipMap: set it "
            "to False or 'columns', or convert with float32 inputs."
        )
    else:
        operator = scope.declare_local_operator("SklearnZipMap")
        types = [("output_probability", SequenceType(DictionaryType(label([None]), number())))]
    operator.inputs = outputs
    if label is StringTensorType:
        operator.classlabels_strings = [each.encode() for each in classes]
    else:
        operator.classlabels_int64s = classes
    for name, kind in [("output_label", label([None])), *types]:
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


# Nodes --------------------------------------------------------------------------------------------


def convert(scope, operator, container):
    """Add the nodes of a fitted estimator to the container."""
    estimator = operator.raw_operator
    name, members = type(estimator).__name__, members_of(estimator)
    options = chosen_options(container, estimator)
    graph = Graph(scope, container, compute_dtype(estimator, operator.inputs))
    columns = Columns(graph, operator.inputs, members[0], name)
    passes = [forward(graph, columns, net, options, name) for net in members]
    raws = [raw for _, raw in passes]
    names = [variable.full_name for variable in operator.outputs]
    if options["score_samples"]:
        double = Graph(scope, container, np.float64)
        columns = Columns(double, operator.inputs, members[0], name)
        scores = [
            novelty_score(double, columns, net, outputs, name)
            for net, (outputs, _) in zip(members, passes)
        ]
        graph.write(graph.cast(mean(double, scores), graph.dtype), names.pop())
    codec = estimator._codec
    if is_classifier(estimator):
        classification(graph, codec, raws, names, options["raw_scores"])
    else:
        graph.write(prediction(graph, codec, raws), names[0])


def forward(graph, columns, net, options, name):
    """Return the outputs of the layers of a net, and its raw output."""
    input_map, network, shares = net._input_map, net._network, None
    x = mapped_rows(graph, columns, input_map, name)
    if not options["missing_values"]:
        if net._levels_ is not None or input_map.ignores_columns:
            raise ValueError(
                f"The option missing_values=False is for {name} with numbers only, each of which "
                "some training row had: leave it out."
            )
    elif isinstance(network.layers[0], Distance) and not isinstance(input_map, ProjectedMap):
        shares = np.ones(network.sizes[0])
        if input_map.input_shares is not None:
            shares = input_map.input_shares
    return network_outputs(graph, network, net._theta_, x, shares)
