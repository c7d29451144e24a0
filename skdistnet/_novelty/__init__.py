"""Novelty scores: how unlike the training data a row is."""
