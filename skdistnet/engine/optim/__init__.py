"""Solvers, learning-rate schedules and weight decay."""
