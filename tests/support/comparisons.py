"""Small comparisons of fitted models, as a report shows them."""

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import KFold
from sklearn.preprocessing import OrdinalEncoder

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetRegressor,
)
from skdistnet.compare.results import Comparison, Inspection, SplitResult, Summary
from skdistnet.compare.table import Column, Table

SCRIPT, IMAGE, DOLLARS = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "$x^2$ $"
RIGHT_TO_LEFT, CHINESE, LONG = "\u0627\u0644\u0637\u0648\u0644", "\u957f\u5ea6", "long name " * 30
HOSTILE = {
    "size": SCRIPT,
    "weight": IMAGE,
    "age": DOLLARS,
    "height": LONG,
    "x4": RIGHT_TO_LEFT,
    "x5": f"{CHINESE}\nline \x00",
}
NET = {"hidden_layer_sizes": (8,), "max_iter": 15, "random_state": 0}
OURS, FOREST, CONSTANT = "distance net", "random forest", "constant"


def draw_table(task="classification", n_rows=90, n_classes=3, names=None, classes=None, seed=0):
    """Return a table with numbers, a category, a date, gaps and a column left out."""
    rng = np.random.default_rng(seed)
    color = rng.choice(["blue", "green", "red"], n_rows, p=[0.6, 0.3, 0.1])
    numbers = ["size", "weight", "age", "height", "x4", "x5"]
    X = pd.DataFrame(rng.normal(size=(n_rows, 6)), columns=numbers)
    X["weight"] = np.exp(3 * X["weight"])
    X["color"] = pd.Categorical(color)
    X["start: days"], X["start: month"] = rng.integers(0, 900, n_rows), rng.integers(1, 13, n_rows)
    X = X.astype({"start: days": float, "start: month": float})
    target = X["size"] + np.log(X["weight"]) / 3 + (color == "red")
    X.loc[rng.random(n_rows) < 0.2, "age"] = np.nan
    X.loc[rng.random(n_rows) < 0.1, "color"] = np.nan
    names = names or {}
    X = X.rename(columns=names)
    if task == "classification":
        classes = np.array(classes or ["setosa", "versicolor", "virginica", "other"][:n_classes])
        y = np.sort(classes)[pd.qcut(target + rng.normal(0, 0.3, n_rows), n_classes, labels=False)]
    else:
        y = np.asarray(100 * target + rng.normal(0, 10, n_rows), dtype=np.float64)
    columns = [number_column(X, names.get(name, name)) for name in numbers]
    color_gaps = int(X["color"].isna().sum())
    columns += [
        Column("color", "category", color_gaps, 3, ("color",)),
        Column("start", "date", 0, 80, ("start: days", "start: month"), "days and month"),
        Column(names.get("id", "id"), "left out", 0, n_rows, (), "a different value in each row"),
    ]
    notes = ("2 rows without a target were left out.",)
    name, rows = names.get("file", "flowers.csv"), np.arange(2, n_rows + 2)
    return Table(name, names.get("y", "species"), task, X, y, rows, tuple(columns), notes=notes)


def number_column(X, name):
    return Column(name, "number", int(X[name].isna().sum()), X[name].nunique(), (name,))


def compare(table, net=None, n_splits=3, inspect=True):
    """Return the comparison of a net with a forest and a constant on a table."""
    is_classification = table.is_classification
    kinds = [DistanceNetRegressor, RandomForestRegressor, DummyRegressor]
    if is_classification:
        kinds = [DistanceNetClassifier, RandomForestClassifier, DummyClassifier]
    net = kinds[0](**NET) if net is None else net
    models = {OURS: net, FOREST: kinds[1](8, random_state=0), CONSTANT: kinds[2]()}
    splits = list(KFold(max(n_splits, 3), shuffle=True, random_state=0).split(table.X))[:n_splits]
    comparison = Comparison(
        table,
        OURS,
        list(models),
        {OURS: "DistanceNet <default>", FOREST: "8 trees", CONSTANT: "the most frequent class"},
        splits,
        f"{n_splits} folds, shuffled",
        *(
            ("accuracy", "log-loss", "calibration error")
            if is_classification
            else ("R^2", "MAE", "calibration slope")
        ),
        verdict="The distance net is better than a constant.",
        code='net = DistanceNetClassifier(20)\nprint("a < b & c")',
        settings={"command": "skdistnet compare flowers.csv", "seed": "0"},
        seconds=12.3,
    )
    for name, model in models.items():
        for split, (train, test) in enumerate(splits):
            comparison.results.append(judge(table, name, model, split, train, test))
    comparison.summaries = [summarise(comparison, name) for name in models]
    if inspect:
        comparison.inspection = look_into(comparison, net)
    return comparison


def features_for(name, X):
    """Return the features as the model takes them."""
    if name == OURS:
        return X
    words = X.select_dtypes("category").columns
    return X.assign(**dict.fromkeys(words, 0)).assign(
        **{word: OrdinalEncoder().fit_transform(X[[word]])[:, 0] for word in words}
    )


def judge(table, name, model, split, train, test):
    X, y = features_for(name, table.X), table.y
    model.fit(X.iloc[train], y[train])
    score = model.score(X.iloc[test], y[test])
    if table.is_classification:
        prediction = model.predict_proba(X.iloc[test])
        truth = np.searchsorted(table.classes, y[test])
        loss = -np.log(np.maximum(prediction[np.arange(len(test)), truth], 1e-15)).mean()
    else:
        prediction = model.predict(X.iloc[test])
        loss = np.abs(prediction - y[test]).mean()
    seconds = {OURS: 0.4321, FOREST: 0.05, CONSTANT: 0.0002}[name]
    setting = {"hidden_layer_sizes": (8,), "init": "auto"} if name == OURS else {}
    results = (score, loss, seconds, 10 * seconds, int(1e5 * seconds), setting, prediction)
    return SplitResult(name, split, *results)


def summarise(comparison, name):
    results, ours = comparison.of(name), comparison.of(OURS)
    differences = [one.score - our.score for one, our in zip(results, ours)]
    difference = low = high = None
    if name != OURS:
        difference = float(np.mean(differences))
        if len(differences) > 1:
            half = 2 * float(np.std(differences)) + 0.01
            low, high = difference - half, difference + half

    def mean(attribute):
        return float(np.mean([getattr(one, attribute) for one in results]))

    means = [mean("loss"), 0.05, *map(mean, ("fit_seconds", "predict_ms", "n_bytes"))]
    return Summary(name, len(results), mean("score"), difference, low, high, *means)


def look_into(comparison, net):
    table, (train, test) = comparison.table, comparison.splits[0]
    net.fit(table.X.iloc[train], table.y[train])
    rng, n_features = np.random.default_rng(0), table.X.shape[1]
    score = comparison.of(OURS)[0].score
    return Inspection(
        net,
        test,
        list(table.X.columns),
        net.feature_relevances_,
        rng.normal(0.05, 0.05, n_features),
        rng.random(n_features) / 50,
        net.score_samples(table.X.iloc[test]),
        float(np.quantile(net.score_samples(table.X.iloc[test]), 0.1)),
        np.array([len(train) // 4, len(train) // 2, len(train)]),
        {OURS: score + np.array([-0.1, -0.03, 0.0]), FOREST: score - np.array([0.2, 0.1, 0.02])},
    )


def hostile_comparison():
    """Return a comparison whose names of the file, columns and classes attack the page."""
    names = HOSTILE | {"file": f"{SCRIPT}\ud800.csv", "y": IMAGE, "id": DOLLARS * 2}
    table = draw_table(names=names, n_classes=4, classes=[SCRIPT, DOLLARS, LONG, RIGHT_TO_LEFT])
    return compare(table)


def ensemble_comparison():
    """Return a comparison of an ensemble, on two classes."""
    ensemble = DistanceNetEnsembleClassifier(
        DistanceNetClassifier(**NET), n_estimators=2, random_state=0
    )
    return compare(draw_table(n_classes=2), ensemble)


def interrupted_comparison():
    """Return a comparison that ended within the second split, before the inspection."""
    comparison = compare(draw_table(), inspect=False)
    comparison.results = [one for one in comparison.results if one.split < 1 + (one.model == OURS)]
    comparison.summaries = [summarise(comparison, name) for name in comparison.models]
    comparison.interrupted = True
    return comparison
