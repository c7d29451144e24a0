"""RejectingClassifier around nets on data frames with categories."""

import io
import pickle

import numpy as np
import pytest
import skops.io
from category_tables import draw_frame, in_polars
from sklearn.model_selection import cross_val_score

from skdistnet import (
    TRUSTED_TYPES,
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    RejectingClassifier,
)

FRAME, Y = draw_frame(300)
ROWS, ROWS_Y = draw_frame(300, seed=1)
NET = DistanceNetClassifier(20, max_iter=15, random_state=0)


@pytest.fixture(scope="module")
def rejecting():
    return RejectingClassifier(NET, method="score_samples").fit(FRAME, Y)


@pytest.mark.parametrize("container", [lambda X: X, in_polars], ids=["pandas", "polars"])
def test_rows_of_unseen_levels_are_rejected(rejecting, container):
    assert rejecting.accepts(container(ROWS)).mean() > 0.85
    novel = container(ROWS.assign(city="new"))
    assert rejecting.accepts(novel).mean() < 0.05
    labels = rejecting.predict_with_rejection(novel)
    assert (labels == "reject").mean() > 0.95
    assert rejecting.predict(novel).tolist() == rejecting.estimator_.predict(novel).tolist()


def test_attributes_are_those_of_the_net(rejecting):
    assert rejecting.n_features_in_ == 5
    assert rejecting.feature_names_in_.tolist() == FRAME.columns.tolist()
    assert rejecting.classes_.tolist() == ["no", "yes"]


def test_probabilities_reject_uncertain_rows():
    careful = RejectingClassifier(NET, threshold=0.9).fit(FRAME, Y)
    accepted = careful.accepts(ROWS)
    assert 0.1 < accepted.mean() < 0.95
    correct = careful.predict(ROWS) == ROWS_Y
    assert correct[accepted].mean() > correct.mean()
    assert cross_val_score(careful, FRAME, Y, cv=2).min() > 0.6


def test_saved_classifier_rejects_alike(rejecting):
    expected = rejecting.predict_with_rejection(ROWS)
    loaded = [
        pickle.load(io.BytesIO(pickle.dumps(rejecting))),
        skops.io.loads(skops.io.dumps(rejecting), trusted=TRUSTED_TYPES),
    ]
    for each in loaded:
        np.testing.assert_array_equal(each.predict_with_rejection(ROWS), expected)


def test_ensemble_rejects_unseen_levels():
    ensemble = DistanceNetEnsembleClassifier(
        DistanceNetClassifier(12, max_iter=5), 2, random_state=0
    )
    rejecting = RejectingClassifier(ensemble, method="score_samples").fit(FRAME, Y)
    assert rejecting.accepts(ROWS).mean() > 0.8
    assert rejecting.accepts(ROWS.assign(color="new")).mean() < 0.1
