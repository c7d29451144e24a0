"""scikit-learn's own checks of RejectingClassifier around several classifiers."""

from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdistnet import DistanceNetClassifier, RejectingClassifier

NET = DistanceNetClassifier(20, max_iter=20, random_state=0)
#: They compare answers with probabilities, or want every class among the answers.
NO_ROOM_FOR_REJECTION = ["check_classifiers_train", "check_classifiers_classes"]


def expected_failed_checks(rejecting):
    if rejecting.method == "score_samples" and rejecting.threshold == "auto":
        return dict.fromkeys(NO_ROOM_FOR_REJECTION, "some rows are rejected, as they should be")
    return {}


@parametrize_with_checks(
    [
        RejectingClassifier(NET),
        RejectingClassifier(NET, method="score_samples"),
        RejectingClassifier(NET, method="score_samples", threshold=-1e9),
        RejectingClassifier(LogisticRegression()),
        RejectingClassifier(make_pipeline(StandardScaler(), GaussianNB())),
    ],
    expected_failed_checks=expected_failed_checks,
)
def test_estimator_check(estimator, check):
    check(estimator)
