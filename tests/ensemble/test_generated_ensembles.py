"""For generated data and settings, an ensemble fits soundly or refuses with a clear error."""

import pickle

import joblib
import numpy as np
import pytest
from generated_data import LABELS, TARGETS, WEIGHTS, classifiers, names, regressors, tables
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.base import clone
from sound_predictions import as_list, assert_same_predictions, assert_sound, unchanged_if_refused

from skdistnet import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor

pytestmark = [
    # scikit-learn sums X to check that it is finite, and warns about many classes.
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce"),
    pytest.mark.filterwarnings("ignore:The number of unique classes is greater"),
    pytest.mark.filterwarnings("ignore:A column-vector y was passed"),
    pytest.mark.filterwarnings("ignore:Training diverged"),
    pytest.mark.filterwarnings("ignore:R\\^2 score is not well-defined"),
]
KINDS = {
    "classifier": (DistanceNetEnsembleClassifier, classifiers, LABELS),
    "regressor": (DistanceNetEnsembleRegressor, regressors, TARGETS),
}
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]


@st.composite
def ensembles(draw, kind, nets):
    """Draw an unfitted ensemble."""
    net, n_estimators = draw(nets()), draw(st.integers(1, 3))
    out_of_fold = n_estimators > 1 and net.early_stopping is not True and draw(st.booleans())
    return kind(net, n_estimators, out_of_fold=out_of_fold, random_state=draw(st.integers(0, 9)))


def predict_all(ensemble, rows):
    """Return the outputs of all prediction methods by name."""
    methods = [name for name in METHODS if hasattr(ensemble, name)]
    if hasattr(ensemble, "score_samples"):
        methods.append("score_samples")
    return {method: getattr(ensemble, method)(rows) for method in methods}


def assert_sound_means(ensemble, predictions, n_rows):
    """Check that means are within the range of what members predict, and logarithms below 0."""
    if "predict_proba" not in predictions:
        assert np.isfinite(predictions["predict"]).all()
        assert len(predictions["predict"]) == n_rows
        return
    pairs = zip(as_list(predictions["predict_proba"]), as_list(predictions["predict_log_proba"]))
    for probabilities, logarithms in pairs:
        assert probabilities.dtype == logarithms.dtype == ensemble.estimators_[0]._network.dtype
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        assert (logarithms <= 0).all()
        np.testing.assert_array_equal(np.exp(logarithms), probabilities)


@pytest.mark.parametrize(("kind", "nets", "targets"), KINDS.values(), ids=KINDS)
@given(data=st.data(), table=tables(), weigh=names(WEIGHTS))
def test_ensemble_is_refused_or_sound(kind, nets, targets, data, table, weigh):
    (X, rng), ensemble = table.make(), data.draw(ensembles(kind, nets))
    y, weights = targets[data.draw(names(targets))](rng, len(X)), WEIGHTS[weigh](rng, len(X))
    with unchanged_if_refused(ensemble) as reasons:
        ensemble.fit(X, y, weights)
    assume(not reasons)
    for net in ensemble.estimators_:
        assert_sound(net, X, y)
    predictions = predict_all(ensemble, X)
    assert_sound_means(ensemble, predictions, len(X))
    again = clone(ensemble).fit(X, y, weights)
    assert joblib.hash(again.estimators_) == joblib.hash(ensemble.estimators_)
    for other in (again, pickle.loads(pickle.dumps(ensemble))):
        assert_same_predictions(predict_all(other, X), predictions)
