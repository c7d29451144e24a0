"""The columns of X as values of an ONNX graph: numbers, and levels of categories."""

from contextlib import suppress

import numpy as np
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)

from ..._base.categories import is_number, key_of, level_of
from ..conversion import members_of

FLOATS = {"float32": FloatTensorType, "float64": DoubleTensorType}
#: Types in which numbers are compared with levels as they are; others become double.
COMPARED = {FloatTensorType: np.float32, DoubleTensorType: np.float64, Int64TensorType: np.int64}
#: Strings that stand for a missing value, unless they are levels themselves.
MISSING = ("", "nan", "NaN", "None", "<NA>")


def input_types(estimator, dtype):
    """Return names and types of inputs: "X", or one for each column if some are categories."""
    net = members_of(estimator)[0]
    number = FLOATS[np.dtype(dtype).name]
    if net._levels_ is None:
        return [("X", number([None, net.n_features_in_]))]
    names = getattr(net, "feature_names_in_", None)
    if names is None:
        names = [f"x{column}" for column in range(net.n_features_in_)]
    types = [number if levels is None else type_of(levels, number) for levels in net._levels_]
    # skl2onnx has no use for an empty name.
    names = [str(name) or f"x{column}" for column, name in enumerate(names)]
    return [(name, kind([None, 1])) for name, kind in zip(names, types)]


def type_of(levels, number):
    """Return the type of a column with these levels; without any, they are words."""
    if not levels or not all(map(is_number, levels)):
        return StringTensorType
    if all(isinstance(level, bool) for level in levels):
        return BooleanTensorType
    return Int64TensorType if all(map(is_int64, levels)) else number


def is_int64(number):
    return isinstance(number, int) and -(2**63) <= number < 2**63


class Columns:
    """The columns of X, spread over the inputs of an operator.

    Raises a ValueError unless their number is that of the fit.
    """

    def __init__(self, graph, variables, estimator, name):
        self.graph, self.variables = graph, variables
        self.levels, expected = estimator._levels_, estimator.n_features_in_
        self.located: dict = {}
        # Inputs from other operators may have no shape.
        widths = [(variable.type.shape or [None])[-1] for variable in variables]
        if len(widths) == 1 and not isinstance(widths[0], int):
            widths = [expected]
        if not all(isinstance(width, int) for width in widths) or sum(widths) != expected:
            raise ValueError(
                f"{name} was fitted with {expected} features; got inputs with "
                f"{' and '.join(map(str, widths))} columns."
            )
        self.widths = widths
        self.owners = [
            (number, column) for number, width in enumerate(widths) for column in range(width)
        ]

    def is_string(self, number):
        return isinstance(self.variables[number].type, StringTensorType)

    def numbers(self, which, dtype):
        """Return these columns (n_rows, n_columns), which are numbers, in a dtype."""
        parts = []
        for number, variable in enumerate(self.variables):
            own = [self.owners[at][1] for at in which if self.owners[at][0] == number]
            if not own:
                continue
            value = variable.full_name
            if len(own) < self.widths[number]:
                value = self.graph.columns(value, own)
            if variable.type.__class__ is not FLOATS[np.dtype(dtype).name]:
                value = self.graph.cast(value, dtype)
            parts.append(value)
        return self.graph.concat(parts)

    def codes(self, at):
        """Return the code (n_rows,) of the level in a column; see `code_of_missing`."""
        if at not in self.located:
            number, column = self.owners[at]
            value = self.variables[number].full_name
            if self.widths[number] > 1:
                value = self.graph.columns(value, [column])
            find = self._codes_of_strings if self.is_string(number) else self._codes_of_numbers
            code = find(value, at, type(self.variables[number].type))
            self.located[at] = self.graph.op("Reshape", code, np.array([-1], dtype=np.int64))
        return self.located[at]

    def _codes_of_strings(self, value, at, kind):
        levels = self.levels[at]
        codes = {key_of(level): code for code, level in enumerate(levels)}
        words = {str(level): code for code, level in enumerate(levels)}  # "True" for True
        codes = words | dict.fromkeys(MISSING, code_of_missing(levels)) | codes
        return self.graph.op(
            "LabelEncoder",
            value,
            domain="ai.onnx.ml",
            op_version=2,  # the newest one may be too new for skl2onnx
            keys_strings=list(codes),
            values_int64s=list(codes.values()),
            default_int64=len(levels),
        )

    def _codes_of_numbers(self, value, at, kind):
        """Return the code of the level that each number equals, of which there is at most one."""
        graph, n_levels = self.graph, len(self.levels[at])
        dtype = COMPARED.get(kind, np.float64)
        codes, known = numbers_of(self.levels[at], dtype)
        if len(np.unique(known)) < len(known):
            raise ValueError(
                f"Column {at} of X has levels that are equal in {np.dtype(dtype).name}, among "
                f"{self.levels[at][:5]}: convert with dtype='float64', or turn them into strings "
                "and fit again."
            )
        if kind not in COMPARED:
            value = graph.cast(value, dtype)
        matches = graph.cast(graph.op("Equal", value, known[np.newaxis]), np.float32)
        # Sums of the codes minus that of an unseen level, which is the number of levels.
        weights = codes.astype(np.float32)[:, np.newaxis] - n_levels
        code = graph.op("MatMul", matches, weights)
        code = graph.op("Add", code, np.float32(n_levels))
        if dtype != np.int64:
            missing = graph.cast(graph.op("IsNaN", value), np.float32)
            code = graph.op("Add", code, missing)
        return graph.cast(code, np.int64)


def code_of_missing(levels):
    """Return the code of a missing value; that of an unseen level is the number of levels."""
    return len(levels) + 1


def numbers_of(levels, dtype):
    """Return the codes of the levels that are numbers of a dtype, and these numbers."""
    numbers = {code: number_of(level) for code, level in enumerate(levels)}
    takes = is_int64 if dtype == np.int64 else lambda number: number is not None
    numbers = {code: number for code, number in numbers.items() if takes(number)}
    with np.errstate(over="ignore"):
        known = np.array([*numbers.values()], dtype=dtype)
    return np.array([*numbers], dtype=np.int64), known


def number_of(level):
    """Return the number that is the same level, such as 1 for "1" and True; None if none is."""
    if is_number(level):
        return level
    with suppress(ValueError, OverflowError):  # words, "nan" and "inf"
        number = level_of(float(level))
        return number if key_of(number) == level else None
    return None
