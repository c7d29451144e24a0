"""Digests of values, the same in every process that holds equal ones."""

import hashlib
import io
import pickle
import sys
import types

import numpy as np
from scipy.sparse import issparse

BLOCK_BYTES = 2**24  # copied from an array into C order at a time


def digest(value):
    """Return the digest of `value`, a hexadecimal string, or raise a ValueError if it has none.

    A function that can be imported counts by its name; any other, such as one of a script, by its
    code, closure and defaults. The functions that it calls count by their names.
    """
    stream = io.BytesIO()
    pickler = Describer(stream, protocol=4)
    # Equal values must have one digest, whichever of their parts are the same object.
    pickler.fast = True
    try:
        pickler.dump(value)
    except (pickle.PicklingError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"{value!r} cannot be pickled: {error}") from error
    return hashlib.sha256(stream.getvalue()).hexdigest()[:32]


class Describer(pickle.Pickler):
    """Pickler whose output is hashed, not read: large arrays by digest, functions by their code."""

    def reducer_override(self, value):
        parts = describe(value)
        # Any builtin would do in place of `hash`: it is pickled by its name.
        return NotImplemented if parts is None else (hash, (parts,))


def describe(value):
    """Return the parts that identify a value, or None to pickle it as usual."""
    if isinstance(value, type):
        return value.__module__, value.__qualname__
    if isinstance(value, types.FunctionType) and not can_be_imported(value):
        closure = [cell.cell_contents for cell in value.__closure__ or ()]
        parts = value.__code__, closure, value.__defaults__, value.__kwdefaults__
        return value.__module__, value.__qualname__, parts
    if isinstance(value, types.CodeType):
        # A set of strings has another order in each process.
        values = [sorted(map(repr, c)) if isinstance(c, frozenset) else c for c in value.co_consts]
        return value.co_code, value.co_names, values
    if issparse(value):
        value = value.tocsr()
        return value.shape, value.data, value.indices, value.indptr
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.dtype.str, value.shape, array_digest(value)
    return None


def can_be_imported(function):
    """Return whether the name of a function identifies it in any process."""
    module = sys.modules.get(function.__module__)
    is_same = getattr(module, function.__qualname__, None) is function
    return is_same and function.__module__ != "__main__"  # which has another name in workers


def array_digest(array):
    """Return the digest of the numbers in an array, whatever its memory order."""
    rows, hasher = np.atleast_1d(array), hashlib.sha256()
    step = max(1, BLOCK_BYTES * len(rows) // max(1, rows.nbytes))
    for start in range(0, len(rows), step):
        hasher.update(rows[start : start + step].tobytes())
    return hasher.digest()
