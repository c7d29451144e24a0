"""The maps from columns of X to inputs of a network, as nodes of an ONNX graph."""

import numpy as np

from ...engine.categories import CategoricalMap
from ...engine.input_scaling import KNEE, largest_square_root
from ...engine.projection import ProjectedMap
from ...engine.quantile_map import QuantileMap

#: Largest rounding error of float32 around the mean of a column, in units of its scale, with which
#: float32 inputs are accepted.
LARGEST_ROUNDING = 1e-4
#: Shifts are subtracted in double precision if rounding them would move a column by more than this.
LARGEST_SHIFT = 1e-7


def mapped_rows(graph, columns, input_map, name, linear=False):
    """Return rows (n_rows, n_inputs) in units of the network, NaN where a value is missing.

    `linear` stands for the map without compression, feature weights and ranks, as for novelty.
    """
    if not isinstance(input_map, CategoricalMap):
        return mapped_numbers(graph, columns, range(input_map.n_columns), input_map, name, linear)
    parts = []
    if len(input_map.others):
        numbers = columns, input_map.others.tolist(), input_map.numbers
        parts.append(mapped_numbers(graph, *numbers, name, linear))
    for at, _, locations in input_map.parts:
        table = locations.table[locations.rows_of(codes_of_levels(columns.levels[at]))]
        parts.append(graph.op("Gather", graph.numbers(table), columns.codes(at)))
    return graph.concat(parts)


def codes_of_levels(levels):
    """Return the codes of all levels, of an unseen one and of a missing one."""
    return np.array([*range(len(levels)), -1.0, np.nan])


def mapped_numbers(graph, columns, which, input_map, name, linear):
    """Return the inputs of columns of numbers."""
    is_ranked = isinstance(input_map, QuantileMap) and not linear
    dtype = dtype_of_shift(graph, input_map, name, which)
    if is_ranked:
        x = columns.numbers(which, np.float64)
        return graph.op("Clip", ranks(graph, x, input_map), *bounds(graph, input_map))
    x = graph.op("Sub", columns.numbers(which, dtype), input_map.shift.astype(dtype))
    x = graph.op("Mul", x, (1.0 / input_map.scale).astype(dtype))
    low, high = (bound.astype(dtype) for bound in bounds(graph, input_map))
    if input_map.far_out is None or linear:
        x = graph.op("Clip", x, low, high)
    else:
        x = compressed(graph, x, input_map.far_out, high, input_map.n_columns)
    x = x if dtype == graph.dtype else graph.cast(x, graph.dtype)
    if input_map.feature_weights is not None and not linear:
        x = graph.op("Mul", x, graph.numbers(input_map.feature_weights))
    return projected(graph, x, input_map, linear) if isinstance(input_map, ProjectedMap) else x


def bounds(graph, input_map):
    """Return the bounds of mapped numbers, within which squared distances are finite."""
    bound = largest_square_root(input_map.n_columns, graph.dtype)
    return graph.numbers(-bound), graph.numbers(bound)


def dtype_of_shift(graph, input_map, name, which):
    """Return the dtype in which the shift is subtracted.

    Raises a ValueError if float32 inputs would lose what distinguishes the values of a column.
    """
    if graph.dtype == np.float64:
        return np.dtype(np.float64)
    shift = np.nan_to_num(input_map.shift)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.abs(shift - shift.astype(np.float32)) / input_map.scale
        typical = np.maximum(np.abs(shift), input_map.scale).astype(np.float32)
        # NaN beyond float32.
        rounding = np.spacing(typical).astype(np.float64) / 2 / input_map.scale
    # A shift that float32 holds exactly is that of float32 data.
    lost = (moved > 0) & ~(rounding <= LARGEST_ROUNDING)
    if lost.any():
        worst = int(np.argmax(np.where(lost, np.nan_to_num(rounding, nan=np.inf), 0.0)))
        raise ValueError(
            f"Column {list(which)[worst]} of X lies around {input_map.shift[worst]:.6g} with a "
            f"spread of {input_map.scale[worst]:.3g}, and float32 inputs would keep fewer than "
            f"four digits of that: convert {name} with dtype='float64', or with inputs of type "
            "DoubleTensorType."
        )
    return np.dtype(np.float64 if moved.max(initial=0.0) > LARGEST_SHIFT else np.float32)


def compressed(graph, x, far_out, bound, n_columns):
    """Return scaled rows with values far out compressed; see engine/input_scaling.py.

    What exceeds the knee is computed for the columns that have such values only.
    """
    dtype = bound.dtype
    limits = np.full(n_columns, bound)
    limits[far_out] = KNEE
    inside = graph.op("Max", graph.op("Min", x, limits), -limits)
    values = graph.columns(x, far_out)
    excess = graph.op("Sub", values, graph.columns(inside, far_out))
    excess = signed_arcsinh(graph, excess, dtype)
    # A sum with zeros in other columns, which NaN would not leave as they are.
    excess = graph.op("Where", graph.op("IsNaN", values), np.zeros((), dtype), excess)
    positions = np.eye(n_columns, dtype=dtype)[far_out]
    return graph.op("Add", inside, graph.op("MatMul", excess, positions))


def signed_arcsinh(graph, x, dtype):
    """Return arcsinh without overflow; infinity counts as the largest number."""
    one, largest = np.ones((), dtype), np.finfo(dtype).max.astype(dtype)
    if dtype == np.float32:  # in which alone onnxruntime has the operator
        return graph.op("Asinh", graph.op("Clip", x, -largest, largest))
    magnitude = graph.op("Min", graph.op("Abs", x), largest)
    # With m = max(|x|, 1) it is log(m) + log(|x| / m + sqrt((|x| / m)^2 + 1 / m^2)).
    scale = graph.op("Max", magnitude, one)
    part, inverse = graph.op("Div", magnitude, scale), graph.op("Reciprocal", scale)
    squares = graph.op("Add", graph.op("Mul", part, part), graph.op("Mul", inverse, inverse))
    logarithm = graph.op("Log", graph.op("Add", part, graph.op("Sqrt", squares)))
    logarithm = graph.op("Add", graph.op("Log", scale), logarithm)
    return graph.op("Mul", graph.op("Sign", x), logarithm)


def projected(graph, x, input_map, linear):
    """Return directions of scaled rows, in which missing values count as the mean.

    `linear` adds the distance from the span of the directions.
    """
    x = graph.op("Where", graph.op("IsNaN", x), graph.numbers(0.0), x)
    directions = graph.op("MatMul", x, graph.numbers(input_map.components))
    if not linear:
        return directions
    inside = graph.reduce("ReduceSumSquare", directions, axis=1)
    squared = graph.op("Sub", graph.reduce("ReduceSumSquare", x, axis=1), inside)
    distance = graph.op("Sqrt", graph.op("Max", squared, graph.numbers(0.0)))
    return graph.concat([directions, distance])


def ranks(graph, x, input_map):
    """Return the normal scores of rows in double precision; see engine/quantile_map.py."""
    values, scores = input_map.knots
    inside = graph.op("Min", graph.op("Max", x, values[0]), values[-1])
    position = last_knot_below(graph, inside, values)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.diff(scores, axis=0) / np.diff(values, axis=0)
    slopes = np.concatenate([slopes, np.zeros_like(values[:1])])
    slopes[~np.isfinite(slopes)] = 0.0  # knots beyond the last distinct value
    start, score, slope = (
        graph.op("Gather", table.ravel(), position) for table in (values, scores, slopes)
    )
    result = graph.op("Mul", graph.op("Sub", inside, start), slope)
    beyond = graph.op("Sub", x, inside)
    beyond = graph.op("Mul", beyond, 1.0 / input_map.scale)
    if input_map.far_out is not None:
        logarithm = signed_arcsinh(graph, beyond, np.float64)
        is_far_out = np.isin(np.arange(input_map.n_columns), input_map.far_out)
        beyond = graph.op("Where", is_far_out, logarithm, beyond)
    result = graph.op("Add", graph.op("Add", score, result), beyond)
    if input_map.feature_weights is not None:
        result = graph.op("Mul", result, input_map.feature_weights)
    return result if graph.dtype == np.float64 else graph.cast(result, graph.dtype)


def last_knot_below(graph, x, values):
    """Return positions in ``values.ravel()`` of each column's last knot up to x, by bisection."""
    n_knots, n_columns = values.shape
    step, flat = 1 << (n_knots - 1).bit_length() - 1, values.ravel()
    padded = np.concatenate([flat, np.full(step * 2 * n_columns, np.inf)])
    position = graph.op("Mul", graph.cast(graph.op("IsNaN", x), np.int64), np.int64(0))
    position = graph.op("Add", position, np.arange(n_columns, dtype=np.int64))
    while step:
        next_position = graph.op("Add", position, np.int64(step * n_columns))
        is_below = graph.op("GreaterOrEqual", x, graph.op("Gather", padded, next_position))
        position = graph.op("Where", is_below, next_position, position)
        step //= 2
    return position
