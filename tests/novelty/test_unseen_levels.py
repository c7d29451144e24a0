"""A new level of a category is as surprising as it is unusual in its column."""

import numpy as np
import pandas as pd

from skdistnet import DistanceNetClassifier
from skdistnet._novelty import score as novelty


def test_shares_of_unseen_levels_follow_unique_ones():
    unique = np.zeros((10, 3), dtype=bool)
    unique[:3, 0], unique[5, 2] = True, True
    shares = novelty.unseen_shares(unique)
    np.testing.assert_allclose(shares - novelty.UNSEEN_SHARE, [0.4, 0.0, 0.1])
    rows = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1]], dtype=bool)
    expected = np.log([1.0, shares[0], shares[2], shares[1]])
    np.testing.assert_allclose(novelty.log_share_of_unseen(rows, shares), expected)
    assert novelty.unseen_shares(np.ones((4, 2), dtype=bool)).tolist() == [1.0, 1.0]
    none = np.empty((5, 0), dtype=bool)
    assert not novelty.log_share_of_unseen(none, novelty.unseen_shares(none)).any()


def test_new_name_is_usual_where_names_are_unique():
    rng = np.random.default_rng(0)
    color, size = rng.integers(4, size=400), rng.normal(size=400)
    frame = pd.DataFrame(
        {
            "name": [f"name {number}" for number in rng.permutation(400)],
            "color": np.array(["blue", "green", "red", "white"])[color],
            "size": size,
        }
    )
    y = (color == 2) + size > 0.5
    net = DistanceNetClassifier(20, max_iter=20, random_state=0).fit(frame[:300], y[:300])
    rows = frame[300:]
    rates = [
        np.mean(net.score_samples(each) < net.novelty_threshold_)
        for each in (rows, rows.assign(name=None), rows.assign(color="black"))
    ]
    assert max(rates[:2]) < 0.15
    assert rates[2] > 0.7


def draw_names(n_rows=200, n_unique=30):
    """Return a frame of names, some of which only one row has, and numbers."""
    rng = np.random.default_rng(1)
    names = [f"name {max(0, number - n_rows + n_unique)}" for number in rng.permutation(n_rows)]
    return pd.DataFrame({"name": names, "size": rng.normal(size=n_rows)})


def fit_scorer(frame):
    y = frame["size"] > 0
    net = DistanceNetClassifier(10, max_iter=5, early_stopping=False, random_state=0).fit(frame, y)
    fitted = *net._distance_part, net._input_map
    X, groups = net._check_rows(frame), np.asarray(y, dtype=int)
    return novelty.NoveltyScorer.fit(*fitted, X, groups), fitted, X, groups


def test_known_rows_have_unseen_levels_without_themselves(monkeypatch):
    frame = draw_names()
    known = np.sort(fit_scorer(frame)[0].state["known_scores"])
    monkeypatch.setattr(
        novelty, "log_share_of_unseen", lambda unseen, shares: np.zeros(len(unseen))
    )
    without = np.sort(fit_scorer(frame)[0].state["known_scores"])
    assert known.mean() < without.mean() - 0.1
    assert (known <= without).all()


def test_shares_of_a_trial_are_those_of_its_rows():
    scorer, fitted, X, groups = fit_scorer(draw_names())
    first = np.sort(np.unique(X[:, 0], return_index=True)[1])  # a row of each name
    of_trial = scorer.of_trial(*fitted, fitted[-1], X[first], groups[first])
    np.testing.assert_allclose(of_trial.state["unseen_shares"], [1.0])
    assert scorer.state["unseen_shares"][0] < 0.3
