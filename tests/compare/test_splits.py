"""Splits by folds, groups and time; rare classes and samples of rows."""

import numpy as np
import pytest
from compared_tables import make_table

from skdistnet.compare import InputError
from skdistnet.compare.splits import leave_out_rare_classes, make_splits, sample_rows, split_rows


def labels(*counts):
    return np.repeat([f"class {n}" for n in range(len(counts))], counts)


def with_labels(*counts, **changes):
    return make_table(sum(counts), y=labels(*counts), **changes)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_row_is_held_out_once(task):
    table = make_table(60, task)
    splits, text = make_splits(table, 4, 2, 0)
    assert len(splits) == 8
    assert "repeated 2 times" in text
    for half in (splits[:4], splits[4:]):
        assert sorted(np.concatenate([held_out for _, held_out in half])) == list(range(60))
    for train, held_out in splits:
        assert not set(train) & set(held_out)
    assert not np.array_equal(splits[0][1], splits[4][1])


def test_folds_are_stratified_by_class():
    splits, text = make_splits(with_labels(40, 20), 4, 1, 0)
    assert "stratified" in text
    for _, held_out in splits:
        assert np.sum(held_out < 40) == 10


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_no_group_is_in_both_parts(task):
    groups = np.arange(60) // 6
    splits, text = make_splits(make_table(60, task, groups=groups, group_column="who"), 5, 1, 0)
    assert "by who" in text
    for train, held_out in splits:
        assert not set(groups[train]) & set(groups[held_out])


def test_later_rows_are_held_out_by_time():
    splits, text = make_splits(make_table(60, time_column="when"), 4, 1, 0)
    assert len(splits) == 4
    assert "by when" in text
    for train, held_out in splits:
        assert max(train) < min(held_out)


def test_too_few_groups_are_refused():
    table = make_table(60, groups=np.arange(60) % 3, group_column="who")
    with pytest.raises(InputError, match="--groups who: 3 groups are too few for 5 folds"):
        make_splits(table, 5, 1, 0)


@pytest.mark.parametrize("time", [None, "when"])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_more_folds_than_rows_are_refused(task, time):
    table = make_table(20, task, time_column=time)
    with pytest.raises(InputError, match="20 rows are too few for 11 folds: try fewer --folds"):
        make_splits(table, 11, 1, 0)


def test_single_held_out_row_is_refused():
    groups = np.r_[np.zeros(10), np.ones(9), 2]
    table = make_table(20, "regression", groups=groups, group_column="who")
    with pytest.raises(InputError, match="has 1 row to hold out"):
        make_splits(table, 3, 1, 0)


def test_training_rows_of_one_class_are_refused():
    table = with_labels(30, 30, time_column="when")
    with pytest.raises(InputError, match="training rows of split 1 have a single class"):
        make_splits(table, 5, 1, 0)


def test_rare_classes_are_left_out():
    table = leave_out_rare_classes(with_labels(40, 30, 3, 2), 5)
    assert list(table.classes) == ["class 0", "class 1"]
    assert len(table.X) == len(table.y) == len(table.rows) == 70
    assert table.notes == ("5 rows of 2 classes with fewer than 5 rows are left out.",)


def test_classes_of_enough_rows_stay():
    table = with_labels(40, 30, 5)
    assert leave_out_rare_classes(table, 5) is table
    table = make_table(60, "regression")
    assert leave_out_rare_classes(table, 5) is table


def test_class_of_one_group_is_left_out():
    groups = np.repeat(np.arange(12), 10)
    y = np.where(groups == 3, "c", np.where(np.arange(120) % 2, "a", "b"))
    table = make_table(120, y=y, groups=groups, group_column="who")
    table = leave_out_rare_classes(table, 5)
    assert list(table.classes) == ["a", "b"]
    assert 3 not in table.groups


def test_many_rare_classes_are_refused():
    pattern = r"2 of the 4 classes of .y. have .* together 5 rows of 25"
    with pytest.raises(InputError, match=pattern):
        leave_out_rare_classes(with_labels(10, 10, 3, 2), 5)
    with pytest.raises(InputError, match="1 of the 2 classes of 'y' has fewer than 5 rows"):
        leave_out_rare_classes(with_labels(60, 2), 5)


def test_sample_keeps_the_order():
    table = sample_rows(make_table(60), 20, 0)
    assert len(table.y) == 20
    assert list(table.rows) == sorted(table.rows)
    assert table.notes == ("20 of 60 rows are drawn at random; --max-rows 0 takes all.",)
    whole = make_table(60)
    np.testing.assert_array_equal(table.X["weight"], whole.X["weight"][table.rows - 1])
    assert max(table.rows) > 20
    assert set(table.rows) != set(sample_rows(whole, 20, 1).rows)
    assert sample_rows(whole, 60, 0) is whole
    assert sample_rows(whole, 0, 0) is whole


def test_few_groups_stay_together_in_tuning():
    groups = np.arange(60) // 20
    table = make_table(60, groups=groups, group_column="who")
    splits = split_rows(table, np.arange(40), 3, 0)
    assert len(splits) == 2
    for train, held_out in splits:
        assert not set(groups[train]) & set(groups[held_out])


def test_levels_without_rows_are_left_out():
    table = sample_rows(make_table(60), 4, 0)
    assert set(table.X["colour"].cat.categories) == set(table.X["colour"].dropna())


def test_splits_of_some_rows_count_from_zero():
    table = make_table(60, groups=np.arange(60) // 30, group_column="who")
    positions = np.arange(30, 60)
    # A single group cannot be divided by groups.
    for train, held_out in split_rows(table, positions, 3, 0):
        assert sorted([*train, *held_out]) == list(range(30))
