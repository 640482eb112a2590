# SPDX-License-Identifier: Apache-2.0
"""The divisions: by chance near copies lie on both sides, by groups never, and the unseen set is wholly unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.compare.protocols import PARTS, Protocol, at_most, divide
from convert.data.datasets.sample import Sample


def samples() -> list[Sample]:
    made = []
    for dataset, count in (("busi", 84), ("uclm", 30)):
        for i in range(count):
            group = f"{dataset}/{i // 3}"
            made.append(Sample(f"{dataset}/{i}", dataset, Path("x"), (), (i // 3) % 3, group, dataset))
    return made


def groups(part: tuple[Sample, ...]) -> set[str]:
    return {s.group for s in part}


@pytest.mark.parametrize("protocol", [Protocol.RANDOM, Protocol.GROUPED])
def test_the_parts_cover_everything_once_in_the_papers_shares(protocol: Protocol) -> None:
    busi = [s for s in samples() if s.dataset == "busi"]
    tested: list[str] = []
    for part in range(PARTS):
        split = divide(busi, protocol, part)
        use = [s.key for s in (*split.train, *split.calibration, *split.test)]
        assert sorted(use) == sorted(s.key for s in busi)
        assert len(split.train) / len(busi) == pytest.approx(5 / 7, abs=0.05)
        assert {s.label for s in split.test} == {0, 1, 2}
        tested += [s.key for s in split.test]
    assert sorted(tested) == sorted(s.key for s in busi)


def test_chance_puts_copies_on_both_sides_and_groups_do_not() -> None:
    busi = [s for s in samples() if s.dataset == "busi"]
    random, grouped = (divide(busi, protocol, 0) for protocol in (Protocol.RANDOM, Protocol.GROUPED))
    assert groups(random.train) & groups(random.test)
    assert not groups(grouped.train) & groups(grouped.test)
    assert not groups(grouped.calibration) & groups(grouped.test)


def test_an_unseen_set_is_the_whole_test_and_nowhere_else() -> None:
    split = divide(samples(), Protocol.UNSEEN, 0, "uclm")
    assert {s.dataset for s in split.test} == {"uclm"}
    assert len(split.test) == 30
    assert {s.dataset for s in (*split.train, *split.calibration)} == {"busi"}


def test_a_limit_takes_whole_groups_and_leaves_other_sets_whole() -> None:
    kept = at_most(samples(), {"busi": 20})
    busi = [s for s in kept if s.dataset == "busi"]
    assert len(busi) == 18
    assert all(sum(s.group == name for s in busi) == 3 for name in groups(tuple(busi)))
    assert sum(s.dataset == "uclm" for s in kept) == 30
    assert at_most(samples(), {"busi": 20}) == kept
