"""
A data frame with words and gaps
================================

Pass a data frame as it is: columns of words and booleans need no encoder, and gaps no imputer. This
example predicts the rents of flats. It shows what the net has learned about cities, compares it
with two other ways to handle words, and asks for a city that is not in the table.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skdistnet import DistanceNetRegressor
from skdistnet.displays import CentroidDisplay, NoveltyDisplay, RelevanceDisplay

# %%
# The rents are invented, so that the truth is known. Each city has a price per square metre in its
# centre, which falls with the distance: fast in Munich, slowly in Leipzig. Old and new flats cost
# more than those of the sixties. Each of 60 agencies is cheaper or dearer than others. One entry in
# ten is missing in four of the columns.

PRICES = {"Aachen": 11.0, "Berlin": 19.0, "Leipzig": 9.0, "Munich": 26.0}  # EUR
REACHES = {"Aachen": 30.0, "Berlin": 14.0, "Leipzig": 40.0, "Munich": 9.0}  # km
HEATING = {"gas": 1.0, "oil": 0.92, "wood": 1.03, "heat pump": 1.1}


def mean_rent(flats):
    """Mean rent of such flats over all agencies."""
    price = flats["city"].map(PRICES) * np.exp(-flats["km"] / flats["city"].map(REACHES))
    price *= np.exp(((flats["year"] - 1965) / 120) ** 2) * flats["heating"].map(HEATING)
    return flats["size"] * price * np.where(flats["balcony"], 1.05, 1.0)


rng, n_flats = np.random.default_rng(0), 1_000
agency = rng.integers(60, size=n_flats)
columns = {
    "city": rng.choice(list(PRICES), n_flats, p=[0.2, 0.35, 0.25, 0.2]),
    "km": rng.gamma(2, 3, n_flats).round(1),
    "size": (15 + rng.gamma(6, 12, n_flats)).round(),
    "year": rng.integers(1890, 2025, n_flats),
    "heating": rng.choice(list(HEATING), n_flats, p=[0.45, 0.15, 0.3, 0.1]),
    "balcony": rng.random(n_flats) < 0.5,
    "agency": [f"A{number}" for number in agency],
}
X, factors = pd.DataFrame(columns), rng.normal(scale=0.12, size=60)
y = mean_rent(X) * np.exp(factors[agency] + rng.normal(scale=0.06, size=n_flats))
gappy = ["year", "heating", "balcony", "agency"]
X[gappy] = X[gappy].mask(rng.random((n_flats, 4)) < 0.1)

# %%
# The net takes this table. So does histogram gradient boosting, if the words have pandas' dtype
# "category". The third model is the same net behind an encoder, which makes a column of each word.
# The net needs the fewest rows of the three: with ``n_flats = 4_000`` trees are as accurate.

words = ["city", "heating", "balcony", "agency"]
net = DistanceNetRegressor(50, max_iter=50, random_state=0)
encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
one_hot = make_column_transformer((encoder, words), remainder="passthrough")
trees = HistGradientBoostingRegressor(random_state=0)
models = {
    "net": (net, X),
    "net behind\nOneHotEncoder": (make_pipeline(one_hot, net), X),
    "histogram gradient\nboosting": (trees, X.astype(dict.fromkeys(words, "category"))),
}
scores = {name: cross_val_score(model, rows, y, cv=3) for name, (model, rows) in models.items()}
for name, folds in scores.items():
    print(f"{' '.join(name.split()):28} R^2 {folds.mean():.3f}")

# %%
# To see what the net has learned, we move one flat away from the centre of each city. Its agency is
# unknown, which is a gap like any other. Then we pretend that the flats held out are in Vienna.

X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
net.fit(X_train, y_train)
flat = {"size": 60.0, "year": 1965.0, "heating": "gas", "balcony": False, "agency": None}
flats = pd.DataFrame({"city": "", "km": np.linspace(0, 18, 50)}).assign(**flat)
markets = {"flats held out": X_test, "the same in Vienna": X_test.assign(city="Vienna")}

# %%
# Predictions follow the true mean in each city. In the table of units, a word is the level nearest
# to the unit's centroid, and an area the share of the column in its distances. A city that is new
# makes every row novel. Relevances leave out the linear part of the net, which accounts for some of
# the effects of size and agency.

figure, axes = plt.subplots(3, 2, figsize=(10.5, 11.5), layout="constrained")
first, color = X.head(8), ["#0072B2", "#D55E00", "#CC79A7", "#009E73"]
cells = first.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
cells, gaps = cells.mask(first.isna(), ""), np.where(first.isna(), "#f6d5c3", "white")
table = axes[0, 0].table(cells.values, gaps, colLabels=X.columns, bbox=[0, 0, 1, 1])
table.auto_set_font_size(False)
table.set_fontsize(9)
table.auto_set_column_width(range(X.shape[1]))
axes[0, 0].set_axis_off()
axes[0, 0].set_title("The first rows")
for number, city in enumerate(PRICES):
    moved = flats.assign(city=city)
    axes[0, 1].plot(moved["km"], net.predict(moved), color=color[number], label=city)
    axes[0, 1].plot(moved["km"], mean_rent(moved), ":", color=color[number])
axes[0, 1].plot([], [], ":", color="black", label="true mean")
axes[0, 1].set(
    title="Predicted rent of one flat", xlabel="km from the centre", ylabel="EUR", ylim=0
)
axes[0, 1].legend()
CentroidDisplay.from_estimator(net, units=10, ax=axes[1, 0])
axes[1, 0].set_title("Ten units; areas are shares in distances")
RelevanceDisplay.from_estimator(net, ax=axes[1, 1])
axes[1, 1].set_title("Relevances")
for position, folds in enumerate(scores.values()):
    axes[2, 0].plot(folds, [position] * 3, "o", color="0.6")
    axes[2, 0].plot(folds.mean(), position, "D", color=color[0], markersize=9)
axes[2, 0].set_yticks(range(3), scores)
axes[2, 0].set(title="Accuracy: R^2 in three folds, and mean", ylim=(2.5, -0.5))
NoveltyDisplay.from_estimator(net, markets, ax=axes[2, 1])
axes[2, 1].set(title="A city that is not in the table", ylim=(0, 0.26))

plt.show()
