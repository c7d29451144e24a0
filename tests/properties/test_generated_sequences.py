"""For generated sequences and settings, a net fits soundly or refuses with a clear error."""

from dataclasses import dataclass

import joblib
import numpy as np
import pytest
from generated_data import COLUMNS, LABELS, SHARED, TARGETS, WEIGHTS, names
from hypothesis import assume, given
from hypothesis import strategies as st
from interrupted_fits import same
from sequences import KINDS, both_kinds
from sklearn.base import clone
from sound_predictions import unchanged_if_refused

from skdistnet import RecurrentDistanceNetClassifier
from skdistnet._base.recurrent import NOT_SHARED
from skdistnet.engine.init.recurrent import STATE_INITIALIZERS
from skdistnet.engine.layers.kernels import KERNELS
from skdistnet.engine.losses import REGRESSION_LOSSES

pytestmark = [
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce"),
    pytest.mark.filterwarnings("ignore:The number of unique classes is greater"),
    pytest.mark.filterwarnings("ignore:Training diverged"),
]


@dataclass(frozen=True)
class Sequences:
    """Sequences of features of some kinds, as an array or a list, with missing steps."""

    kinds: list
    n_sequences: int
    n_steps: int
    ragged: bool
    gaps: bool
    seed: int

    def make(self):
        """Return the sequences as a list, and the generator."""
        rng = np.random.default_rng(self.seed)
        shape = self.n_sequences, self.n_steps
        n_rows = self.n_sequences * self.n_steps
        columns = [COLUMNS[kind](rng, n_rows).reshape(shape) for kind in self.kinds]
        X = np.stack(columns, axis=2)
        if self.gaps:
            X[rng.random(shape) < 0.3] = np.nan
        lengths = np.full(self.n_sequences, self.n_steps)
        if self.ragged:
            lengths = rng.integers(1, self.n_steps + 1, self.n_sequences)
        return [each[:length] for each, length in zip(X, lengths)], rng


def sequences(columns=tuple(COLUMNS), min_sequences=1):
    return st.builds(
        Sequences,
        kinds=st.lists(st.sampled_from(list(columns)), min_size=1, max_size=3),
        n_sequences=st.one_of(st.integers(min_sequences, 6), st.just(61)),
        n_steps=st.one_of(st.integers(1, 5), st.just(12)),
        ragged=st.booleans(),
        gaps=st.booleans(),
        seed=st.integers(0, 99),
    )


OWN = {
    "n_units": st.integers(1, 4),
    "activation": st.sampled_from(list(KERNELS)),
    "init": st.sampled_from(list(STATE_INITIALIZERS)),
    "init_median_activation": st.sampled_from([0.5, 1e-3, 0.999]),
    "leaking_rate": st.sampled_from(["auto", 1.0, 1e-12, 0.3]),
    "truncation": st.sampled_from(["auto", None, 1, 3]),
    "early_stopping": st.sampled_from([False, True, "auto"]),
    "batch_size": st.sampled_from(["auto", 3, 10**6]),
}
PARAMETERS = {name: drawn for name, drawn in SHARED.items() if name not in NOT_SHARED} | OWN
OF_KINDS = dict(
    zip(
        KINDS,
        [
            {"label_smoothing": st.sampled_from([0.0, 0.02, 0.9])},
            {
                "loss": st.sampled_from(list(REGRESSION_LOSSES)),
                "quantile": st.sampled_from([0.5, 0.01, [0.1, 0.9]]),
            },
        ],
    )
)
ONE_COLUMN = {
    KINDS[0]: [name for name in LABELS if "matrix" not in name and "columns" not in name],
    KINDS[1]: [name for name in TARGETS if "column" not in name],
}


@st.composite
def nets(draw, kind):
    """Draw an unfitted net, some of whose parameters differ from the defaults."""
    options = draw(st.fixed_dictionaries({}, optional=PARAMETERS | OF_KINDS[kind]))
    options["n_units"] = draw(OWN["n_units"])
    return kind(**options, max_iter=draw(st.integers(1, 3)), random_state=0)


def draw_target(data, kind, X, rng, by_step):
    """Return targets of some kind for each sequence, or a list of them for each step."""
    target = (LABELS if kind is KINDS[0] else TARGETS)[data.draw(names(ONE_COLUMN[kind]))]
    if not by_step:
        return target(rng, len(X))
    lengths = list(map(len, X))
    return np.split(target(rng, sum(lengths)), np.cumsum(lengths)[:-1])


def predictions(net, X):
    if isinstance(net, RecurrentDistanceNetClassifier):
        return net.predict_proba(X)
    return net.predict(X)


@both_kinds
@given(data=st.data(), drawn=sequences(), by_step=st.booleans(), weigh=names(WEIGHTS))
def test_fit_is_refused_or_sound(kind, data, drawn, by_step, weigh):
    (X, rng), net = drawn.make(), data.draw(nets(kind))
    y, weights = draw_target(data, kind, X, rng, by_step), WEIGHTS[weigh](rng, len(X))
    before = joblib.hash((X, y, weights))
    with unchanged_if_refused(net) as reasons:
        net.fit(X, y, weights)
    assert joblib.hash((X, y, weights)) == before
    assume(not reasons)
    predicted = predictions(net, X)
    assert len(predicted) == len(X)
    for prediction, sequence in zip(predicted, X):
        assert np.isfinite(prediction).all()
        if by_step:
            assert len(prediction) == len(sequence)
    assert np.isfinite(net.hidden_states(X)).all()
    assert np.isfinite(net.loss_curve_).all()
    assert same(clone(net).fit(X, y, weights), net)


@both_kinds
@given(data=st.data(), drawn=sequences(min_sequences=2), by_step=st.booleans())
def test_predictions_do_not_depend_on_other_sequences(kind, data, drawn, by_step):
    (X, rng), net = drawn.make(), data.draw(nets(kind))
    net.set_params(early_stopping=False, dtype="float64")
    y = draw_target(data, kind, X, rng, by_step)
    with unchanged_if_refused(net) as reasons:
        net.fit(X, y)
    assume(not reasons)
    together = predictions(net, X)
    scale = max(float(np.abs(each).max()) for each in together)
    for number in (0, len(X) - 1):
        alone = predictions(net, [X[number]])[0]
        np.testing.assert_allclose(together[number], alone, rtol=1e-6, atol=1e-9 * scale)
