"""What the estimators share; `estimator.py` has the order of steps in a fit."""
