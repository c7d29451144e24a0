"""Tests of CentroidDisplay: images, ellipses and tables."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits, load_wine, make_moons

from skdistnet import DistanceNetClassifier
from skdistnet.displays import CentroidDisplay
from skdistnet.engine.relevances import unit_variances

DIGITS, DIGITS_Y = (part[:300] for part in load_digits(return_X_y=True))
MOONS, MOONS_Y = make_moons(100, noise=0.1, random_state=0)
WINE, WINE_Y = load_wine(return_X_y=True, as_frame=True)
SMALL = {"max_iter": 5, "random_state": 0}


@pytest.fixture(scope="module")
def digits():
    return DistanceNetClassifier(30, **SMALL).fit(DIGITS, DIGITS_Y)


@pytest.fixture(scope="module")
def moons():
    return DistanceNetClassifier(7, **SMALL).fit(MOONS, MOONS_Y)


@pytest.fixture(scope="module")
def wine():
    return DistanceNetClassifier(7, **SMALL).fit(WINE, WINE_Y)


# Images -------------------------------------------------------------------------------------------


def test_images_are_centroids_and_shares(digits):
    display = CentroidDisplay.from_estimator(digits, image_shape=(8, 8))
    by_variance = np.argsort(-unit_variances(digits._network, digits._theta_))[:20]
    assert display.units.tolist() == by_variance.tolist()
    assert len(display.centroid_images_) == len(display.share_images_) == 20
    for unit, centroid, share in zip(
        by_variance, display.centroid_images_, display.share_images_, strict=True
    ):
        expected = digits.centroids_[0][unit].reshape(8, 8)
        np.testing.assert_array_equal(centroid.get_array(), expected)
        assert share.get_array().sum() == pytest.approx(1)
    assert [text.get_text() for text in display.ax_.texts] == [f"unit {u}" for u in by_variance]
    scales = [scale.get_xlabel() for scale in display.ax_.child_axes]
    assert scales == ["centroid, in the units of the data", "share in the unit's distances"]


def test_images_neither_overlap_nor_leave_the_axes(digits):
    display = CentroidDisplay.from_estimator(digits, units=None, image_shape=[4, 16])
    boxes = [image.get_extent() for image in display.centroid_images_ + display.share_images_]
    assert len(boxes) == 60
    low, high = display.ax_.get_ylim()
    for number, (left, right, bottom, top) in enumerate(boxes):
        assert display.ax_.get_xlim()[0] <= left < right <= display.ax_.get_xlim()[1]
        assert high <= top < bottom <= low
        for a, b, c, d in boxes[:number]:
            assert right <= a or b <= left or bottom <= d or c <= top


def test_shares_are_of_squared_distances_between_centroids(digits):
    centroids, radii = digits.centroids_[0], digits.inverse_radii_[0]
    display = CentroidDisplay.from_estimator(digits, units=[5], image_shape=(8, 8))
    parts = ((radii[5] * (centroids - centroids[5])) ** 2).sum(axis=0)
    expected = (parts / parts.sum()).reshape(8, 8)
    np.testing.assert_allclose(display.share_images_[0].get_array(), expected, rtol=1e-9)


@pytest.mark.parametrize("shape", [(8, 9), 64, (8, 8, 1), (8.0, 8.0), (64,), (True, 64), (-8, -8)])
def test_image_shape_of_another_size_raises(digits, shape):
    with pytest.raises(
        ValueError, match=r"'image_shape' .* 64 pixels \(one for each feature\) or None; got "
    ):
        CentroidDisplay.from_estimator(digits, image_shape=shape)
    assert not plt.get_fignums()


# Ellipses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius_type", ["diag", "spherical", "tied"])
def test_ellipse_is_at_scaled_distance_one(radius_type):
    net = DistanceNetClassifier(5, radius_type=radius_type, **SMALL).fit(MOONS, MOONS_Y)
    display = CentroidDisplay.from_estimator(net, MOONS)
    assert len(display.ellipses_) == 5
    for unit, ellipse in zip(display.units, display.ellipses_, strict=True):
        np.testing.assert_array_equal(ellipse.center, net.centroids_[0][unit])
        radii = np.broadcast_to(net.inverse_radii_[0], (5, 2))[unit]
        np.testing.assert_allclose([ellipse.width, ellipse.height], 2 / radii)
    np.testing.assert_array_equal(
        np.transpose(display.centers_.get_data()), net.centroids_[0][display.units]
    )


def test_rows_below_ellipses_set_the_limits(moons):
    display = CentroidDisplay.from_estimator(moons, csr_array(MOONS))
    np.testing.assert_array_equal(display.points_.get_offsets(), MOONS)
    for limits, column in zip((display.ax_.get_xlim(), display.ax_.get_ylim()), MOONS.T):
        assert limits[0] < column.min()
        assert column.max() < limits[1]
        assert np.diff(limits) < 1.5 * np.ptp(column)
    assert CentroidDisplay.from_estimator(moons).points_ is None


def test_used_axes_keep_limits_and_labels(moons):
    _, ax = plt.subplots()
    ax.plot([-9, 9], [-9, 9])
    ax.set(xlim=(-9, 9), ylim=(-9, 9), xlabel="mine")
    CentroidDisplay.from_estimator(moons, ax=ax)
    assert ax.get_xlim() == ax.get_ylim() == (-9, 9)
    assert ax.get_xlabel() == "mine"


def test_ellipse_of_ignored_feature_is_long_but_finite():
    net = DistanceNetClassifier(1, **SMALL).fit(MOONS, MOONS_Y)
    net._network.views(net._theta_)[0]["inverse_radii"][0, 0] = 0.0
    (ellipse,) = CentroidDisplay.from_estimator(net, MOONS).ellipses_
    assert 10 * np.ptp(MOONS[:, 0]) < ellipse.width < 1000 * np.ptp(MOONS[:, 0])


def test_feature_that_is_always_missing_is_drawn():
    rows = np.column_stack([MOONS[:, 0], np.full(len(MOONS), np.nan)])
    net = DistanceNetClassifier(3, **SMALL).fit(rows, MOONS_Y)
    display = CentroidDisplay.from_estimator(net, rows)
    display.figure_.canvas.draw()
    assert len(display.ellipses_) == 3


def test_two_features_of_many_make_ellipses(wine):
    display = CentroidDisplay.from_estimator(wine, WINE, features=["proline", "ash"], units=[3, 1])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("proline", "ash")
    np.testing.assert_array_equal(display.points_.get_offsets(), WINE[["proline", "ash"]])
    centers = [ellipse.center for ellipse in display.ellipses_]
    np.testing.assert_array_equal(centers, wine.centroids_[0][[3, 1]][:, [12, 2]])


# Table --------------------------------------------------------------------------------------------


def test_table_has_a_square_per_cell(wine):
    display = CentroidDisplay.from_estimator(wine)
    centroids = wine.centroids_[0]
    deviates = (centroids - centroids.mean(axis=0)) / centroids.std(axis=0)
    np.testing.assert_allclose(display.squares_.get_array(), deviates[display.units].ravel())
    areas = [np.prod(np.ptp(path.vertices, axis=0)) for path in display.squares_.get_paths()]
    shares = display.shares[display.units].ravel()
    np.testing.assert_allclose(areas, areas[0] * shares / shares[0])
    rows = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert rows == WINE.columns.tolist()
    columns = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert columns == [str(unit) for unit in display.units]
    second = display.squares_.get_paths()[1].vertices.mean(axis=0)
    np.testing.assert_allclose(second, [0, 1], atol=0.3)


def test_table_shows_selected_units_and_features(wine):
    display = CentroidDisplay.from_estimator(wine, units=3, features=5)
    most_relevant = np.sort(np.argsort(-wine.feature_relevances_)[:5])
    assert display.features.tolist() == most_relevant.tolist()
    assert len(display.squares_.get_paths()) == 15
    display = CentroidDisplay.from_estimator(wine, units=[4, 0], features=["hue", 2, "ash"])
    assert display.units.tolist() == [4, 0]
    assert display.features.tolist() == [10, 2, 2]


def test_large_tables_have_few_labels():
    net = DistanceNetClassifier(90, **SMALL).fit(DIGITS, DIGITS_Y)
    display = CentroidDisplay.from_estimator(net, units=None, features=None)
    assert len(display.squares_.get_paths()) == 90 * 64
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == [str(unit) for unit in display.units[::3]]
    assert [label.get_text() for label in display.ax_.get_yticklabels()][:2] == ["x0", "x3"]
    images = CentroidDisplay.from_estimator(net, units=None, image_shape=(8, 8))
    assert not images.ax_.texts


def test_constant_column_has_no_share():
    rows = WINE.to_numpy().copy()
    rows[:, 4] = 7.0
    net = DistanceNetClassifier(7, **SMALL).fit(rows, WINE_Y)
    display = CentroidDisplay.from_estimator(net)
    assert display.shares[:, 4].max() < 1e-12
    assert display.shares[:, 3].max() > 1e-3


def test_single_unit_has_equal_shares():
    net = DistanceNetClassifier(1, **SMALL).fit(WINE, WINE_Y)
    display = CentroidDisplay.from_estimator(net)
    np.testing.assert_allclose(display.shares, 1 / 13)
    assert not display.squares_.get_array().any()


@pytest.mark.parametrize("units", [0, -1, [7], ["hue"], [1.0], False], ids=str)
def test_unknown_units_raise(wine, units):
    with pytest.raises(ValueError, match=r"'units' parameter of CentroidDisplay .* 7 av.*got "):
        CentroidDisplay.from_estimator(wine, units=units)
    assert not plt.get_fignums()


def test_single_feature_makes_a_table():
    net = DistanceNetClassifier(4, **SMALL).fit(MOONS[:, :1], MOONS_Y)
    assert len(CentroidDisplay.from_estimator(net).squares_.get_paths()) == 4


def test_hybrid_shows_its_first_layer():
    net = DistanceNetClassifier((5, 4), ["gaussian", "relu"], **SMALL).fit(WINE, WINE_Y)
    assert CentroidDisplay.from_estimator(net).centroids.shape == (5, 13)


def test_table_without_shares_raises():
    display = CentroidDisplay(
        centroids=np.zeros((3, 4)),
        inverse_radii=np.ones((3, 4)),
        units=[0, 1],
        features=[0, 1, 2],
        feature_names=list("abcd"),
    )
    with pytest.raises(ValueError, match="Tables and images need 'shares'"):
        display.plot()
    display.features = [0, 1]
    assert len(display.plot().ellipses_) == 2
