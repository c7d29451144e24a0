"""Weights of classes, multiplied into the weights of rows."""

from dataclasses import dataclass

import numpy as np

__all__ = ["ClassWeigher"]


@dataclass(frozen=True)
class ClassWeigher:
    """Multiplies weights of rows by those of the classes they have, over all outputs.

    `groups` are the columns of the target that belong to each output, as labels encode it, and
    `by_column` their classes' weights, None where classes weigh alike.
    """

    groups: list
    by_column: np.ndarray | None

    @classmethod
    def learn(cls, class_weight, labels, target, weights):
        """What `class_weight`, of an allowed form, means for these labels and training rows.

        Raises
        ------
        ValueError
            For dicts that do not fit the labels.
        """
        if class_weight is None:
            return cls([], None)
        if isinstance(class_weight, str):
            return cls(labels.groups, balanced(labels.groups, target, weights))
        return cls(labels.groups, given(class_weight, labels))

    def __call__(self, target, weights):
        """Weights of rows, or None where all rows count alike.

        Raises
        ------
        ValueError
            For products that are not finite or not positive.
        """
        if self.by_column is None:
            return weights
        weights = np.ones(len(target)) if weights is None else weights
        with np.errstate(over="ignore", under="ignore"):
            for group in self.groups:
                weights = weights * (target[:, group] @ self.by_column[group])
            total = weights.sum()
        if not (np.isfinite(total) and weights.min() > 0):
            raise ValueError(
                "'class_weight' and 'sample_weight' must multiply to weights of rows that are "
                f"positive and have a finite sum; got {weights.min()} to {weights.max()}."
            )
        return weights


def balanced(groups, target, weights):
    """For each column of the target what gives all classes of its output the same weight.

    Raises
    ------
    ValueError
        For classes whose weights are too far apart for their ratio to be a number.
    """
    mass = (np.ones(len(target)) if weights is None else weights) @ target
    by_column = np.ones(len(mass))
    for group in groups:
        # Under warm_start a class may have no rows this time.
        present = group.start + np.flatnonzero(mass[group])
        with np.errstate(over="ignore"):
            by_column[present] = mass[group].sum() / (len(present) * mass[present])
        if not np.isfinite(by_column[present]).all():
            raise ValueError(
                "'sample_weight' gives the classes weights too far apart for "
                "class_weight='balanced' to level: from "
                f"{mass[present].min()} to {mass[present].max()}."
            )
    return by_column


def given(class_weight, labels):
    """For each column of the target the weight that a dict gives its class."""
    n_outputs = len(labels.columns)
    single = labels.kind == "single-output"
    dicts = [class_weight] if isinstance(class_weight, dict) else class_weight
    if isinstance(class_weight, dict) != single or len(dicts) != n_outputs:
        form = "a dict" if single else f"a list of dicts, one for each of the {n_outputs} outputs"
        raise ValueError(
            "The 'class_weight' parameter of DistanceNetClassifier must be None, 'balanced' or "
            f"{form} for this 'y'; got {class_weight!r}."
        )
    return np.concatenate(
        [weights_by_class(classes, weight_of) for classes, weight_of in zip(labels.columns, dicts)]
    )


def weights_by_class(classes, weight_of):
    """The weights that a dict gives to classes, by the rule of `compute_class_weight`.

    scikit-learn's function itself would take strings such as "1" for numbers.

    Raises
    ------
    ValueError
        For a dict that leaves out some of the classes and names others.
    """
    known = classes.tolist()
    unnamed = [label for label in known if label not in weight_of]
    if unnamed and len(known) - len(unnamed) != len(weight_of):
        raise ValueError(
            f"The classes, {unnamed}, are not in class_weight, which names {list(weight_of)}: "
            f"name all of the classes, {known}, or only labels among them."
        )
    return np.array([float(weight_of.get(label, 1.0)) for label in known])
