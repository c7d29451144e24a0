"""Initial parameters of a network."""
