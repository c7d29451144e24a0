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
