"""Tests of `prune` for ensembles: fewer and smaller members whose mean is nearly as good."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from ensembles import CASES, LABELS, NETS, both_kinds, every_form, listed, small

from skdistnet import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
from skdistnet.engine.training import Rows
from skdistnet.inspection import prune, unit_report
from skdistnet.inspection.pruning import DistillationSet

WINE, WINE_Y = CASES["classifier"][1:]


def default_members(kind, **parameters):
    """Return an ensemble of the four kinds of members, which differ in inputs and layers."""
    return kind(NETS[kind](max_iter=15, **parameters), random_state=0)


@both_kinds
@pytest.mark.parametrize("with_train", [False, True])
def test_pruned_ensemble_is_small_and_usable(kind, X, y, with_train):
    ensemble = default_members(kind).fit(X[::2], y[::2])
    before = joblib.hash(vars(ensemble))
    pruned, score = prune(ensemble, X[1::2], y[1::2], 0.3, X_train=X if with_train else None)
    assert joblib.hash(vars(ensemble)) == before
    assert type(pruned) is kind
    assert pruned.get_params(deep=False) == ensemble.get_params(deep=False)
    n_units = pruned.transform(X).shape[1]
    assert len(pruned.estimators_) < 4
    assert n_units <= 100
    assert score >= ensemble.score(X[1::2], y[1::2]) - 0.4
    assert pruned.predict(X).shape == ensemble.predict(X).shape
    assert len(unit_report(pruned.estimators_[0], X).use) >= n_units
    again = pickle.loads(pickle.dumps(pruned))
    np.testing.assert_array_equal(again.predict(X), pruned.predict(X))


@both_kinds
@pytest.mark.parametrize("n_better", [2, 3])
def test_members_that_matter_stay(kind, X, y, n_better):
    """Fewer members than it takes are not good enough, whatever these learn from the mean."""
    ensemble = small(kind, 3, hidden_layer_sizes=4, linear_part=False).fit(X, y)
    calls = []

    class Scored(kind):
        def score(self, X, y, sample_weight=None):
            calls.append(len(self.estimators_))
            return 1.0 if len(self.estimators_) >= n_better else 0.0

    ensemble.__class__ = Scored
    pruned, score = prune(ensemble, X, y, 0.5)
    assert len(pruned.estimators_) == n_better
    assert score == 1.0
    assert [len(net.centroids_[0]) for net in pruned.estimators_] == [1] * n_better
    assert calls[:6] == [3] * 3 + [1] * 3


def test_ensemble_of_necessary_members_is_copied():
    kind, X, y = CASES["classifier"]
    ensemble = small(kind, 2, out_of_fold=True).fit(X, y)

    class Exact(kind):
        def score(self, X, y, sample_weight=None):
            original = [net._theta_ for net in ensemble.estimators_]
            own = [net._theta_ for net in self.estimators_]
            return float(len(own) == 2 and all(map(np.array_equal, own, original)))

    ensemble.__class__ = Exact
    pruned, score = prune(ensemble, X, y, 0.0)
    assert score == 1.0
    assert pruned is not ensemble
    assert pruned.estimators_[0] is not ensemble.estimators_[0]
    np.testing.assert_array_equal(pruned.predict_proba(X), ensemble.predict_proba(X))
    # These are predictions of the large ensemble.
    assert not hasattr(pruned, "oof_decision_function_")


@every_form
def test_classifiers_learn_the_mean_probabilities(y):
    ensemble = small(DistanceNetEnsembleClassifier).fit(WINE, y)
    X = ensemble.estimators_[0]._check_rows(WINE)
    distillation = DistillationSet(ensemble.estimators_, Rows(X, y, None), X[:5])
    assert len(distillation.rows) == len(WINE) + 5
    codec, target = ensemble._codec, distillation.rows.target
    probabilities = codec.probabilities(np.log(target), np.exp)
    for found, expected in zip(
        listed(probabilities), listed(ensemble.predict_proba(np.vstack([X, X[:5]])))
    ):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_regressors_learn_the_mean_prediction():
    kind, X, y = CASES["regressor"]
    ensemble = small(kind).fit(X, y)
    distillation = DistillationSet(ensemble.estimators_, Rows(X, y, None), None)
    prediction = ensemble._codec.decode(distillation.rows.target)
    np.testing.assert_allclose(prediction, ensemble.predict(X))


@both_kinds
def test_member_gains_from_the_mean(kind, X, y):
    ensemble = default_members(kind).fit(X[::2], y[::2])
    pruned, _ = prune(ensemble, X, y, 10.0)
    (net,) = pruned.estimators_
    sizes = net._network.sizes[1:-1]
    assert max(sizes) == 1
    # All that is left of four nets is one unit in each layer, which still follows their mean.
    if kind is DistanceNetEnsembleRegressor:
        assert np.corrcoef(pruned.predict(X), ensemble.predict(X))[0, 1] > 0.9
    else:
        assert np.mean(pruned.predict(X) == ensemble.predict(X)) > 0.9


@both_kinds
def test_members_have_calibrated_novelty_scores(kind, X, y):
    ensemble = default_members(kind).fit(X[::2], y[::2])
    pruned, _ = prune(ensemble, X[1::2], y[1::2], 0.3)
    threshold = pruned.novelty_threshold(0.05)
    assert (pruned.score_samples(X[1::2]) < threshold).mean() < 0.15
    assert (pruned.score_samples(X + 1e4) < threshold).all()


def test_frames_keep_names_and_levels():
    frame = pd.DataFrame(WINE[:, :3], columns=["a", "b", "c"])
    frame["word"] = np.array(["x", "y", "z"])[WINE_Y]
    ensemble = default_members(DistanceNetEnsembleClassifier).fit(frame[::2], WINE_Y[::2])
    pruned, score = prune(ensemble, frame[1::2], WINE_Y[1::2], 0.1, X_train=frame[::2])
    assert score >= ensemble.score(frame[1::2], WINE_Y[1::2]) - 0.1
    assert pruned.feature_names_in_.tolist() == ["a", "b", "c", "word"]
    assert pruned.score(frame, WINE_Y) > 0.8


def test_several_outputs_and_weights():
    y = LABELS["several columns"]
    ensemble = small(DistanceNetEnsembleClassifier).fit(WINE, y)
    weights = np.where(np.arange(len(WINE)) % 5, 1.0, 0.0)
    pruned, score = prune(ensemble, WINE, y, 0.3, sample_weight=weights)
    without, expected = prune(ensemble, WINE[weights > 0], y[weights > 0], 0.3)
    assert score == pytest.approx(expected)
    np.testing.assert_array_equal(pruned.predict(WINE), without.predict(WINE))


def test_unsuitable_ensembles_raise():
    ensemble = small(DistanceNetEnsembleClassifier, hidden_layer_sizes=()).fit(WINE, WINE_Y)
    with pytest.raises(ValueError, match="prune needs hidden units; got a DistanceNetClassifier"):
        prune(ensemble, WINE, WINE_Y)
    with pytest.raises(ValueError, match="not fitted"):
        prune(DistanceNetEnsembleClassifier(), WINE, WINE_Y)
    with pytest.raises(TypeError, match=r"unit_report takes a .* Pass one of its estimators_"):
        unit_report(ensemble, WINE)
    with pytest.raises(TypeError, match=r"prune takes a .*, or an ensemble of them; got ndarray"):
        prune(WINE, WINE, WINE_Y)
