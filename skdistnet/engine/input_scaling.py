"""From input units to the units that a network computes in: shift, then scale.

X may be sparse: of a SciPy matrix or array no more than a batch of rows, or some columns, is made
dense at a time, so that shifts need not be folded into parameters and results are those of dense X.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .numerics import memory
from .numerics.statistics import PART, column_range, has_missing, make_dense, weighted_moments

__all__ = ["InputMap", "MappedRows"]

#: Mapped rows are kept for a whole training up to this size.
CACHE_BYTES = 64 * 2**20
#: Columns that have one range in common are taken to have a unit in common if there are so many,
SHARING_COLUMNS = 8
#: and if they are this share of all columns that vary.
SHARING = 2 / 3
#: Columns up to which each spreads by 1; more of them spread less, by the root of their number.
COLUMNS_OF_UNIT_SPREAD = 64
#: Rows in which a column has varied before its scale is final, where it was constant at first.
VARIED = 30


def largest_square_root(n_columns, dtype):
    """Numbers below this keep the scaled squared distances over `n_columns` finite."""
    # The factor leaves room for inverse radii, and for centroids as far away again.
    return 1e-4 * float(np.finfo(dtype).max / n_columns) ** 0.5


def share_a_unit(low, high):
    """Which columns have a unit in common, as pixels do; none unless most columns do.

    Those are the ones that reach exactly from the commonest low to the commonest high, and those
    inside that start or end there, such as pixels at the border.
    """
    varying = low < high
    ranges, counts = np.unique(np.stack([low, high])[:, varying], axis=1, return_counts=True)
    most = counts.max(initial=0)
    if most < max(SHARING_COLUMNS, SHARING * np.count_nonzero(varying)):
        return np.zeros_like(varying)
    lowest, highest = ranges[:, counts.argmax()]
    inside = (low >= lowest) & (high <= highest)
    return varying & inside & ((low == lowest) | (high == highest))


def standard_scale(X, mean, std, usable):
    """Scale of each column: its spread, or that of all columns that share its unit.

    A pixel at the border that is hardly ever lit would count as much as one in the middle if each
    were divided by its own spread. Where columns are many, radii start small, and the solver's
    steps, all of one size, would be large beside them: then all scales are larger.
    """
    scale = np.ones_like(mean)
    scale[usable] = std[usable]
    shared = share_a_unit(*column_range(X)) & usable
    if shared.any():
        # Relative to the largest, so that no square overflows.
        largest = std[shared].max()
        scale[shared] = largest * np.sqrt(np.mean((std[shared] / largest) ** 2))
    crowding = np.count_nonzero(usable) / COLUMNS_OF_UNIT_SPREAD
    scale[usable] *= np.sqrt(max(1.0, crowding))
    return scale


def scale_beside(known, deviation):
    """Return scales for columns of this `deviation`, given the `known` scales of the others.

    If most of the others share a scale of the same order of magnitude, it is used.
    """
    crowding = (len(known) + len(deviation)) / COLUMNS_OF_UNIT_SPREAD
    scale = deviation * np.sqrt(max(1.0, crowding))
    shared, counts = np.unique(known, return_counts=True)
    most = counts.max(initial=0)
    if most >= max(SHARING_COLUMNS, SHARING * len(known)):
        common = shared[counts.argmax()]
        scale = np.where(np.abs(np.log10(scale / common)) <= 1, common, scale)
    return scale


def exceeds_rounding(spread, center, given, computed):
    """Whether a spread around `center` is more than rounding in the dtypes given and computed."""
    rounding = 4 * np.finfo(given).eps * np.abs(center)
    return spread > np.maximum(rounding, np.finfo(computed).tiny ** 0.5)


def deviations(X, columns, shift):
    """For some columns of X the shift, the number of rows that deviate from it, and how far.

    A shift that is NaN becomes the column's mean. Deviations are root mean squares in float64.
    """
    shift, n_rows, sizes = shift.copy(), np.zeros(len(columns), int), np.zeros(len(columns))
    width = max(1, PART // X.shape[0])  # columns at a time, so that X is never copied whole
    for start in range(0, len(columns), width):
        part = slice(start, start + width)
        values = make_dense(X[:, columns[part]]).astype(np.float64)
        observed = ~np.isnan(values)
        center = shift[part]
        unknown = np.isnan(center) & observed.any(axis=0)
        total = np.where(observed, values, 0.0)[:, unknown].sum(axis=0)
        center[unknown] = total / observed[:, unknown].sum(axis=0)
        deviation = np.abs(np.where(observed, values - center, 0.0))
        varied = exceeds_rounding(deviation, center, X.dtype, X.dtype)
        largest = np.where(varied.any(axis=0), deviation.max(axis=0), 1.0)
        n_rows[part] = varied.sum(axis=0)
        squares = np.square(np.where(varied, deviation / largest, 0.0)).sum(axis=0)
        sizes[part] = largest * np.sqrt(squares / np.maximum(n_rows[part], 1))
    return shift, n_rows, sizes


class MappedRows:
    """Batches of the rows of X, mapped: all at once where they fit a cache, else batch by batch.

    The cache takes 3 % off an epoch of 20,000 x 784, 15 % where X is of a wider dtype than the
    network, and its bound keeps training on large data at the memory of the data. Rows that are
    only shifted are not kept twice.
    """

    def __init__(self, input_map, X, dtype):
        self.input_map, self.X, self.cached = input_map, X, None
        self.incomplete = input_map.ignores_columns or has_missing(X)
        as_they_are = not issparse(X) and X.dtype == dtype and np.all(input_map.scale == 1)
        if not as_they_are and math.prod(X.shape) * dtype.itemsize <= CACHE_BYTES:
            self.cached = memory.empty(X.shape, dtype)
            height = max(1, PART // X.shape[1])
            for start in range(0, X.shape[0], height):
                part = slice(start, start + height)
                input_map.apply(X[part], self.cached[part])

    def gather(self, batch, out):
        """Write the mapped rows that `batch`, a slice or indices, picks into `out`."""
        rows = self.X if self.cached is None else self.cached
        if isinstance(batch, slice) or rows.dtype != out.dtype or not isinstance(rows, np.ndarray):
            rows = rows[batch]
        else:
            # They land where they are wanted, without a copy between; the default mode has one.
            rows = np.take(rows, batch, axis=0, out=out, mode="clip")
        if self.cached is None:
            self.input_map.apply(rows, out)
        elif rows is not out:
            out[...] = rows


@dataclass(frozen=True)
class InputMap:
    """Rows in input units become ``(X - shift) / scale``, in the network's dtype.

    The shift is there even when features are not standardised, because distances are computed by an
    expansion that cancels far from zero; `scale` is then 1 throughout. `origin` is the point, in
    the network's units, that stands for zero of the first layer's own input, in which starts are
    drawn and towards which coupled decay pulls: the mean of the data where features are
    standardised, else zero of the input units. NaN stays NaN, and a column that was NaN throughout
    has the shift NaN, which ignores it. `n_varied` counts the rows in which a column has varied, up
    to `VARIED`, from where on its scale is final; None if all scales are.
    """

    shift: np.ndarray
    scale: np.ndarray
    origin: np.ndarray
    n_varied: Any = None

    @classmethod
    def fit(cls, X, weights, standardize, dtype):
        """Learn the map; columns without a spread that can be told from rounding have scale 1.

        Raises
        ------
        ValueError
            Where squared distances would overflow, or the data lie beyond `dtype`.
        """
        if issparse(X):
            X = X.tocsc()
        mean, std, reach = weighted_moments(X, weights)
        known = np.where(np.isnan(mean), 0.0, mean)
        farthest = int(np.argmax(np.abs(known)))
        if not standardize and not np.abs(known[farthest]) < np.finfo(dtype).max:
            raise ValueError(
                f"Column {farthest} of X lies around {mean[farthest]:.3g}, "
                f"beyond {np.dtype(dtype).name}: rescale X or set dtype='float64'."
            )
        # A shift in the precision of the data makes the subtraction exact near the shift.
        shift = mean.astype(X.dtype).astype(np.float64)
        scale, n_varied = np.ones_like(std), None
        if standardize:
            usable = exceeds_rounding(std, known, X.dtype, dtype)
            scale, n_varied = standard_scale(X, mean, std, usable), np.where(usable, VARIED, 0)
        too_far = reach / scale >= largest_square_root(X.shape[1], dtype)
        too_far |= reach >= np.finfo(X.dtype).max
        if too_far.any():
            worst = int(np.argmax(np.where(too_far, reach, 0.0)))
            raise ValueError(
                f"Column {worst} of X reaches {reach[worst]:.3g} away from its mean, and squares "
                f"of that overflow in {np.dtype(dtype).name}: rescale X or set standardize=True."
            )
        origin = np.zeros_like(shift) if standardize else np.where(np.isnan(shift), 0.0, -shift)
        return cls(shift, scale, origin, n_varied)

    def extended(self, X):
        """Return the map for further rows, and the columns that vary in them for the first time.

        The scale of such a column is the root mean square of its deviations from its value so far,
        and is learned again until it has varied in `VARIED` rows. A column that has been missing so
        far is centred at its mean.
        """
        none = np.empty(0, dtype=np.intp)
        if self.n_varied is None or (self.n_varied >= VARIED).all():
            return self, none
        columns = np.flatnonzero(self.n_varied < VARIED)
        before = self.shift[columns]
        shift, n_rows, deviation = deviations(X, columns, before)
        if not n_rows.any() and np.array_equal(shift, before, equal_nan=True):
            return self, none
        new_shift, scale, n_varied = map(np.copy, (self.shift, self.scale, self.n_varied))
        new_shift[columns] = shift
        varying = n_rows > 0
        known = self.scale[self.n_varied > 0]
        scale[columns[varying]] = scale_beside(known, deviation[varying])
        n_varied[columns] = np.minimum(n_varied[columns] + n_rows, VARIED)
        new = replace(self, shift=new_shift, scale=scale, n_varied=n_varied)
        return new, columns[varying & (self.n_varied[columns] == 0)]

    @property
    def ignores_columns(self):
        """Whether there was nothing to learn the map of a column from."""
        return bool(np.isnan(self.shift).any())

    def apply(self, rows, out):
        """Write mapped `rows`, given in input units, into `out`."""
        rows = make_dense(rows)
        # Of two dtypes the wider computes: what overflows the narrower before it is scaled may
        # not do so after.
        wide = np.result_type(rows.dtype, out.dtype)
        mapped = out if out.dtype == wide else np.empty(rows.shape, dtype=wide)
        np.subtract(rows, self.shift.astype(wide), out=mapped, dtype=wide)
        mapped *= (1.0 / self.scale).astype(wide)
        if mapped is not out:
            out[...] = mapped

    def place(self, points):
        """Points in input units, in those of the network; at zero in columns that are ignored."""
        placed = (points - self.shift) / self.scale
        return np.where(np.isnan(self.shift), 0.0, placed)

    def bound(self, mapped):
        """Bring mapped rows that are too far off to square nearer, in place."""
        bound = largest_square_root(mapped.shape[1], mapped.dtype)
        np.clip(mapped, -bound, bound, out=mapped)
