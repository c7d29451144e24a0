"""Fast and safe arithmetic: BLAS, aligned memory, denormal numbers, threads."""
