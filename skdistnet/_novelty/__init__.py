"""Novelty scores, calibrated at the end of a fit: how unlike the training data a row is."""
