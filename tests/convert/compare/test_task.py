# SPDX-License-Identifier: Apache-2.0
"""The images of a run: any set by ``--set``; those that serve figures only are an unseen hospital and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.__main__ import build_parser
from convert.compare.command import plan_of
from convert.compare.phantom_sets import make_phantom_sets
from convert.compare.plan import plan_tasks
from convert.compare.protocols import Protocol
from convert.compare.task import DataChoice, Task
from convert.data.datasets.sample import Sample
from tests.convert.folders import make_class_folders

ROWS = ["--recipes", "mammascope", "classical_outline"]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options that name BUSI, a hospital of one's own, and a set whose rights are kept for judging."""
    top = tmp_path_factory.mktemp("data")
    busi = make_phantom_sets(top / "phantoms").busi
    own, judge = (make_class_folders(top / name, each=6) for name in ("ours", "udiat"))
    return ["--busi", str(busi), "--set", f"ours={own}", "--set", f"udiat={judge}"]


def tasks(options: list[str], folder: Path) -> list[Task]:
    args = build_parser().parse_args(["compare", "--out", str(folder), "--parts", "1", *options, *ROWS])
    return plan_tasks(plan_of(args, folder))


def sets(*parts: tuple[Sample, ...]) -> set[str]:
    return {sample.dataset for part in parts for sample in part}


def test_a_set_by_name_is_trained_on_and_left_out(given: list[str], tmp_path: Path) -> None:
    planned = tasks([*given, "--unseen", "ours", "udiat"], tmp_path)
    (ours,) = [t.split() for t in planned if t.unseen == "ours" and t.recipe.name == "mammascope"]
    assert (sets(ours.test), sets(ours.train, ours.calibration)) == ({"ours"}, {"busi"})
    # What serves figures only is tested on and never trained on.
    (judge,) = [t.split() for t in planned if t.unseen == "udiat" and t.recipe.name == "mammascope"]
    assert (sets(judge.test), sets(judge.train, judge.calibration)) == ({"udiat"}, {"busi", "ours"})
    assert len(judge.test) == 12
    for task in planned:
        if task.protocol is not Protocol.UNSEEN:
            split = task.split()
            assert sets(split.train, split.calibration, split.test) == {"busi"}


def test_a_worker_reads_the_same_images(given: list[str], tmp_path: Path) -> None:
    for task in tasks([*given, "--unseen", "ours", "udiat"], tmp_path):
        sent = Task.model_validate_json(task.model_dump_json())
        assert sent.name() == task.name()


def test_a_limit_holds_for_every_set(given: list[str], tmp_path: Path) -> None:
    planned = tasks([*given, "--unseen", "udiat", "--at-most", "udiat=6", "ours=4"], tmp_path)
    split = next(t.split() for t in planned if t.unseen == "udiat")
    assert len(split.test) == 6
    assert sum(s.dataset == "ours" for s in (*split.train, *split.calibration)) == 4


def test_a_set_that_was_not_named_cannot_be_left_out(given: list[str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="uclm does not take part; there is busi, ours, udiat"):
        tasks([*given, "--unseen", "uclm"], tmp_path)


def test_without_any_set_the_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--set"):
        tasks([], tmp_path)
    assert DataChoice().load_external() == []
