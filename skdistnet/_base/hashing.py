"""A digest of values, the same in every process that holds equal ones."""

import hashlib
import io
import pickle
import sys
import types

import numpy as np
from scipy.sparse import issparse

__all__ = ["digest"]

#: Bytes of an array that are brought in order at a time.
BLOCK_BYTES = 2**24


def digest(value):
    """The digest of `value`, a hexadecimal string.

    Functions count by the name they are imported by; those of a script, or made by another
    function, by their code, closure and defaults. What they call counts by its name.

    Raises
    ------
    ValueError
        For what cannot be pickled.
    """
    stream = io.BytesIO()
    pickler = Describer(stream, protocol=4)
    # Equal values must not differ by which of their parts are one object.
    pickler.fast = True
    try:
        pickler.dump(value)
    except (pickle.PicklingError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"{value!r} cannot be told apart from others: {error}") from error
    return hashlib.sha256(stream.getvalue()).hexdigest()[:32]


class Describer(pickle.Pickler):
    """Writes large values in short and functions at length; made to be hashed, not to be read."""

    def reducer_override(self, value):
        # `hash` stands for "made of these"; as a builtin it is written by its name.
        parts = describe(value)
        return NotImplemented if parts is None else (hash, (parts,))


def describe(value):
    """What a value is made of, where pickle's own way would not do; else None."""
    if isinstance(value, type):
        return value.__module__, value.__qualname__
    if isinstance(value, types.FunctionType) and not can_be_imported(value):
        closure = [cell.cell_contents for cell in value.__closure__ or ()]
        parts = value.__code__, closure, value.__defaults__, value.__kwdefaults__
        return value.__module__, value.__qualname__, parts
    if isinstance(value, types.CodeType):
        # A set of strings has another order in each process.
        constants = [
            sorted(map(repr, each)) if isinstance(each, frozenset) else each
            for each in value.co_consts
        ]
        return value.co_code, value.co_names, constants
    if issparse(value):
        value = value.tocsr()
        return value.shape, value.data, value.indices, value.indptr
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.dtype.str, value.shape, array_digest(value)
    return None


def can_be_imported(function):
    """Whether the name of a function stands for it in any process."""
    module = sys.modules.get(function.__module__)
    # What is a script here may be a module of another name in a process that works for it.
    known = None if function.__module__ == "__main__" else module
    return getattr(known, function.__qualname__, None) is function


def array_digest(array):
    """Digest of the numbers in an array, whatever their order in memory."""
    rows, found = np.atleast_1d(array), hashlib.sha256()
    step = max(1, BLOCK_BYTES * len(rows) // max(1, rows.nbytes))
    for start in range(0, len(rows), step):
        found.update(rows[start : start + step].tobytes())
    return found.digest()
