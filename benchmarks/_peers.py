"""The models that the accuracy benchmark compares distance nets with."""

from dataclasses import replace
from importlib.util import find_spec

from _competitors import MLP, OURS, Competitor, distance_net
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC, SVR

__all__ = ["BOARD", "CATEGORIES", "EXTRA", "MISSING", "ONE_HOT", "SMOOTH"]

#: Libraries that the extra `benchmarks` installs, by the model that needs them.
OPTIONAL = {"LightGBM": "lightgbm", "CatBoost": "catboost"}
MISSING = {name: library for name, library in OPTIONAL.items() if find_spec(library) is None}


def boosted_trees():
    """LightGBM and CatBoost, as far as they are installed."""
    peers = []
    if "LightGBM" not in MISSING:
        from lightgbm import LGBMClassifier, LGBMRegressor

        settings = {"n_jobs": 1, "verbose": -1}
        models = (LGBMClassifier, LGBMRegressor)
        peers.append(Competitor("LightGBM", "LightGBM", *models, settings, scaled=False, cost=1))
    if "CatBoost" not in MISSING:
        from catboost import CatBoostClassifier, CatBoostRegressor

        settings = {"thread_count": 1, "verbose": False, "allow_writing_files": False}
        models = (CatBoostClassifier, CatBoostRegressor)
        peers.append(Competitor("CatBoost", "CatBoost", *models, settings, scaled=False, cost=20))
    return peers


#: The peers of the default board.
BOARD = [
    MLP,
    Competitor("SVC10", "SVC and SVR, C=10", SVC, SVR, {"C": 10}, cost=1),
    Competitor(
        *("HGB", "HistGradientBoosting"),
        *(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        scaled=False,
        cost=3,
    ),
    Competitor(
        *("RF", "RandomForest", RandomForestClassifier, RandomForestRegressor),
        {"n_jobs": 1},
        scaled=False,
        cost=1,
    ),
    *boosted_trees(),
    Competitor(
        *("linear", "LogisticRegression with max_iter=1000, and RidgeCV"),
        *(LogisticRegression, RidgeCV, {"max_iter": 1000}),
        cost=0.1,
    ),
]
#: Ours behind a OneHotEncoder, which is a peer of ours that takes categories itself.
ONE_HOT = f"{OURS} one-hot"
#: How the peers of the board of categories take them; HGB has a limit of levels.
FORMS = {
    "MLP": {"categories": "one-hot"},
    "HGB": {"categories": "native", "max_levels": 255},
    "LightGBM": {"categories": "native"},
    "CatBoost": {"categories": "strings"},
}
#: The peers of the board of categories.
CATEGORIES = [
    distance_net(ONE_HOT, categories="one-hot"),
    *(replace(peer, **FORMS[peer.name]) for peer in BOARD if peer.name in FORMS),
]
#: Peers to request by name.
EXTRA = [
    Competitor("SVC", "SVC and SVR", SVC, SVR, cost=1),
    Competitor("kNN", "KNeighbors", KNeighborsClassifier, KNeighborsRegressor, cost=0.1),
    Competitor(
        *("GP", "GaussianProcess, with at most 1,000 training rows; not ranked"),
        *(GaussianProcessClassifier, GaussianProcessRegressor),
        ranked=False,
        max_rows=1000,
        cost=5,
    ),
]
#: The peers that fit smooth functions, as nets do.
SMOOTH = ("MLP", "SVC10", "linear")
