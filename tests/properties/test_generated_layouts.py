"""The same numbers give the same net, bit for bit, in any memory layout, format and container."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from generated_data import (
    COLUMNS,
    LABELS,
    SMALL_COUNTS,
    TARGETS,
    WEIGHTS,
    classifiers,
    names,
    regressors,
    tables,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from interrupted_fits import same
from scipy import sparse
from sklearn.base import clone
from sound_predictions import assert_same_predictions, predict_all, unchanged_if_refused

pytestmark = [
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce"),
    pytest.mark.filterwarnings("ignore:The number of unique classes is greater"),
    pytest.mark.filterwarnings("ignore:A column-vector y was passed"),
    pytest.mark.filterwarnings("ignore:Training diverged"),
]

KINDS = {"classifier": (classifiers, LABELS), "regressor": (regressors, TARGETS)}
both_kinds = pytest.mark.parametrize(("nets", "targets"), KINDS.values(), ids=KINDS)


def assert_fits_alike(net, X, y, weights, others):
    """Check that fits to other forms of the data, (X, y, weights) each, agree or fail alike."""
    with unchanged_if_refused(net) as reasons:
        net.fit(X, y, weights)
    for form, (rows, target, weights) in others.items():
        other = clone(net)
        with unchanged_if_refused(other) as its_reasons:
            other.fit(rows, target, weights)
        assert reasons == its_reasons, form
        if not reasons:
            vars(other).pop("feature_names_in_", None)
            assert same(net, other), form
    assume(not reasons)


def assert_predictions_alike(net, X, others):
    expected = predict_all(net, X)
    for rows in others.values():
        assert_same_predictions(predict_all(net, rows), expected)


# Layouts ------------------------------------------------------------------------------------------


def spread(array):
    """Return a view of every second number in each dimension of a larger array."""
    larger = np.zeros([2 * length for length in array.shape], dtype=array.dtype)
    view = larger[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def backwards(array):
    """Return a view with negative strides in each dimension."""
    back = tuple(slice(None, None, -1) for _ in array.shape)
    return array[back].copy()[back]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def unaligned(array):
    """Return a view whose numbers start at odd addresses."""
    if array.dtype.hasobject:
        return array
    buffer = np.empty(array.nbytes + 1, dtype=np.uint8)[1:]
    view = buffer.view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def of_other_byte_order(array):
    return array.astype(array.dtype.newbyteorder())


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "spread": spread,
    "backwards": backwards,
    "read-only": read_only,
    "unaligned": unaligned,
}


def memory_mapped(array, folder):
    """Return a read-only memory map of a file."""
    path = folder / "rows.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


@both_kinds
@given(
    data=st.data(),
    table=tables(),
    dtype=st.sampled_from([np.float64, np.float32]),
    weigh=names(WEIGHTS),
)
def test_memory_layouts_change_no_bit(nets, targets, data, table, dtype, weigh, tmp_path_factory):
    (X, rng), net = table.make(), data.draw(nets())
    with np.errstate(over="ignore"):
        X = X.astype(dtype)
    assume(not np.isinf(X).any())
    y, weights = targets[data.draw(names(targets))](rng, len(X)), WEIGHTS[weigh](rng, len(X))
    forms = {
        name: (lay(X), lay(y), None if weights is None else lay(weights))
        for name, lay in LAYOUTS.items()
    }
    mapped = memory_mapped(X, tmp_path_factory.mktemp("maps"))
    forms["memory-mapped"] = mapped, y, weights
    assert_fits_alike(net, X, y, weights, forms)
    assert_predictions_alike(net, X, {name: rows for name, (rows, _, _) in forms.items()})


# Sparse -------------------------------------------------------------------------------------------


def with_explicit_zeros(X):
    """Return a CSR array that stores every number, zeros too."""
    rows, columns = np.indices(X.shape)
    return sparse.coo_array((X.ravel(), (rows.ravel(), columns.ravel())), shape=X.shape).tocsr()


def unsorted(X):
    """Return a CSR array that stores each row from the last column to the first."""
    rows = sparse.csr_array(X[:, ::-1])
    return sparse.csr_array(
        (rows.data, X.shape[1] - 1 - rows.indices, rows.indptr), shape=rows.shape
    )


def of_wide_indices(X):
    rows = sparse.csr_array(X)
    rows.indices, rows.indptr = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    return rows


SPARSE = {
    "CSC": sparse.csc_array,
    "COO": sparse.coo_array,
    "a matrix": sparse.csr_matrix,
    "explicit zeros": with_explicit_zeros,
    "unsorted": unsorted,
    "wide indices": of_wide_indices,
}


@both_kinds
@given(data=st.data(), table=tables(), weigh=names(WEIGHTS))
def test_sparse_formats_change_no_bit(nets, targets, data, table, weigh):
    (X, rng), net = table.make(), data.draw(nets())
    X[rng.random(X.shape) < 0.5] = 0.0
    y, weights = targets[data.draw(names(targets))](rng, len(X)), WEIGHTS[weigh](rng, len(X))
    forms = {name: (make(X), y, weights) for name, make in SPARSE.items()}
    assert_fits_alike(net, sparse.csr_array(X), y, weights, forms)
    assert_predictions_alike(
        net, sparse.csr_array(X), {name: rows for name, (rows, _, _) in forms.items()}
    )


# Containers ---------------------------------------------------------------------------------------


def column_names(X):
    return [f"x{number}" for number in range(X.shape[1])]


def polars_frame(X):
    return pl.DataFrame(dict(zip(column_names(X), X.T)), nan_to_null=True)


def nullable(X):
    """Return a pandas frame whose missing numbers are pd.NA."""
    return pd.DataFrame(X, columns=column_names(X)).astype("Float64")


ANY_NUMBERS = {
    "lists": lambda X: X.tolist(),
    "objects": lambda X: X.astype(object),
    "other byte order": of_other_byte_order,
    "a frame": lambda X: pd.DataFrame(X, columns=column_names(X)),
    "a frame of nullable floats": nullable,
    "a frame of Arrow's floats": lambda X: nullable(X).astype("double[pyarrow]"),
    "a frame of polars": polars_frame,
}
COUNTS = {
    **{
        name: lambda X, name=name: X.astype(name)
        for name in ("int8", "uint8", "int64", "uint64", "float16", "longdouble")
    },
    "a frame of nullable ints": lambda X: pd.DataFrame(X, columns=column_names(X)).astype("Int64"),
    "a frame of several dtypes": lambda X: pd.DataFrame(
        {
            name: column.astype(["int8", "float64"][i % 2])
            for i, (name, column) in enumerate(zip(column_names(X), X.T))
        }
    ),
    "a frame of polars' ints": lambda X: polars_frame(X).cast(pl.Int16),
}


@both_kinds
@pytest.mark.parametrize("containers", [ANY_NUMBERS, COUNTS], ids=["any numbers", "counts"])
@given(data=st.data(), weigh=names(WEIGHTS))
def test_containers_and_dtypes_change_no_bit(nets, targets, containers, data, weigh):
    columns = SMALL_COUNTS if containers is COUNTS else COLUMNS
    (X, rng), net = data.draw(tables(columns)).make(), data.draw(nets())
    y, weights = targets[data.draw(names(targets))](rng, len(X)), WEIGHTS[weigh](rng, len(X))
    forms = {name: (make(X), y, weights) for name, make in containers.items()}
    assert_fits_alike(net, X, y, weights, forms)
    plain = {name: rows for name, (rows, _, _) in forms.items() if not hasattr(rows, "columns")}
    assert_predictions_alike(net, X, plain)
