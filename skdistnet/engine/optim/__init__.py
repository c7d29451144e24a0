"""Solvers, learning-rate schedules and weight decay, each with its contract in its module."""
