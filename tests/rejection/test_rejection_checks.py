"""scikit-learn's own checks of RejectingClassifier around several classifiers."""

from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdistnet import DistanceNetClassifier, RejectingClassifier

NET = DistanceNetClassifier(10, max_iter=20, random_state=0)


@parametrize_with_checks(
    [
        RejectingClassifier(LogisticRegression()),
        RejectingClassifier(LogisticRegression(), threshold=1.0),
        RejectingClassifier(NET, threshold=0.0),
        RejectingClassifier(NET, method="score_samples", threshold=-1e9),
        RejectingClassifier(make_pipeline(StandardScaler(), GaussianNB()), threshold=0.0),
    ]
)
def test_estimator_check(estimator, check):
    check(estimator)
