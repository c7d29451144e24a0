"""Compare a distance net with other models on a table, as ``python -m skdistnet compare`` does."""

from .models import make_candidates
from .reading import load_demo, read_table
from .table import Column, InputError, Table

__all__ = ["Column", "InputError", "Table", "load_demo", "make_candidates", "read_table"]
