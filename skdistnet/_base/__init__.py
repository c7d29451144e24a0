"""What the estimators share: fitting, validation, fitted attributes."""
