"""From a file to a table: formats, columns as text, and which rows and columns are used."""

from .table_reader import load_demo, read_table

__all__ = ["load_demo", "read_table"]
