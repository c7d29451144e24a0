"""Fitted estimators in other forms: for machines that only predict, and in smaller files."""

from .conversion import register_converters, to_onnx
from .half_precision import to_half_precision
from .numpy_file import to_numpy

__all__ = ["register_converters", "to_half_precision", "to_numpy", "to_onnx"]
