"""Shift and scale from input units to those of a network; sparse X is made dense part by part."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .numerics import memory
from .numerics.statistics import (
    PART,
    ColumnStatistics,
    has_missing,
    make_dense,
    weighted_moments,
)

#: Columns of one range share a scale if their number is at least this,
SHARED_COLUMNS = 8
#: and if they are this share of all columns that vary.
SHARED_PART = 2 / 3
#: Up to this number, columns have standard deviation 1; beyond, it falls with the number's root.
COLUMNS_OF_UNIT_SPREAD = 64
#: Values far out, beyond these many ranges between two quantiles (Tukey's outer fences), do not
#: set a column's scale. The second pair is for columns whose median is one of the quartiles, such
#: as a column of many zeros, the range of whose quartiles may be tiny.
FAR_OUT, FENCES = 3.0, ((0.25, 0.75), (0.05, 0.95))
#: Quantiles are those of about this number of rows, evenly spaced, where there are more.
QUANTILE_ROWS = 10_000
#: From this number of scales on, columns with values far out grow with the logarithm of these.
KNEE = 4.0
#: A column that was constant at first must vary in this many rows before its scale is final.
VARIED = 30


def largest_square_root(n_columns, dtype):
    """Return the bound below which squared distances over `n_columns` stay finite."""
    # The factor leaves room for inverse radii, and for centroids at the same distance.
    return 1e-4 * float(np.finfo(dtype).max / n_columns) ** 0.5


def columns_of_one_unit(low, high):
    """Return a mask of columns that share a unit, as pixels do; none unless most columns do."""
    varying = low < high
    ranges, counts = np.unique(np.stack([low, high])[:, varying], axis=1, return_counts=True)
    most = counts.max(initial=0)
    if most < max(SHARED_COLUMNS, SHARED_PART * np.count_nonzero(varying)):
        return np.zeros_like(varying)
    lowest, highest = ranges[:, counts.argmax()]
    # Pixels at the border have a range inside the most common one, with one end in common.
    inside = (low >= lowest) & (high <= highest)
    return varying & inside & ((low == lowest) | (high == highest))


def standard_scale(statistics, usable, n_others=0.0):
    """Return each column's scale: its standard deviation, or that of all columns of its unit.

    Divided by its own, a pixel that is hardly ever lit would count as much as any other. With many
    columns scales are larger, because initial radii are small compared with the solver's steps.
    """
    std, scale = statistics.std, np.ones_like(statistics.std)
    scale[usable] = std[usable]
    shared = columns_of_one_unit(statistics.low, statistics.high) & usable
    if shared.any():
        # Relative to the largest, so that no square overflows.
        largest = std[shared].max()
        scale[shared] = largest * np.sqrt(np.mean((std[shared] / largest) ** 2))
    crowding = (np.count_nonzero(usable) + n_others) / COLUMNS_OF_UNIT_SPREAD
    scale[usable] *= np.sqrt(max(1.0, crowding))
    return scale


def outer_fences(values, weights):
    """Return the values beyond which others are far out; infinite if nearly all are equal."""
    order = np.argsort(values)
    below = np.cumsum(weights[order])

    def quantiles(*levels):
        # The tolerance is for the rounding of the sums.
        return values[order[np.searchsorted(below, (np.array(levels) - 1e-9) * below[-1])]]

    low, median, high = quantiles(FENCES[0][0], 0.5, FENCES[0][1])
    if not low < median < high:
        low, high = quantiles(*FENCES[1])
    if low == high:
        return -np.inf, np.inf
    with np.errstate(over="ignore"):
        return low - FAR_OUT * (high - low), high + FAR_OUT * (high - low)


def without_outliers(X, weights, columns, statistics):
    """Return those columns that have values far out, their means and their standard deviations.

    Values beyond the fences count as if they were on them: -999 for a missing value, or a single
    extreme one, would make all others look equal. X may be a sample of the rows that `statistics`
    are from.
    """
    step = -(-X.shape[0] // QUANTILE_ROWS)
    sample, sample_weights = X[::step], weights[::step]
    if issparse(X):  # columns of almost only zeros, which are many, have no fences
        mass = (sample != 0).T @ sample_weights
        columns = columns[mass[columns] >= 0.99 * FENCES[-1][0] * sample_weights.sum()]
    found = []
    for column in columns:
        values = make_dense(sample[:, [column]])[:, 0].astype(np.float64)
        observed = ~np.isnan(values)
        if not observed.any():
            continue
        low, high = outer_fences(values[observed], sample_weights[observed])
        if statistics.low[column] < low or statistics.high[column] > high:
            inside = np.clip(make_dense(X[:, [column]]).astype(np.float64), low, high)
            mean, std, _ = weighted_moments(inside, weights)
            if exceeds_rounding(std, mean, X.dtype, X.dtype):
                found.append((column, mean[0], std[0]))
    columns, means, stds = np.array(found).reshape(-1, 3).T
    return columns.astype(np.intp), means, stds


def spread_around(centroids):
    """Return the mean squared difference of each centroid's coordinates from those of all."""
    # In closed form: the squared distance to the mean, plus the variance around it.
    return (centroids - centroids.mean(axis=0)) ** 2 + centroids.var(axis=0)


def compress(points):
    """Return points z, with ``k + asinh(|z| - k)`` and their sign beyond the knee k."""
    excess = np.maximum(np.abs(points) - KNEE, 0.0)
    if not excess.any():  # in most batches
        return points
    excess = np.arcsinh(excess)
    return np.where(excess > 0, np.copysign(KNEE + excess, points), points)


def expand(points):
    """Return the inverse of :func:`compress`."""
    excess = np.sinh(np.clip(np.abs(points) - KNEE, 0.0, 700.0))
    return np.where(excess > 0, np.copysign(KNEE + excess, points), points)


def scale_new_columns(known, deviation):
    """Return scales for columns of this `deviation`: their own, or that of most others if close."""
    crowding = (len(known) + len(deviation)) / COLUMNS_OF_UNIT_SPREAD
    scale = deviation * np.sqrt(max(1.0, crowding))
    shared, counts = np.unique(known, return_counts=True)
    most = counts.max(initial=0)
    if most >= max(SHARED_COLUMNS, SHARED_PART * len(known)):
        common = shared[counts.argmax()]
        scale = np.where(np.abs(np.log10(scale / common)) <= 1, common, scale)
    return scale


def exceeds_rounding(spread, center, data_dtype, dtype):
    """Return whether a spread around `center` is more than rounding error in both dtypes."""
    rounding = 4 * np.finfo(data_dtype).eps * np.abs(center)
    return spread > np.maximum(rounding, np.finfo(dtype).tiny ** 0.5)


def deviations(X, columns, shift):
    """Return columns' shifts (for NaN the mean), numbers of deviating rows and RMS deviations."""
    n_rows, sizes = np.zeros(len(columns), int), np.zeros(len(columns))
    for part in memory.slices(len(columns), PART // X.shape[0]):
        values = make_dense(X[:, columns[part]]).astype(np.float64)
        observed = ~np.isnan(values)
        center = shift[part]
        unknown = np.isnan(center) & observed.any(axis=0)
        center[unknown] = np.nanmean(values[:, unknown], axis=0)
        deviation = np.abs(np.where(observed, values - center, 0.0))
        varied = exceeds_rounding(deviation, center, X.dtype, X.dtype)
        largest = np.where(varied.any(axis=0), deviation.max(axis=0), 1.0)
        n_rows[part] = varied.sum(axis=0)
        squares = np.square(np.where(varied, deviation / largest, 0.0)).sum(axis=0)
        sizes[part] = largest * np.sqrt(squares / np.maximum(n_rows[part], 1))
    return shift, n_rows, sizes


@dataclass(frozen=True)
class InputMap:
    """The map from input units to network units, ``(X - shift) / scale``, in the network's dtype.

    If features are standardised, `far_out` has the columns with values far out, which are
    compressed (see `compress`); None stands for no column. In all others the map is linear. At the
    end columns are multiplied by the `feature_weights`, if there are any.

    Rows are shifted even if features are not standardised (`scale` is then 1), because the
    expansion of squared distances cancels far from zero. `origin` is the point, in network units,
    around which centroids start and towards which coupled decay pulls: the mean of the data if
    features are standardised, else zero in input units. NaN stays NaN; a column of nothing else has
    the shift NaN and is ignored from then on. `n_varied` counts the rows in which a column has
    varied, up to `VARIED`, when its scale is final; it is None if all scales are.
    """

    shift: np.ndarray
    scale: np.ndarray
    origin: np.ndarray
    n_varied: Any = None
    far_out: Any = None
    feature_weights: Any = None

    @classmethod
    def fit(cls, X, weights, standardize, dtype, n_others=0.0, statistics=None):
        """Learn the map; columns that vary by no more than rounding errors have scale 1.

        The network has further inputs with the variance of `n_others` columns. X may be a sample
        of the rows that `statistics` are from.
        """
        if not X.shape[1]:
            none = np.empty(0)
            return cls(none, none, none, none.astype(int) if standardize else None)
        if issparse(X):
            X = X.tocsc()
        statistics = statistics or ColumnStatistics.of(X, weights)
        mean, std, reach = statistics.mean, statistics.std, statistics.reach
        known = np.where(np.isnan(mean), 0.0, mean)
        farthest = int(np.argmax(np.abs(known)))
        if not standardize and not np.abs(known[farthest]) < np.finfo(dtype).max:
            raise ValueError(
                f"Column {farthest} of X lies around {mean[farthest]:.3g}, "
                f"beyond {np.dtype(dtype).name}: rescale X or set dtype='float64'."
            )
        # A shift in the precision of the data makes the subtraction exact near the shift.
        shift = mean.astype(X.dtype).astype(np.float64)
        scale, n_varied, far_out = np.ones_like(std), None, np.empty(0, dtype=np.intp)
        if standardize:
            usable = exceeds_rounding(std, known, X.dtype, dtype)
            scale = standard_scale(statistics, usable, n_others)
            n_varied = np.where(usable, VARIED, 0)
            own = usable & ~columns_of_one_unit(statistics.low, statistics.high)
            outside = without_outliers(X, weights, np.flatnonzero(own), statistics)
            far_out, center, spread = outside
            shift[far_out] = center.astype(X.dtype)
            scale[far_out] = scale[far_out] / std[far_out] * spread
        largest = np.full(len(scale), largest_square_root(X.shape[1], dtype))
        # Compressed inputs have finite squares.
        largest[far_out] = 0.1 * np.finfo(np.result_type(X.dtype, dtype)).max
        with np.errstate(over="ignore"):
            too_far = reach / scale >= largest
        too_far |= reach >= np.finfo(X.dtype).max
        if too_far.any():
            worst = int(np.argmax(np.where(too_far, reach, 0.0)))
            raise ValueError(
                f"Column {worst} of X reaches {reach[worst]:.3g} away from its mean, and squares "
                f"of that overflow in {np.dtype(dtype).name}: rescale X or set standardize=True."
            )
        origin = np.zeros_like(shift) if standardize else np.where(np.isnan(shift), 0.0, -shift)
        return cls(shift, scale, origin, n_varied, far_out if far_out.size else None)

    def extended(self, X):
        """Return the map for further rows, and the columns that vary in them for the first time.

        The scale of such a column is the RMS deviation from its value so far, learned again until
        it has varied in `VARIED` rows. A column that was always missing is centred at its mean.
        """
        none = np.empty(0, dtype=np.intp)
        if self.n_varied is None or (self.n_varied >= VARIED).all():
            return self, none
        columns = np.flatnonzero(self.n_varied < VARIED)
        shift, scale, n_varied = map(np.copy, (self.shift, self.scale, self.n_varied))
        shift[columns], n_rows, deviation = deviations(X, columns, shift[columns])
        varying = n_rows > 0
        if not varying.any() and np.array_equal(shift, self.shift, equal_nan=True):
            return self, none
        known = scale[n_varied > 0]
        scale[columns[varying]] = scale_new_columns(known, deviation[varying])
        n_varied[columns] = np.minimum(n_varied[columns] + n_rows, VARIED)
        new = replace(self, shift=shift, scale=scale, n_varied=n_varied)
        return new, columns[varying & (self.n_varied[columns] == 0)]

    #: Whether inputs are directions in the space of columns; weights of inputs if some are missing;
    #: columns that hold codes of levels.
    rotates, input_shares, code_columns = False, None, ()
    #: Whether rows can be mapped into the array that holds them.
    in_place = True

    @property
    def n_columns(self):
        """Number of columns of X."""
        return len(self.shift)

    @property
    def n_inputs(self):
        """Number of inputs of the network."""
        return len(self.shift)

    @property
    def varying(self):
        """Mask of the inputs that vary, as far as is known."""
        return np.ones(self.n_inputs, dtype=bool) if self.n_varied is None else self.n_varied > 0

    @property
    def only_shifts(self):
        """Whether inputs are columns minus their shift."""
        return bool(np.all(self.scale == 1))

    def is_incomplete(self, X):
        """Return whether an input of some row is missing."""
        return self.ignores_columns or has_missing(X)

    @property
    def ignores_columns(self):
        """Whether some column had no observed value to learn from."""
        return bool(np.isnan(self.shift).any())

    def unseen(self, X):
        """Return a mask (n_rows, n_code_columns) of levels that no row of the fit had."""
        return np.zeros((X.shape[0], 0), dtype=bool)

    def unique(self, X):
        """Return a mask (n_rows, n_code_columns) of levels that no other row of X has."""
        return np.zeros((X.shape[0], 0), dtype=bool)

    def apply(self, rows, out, linear=False):
        """Write mapped `rows`, given in input units, into `out`; `linear` stops after the scale."""
        rows = make_dense(rows)
        # Computed in the wider dtype: unscaled rows may overflow the narrower one.
        wide = np.result_type(rows.dtype, out.dtype)
        mapped = out if out.dtype == wide else np.empty(rows.shape, dtype=wide)
        np.subtract(rows, self.shift.astype(wide), out=mapped, dtype=wide)
        mapped *= (1.0 / self.scale).astype(wide)
        if self.far_out is not None and not linear:
            mapped[..., self.far_out] = compress(mapped[..., self.far_out])
        if self.feature_weights is not None and not linear:
            mapped *= self.feature_weights.astype(wide)
        if mapped is not out:
            out[...] = mapped

    def prepared(self, rows, dtype):
        """Return a map, and rows that it maps as this one does `rows`, with less work each time."""
        return self, rows

    def linear_inputs(self, rows):
        """Return scaled rows in float64, without compression and feature weights."""
        inputs = np.empty(rows.shape)
        self.apply(rows, inputs, linear=True)
        return inputs

    def scale_points(self, points):
        """Return points in network units; they are at zero in columns that are ignored."""
        scaled = np.where(np.isnan(self.shift), 0.0, (points - self.shift) / self.scale)
        if self.far_out is not None:
            scaled[:, self.far_out] = compress(scaled[:, self.far_out])
        return scaled if self.feature_weights is None else scaled * self.feature_weights

    def unscale_points(self, points):
        """Return points in input units; the inverse of :meth:`scale_points`."""
        if self.feature_weights is not None:
            points = points / self.feature_weights
        if self.far_out is not None:
            points = points.copy()
            points[:, self.far_out] = expand(points[:, self.far_out])
        return points * self.scale + self.shift

    def unscale_inverse_radii(self, inverse_radii):
        """Return inverse radii of units along the columns of X, in their units."""
        return inverse_radii * self._slopes

    def unscale_coefs(self, coefs):
        """Return coefficients (n_inputs, n_units) of the columns of X, in their units."""
        return coefs * self._slopes[:, np.newaxis]

    def unscale_intercepts(self, intercepts, coefs):
        """Return intercepts (n_units,) of functions with these coefficients, in the units of X."""
        return intercepts - self.shift @ self.unscale_coefs(coefs)

    def column_terms(self, centroids, squares):
        """Return each column's part in mean squared distances between centroids, scaled.

        All have the shape (n_units, n_inputs); `squares` are of inverse radii, and may broadcast.
        """
        return squares * spread_around(centroids)

    def distance_terms(self, differences, inverse_radii):
        """Return each column's part in the scaled squares of differences, (..., n_columns)."""
        return (differences * inverse_radii) ** 2

    def by_column(self, values):
        """Return the mean of values (n_inputs,) over the inputs of each column."""
        return values

    def weighted(self, weights):
        """Return the map to inputs that are multiplied by the weight of their column."""
        return replace(self, feature_weights=weights)

    @property
    def _slopes(self):
        """Network units for a unit of each column, where the map is linear."""
        return (1.0 if self.feature_weights is None else self.feature_weights) / self.scale

    def bound(self, mapped):
        """Clip mapped rows, in place, to where their squared distances are finite."""
        bound = largest_square_root(mapped.shape[-1], mapped.dtype)
        np.clip(mapped, -bound, bound, out=mapped)
