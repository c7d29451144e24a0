"""Nodes and constants of an ONNX graph, written into the container of skl2onnx."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

#: Reductions but for sums take their axes as an input from this opset on.
AXES_AS_INPUT = 18


class Graph:
    """A graph under construction. Values are strings, the names of their tensors.

    Parameters
    ----------
    scope, container : skl2onnx.common._topology.Scope and ModelComponentContainer
        What a converter receives.
    dtype : dtype
        In which the graph computes, unless a step needs double precision.
    """

    def __init__(self, scope, container, dtype):
        self.scope, self.container, self.dtype = scope, container, np.dtype(dtype)

    def constant(self, array):
        """Return the name of a constant: an array or number, of its own dtype."""
        name = self.scope.get_unique_variable_name("constant")
        array = np.asarray(array)
        if array.dtype.kind in "OUS":
            values = [str(value).encode() for value in array.ravel()]
            self.container.add_initializer(name, TensorProto.STRING, array.shape, values)
        else:
            tensor = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape))
            self.container.add_initializer(name, tensor.data_type, array.shape, tensor)
        return name

    def numbers(self, array):
        """Return an array in the dtype of the graph, for use as a constant."""
        return np.asarray(array).astype(self.dtype)

    def op(self, kind, *inputs, domain="", output=None, **attributes):
        """Add a node; return its output. Inputs that are no names become constants."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = output or self.scope.get_unique_variable_name(kind.lower())
        name = self.scope.get_unique_operator_name(kind)
        self.container.add_node(kind, names, [output], op_domain=domain, name=name, **attributes)
        return output

    def branch(self, condition, positive, negative, widths):
        """Return values (n_rows, width) of one of two functions, which add nodes of a subgraph.

        The condition must depend on all values that the functions use but constants: skl2onnx
        orders nodes by their own inputs, and does not look into subgraphs.
        """
        nodes, subgraphs = self.container.nodes, []
        for function in (positive, negative):
            start = len(nodes)
            outputs = function()
            kind = helper.np_dtype_to_tensor_dtype(self.dtype)
            infos = [
                helper.make_tensor_value_info(name, kind, [None, width])
                for name, width in zip(outputs, widths)
            ]
            subgraphs.append(helper.make_graph(nodes[start:], "branch", [], infos))
            del nodes[start:]
        names = [self.scope.get_unique_variable_name("branch") for _ in widths]
        branches = {"then_branch": subgraphs[0], "else_branch": subgraphs[1]}
        name = self.scope.get_unique_operator_name("If")
        self.container.add_node("If", [condition], names, name=name, **branches)
        return names

    def write(self, value, name):
        """Let a value be the output of this name."""
        nodes = self.container.nodes
        if nodes[-1].output[0] == value:  # which no other node reads yet
            nodes[-1].output[0] = name
        else:
            self.op("Identity", value, output=name)

    def cast(self, value, dtype):
        return self.op("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def concat(self, values):
        """Return columns side by side."""
        return self.op("Concat", *values, axis=1) if len(values) > 1 else values[0]

    def columns(self, value, numbers):
        """Return the columns of these numbers."""
        return self.op("Gather", value, np.asarray(numbers, dtype=np.int64), axis=1)

    def reduce(self, kind, value, axis, keepdims=1):
        """Return ReduceMax, ReduceMin or the like along an axis."""
        if self.container.target_opset < AXES_AS_INPUT:
            return self.op(kind, value, axes=[axis], keepdims=keepdims)
        return self.op(kind, value, np.array([axis], dtype=np.int64), keepdims=keepdims)

    def row_sums(self, value, weights):
        """Return the weighted sums (n_rows, 1) of rows."""
        return self.op("MatMul", value, self.numbers(weights)[:, np.newaxis])
