# SPDX-License-Identifier: Apache-2.0
"""Runs on several workers: a lost worker costs one run, a finished run is not repeated, a failed one is named."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from convert.compare.cost.measure import Cost
from convert.compare.engine import Crew, carry_out_all
from convert.compare.output.rows import gather
from convert.compare.output.table import to_csv
from convert.compare.phantom_sets import make_phantom_sets
from convert.compare.plan import Plan, plan_tasks
from convert.compare.protocols import Protocol
from convert.compare.result import Result
from convert.compare.task import DataChoice, Task
from convert.errors import RunFailedError
from convert.recipes.library import load_recipe, parse_recipe
from convert.recipes.recipe import OwnRecipe, Recipe
from convert.train.architectures.weights import Weights

NETWORK = {"architecture": "simple_cnn", "weights": "random"}
TINY: list[dict[str, object]] = [
    {"kind": "network", "name": "tiny_cnn", "network": NETWORK | {"frozen": False}, "training": {"epochs": 2}},
    {"kind": "network", "name": "tiny_frozen", "network": NETWORK | {"frozen": True}, "training": {"epochs": 3}},
    {"kind": "cadx", "name": "tiny_chain", "network": NETWORK | {"frozen": True}, "components": 8, "folds": 2},
]


def tiny_recipes() -> list[Recipe]:
    shown = {"title": "tiny", "source": "a test", "picture": {"size": 32}}
    return [parse_recipe(recipe | shown) for recipe in TINY]


def tasks_of(data: DataChoice) -> list[Task]:
    return [
        Task(recipe=recipe, weights=Weights("random"), protocol=protocol, data=data)
        for protocol in (Protocol.GROUPED, Protocol.RANDOM)
        for recipe in tiny_recipes()
    ]


def table(folder: Path, tasks: list[Task], paths: list[Path]) -> str:
    rows = []
    for recipe in tiny_recipes():
        own = [(t, p) for t, p in zip(tasks, paths, strict=True) if t.recipe.name == recipe.name]
        rows.append(gather(recipe, [t for t, _ in own], [p for _, p in own], False, Cost(), draws=20))
    return to_csv(rows)


def workers_of_mine() -> set[int]:
    """Processes of the workers that Dask has started for this one."""
    return {process.pid for process in multiprocessing.active_children() if process.pid is not None}


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a running cluster of one worker, as ``--scheduler`` takes it; each new worker loads TensorFlow."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", memory_limit=0
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataChoice:
    return make_phantom_sets(tmp_path_factory.mktemp("phantoms"))


def test_a_killed_worker_costs_one_run_and_the_table_is_the_same(
    data: DataChoice, tmp_path: Path, scheduler: str
) -> None:
    tasks = tasks_of(data)
    others = workers_of_mine()
    killed: list[int] = []

    def kill_one(line: str) -> None:
        # The first result is there: both workers are at work.
        if line.startswith("1/") and not killed:
            killed.append(min(workers_of_mine() - others))
            os.kill(killed[0], signal.SIGKILL)

    with_loss = carry_out_all(tasks, tmp_path / "a", tmp_path / "a" / "cache", Crew(workers=2), kill_one)
    assert killed
    whole = carry_out_all(tasks, tmp_path / "b", tmp_path / "b" / "cache", Crew(scheduler), lambda line: None)
    assert [path.name for path in with_loss] == [path.name for path in whole]
    assert table(tmp_path / "a", tasks, with_loss) == table(tmp_path / "b", tasks, whole)

    told: list[str] = []
    again = carry_out_all(tasks, tmp_path / "a", tmp_path / "a" / "cache", Crew(workers=2), told.append)
    assert told == ["6 runs, 6 of them there already"]
    assert again == with_loss
    assert not list((tmp_path / "a" / "runs").glob("*.part*"))


def test_a_run_that_fails_is_named_and_the_others_are_kept(data: DataChoice, tmp_path: Path, scheduler: str) -> None:
    good = Task(
        recipe=parse_recipe({"kind": "outline", "name": "outline", "title": "x", "source": "y"}),
        weights=Weights("random"), protocol=Protocol.GROUPED, data=data,
    )  # fmt: skip
    bad = Task(
        recipe=tiny_recipes()[1], weights=Weights("file", str(tmp_path / "no.weights.h5"), "none"),
        protocol=Protocol.GROUPED, data=data,
    )  # fmt: skip
    with pytest.raises(RunFailedError, match=r"tiny_frozen, grouped, part 1: WeightsError.*no\.weights\.h5"):
        carry_out_all([bad, good], tmp_path, tmp_path / "cache", Crew(scheduler), lambda line: None)
    (kept,) = (tmp_path / "runs").glob("*.zip")
    assert len(Result.read(kept).dice) > 0


def test_a_run_is_named_by_what_it_depends_on(data: DataChoice) -> None:
    task = tasks_of(data)[0]
    same = Task.model_validate_json(task.model_dump_json())
    assert same.name() == task.name()
    for changed in (
        {"seed": 1},
        {"part": 1},
        {"epochs": 1},
        {"weights": Weights("file", "x", "digest")},
        {"protocol": "random"},
        {"recipe": tiny_recipes()[1]},
        {"data": data.model_copy(update={"limits": {"busi": 30}})},
    ):
        assert task.model_copy(update=changed).name() != task.name(), changed
    words = task.recipe.model_copy(update={"title": "another word"})
    assert task.model_copy(update={"recipe": words}).name() == task.name()
    # Where a weights file lies is not part of a run, only what is in it.
    here, there = (Weights("file", path, "digest") for path in ("here", "there"))
    assert task.model_copy(update={"weights": here}).name() == task.model_copy(update={"weights": there}).name()


def test_a_plan_has_every_row_on_every_division_light_ones_first(data: DataChoice) -> None:
    own = OwnRecipe(
        name="ours", kind="mammascope", title="o", source="s", backbone="mobilenet_v2", size=64, weights="random"
    )
    plan = Plan(recipes=(*tiny_recipes(), own), data=data, parts=2, unseen=("uclm",))
    tasks = plan_tasks(plan)
    assert len(tasks) == 4 * (2 + 2 + 1)
    first = [t.recipe.name for t in tasks if t.part == 0]
    assert list(dict.fromkeys(first)) == ["ours", "tiny_cnn", "tiny_frozen", "tiny_chain"]
    assert [t.part for t in tasks] == sorted(t.part for t in tasks)
    with pytest.raises(ValueError, match="busbra does not take part"):
        plan_tasks(Plan(recipes=plan.recipes, data=data, unseen=("busbra",)))
    with pytest.raises(ValueError, match="mammascope"):
        plan_tasks(Plan(recipes=plan.recipes[:2], data=data))


def test_a_quick_look_downloads_nothing(data: DataChoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convert.compare.plan.available_weights", lambda *_: pytest.fail("asked for a download"))
    recipes = tuple(load_recipe(name) for name in ("mammascope", "vgg16", "classical_outline"))
    (tmp_path / "vgg16_mine.weights.h5").write_bytes(b"weights")
    tasks = plan_tasks(Plan(recipes=recipes, data=data, quick=True, backbones=tmp_path))
    kinds = {task.recipe.name: task.weights.kind for task in tasks}
    assert kinds == {"mammascope": "random", "vgg16": "file", "classical_outline": "random"}
