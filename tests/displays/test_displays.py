"""What all displays have in common: scikit-learn's form, and what they refuse."""

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
#: What `from_estimator` takes besides the net.
DATA = {
    "AccuracyCoverageDisplay": (X, Y),
    "CentroidDisplay": (),
    "GradientFlowDisplay": (X, Y),
    "LossCurveDisplay": (),
    "NoveltyDisplay": (X,),
    "RelevanceDisplay": (),
}
every_display = pytest.mark.parametrize("name", displays.__all__)
#: Drawn for any classifier.
OF_ANSWERS = {"AccuracyCoverageDisplay"}
every_display_of_nets = pytest.mark.parametrize("name", sorted({*displays.__all__} - OF_ANSWERS))
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0}


def display_of(name, net, **options):
    return getattr(displays, name).from_estimator(net, *DATA[name], **options)


@pytest.fixture(scope="module")
def net():
    return DistanceNetClassifier(**SMALL).fit(X, Y)


@every_display
def test_a_figure_of_its_own_or_the_axes_given(name, net):
    display = display_of(name, net)
    assert display.ax_ in display.figure_.axes
    figure, axes = plt.subplots(1, 2)
    assert display_of(name, net, ax=axes[1]).ax_ is axes[1]
    assert not axes[0].has_data()
    assert display.plot(axes[0]) is display
    assert display.ax_ is axes[0]
    assert display.figure_ is figure


@every_display
def test_a_picture_is_drawn_without_a_warning(name, net):
    display = display_of(name, net)
    display.figure_.canvas.draw()
    assert np.ptp(np.asarray(display.figure_.canvas.buffer_rgba())) > 0


@every_display
def test_what_the_constructor_takes_is_kept_as_it_is(name, net):
    display = display_of(name, net)
    parameters = inspect.signature(type(display)).parameters
    again = type(display)(**{key: getattr(display, key) for key in parameters})
    assert all(getattr(again, key) is getattr(display, key) for key in parameters)
    again.plot()


@every_display_of_nets
def test_other_estimators_and_nets_that_are_not_fitted_are_refused(name):
    with pytest.raises(TypeError, match="DistanceNetRegressor; got MLPClassifier"):
        display_of(name, MLPClassifier())
    with pytest.raises(NotFittedError):
        display_of(name, DistanceNetClassifier())
    assert not plt.get_fignums()


@every_display
def test_without_matplotlib_the_error_says_what_to_install(name, net, monkeypatch):
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
def test_a_net_that_begins_with_dot_products_is_told_to_set_activation(name, error):
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


def test_scores_need_a_fit_that_saw_all_of_the_data():
    net = DistanceNetClassifier(**SMALL).partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(NotFittedError, match="partial_fit"):
        display_of("NoveltyDisplay", net)


@every_display_of_nets
def test_nets_of_many_outputs_are_drawn(name):
    net = DistanceNetRegressor(**SMALL).fit(X, X[:, :2])
    data = (X, X[:, :2]) if name == "GradientFlowDisplay" else DATA[name]
    assert getattr(displays, name).from_estimator(net, *data).ax_.has_data()


@every_display
def test_a_column_that_was_missing_throughout_is_drawn(name):
    rows = X.copy()
    rows[:, 4] = np.nan
    net = DistanceNetClassifier(**SMALL).fit(rows, Y)
    assert display_of(name, net).ax_.has_data()
