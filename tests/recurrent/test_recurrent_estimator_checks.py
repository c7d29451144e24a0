"""scikit-learn's estimator checks, on rows of a table as sequences of a single step.

Of estimators that take three dimensions only, scikit-learn itself checks little more than clones.
"""

import numpy as np
import pytest
from sequences import both_kinds
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistnet import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor

OPTIONS = {"ensure_all_finite": "allow-nan", "dtype": [np.float64, np.float32]}
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "minibatches and a start from steps: see "
    "test_integer_weights_equal_repetition"
}
#: Checks that take no data, or data of two dimensions that an unfitted net does not look at.
WITHOUT_DATA = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


class TakesRows:
    """Turns each row into a sequence of one step."""

    def _check_data(self, X, y, sample_weight, learn=False):
        is_new = not self._is_started()
        X, y = validate_data(self, X, y, reset=is_new and learn, **OPTIONS)
        return super()._check_data(X[:, np.newaxis], y, sample_weight, learn)

    def _check_rows(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, **OPTIONS)
        return super()._check_rows(X[:, np.newaxis])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = True, False
        return tags


class ClassifierOfRows(TakesRows, RecurrentDistanceNetClassifier):
    pass


class RegressorOfRows(TakesRows, RecurrentDistanceNetRegressor):
    pass


@parametrize_with_checks(
    [kind(20, max_iter=15, early_stopping=False) for kind in (ClassifierOfRows, RegressorOfRows)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
@pytest.mark.filterwarnings("ignore:The loss after training")  # for targets of noise
def test_rows_as_sequences_pass_estimator_checks(estimator, check):
    check(estimator)


@both_kinds
@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_nets_pass_checks_without_data(kind, name):
    getattr(estimator_checks, name)(kind.__name__, kind())


@both_kinds
def test_three_dimensions_are_all_that_is_missing(kind):
    with pytest.warns(estimator_checks.SkipTestWarning, match="which requires input"):
        checks = list(estimator_checks.estimator_checks_generator(kind()))
    assert len(checks) == 1
