"""Arithmetic that is fast and safe: BLAS, aligned memory, denormal numbers, threads, moments."""
