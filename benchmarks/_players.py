"""The players of the accuracy benchmark: ours, and peers behind a scaler, at their defaults."""

import inspect
from dataclasses import dataclass, field

from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

__all__ = ["N_FOLDS", "OURS", "PEERS", "Player", "folds", "our_player"]

N_FOLDS = 3
OURS = "ours"


@dataclass(frozen=True)
class Player:
    """A pair of estimators, for classes and for numbers.

    Parameters
    ----------
    name : str
        As tables show it.
    describe : str
    classifier, regressor : type
    settings : dict
        Constructor arguments other than random_state; one that an estimator lacks is not for it.
    scaled : bool
        Whether features, and targets that are numbers, are standardised in front of it.
    ranked : bool
        Whether it counts for ranks, which only those that run on every table can.
    max_rows : int or None
        Most rows to train on.
    cost : float
        Guess of the time for a row, to begin with the longest.
    grid : list of dict
        Settings to choose from when tuned; empty where it takes no part in that.
    """

    name: str
    describe: str
    classifier: type
    regressor: type
    settings: dict = field(default_factory=dict)
    scaled: bool = True
    ranked: bool = True
    max_rows: int | None = None
    cost: float = 1.0
    grid: list = field(default_factory=list)

    def estimator(self, classes):
        return self.classifier if classes else self.regressor

    def settings_for(self, classes):
        """Those of the settings that the estimator has."""
        known = inspect.signature(self.estimator(classes)).parameters
        return {key: value for key, value in self.settings.items() if key in known}

    def identity(self, classes, tuned):
        """What a result depends on besides the name: settings, or settings to choose from."""
        identity = {key: repr(value) for key, value in self.settings_for(classes).items()}
        return {**identity, "grid": repr(self.grid)} if tuned else identity

    def plays(self, table):
        """Whether a table is small enough."""
        most = len(table.y) - len(table.y) // N_FOLDS
        return self.max_rows is None or most <= self.max_rows

    def make(self, classes, seed, tuned=False):
        """An unfitted model."""
        estimator = self.estimator(classes)
        arguments = self.settings_for(classes)
        if "random_state" in inspect.signature(estimator).parameters:
            arguments["random_state"] = seed
        model, prefix = estimator(**arguments), ""
        if self.scaled:
            model, prefix = Pipeline([("scaler", StandardScaler()), ("model", model)]), "model__"
            if not classes:
                scaler = StandardScaler()
                model = TransformedTargetRegressor(regressor=model, transformer=scaler)
                prefix = "regressor__model__"
        if not tuned:
            return model
        grid = [{prefix + key: values for key, values in part.items()} for part in self.grid]
        return GridSearchCV(model, grid, cv=folds(classes, seed))


def folds(classes, seed):
    """The splitter: shuffled, and stratified for classes."""
    return (StratifiedKFold if classes else KFold)(N_FOLDS, shuffle=True, random_state=seed)


#: Each grid has 12 settings, the defaults of one estimator among them.
OUR_GRID = [
    {
        "hidden_layer_sizes": [(100,), (200,), (100, 100), (200, 100)],
        "learning_rate_init": [0.02, 0.05],
    },
    {"init": ["kmeans"], "learning_rate_init": [0.02, 0.05]},
    {"radius_type": ["spherical"], "learning_rate_init": [0.02, 0.05]},
]
MLP_GRID = [
    {
        "hidden_layer_sizes": [(100,), (100, 100), (200, 200)],
        "alpha": [1e-4, 1e-3, 1e-2, 1e-1],
    }
]
SVC_GRID = [{"C": [1.0, 10.0, 100.0, 1000.0], "gamma": ["scale", 0.03, 0.3]}]
HGB_GRID = [{"max_depth": [None, 3, 6], "learning_rate": [0.03, 0.1, 0.2, 0.3]}]

PEERS = [
    Player("MLP", "MLP", MLPClassifier, MLPRegressor, cost=5, grid=MLP_GRID),
    Player("SVC", "SVC and SVR", SVC, SVR, cost=1, grid=SVC_GRID),
    Player("SVC10", "SVC and SVR, C=10", SVC, SVR, {"C": 10}, cost=1),
    Player(
        *("HGB", "HistGradientBoosting"),
        *(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        cost=3,
        grid=HGB_GRID,
    ),
    Player("RF", "RandomForest", RandomForestClassifier, RandomForestRegressor, cost=1),
    Player("kNN", "KNeighbors", KNeighborsClassifier, KNeighborsRegressor, cost=0.1),
    Player(
        *("GP", "GaussianProcess, where at most 1,000 rows train it; not ranked"),
        *(GaussianProcessClassifier, GaussianProcessRegressor),
        ranked=False,
        max_rows=1000,
        cost=5,
    ),
]


def our_player(label=OURS, settings=None):
    """Ours, bare: no scaler in front, nothing set but random_state and `settings`."""
    settings = settings or {}
    known = {
        name
        for estimator in (DistanceNetClassifier, DistanceNetRegressor)
        for name in inspect.signature(estimator).parameters
    } - {"random_state"}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise SystemExit(
            f"accuracy.py: --set {unknown[0]}: not an argument to set; there are: "
            + ", ".join(sorted(known))
        )
    says = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    return Player(
        *(label, f"DistanceNet, {says or 'nothing set'}, no scaler in front"),
        *(DistanceNetClassifier, DistanceNetRegressor, settings),
        scaled=False,
        cost=10,
        grid=OUR_GRID,
    )
