"""Nets for sequences are saved, copied, shown and searched like any estimator."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import skops.io
from interrupted_fits import same
from sequences import KINDS, SMALL, both_kinds, draw_X, draw_y, every_case, fitted, raw_output
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdistnet import TRUSTED_TYPES, RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor
from skdistnet.engine.layers.kernels import KERNELS


def to_joblib(net):
    file = io.BytesIO()
    joblib.dump(net, file)
    return file.getvalue()


WRITERS = {"pickle": pickle.dumps, "joblib": to_joblib, "skops": skops.io.dumps}


def from_bytes(writer, saved):
    if writer == "skops":
        return skops.io.loads(saved, trusted=TRUSTED_TYPES)
    return joblib.load(io.BytesIO(saved)) if writer == "joblib" else pickle.loads(saved)


@every_case
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_saved_net_predicts_and_continues(kind, X, y, writer, early_stopping):
    options = {"warm_start": True, "early_stopping": early_stopping, "truncation": 3}
    net = fitted(kind, X, y, **options)
    loaded = from_bytes(writer, WRITERS[writer](net))
    np.testing.assert_array_equal(raw_output(loaded, X), raw_output(net, X))
    np.testing.assert_array_equal(loaded.leaking_rates_, net.leaking_rates_)
    assert same(loaded.fit(X, y), net.fit(X, y))


@every_case
def test_skops_needs_trust_for_estimator_only(kind, X, y):
    saved = skops.io.dumps(fitted(kind, X, y, leaking_rate=[0.5] * 5))
    untrusted = skops.io.get_untrusted_types(data=saved)
    assert untrusted == [f"{kind.__module__}.{kind.__qualname__}"]
    assert set(untrusted) <= set(TRUSTED_TYPES)


@every_case
def test_saved_net_is_hardly_larger_than_its_parameters(kind, X, y):
    net = fitted(kind, X, y, n_units=100, max_iter=1)
    assert len(pickle.dumps(net)) < 1.2 * net._theta_.nbytes


@every_case
def test_deep_copy_equals_original(kind, X, y):
    net = fitted(kind, X, y)
    assert same(copy.deepcopy(net), net)


@every_case
def test_older_saved_net_gets_parameter_defaults(kind, X, y):
    net = fitted(kind, X, y)
    state = net.__getstate__()
    del state["truncation"], state["init"]
    older = object.__new__(kind)
    older.__setstate__(state)
    np.testing.assert_array_equal(raw_output(older, X), raw_output(net, X))
    assert older.get_params() == net.get_params()


# Parameters and display ---------------------------------------------------------------------------


@both_kinds
def test_parameters_are_cloned_and_set(kind):
    options = {"n_units": 7, "leaking_rate": [0.5] * 7, "truncation": None, "activation": "cauchy"}
    net = kind(**options)
    assert net.get_params() | options == net.get_params()
    assert clone(net).get_params() == net.get_params()
    assert kind().set_params(**net.get_params()).get_params() == net.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'dropout'"):
        net.set_params(dropout=0.1)


@every_case
def test_clone_is_unfitted(kind, X, y):
    assert not hasattr(clone(fitted(kind, X, y)), "n_features_in_")


@both_kinds
def test_display_shows_changed_parameters(kind):
    net = kind(n_units=7, truncation=20)
    assert repr(net) == f"{kind.__name__}(n_units=7, truncation=20)"
    html = net._repr_html_()
    assert kind.__name__ in html
    assert "truncation" in html
    X = draw_X()
    assert "fitted" in fitted(kind, X, draw_y(kind, X))._repr_html_()


def test_kinds_are_known_to_scikit_learn():
    assert is_classifier(RecurrentDistanceNetClassifier())
    assert is_regressor(RecurrentDistanceNetRegressor())


@both_kinds
def test_tags_ask_for_sequences(kind):
    tags = kind().__sklearn_tags__()
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.allow_nan
    assert not tags.input_tags.sparse
    assert tags.target_tags.required


# Searches and pipelines ---------------------------------------------------------------------------


@every_case
def test_grid_search_takes_sequences(kind, X, y):
    grid = {"activation": list(KERNELS), "n_units": [2, 4]}
    search = GridSearchCV(kind(**SMALL), grid, cv=2, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    expected = fitted(kind, X, y, **search.best_params_)
    np.testing.assert_array_equal(search.predict(X), expected.predict(X))


@every_case
@pytest.mark.parametrize("form", ["array", "list"])
def test_cross_validation_takes_sequences(kind, X, y, form):
    expected = cross_val_score(kind(**SMALL), X, y, cv=3, error_score="raise")
    if form == "list":
        X, y = list(X), list(y) if y.ndim == 2 else y
    scores = cross_val_score(kind(**SMALL), X, y, cv=3, error_score="raise")
    if isinstance(y, list):  # folds are stratified by no list of arrays
        assert np.isfinite(scores).all()
    else:
        np.testing.assert_allclose(scores, expected)


@both_kinds
def test_cross_validated_predictions_have_a_row_each(kind):
    X = draw_X()
    y = draw_y(kind, X)
    assert cross_val_predict(kind(**SMALL), X, y, cv=3).shape == y.shape


@every_case
def test_pipeline_passes_sequences_on(kind, X, y):
    pipeline = make_pipeline(FunctionTransformer(np.diff, kw_args={"axis": 1}), kind(**SMALL))
    y = y if y.ndim == 1 else y[:, 1:]
    pipeline.fit(X, y)
    expected = fitted(kind, np.diff(X, axis=1), y)
    np.testing.assert_array_equal(pipeline.predict(X), expected.predict(np.diff(X, axis=1)))
    assert pipeline.score(X, y) == expected.score(np.diff(X, axis=1), y)


def test_all_recurrent_types_are_trusted():
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in KINDS}
    assert names <= set(TRUSTED_TYPES)
