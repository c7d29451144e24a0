"""
Watch a model in production
===========================

In production the labels of new rows arrive late, or never, so the accuracy of a model is unknown.
Whether new rows still resemble the training data can be measured at once. In this example a net
reads 36 scanned digits a day. From day 14 on the lens of the scanner slides out of focus, a little
more each day. We compare what an operator sees at once, the share of novel rows and the confidence
of the net, with what only late labels reveal, its accuracy.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import binom
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier

ROWS_A_DAY, N_DAYS, DRIFT_BEGINS = 36, 29, 14

X, y = load_digits(return_X_y=True)
X_train, X_new, y_train, y_new = train_test_split(X, y, test_size=0.6, stratify=y, random_state=0)
net = DistanceNetClassifier(random_state=0).fit(X_train, y_train)

# %%
# Each day is a batch of rows that the net has not seen.


def blurred(rows, width):
    images = [gaussian_filter(row.reshape(8, 8), width).ravel() for row in rows]
    return np.stack(images)


days, labels = [], []
for day in range(N_DAYS):
    part = slice(day * ROWS_A_DAY, (day + 1) * ROWS_A_DAY)
    width = 0.075 * max(0, day + 2 - DRIFT_BEGINS)  # in pixels; the first day is day 1
    days.append(blurred(X_new[part], width) if width else X_new[part])
    labels.append(y_new[part])

# %%
# About 5 % of known rows fall below ``novelty_threshold_``. How many of a day's rows do so varies
# by chance, so the alarm has a limit: in one day of a thousand, more than so many of 36 known rows
# would be novel. The usual share is measured in the first ten days, because the share of 5 % holds
# in the mean over many fits, and this is one fit.

threshold = net.novelty_threshold_
novel = np.array([np.count_nonzero(net.score_samples(rows) < threshold) for rows in days])
usual = novel[:10].sum() / (10 * ROWS_A_DAY)
limit = binom.ppf(0.999, ROWS_A_DAY, usual)
confidence = [net.predict_proba(rows).max(axis=1).mean() for rows in days]
accuracy = [net.score(rows, known) for rows, known in zip(days, labels)]
first_alarm = int(np.argmax(novel > limit))

print(f"usual share of novel rows {usual:.3f}; alarm above {limit / ROWS_A_DAY:.2f}")
print("day  novel  confidence  accuracy")
for day in (first_alarm - 1, first_alarm, first_alarm + 1, first_alarm + 5):
    share = novel[day] / ROWS_A_DAY
    print(f"{day + 1:3}  {share:5.2f}  {confidence[day]:10.2f}  {accuracy[day]:8.2f}")

# %%
# The alarm comes before the harm: the net still reads the first blurred digits correctly, and is as
# confident as ever. A day later the errors begin.

figure, axes = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
numbers = np.arange(1, N_DAYS + 1)
colors = np.where(novel > limit, "tab:red", "tab:blue")
axes[0].bar(numbers, novel / ROWS_A_DAY, color=colors)
axes[0].axhline(limit / ROWS_A_DAY, color="black", linestyle="--", label="limit of the alarm")
axes[0].set(ylabel="share of novel rows", title="Seen at once: rows below novelty_threshold_")
axes[0].text(DRIFT_BEGINS - 0.3, 0.9, "the lens begins\nto slide", va="top")
axes[0].legend(loc="upper left")
axes[1].plot(numbers, confidence, label="mean probability of the predicted class (seen at once)")
axes[1].plot(numbers, accuracy, label="accuracy (seen when labels arrive)")
axes[1].set(xlabel="day", ylim=(0, 1.05), title="What the drift does to the predictions")
axes[1].legend(loc="lower left")
for ax in axes:
    ax.axvline(DRIFT_BEGINS - 0.5, color="gray", linestyle=":")
    ax.axvline(first_alarm + 1, color="tab:red", alpha=0.3, linewidth=6, zorder=0)

plt.show()
