# SPDX-License-Identifier: Apache-2.0
"""A group torn apart by a split is a leak: nothing here may ever happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from convert.data.datasets.sample import Sample
from convert.data.splits import Split, fold_split, grouped_folds, leave_out, whole_split


def samples(count: int = 600) -> list[Sample]:
    made = []
    for i in range(count):
        dataset = ("busi", "busbra", "uclm")[i % 3]
        group = f"{dataset}/{i // 6}"
        made.append(Sample(f"{dataset}/{i}", dataset, Path("x"), (), (i // 6) % 3, group, f"scanner {i // 6 % 2}"))
    return made


def groups(part: Iterable[Sample]) -> set[str]:
    return {s.group for s in part}


def assert_disjoint(split: Split) -> None:
    parts = [groups(split.train), groups(split.calibration), groups(split.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


@pytest.mark.parametrize("fold", range(5))
def test_no_group_is_in_two_parts(fold: int) -> None:
    split = fold_split(samples(), fold)
    assert_disjoint(split)
    assert split.train
    assert split.calibration
    assert split.test


def test_folds_cover_everything_once_and_are_the_same_again() -> None:
    everything = samples()
    folds = grouped_folds(everything, 5, seed=3)
    assert Counter(s.key for fold in folds for s in fold) == Counter(s.key for s in everything)
    assert folds == grouped_folds(everything, 5, seed=3)
    assert folds != grouped_folds(everything, 5, seed=4)


def test_the_identifier_names_the_split() -> None:
    one, other = fold_split(samples(), 0), fold_split(samples(), 1)
    assert one.identifier() == fold_split(samples(), 0).identifier()
    assert one.identifier() != other.identifier()


def test_what_is_shipped_learns_from_all_but_a_part_that_the_first_two_folds_did_not_learn_from() -> None:
    everything = samples()
    split = whole_split(everything)
    assert_disjoint(split)
    assert not split.test
    assert len(split.train) + len(split.calibration) == len(everything)
    for fold in (0, 1):
        assert not groups(split.calibration) & groups(fold_split(everything, fold).train)


@pytest.mark.parametrize("name", ["busbra", "scanner 1"])
def test_leaving_out_tests_on_all_of_it_and_trains_on_none(name: str) -> None:
    split = leave_out(samples(), name)
    assert_disjoint(split)
    assert all(name in (s.dataset, s.scanner) for s in split.test)
    assert not any(name in (s.dataset, s.scanner) for s in (*split.train, *split.calibration))


@pytest.mark.parametrize("fold", [-1, 5])
def test_a_fold_that_does_not_exist_is_refused(fold: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 4"):
        fold_split(samples(), fold)


def test_leaving_out_what_is_not_there_names_what_is() -> None:
    with pytest.raises(ValueError, match="busbra"):
        leave_out(samples(), "nowhere")


@pytest.mark.parametrize(
    ("count", "folds", "said"), [(6, 5, "in 3 groups"), (60, 1, "2 or more"), (18, 5, "--folds"), (0, 2, "0 images")]
)
def test_too_little_to_divide_says_what_to_give(count: int, folds: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        grouped_folds(samples(count), folds, 0)
