"""scikit-learn's estimator checks; every expected failure is explained here."""

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)
from skdistnet.engine.losses import REGRESSION_LOSSES

EQUIVALENCE = [
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
]

#: Full batches, a start that does not depend on the order and the multiplicity of rows, no dropout
#: and no trial, which would take other rows. Only the order of additions differs, and few epochs do
#: not amplify that.
EQUIVALENT = {
    "batch_size": 1_000_000,
    "init": "uniform",
    "init_median_activation": None,
    "max_iter": 20,
    "dropout": 0.0,
    "early_stopping": False,
}

HYBRID = {"hidden_layer_sizes": (20, 20), "activation": ["tanh", "gaussian"]}


def expected_failed_checks(estimator):
    reason = "minibatches and a start from rows: see test_weights_equal_repeated_rows"
    expected = dict.fromkeys(EQUIVALENCE, reason)
    if getattr(estimator, "label_smoothing", None) == 0:
        expected["check_class_weight_classifiers"] = (
            "in its 1000 epochs on 50 rows a net memorises rows of any weight"
        )
        expected["check_classifier_multioutput"] = "probabilities that round to 1 are ties"
    if getattr(estimator, "loss", None) == "poisson":
        expected["check_regressor_multioutput"] = "it has negative targets in spite of the tags"
    return expected


@parametrize_with_checks(
    [
        DistanceNetClassifier(),
        DistanceNetClassifier(label_smoothing=0.0),
        DistanceNetClassifier(**HYBRID, output_layer="linear"),
        DistanceNetRegressor(**HYBRID),
        DistanceNetRegressor(),
        # The estimators above and below make trials, which take six times as long.
        *(
            DistanceNetRegressor(loss=loss, early_stopping=False)
            for loss in REGRESSION_LOSSES
            if loss != DistanceNetRegressor().loss
        ),
        DistanceNetEnsembleClassifier(n_estimators=2),
        DistanceNetEnsembleRegressor(n_estimators=2),
        DistanceNetEnsembleClassifier(
            DistanceNetClassifier(early_stopping=False), n_estimators=2, out_of_fold=True
        ),
    ],
    expected_failed_checks=expected_failed_checks,
)
@pytest.mark.filterwarnings("ignore:The loss after training")  # for targets of noise
def test_estimator_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [DistanceNetClassifier(), *(DistanceNetRegressor(loss=loss) for loss in REGRESSION_LOSSES)],
    ids=str,
)
def test_weights_equal_repeated_rows(estimator):
    estimator = clone(estimator).set_params(**EQUIVALENT)
    checks = [
        check
        for _, check in estimator_checks_generator(estimator)
        if getattr(check, "func", check).__name__ in EQUIVALENCE
    ]
    assert len(checks) == len(EQUIVALENCE)
    for check in checks:
        check(estimator)
