"""Members of an ensemble: nets as they would be if fitted alone, after trials that they share."""

from inspect import signature

import joblib
import numpy as np
import pytest
from ensembles import (
    CASES,
    DIABETES,
    DIABETES_Y,
    NETS,
    SMALL,
    WINE,
    WINE_Y,
    assert_same_members,
    both_kinds,
    small,
)
from interrupted_fits import count_epochs
from sklearn.base import clone

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)
from skdistnet._base.members import CLASSIFIER_KINDS, REGRESSOR_KINDS, Kind
from skdistnet.engine import KERNELS
from skdistnet.engine.init.fine_structure import median_activations_of

KINDS = {
    DistanceNetEnsembleClassifier: CLASSIFIER_KINDS,
    DistanceNetEnsembleRegressor: REGRESSOR_KINDS,
}


#: Attributes that a member has before it is trained.
TRIED = {"init_median_activation_", "_feature_weights_", "_takes_ranks_"}


def fitted_alone(member, X, y, *args, **options):
    """Return the net with a member's parameters, fitted for the epochs that the trials found."""
    net = clone(member)
    if member.trial_ is not None:
        net.set_params(early_stopping=False, max_iter=member.trial_["n_epochs"])
    # With a warm start, a fit keeps what the trials have found.
    net.set_params(warm_start=True)
    # Without a trial, each member finds the median activation itself.
    known = TRIED if member.trial_ else TRIED - {"init_median_activation_"}
    for name in known & set(vars(member)):
        setattr(net, name, getattr(member, name))
    return net.fit(X, y, *args, **options)


# Fits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("init_median_activation", [0.5, "auto"])
@both_kinds
def test_member_is_a_net_fitted_alone(kind, X, y, init_median_activation):
    ensemble = small(kind, init_median_activation=init_median_activation).fit(X, y)
    for member in ensemble.estimators_:
        alone = fitted_alone(member, X, y)
        np.testing.assert_array_equal(member._theta_, alone._theta_)
        assert member.loss_curve_ == alone.loss_curve_
        assert member.n_iter_ == ensemble.trial_["n_epochs"]


@both_kinds
def test_members_without_trial_are_nets_fitted_alone(kind, X, y):
    ensemble = small(kind, init_median_activation="auto", early_stopping=False).fit(X, y)
    assert ensemble.trial_ is None
    for member in ensemble.estimators_:
        alone = fitted_alone(member, X, y)
        np.testing.assert_array_equal(member._theta_, alone._theta_)


@both_kinds
def test_members_differ(kind, X, y):
    members = small(kind, 4).fit(X, y).estimators_
    assert len({joblib.hash(net._theta_) for net in members}) == 4
    assert len({net.random_state for net in members}) == 4


@pytest.mark.parametrize("n_estimators", [1, 3])
@both_kinds
def test_trials_are_made_once(kind, X, y, n_estimators, runs):
    ensemble = small(kind, n_estimators).fit(X, y)
    tried, trained = runs[:-n_estimators], runs[-n_estimators:]
    assert len(tried) == ensemble.trial_["n_trials"]
    assert all(validation is not None for _, validation in tried)
    assert [len(rows) for rows, _ in trained] == [len(X)] * n_estimators


@both_kinds
def test_trials_are_those_of_the_first_member(kind, X, y):
    ensemble = small(kind).fit(X, y)
    assert all(net.trial_ == ensemble.trial_ for net in ensemble.estimators_)
    assert clone(ensemble.estimators_[0]).fit(X, y).trial_ == ensemble.trial_


@both_kinds
def test_first_members_stay_the_same(kind, X, y):
    few, many = small(kind, 2).fit(X, y), small(kind, 3).fit(X, y)
    many.estimators_ = many.estimators_[:2]
    assert_same_members(few, many)


@both_kinds
def test_starts_of_members_are_those_of_nets(kind, X, y, runs):
    ensemble = small(kind, 2, n_init=2).fit(X, y)
    assert len(runs) == ensemble.trial_["n_trials"] + 2 * 2
    for member in ensemble.estimators_:
        alone = fitted_alone(member, X, y)
        np.testing.assert_array_equal(member._theta_, alone._theta_)
        assert member.init_scores_ == alone.init_scores_
        assert len(member.init_scores_) == 2


@both_kinds
def test_fit_is_repeatable(kind, X, y):
    ensemble = small(kind).fit(X, y)
    other = clone(ensemble).fit(X, y)
    assert joblib.hash(vars(ensemble)) == joblib.hash(vars(other))
    assert_same_members(ensemble, ensemble.fit(X, y))


def test_random_state_instance_gives_other_members():
    ensemble = small(DistanceNetEnsembleClassifier, 2)
    ensemble.set_params(random_state=np.random.RandomState(0))
    first = ensemble.fit(WINE, WINE_Y).estimators_
    assert ensemble.fit(WINE, WINE_Y).estimators_[0].random_state != first[0].random_state


@pytest.mark.parametrize("n_jobs", [None, 2])
@both_kinds
def test_parameters_of_members_stay_as_given(kind, X, y, n_jobs):
    sizes = np.array([6, 5])
    ensemble = small(kind, 2, hidden_layer_sizes=sizes, n_jobs=n_jobs)
    before = [clone(net) for net in ensemble._unfitted_members()]
    ensemble.fit(X, y)
    for net, unfitted in zip(ensemble.estimators_, before):
        assert repr(net.get_params()) == repr(unfitted.get_params())


# Kinds --------------------------------------------------------------------------------------------


@both_kinds
def test_kinds_take_turns(kind, X, y):
    kinds = KINDS[kind]
    ensemble = small(kind, len(kinds) + 1).fit(X, y)
    for number, member in enumerate(ensemble.estimators_):
        expected = kinds[number % len(kinds)].settings
        own = {name: getattr(member, name) for name in expected if name not in SMALL}
        assert own == {name: value for name, value in expected.items() if name not in SMALL}


@both_kinds
def test_parameters_of_the_estimator_stand(kind, X, y, monkeypatch):
    kinds = Kind({"dropout": 0.2, "max_iter": 3}), Kind({"alpha": 0.5})
    monkeypatch.setattr(kind, "_kinds", kinds)
    members = small(kind, 2, alpha=0.25).fit(X, y).estimators_
    usual = signature(NETS[kind]).parameters["dropout"].default
    assert [net.dropout for net in members] == [0.2, usual]
    assert [net.alpha for net in members] == [0.25, 0.25]
    assert [net.max_iter for net in members] == [SMALL["max_iter"]] * 2


@both_kinds
def test_default_estimator_is_a_default_net(kind, X, y):
    ensemble = kind(random_state=0)
    assert ensemble.estimator is None
    (usual, *_), net = ensemble._unfitted_members(), NETS[kind]()
    changed = {"random_state"} | KINDS[kind][0].settings.keys()
    for name, value in net.get_params().items():
        assert name in changed or getattr(usual, name) == value


# Rows that members are trained on -----------------------------------------------------------------


@both_kinds
def test_rows_of_weight_zero_are_absent(kind, X, y):
    weights = np.arange(len(X)) % 3
    kept = weights > 0
    weighted, without = (
        small(kind).fit(X, y, weights),
        small(kind).fit(X[kept], y[kept], weights[kept]),
    )
    assert_same_members(weighted, without)


@both_kinds
def test_only_ratios_of_weights_matter(kind, X, y):
    weights = 1.0 + np.arange(len(X)) % 3
    assert_same_members(small(kind).fit(X, y, weights), small(kind).fit(X, y, 4.0 * weights))
    with pytest.raises(AssertionError):
        assert_same_members(small(kind).fit(X, y, weights), small(kind).fit(X, y))


@both_kinds
def test_members_validate_on_given_rows(kind, X, y, runs):
    options = {"X_val": X[::2], "y_val": y[::2], "sample_weight_val": np.ones(len(X[::2]))}
    ensemble = small(kind, 2).fit(X[1::2], y[1::2], **options)
    assert ensemble.trial_["n_trials"] == 1
    assert [len(validation) for _, validation in runs] == [len(X[::2])] * 3
    for member in ensemble.estimators_:
        alone = fitted_alone(member, X[1::2], y[1::2], **options)
        np.testing.assert_array_equal(member._theta_, alone._theta_)
        assert member.validation_scores_ == alone.validation_scores_


@both_kinds
def test_early_stopping_sets_aside_the_same_rows(kind, X, y, runs):
    small(kind, 3, early_stopping=True).fit(X, y)
    assert len(runs) == 3
    first = runs[0]
    for trained, held_out in runs:
        np.testing.assert_array_equal(trained.X, first[0].X)
        np.testing.assert_array_equal(held_out.X, first[1].X)


def test_class_weights_reach_all_members(runs):
    class_weight = {0: 1.0, 1: 5.0, 2: 0.5}
    small(DistanceNetEnsembleClassifier, class_weight=class_weight, label_smoothing=0.0).fit(
        WINE, WINE_Y
    )
    for rows, _ in runs:
        np.testing.assert_array_equal(rows.weights, rows.target @ [1.0, 5.0, 0.5])


# Errors -------------------------------------------------------------------------------------------

INVALID = [
    ({"n_estimators": 0}, "n_estimators"),
    ({"n_estimators": 2.0}, "n_estimators"),
    ({"out_of_fold": "yes"}, "out_of_fold"),
    ({"n_jobs": "all"}, "n_jobs"),
    ({"random_state": -1}, "random_state"),
    ({"verbose": "yes"}, "verbose"),
    ({"estimator__max_iter": 0}, "max_iter"),
    ({"out_of_fold": True, "n_estimators": 1}, "at least two members.*n_estimators=1"),
    ({"out_of_fold": True, "estimator__early_stopping": True}, "early_stopping=True"),
]


@pytest.mark.parametrize(("parameters", "message"), INVALID, ids=[str(each[0]) for each in INVALID])
@both_kinds
def test_invalid_parameter_changes_nothing(kind, X, y, parameters, message):
    ensemble = small(kind, 2).fit(X, y).set_params(**parameters)
    before = joblib.hash(vars(ensemble))
    with pytest.raises((TypeError, ValueError), match=message):
        ensemble.fit(X, y)
    assert joblib.hash(vars(ensemble)) == before


@pytest.mark.parametrize("estimator", [3, "net", DistanceNetClassifier], ids=str)
@pytest.mark.parametrize("kind", NETS)
def test_estimator_must_be_a_net(kind, estimator):
    expected = NETS[kind].__name__
    with pytest.raises(TypeError, match=f"'estimator' parameter of {kind.__name__}.*{expected}"):
        kind(estimator).fit(WINE, WINE_Y)


def test_estimator_of_the_other_kind_is_refused():
    with pytest.raises(TypeError, match="must be None or a DistanceNetClassifier,"):
        DistanceNetEnsembleClassifier(DistanceNetRegressor()).fit(WINE, WINE_Y)
    with pytest.raises(TypeError, match="must be None or a DistanceNetRegressor,"):
        DistanceNetEnsembleRegressor(DistanceNetClassifier()).fit(WINE, WINE_Y)


@pytest.mark.parametrize("fatal", [2, 50, 62])  # in a trial, and in members
@pytest.mark.parametrize("out_of_fold", [False, True])
@both_kinds
def test_failed_fit_changes_nothing(kind, X, y, fatal, out_of_fold):
    ensemble = small(kind, out_of_fold=out_of_fold).fit(X[::2], y[::2])
    before = joblib.hash(vars(ensemble))
    with count_epochs(fatal, MemoryError), pytest.raises(MemoryError):
        ensemble.fit(X, y)
    assert joblib.hash(vars(ensemble)) == before


@both_kinds
def test_bad_rows_change_nothing(kind, X, y):
    ensemble = small(kind, 2).fit(X, y)
    before = joblib.hash(vars(ensemble))
    bad = X.copy()
    bad[0, 0] = np.inf
    errors = {"infinity": (bad, y), "inconsistent": (X, y[1:]), "at least 2": (X[:1], y[:1])}
    for message, data in errors.items():
        with pytest.raises(ValueError, match=message):
            ensemble.fit(*data)
    with pytest.raises(ValueError, match="X_val"):
        ensemble.fit(X, y, X_val=X)
    assert joblib.hash(vars(ensemble)) == before


# Output -------------------------------------------------------------------------------------------


@both_kinds
def test_verbose_prints_a_line_for_each_member(kind, X, y, capsys):
    small(kind, verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("Member of ") for line in lines) == 3
    small(kind).fit(X, y)
    assert not capsys.readouterr().out


@both_kinds
@pytest.mark.filterwarnings("ignore:Training diverged")
def test_fit_warns_once(kind, X, y, recwarn):
    small(kind, 2, learning_rate_init=1e6, early_stopping=False).fit(X, y)
    assert len([each for each in recwarn if "diverged" in str(each.message)]) <= 1
    assert all(each.filename == __file__ for each in recwarn)


def test_cases_cover_both_ensembles():
    assert {kind for kind, *_ in CASES.values()} == set(NETS) == set(KINDS)
    assert len(DIABETES) == len(DIABETES_Y)


class Narrow(DistanceNetClassifier):
    """A subclass with fewer parameters, one of which has another default."""

    def __init__(self, hidden_layer_sizes=(6, 5), *, radius_type="tied", max_iter=8):
        super().__init__(hidden_layer_sizes, radius_type=radius_type, max_iter=max_iter)


class OwnFit(DistanceNetClassifier):
    """A subclass whose fit the members of an ensemble would not call."""

    def fit(self, X, y):
        """Fit to a part of the columns."""
        return super().fit(X[:, :2], y)


def test_members_may_be_of_a_subclass():
    X, y = CASES["classifier"][1:]
    nets = DistanceNetEnsembleClassifier(Narrow(), random_state=0).fit(X, y)
    assert {type(net) for net in nets.estimators_} == {Narrow}
    assert len({joblib.hash(net._theta_) for net in nets.estimators_}) == 4
    with pytest.raises(TypeError, match=r"no 'fit' of its own; got OwnFit\(\)"):
        DistanceNetEnsembleClassifier(OwnFit()).fit(X, y)


def test_narrow_units_of_another_kernel_are_its_own():
    rng = np.random.default_rng(0)
    X = 6 * rng.random((600, 2))
    fields = np.floor(X).sum(axis=1) % 2
    net = DistanceNetClassifier(30, max_iter=2, early_stopping=False, tol=0)
    nets = DistanceNetEnsembleClassifier(net, n_estimators=3, random_state=0).fit(X, fields)
    kernels = [KERNELS[member.activation] for member in nets.estimators_]
    found = [member.init_median_activation_ for member in nets.estimators_]
    assert [median < 0.5 for median in found] == [True] * 3
    for median, kernel in zip(found, kernels):
        assert median in median_activations_of(kernel)
