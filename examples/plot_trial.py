"""
Validate on other groups, or on later rows
==========================================

By default ``fit`` makes a trial first: it trains a net on random rows, finds on the other rows the
epoch from which on the net overfits, and then trains on all rows for about as long. That is right
if new rows will be like the old ones. It is wrong if they come from other subjects, or from a later
time: random rows have close relatives among the rows that the trial trains on, so memorising these
pays off in the trial, and the net is trained for too long.

This example measures what that costs, and shows the way out: pass rows of other subjects, or the
latest ones, as ``X_val`` and ``y_val``.
"""

# %%
# Two tables
# ----------
# In the first table, 60 subjects have ten recordings each. The label, such as a diagnosis, belongs
# to the subject. It shifts three of eight features by less than the subjects differ in any case.
# The net can recognise each subject by its recordings and memorise its label.
#
# In the second table there is a row for each minute. Six features change slowly, and so does an
# influence on the label that was not measured. Rows of neighbouring minutes are almost equal, and
# mostly have the same label.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GroupShuffleSplit

from skdistnet import DistanceNetClassifier
from skdistnet.displays import TrialDisplay

N_DRAWS = 6


def draw_subjects(rng, n_subjects, n_recordings):
    """Recordings, their labels and their subjects."""
    is_ill = rng.integers(2, size=n_subjects)
    usual = rng.normal(size=(n_subjects, 8))
    usual[:, :3] += 0.7 * is_ill[:, np.newaxis]
    subject = np.repeat(np.arange(n_subjects), n_recordings)
    X = usual[subject] + 0.4 * rng.normal(size=(len(subject), 8))
    return X, is_ill[subject], subject


def draw_minutes(rng, n_minutes):
    """Rows in the order of time, and their labels."""
    kept = np.exp(-1 / 20)  # correlation of neighbouring minutes
    values = rng.normal(size=(n_minutes, 7))
    for minute in range(1, n_minutes):
        values[minute] = kept * values[minute - 1] + np.sqrt(1 - kept**2) * values[minute]
    X, unmeasured = values[:, :6], values[:, 6]
    return X, (X[:, 0] - X[:, 1] + 1.5 * unmeasured > 0).astype(int)


# %%
# Two ways to validate
# --------------------
# Each net is trained on 600 recordings or 1,000 minutes, and tested on 500 new subjects or the
# 1,500 minutes that follow. The first net gets all rows and validates its trials on random ones.
# The second one gets a quarter of the subjects, or the latest quarter of the rows, as ``X_val`` and
# is trained on the rest. A net that guesses has a log-loss of about 0.69.


def group_split(rng):
    """Rows for training, validation and test: of other subjects each."""
    X, y, subject = draw_subjects(rng, 60, 10)
    splitter = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    train, held_out = next(splitter.split(X, y, subject))
    return (X, y), train, held_out, draw_subjects(rng, 500, 2)[:2]


def time_split(rng):
    """Rows for training, validation and test: one after the other."""
    X, y = draw_minutes(rng, 2_500)
    return (X[:1_000], y[:1_000]), np.arange(750), np.arange(750, 1_000), (X[1_000:], y[1_000:])


def fit_both(X, y, train, held_out):
    """Two nets: validated on random rows, and on those held out."""
    by_chance = DistanceNetClassifier(random_state=0).fit(X, y)
    other = DistanceNetClassifier(random_state=0)
    return by_chance, other.fit(X[train], y[train], X_val=X[held_out], y_val=y[held_out])


TABLES = {
    "subjects": (group_split, ("random rows", "other subjects")),
    "minutes": (time_split, ("random rows", "latest rows")),
}
shown, losses = {}, {}
print(f"{'':34}{'log-loss':^18}")
print(f"{'table':10}{'validated on':16}{'epochs':>8}{'trial':>9}{'new':>9}{'accuracy':>10}")
for table, (split, names) in TABLES.items():
    figures = []
    for seed in range(N_DRAWS):
        (X, y), train, held_out, (X_test, y_test) = split(np.random.default_rng(seed))
        nets = fit_both(X, y, train, held_out)
        shown.setdefault(table, nets)
        for net in nets:
            expected = min(net.trial_["validation_loss_curve"])
            new = log_loss(y_test, net.predict_proba(X_test))
            accuracy = accuracy_score(y_test, net.predict(X_test))
            figures.append((net.best_epoch_, expected, new, accuracy))
    means = np.reshape(figures, (N_DRAWS, 2, 4)).mean(axis=0)
    losses[table] = means[:, 1:3]
    for name, (epochs, expected, new, accuracy) in zip(names, means):
        print(f"{table:10}{name:16}{epochs:8.0f}{expected:9.3f}{new:9.3f}{accuracy:10.3f}")

# %%
# Results
# -------
# On random rows the trials look good to the end: with a log-loss of 0.13 on known subjects and 0.33
# on known minutes. So the nets are trained for 59 and 80 epochs, and on new subjects and later
# minutes they are worse than a guess, because they are sure of what they have memorised: 1.66 and
# 0.99.
#
# On other subjects and on the latest rows the loss soon rises. The nets keep the parameters of an
# early epoch, and their log-loss is 0.68 and 0.63, with a somewhat higher accuracy, although they
# are trained on a quarter fewer rows. On new subjects that is still hardly better than a guess:
# with 45 subjects there is little to learn. What the trial expects is too low even here, since it
# is the smallest loss of all epochs on few independent rows.
#
# The pictures show the first draw.

COLORS = ("#D55E00", "#0072B2")
figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
for ax, (table, (_, names)) in zip(axes, TABLES.items()):
    for net, name, color in zip(shown[table], names, COLORS):
        TrialDisplay.from_estimator(net, name=name, ax=ax, line_kw={"color": color})
    ax.set(title=f"Trials on {table}", ylabel="loss on validation rows", ylim=(0, 2.1))
    ax.legend(fontsize="small")

positions = np.arange(2)
for number, color in enumerate(COLORS):
    expected, new = np.transpose([losses[table][number] for table in TABLES])
    place = positions + 0.36 * number - 0.18
    axes[2].bar(place, new, width=0.32, color=color)
    axes[2].plot(place, expected, "D", color="white", markeredgecolor="black")
axes[2].plot([], [], "D", color="white", markeredgecolor="black", label="expected by the trial")
axes[2].axhline(np.log(2), color="black", lw=0.8, ls=":", label="a guess")
places = [table + offset for table in positions for offset in (-0.18, 0.18)]
names = [name.replace(" ", "\n") for _, names in TABLES.values() for name in names]
axes[2].set_xticks(places, names)
axes[2].set(title=f"Log-loss on new rows, mean of {N_DRAWS} draws", xlabel="validated on")
axes[2].legend()

plt.show()
