"""Estimators as nodes of ONNX graphs; these modules need the extra `onnx`."""
