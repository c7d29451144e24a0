"""handle_novelty="prior": the classes' shares far away, nothing changed near, all answers agree."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdistnet import DistanceNetClassifier
from skdistnet._novelty.handling import kept_share, toward_prior

X, Y = load_iris(return_X_y=True)
# Shares of 50, 50 and 20 rows.
X, Y = X[:120], Y[:120]
SHARES = np.array([50, 50, 20]) / 120
SMALL = {"hidden_layer_sizes": 20, "max_iter": 10, "random_state": 0}
INDICATOR = np.column_stack([Y == 0, Y == 2, Y >= 0]).astype(int)
COLUMNS = np.column_stack([np.array(["a", "b", "c"])[Y], np.where(Y > 0, "x", "y")])
HYBRID = {"hidden_layer_sizes": (12, 10), "activation": ["gaussian", "relu"]}


def fitted(y=Y, **options):
    return DistanceNetClassifier(**SMALL | {"handle_novelty": "prior"} | options).fit(X, y)


@pytest.mark.parametrize("options", [{}, {"dtype": "float32"}, HYBRID], ids=str)
@pytest.mark.parametrize("distance", [1e3, 1e6])
def test_far_away_probabilities_are_the_shares_of_the_classes(options, distance):
    net = fitted(**options)
    signs = np.random.default_rng(0).choice([-1, 1], size=X.shape)
    far = X.mean(axis=0) + distance * signs * X.std(axis=0)
    np.testing.assert_allclose(net.predict_proba(far), np.tile(SHARES, (120, 1)), rtol=1e-6)
    np.testing.assert_allclose(net.predict_log_proba(far)[0], np.log(SHARES), rtol=1e-5)
    assert set(net.predict(far)) <= {0, 1}  # as likely as each other


def test_rows_at_the_threshold_and_above_are_answered_as_ever():
    net = fitted()
    near = net.score_samples(X) >= net.novelty_threshold_
    assert 90 < near.sum() < 120
    answers, before = net.predict_proba(X), fitted(handle_novelty=None).predict_proba(X)
    np.testing.assert_allclose(answers[near], before[near], rtol=1e-12)
    assert (np.abs(answers - before)[~near].max(axis=1) > 0).all()


def test_the_fit_decides_and_trains_as_ever():
    net, plain = fitted(), fitted(handle_novelty=None)
    np.testing.assert_array_equal(net._theta_, plain._theta_)
    for fit, after in [(net, None), (plain, "prior")]:
        expected = fit.predict_proba(X + 1e3)
        fit.set_params(handle_novelty=after)
        np.testing.assert_array_equal(fit.predict_proba(X + 1e3), expected)
    np.testing.assert_array_equal(plain.fit(X, Y).predict_proba(X), fitted().predict_proba(X))


@pytest.mark.parametrize("y", [Y, Y > 0], ids=["three classes", "two classes"])
def test_labels_probabilities_and_decisions_agree(y):
    net = fitted(y)
    # From near to far, so that all shares of the prior are there.
    rows = np.vstack([X + step for step in np.linspace(0, 20, 30)])
    probabilities, decision = net.predict_proba(rows), net.decision_function(rows)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(np.exp(net.predict_log_proba(rows)), probabilities, rtol=1e-6)
    np.testing.assert_array_equal(net.predict(rows), net.classes_[probabilities.argmax(axis=1)])
    if decision.ndim == 1:
        logit = np.diff(net.predict_log_proba(rows), axis=1)[:, 0]
        np.testing.assert_allclose(decision, logit, rtol=1e-9, atol=1e-9)
    else:
        np.testing.assert_allclose(decision, net.predict_log_proba(rows), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("y", [INDICATOR, COLUMNS], ids=["multilabel", "multi-output"])
def test_each_of_many_outputs_has_a_prior_of_its_own(y):
    net = fitted(y)
    found = net.predict_proba(X + 1e6)
    if y is INDICATOR:
        expected = INDICATOR.mean(axis=0)
        np.testing.assert_allclose(found, np.tile(expected, (120, 1)), rtol=1e-6)
        assert np.isfinite(net.decision_function(X + 1e6)).all()
    else:
        np.testing.assert_allclose(found[0][0], SHARES, rtol=1e-6)
        np.testing.assert_allclose(found[1][0], [70 / 120, 50 / 120], rtol=1e-6)
    assert net.predict(X + 1e6).shape == y.shape


def test_the_prior_counts_weights():
    weights = np.where(Y == 2, 2.5, 1.0)
    net = DistanceNetClassifier(**SMALL, handle_novelty="prior").fit(X, Y, weights)
    np.testing.assert_allclose(net.predict_proba(X[:1] + 1e6)[0], [1 / 3] * 3, rtol=1e-6)
    net = fitted(class_weight="balanced")
    np.testing.assert_allclose(net.predict_proba(X[:1] + 1e6)[0], [1 / 3] * 3, rtol=1e-6)


def test_scorers_during_a_fit_see_the_network_alone():
    options = {"early_stopping": True, "scoring": "neg_log_loss"}
    net, plain = fitted(**options), fitted(**options, handle_novelty=None)
    assert net.validation_scores_ == plain.validation_scores_
    again = net.set_params(warm_start=True).fit(X, Y).fit(X, Y)
    assert again.predict_proba(X + 1e6)[0].max() < 0.5


def test_what_it_cannot_do_is_refused_in_words():
    with pytest.raises(ValueError, match=r"handle_novelty='prior': score_samples .* set 'activ"):
        fitted(activation="relu")
    net = DistanceNetClassifier(**SMALL, handle_novelty="prior")
    with pytest.raises(ValueError, match=r"partial_fit .* handle_novelty='prior'"):
        net.partial_fit(X, Y, classes=[0, 1, 2])


def test_partial_fit_forgets_the_prior():
    net = fitted().set_params(handle_novelty=None)
    plain = fitted(handle_novelty=None)
    for one in (net, plain):
        one.partial_fit(X, Y)
    np.testing.assert_array_equal(net.predict_proba(X + 1e3), plain.predict_proba(X + 1e3))


# Arithmetic ---------------------------------------------------------------------------------------


def test_the_share_kept_falls_smoothly_from_the_threshold():
    scores = np.array([-1.0, -8.0, -12.0, -16.0, -1e9, -np.finfo(float).max])
    expected = np.exp([0.0, 0.0, -0.25, -1.0, -1e6, -1e6])
    np.testing.assert_allclose(kept_share(scores, -8.0), expected)
    assert kept_share(np.array([-3.0]), -0.001) > 1e-5  # a threshold near 0 is no cliff


def test_mixtures_are_of_probabilities_and_finite_where_one_is_zero():
    raw = np.array([[0.0, 2.0, -1e4], [1.0, 1.0, 1.0]])
    groups = [slice(0, 2), slice(2, 3)]
    prior = np.array([0.0, 1.0, 1.0])
    found = toward_prior(raw, np.array([0.25, 0.0]), prior, groups)
    softmax = 1 / (1 + np.exp(2))
    np.testing.assert_allclose(np.exp(found[0, :2]), [0.25 * softmax, 1 - 0.25 * softmax])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.exp(found[:, 1:]), [[1 - 0.25 * softmax, 1], [1, 1]])
