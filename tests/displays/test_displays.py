"""Tests of what all displays have in common: scikit-learn's interface, and errors."""

import builtins
import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier, DistanceNetRegressor, displays

X, Y = load_wine(return_X_y=True)
#: Arguments of `from_estimator` after the net.
DATA = {
    "AccuracyCoverageDisplay": (X, Y),
    "CentroidDisplay": (),
    "GradientFlowDisplay": (X, Y),
    "LossCurveDisplay": (),
    "NoveltyDisplay": (X,),
    "RelevanceDisplay": (),
    "TrialDisplay": (),
}
every_display = pytest.mark.parametrize("name", displays.__all__)
#: Drawn for any classifier.
OF_PREDICTIONS = {"AccuracyCoverageDisplay"}
every_display_of_nets = pytest.mark.parametrize(
    "name", sorted({*displays.__all__} - OF_PREDICTIONS)
)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0}


def display_of(name, net, **options):
    return getattr(displays, name).from_estimator(net, *DATA[name], **options)


@pytest.fixture(scope="module")
def net():
    return DistanceNetClassifier(**SMALL).fit(X, Y)


@every_display
def test_new_figure_or_given_axes(name, net):
    display = display_of(name, net)
    assert display.ax_ in display.figure_.axes
    figure, axes = plt.subplots(1, 2)
    assert display_of(name, net, ax=axes[1]).ax_ is axes[1]
    assert not axes[0].has_data()
    assert display.plot(axes[0]) is display
    assert display.ax_ is axes[0]
    assert display.figure_ is figure


@every_display
def test_drawing_gives_no_warning(name, net):
    display = display_of(name, net)
    display.figure_.canvas.draw()
    assert np.ptp(np.asarray(display.figure_.canvas.buffer_rgba())) > 0


@every_display
def test_constructor_parameters_are_attributes(name, net):
    display = display_of(name, net)
    parameters = inspect.signature(type(display)).parameters
    again = type(display)(**{key: getattr(display, key) for key in parameters})
    assert all(getattr(again, key) is getattr(display, key) for key in parameters)
    again.plot()


@every_display_of_nets
def test_other_estimators_and_unfitted_nets_raise(name):
    with pytest.raises(TypeError, match="DistanceNetRegressor; got MLPClassifier"):
        display_of(name, MLPClassifier())
    with pytest.raises(NotFittedError):
        display_of(name, DistanceNetClassifier())
    assert not plt.get_fignums()


@every_display
def test_missing_matplotlib_raises_with_advice(name, net, monkeypatch):
    display = display_of(name, net)
    plain_import = builtins.__import__

    def no_matplotlib(module, *args, **kwargs):
        if module.startswith("matplotlib"):
            raise ImportError(module)
        return plain_import(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    with pytest.raises(ImportError, match=rf"{name}\.from_estimator needs .*pip install"):
        display_of(name, net)
    with pytest.raises(ImportError, match=rf"{name}\.plot needs .*pip install"):
        display.plot()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("CentroidDisplay", ValueError),
        ("NoveltyDisplay", AttributeError),
        ("RelevanceDisplay", AttributeError),
    ],
)
def test_first_dense_layer_raises_with_advice(name, error):
    hybrid = DistanceNetClassifier((6, 5), ["relu", "gaussian"], max_iter=3, random_state=0)
    with pytest.raises(error, match=r"'activation'.*relu"):
        display_of(name, hybrid.fit(X, Y))
    assert not plt.get_fignums()


@every_display
@pytest.mark.parametrize(
    "options",
    [
        {"hidden_layer_sizes": (1,)},
        {"hidden_layer_sizes": ()},
        {"radius_type": "spherical"},
        {"radius_type": "tied", "dtype": "float32"},
        {"activation": "cauchy", "output_layer": "linear"},
    ],
    ids=str,
)
def test_nets_of_every_kind_are_drawn(name, options):
    rows = X.copy()
    rows[:, 4] = 7.0  # a constant column
    net = DistanceNetClassifier(**SMALL | options).fit(rows, Y)
    assert display_of(name, net).ax_.has_data()


def test_novelty_display_after_partial_fit_raises():
    net = DistanceNetClassifier(**SMALL).partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(NotFittedError, match="partial_fit"):
        display_of("NoveltyDisplay", net)


@every_display_of_nets
def test_nets_of_several_outputs_are_drawn(name):
    net = DistanceNetRegressor(**SMALL).fit(X, X[:, :2])
    data = (X, X[:, :2]) if name == "GradientFlowDisplay" else DATA[name]
    assert getattr(displays, name).from_estimator(net, *data).ax_.has_data()


@every_display
def test_column_that_is_always_missing_is_drawn(name):
    rows = X.copy()
    rows[:, 4] = np.nan
    net = DistanceNetClassifier(**SMALL).fit(rows, Y)
    assert display_of(name, net).ax_.has_data()
