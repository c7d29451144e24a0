"""
What a recurrent unit has learned
=================================

A recurrent distance unit has a centroid among the inputs and among the states of all units. It is
active when the input of a step and the states are near it, as its inverse radii scale the distance.
Its own state follows this activation at the unit's leaking rate. So a unit can be drawn: where it
lies, and how its state moves.

Here two bumps, a low and a high one, occur at random times among noise. At the end of a sequence
the net predicts which of them came first, so it has to remember.
"""

# %%
# Two classes: low before high, and high before low. A net of 12 units learns to distinguish them.
# The bumps are far outside the noise. ``standardize=True`` would compress such values; without it,
# distances are in the units of the input.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skdistnet import RecurrentDistanceNetClassifier

N_SEQUENCES, N_STEPS, BETWEEN = 600, 40, 18
NAMES = ["low first", "high first"]

rng = np.random.default_rng(0)
y = rng.integers(2, size=N_SEQUENCES)
X = 0.1 * rng.normal(size=(N_SEQUENCES, N_STEPS, 1))
rows = np.arange(N_SEQUENCES)
X[rows, rng.integers(2, 15, N_SEQUENCES), 0] += 1 + y
X[rows, rng.integers(20, 35, N_SEQUENCES), 0] += 2 - y
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=200, random_state=0)

net = RecurrentDistanceNetClassifier(12, standardize=False, max_iter=60, random_state=0)
net.fit(X_train, y_train)
print(f"accuracy on new sequences: {net.score(X_test, y_test):.3f}")

# %%
# ``hidden_states`` returns the states after each step. Between the bumps the input is the same for
# both classes. The unit whose state differs most at that time remembers the first bump.

states = net.hidden_states(X_test)
between = states[:, BETWEEN]
unit = int(np.argmax(np.abs(between[y_test == 1].mean(axis=0) - between[y_test == 0].mean(axis=0))))
print(
    f"unit {unit}: centroid at input {net.centroids_[unit, 0]:.2f} and at its own state "
    f"{net.state_centroids_[unit, unit]:.2f}, leaking rate {net.leaking_rates_[unit]:.2f}"
)

# %%
# The fitted attributes are all that its activation depends on. The states of the other units are
# set to their means between the bumps.


def activation(x, state):
    """Activation of the unit for an input and a state of its own."""
    others = between.mean(axis=0)
    squares = (net.state_inverse_radii_[unit] * (others - net.state_centroids_[unit])) ** 2
    rest = squares.sum() - squares[unit]
    of_input = net.inverse_radii_[unit, 0] * (x - net.centroids_[unit, 0])
    own = net.state_inverse_radii_[unit, unit] * (state - net.state_centroids_[unit, unit])
    return np.exp(-(of_input**2 + own**2 + rest) / 2)


figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
shown = [np.flatnonzero(y_test == label)[:30] for label in (0, 1)]

ax = axes[0, 0]
for label, examples in enumerate(shown):
    series = X_test[examples[0], :, 0]
    ax.plot(series - 3 * label, color=f"C{label}", label=NAMES[label])
ax.set(title="A sequence of each class", xlabel="step", ylabel="input, moved apart", yticks=[])
ax.legend(loc="lower right")

ax = axes[0, 1]
for label, examples in enumerate(shown):
    ax.plot(states[examples, :, unit].T, color=f"C{label}", alpha=0.4, linewidth=1)
ax.set(title=f"State of unit {unit}", xlabel="step", ylabel="state", ylim=(-0.05, 1.05))

ax = axes[1, 0]
x, state = np.meshgrid(np.linspace(-0.5, 2.5, 200), np.linspace(-0.05, 1.05, 200))
filled = ax.contourf(x, state, activation(x, state), levels=np.linspace(0, 1, 11), cmap="Greys")
figure.colorbar(filled, ax=ax, label="activation")
for label, examples in enumerate(shown):
    before = states[examples, :-1, unit]
    ax.plot(X_test[examples, 1:, 0], before, ".", color=f"C{label}", markersize=3)
ax.set(title="Where the unit is active", xlabel="input of the step", ylabel="state before it")

ax = axes[1, 1]
rate, state = net.leaking_rates_[unit], np.linspace(0, 1, 200)
ax.plot(state, state, color="0.7", linestyle="--", label="unchanged")
for height, style in ((0, "-"), (1, "-."), (2, ":")):
    after = (1 - rate) * state + rate * activation(height, state)
    ax.plot(state, after, color="k", linestyle=style, label=f"input {height}")
ax.set(title="How a step changes the state", xlabel="state before", ylabel="state after")
ax.legend(loc="upper left")
plt.show()

# %%
# At input 0 the curve crosses the diagonal three times. The outer two crossings are states that the
# unit keeps while nothing happens, a low and a high one. A low bump moves the high state a little,
# and it returns. A high bump moves it below the middle crossing; it then falls to the low state and
# stays there. The unit was initialised near a state that it repeats (``init="mixed"``, which "auto"
# stands for here); training has turned this into a switch. With other seeds the unit may have only
# one crossing, to which its state returns within some steps: a memory that fades.
