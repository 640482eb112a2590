# SPDX-License-Identifier: Apache-2.0
"""The power goes at any moment: nothing that was confirmed is lost, nothing half-written is shown.

The records lie on a card that really forgets what was not fsynced (see ``forgetful_disk``). A process of its own works
on it and tells what it has done; at a random operation the power goes, in the middle of an fsync or of the start as
well, and the card is put together from what may have survived. Then the records are opened and compared, pixels
included, with the world before and the world after the deed that was under way: any other world is a failure.

A proof is worth what its sharpness is worth: the controls do the same with a store that leaves out one precaution, and
must find losses.

    python -m pytest tests/system/test_power_cut.py -s        # MAMMASCOPE_CUTS=2000 for more than 400
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import device.files
from device.records.keys import vault
from device.records.store import blobs
from device.records.store.database import Database
from tests.system import card_work, forgetful_mount
from tests.system.card_work import World
from tests.system.forgetful_disk import Forgetting
from tests.system.forgetful_mount import ForgetfulMount
from tests.system.own_process import in_own_process, send

CUTS = int(os.environ.get("MAMMASCOPE_CUTS", "400"))
CUTS_A_CARD = 20  # then a new records folder is begun, so that setting up is cut as well
CONTROL_CUTS = 20
DEEDS = 25

pytestmark = [
    pytest.mark.skipif(bool(forgetful_mount.missing()), reason=forgetful_mount.missing() or "-"),
    pytest.mark.timeout(3600),
]


@pytest.fixture
def card(tmp_path: Path) -> Iterator[ForgetfulMount]:
    mount = ForgetfulMount(tmp_path)
    yield mount
    mount.close()


@dataclass
class Tally:
    """What happened, for the report."""

    cuts: int = 0
    during_start: int = 0
    during_deed: int = 0
    deeds: int = 0
    finals: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.cuts} power cuts ({self.during_deed} in the middle of a change, {self.during_start} during start); "
            f"{self.deeds} changes confirmed, {self.finals} of them exams made final; {len(self.problems)} losses"
        )


def test_nothing_confirmed_is_lost(card: ForgetfulMount, capsys: pytest.CaptureFixture[str]) -> None:
    tally = run(card, CUTS, random.Random(20240229), sabotage=None)
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.problems == []
    assert tally.cuts == CUTS
    assert tally.during_deed > CUTS // 4
    assert tally.during_start > CUTS // 20


def no_folder_fsync() -> None:
    for module in (device.files, blobs, vault):
        module.sync_folder = lambda folder: None  # type: ignore[attr-defined]  # broken on purpose


def no_file_fsync() -> None:
    os.fsync = lambda fd: None


def synchronous(level: str) -> Callable[[], None]:
    def sabotage() -> None:
        careful = Database._set_up

        def careless(self: Database) -> None:
            careful(self)
            self._connection.execute(f"PRAGMA synchronous = {level}")

        Database._set_up = careless  # type: ignore[method-assign]  # broken on purpose

    return sabotage


@pytest.mark.parametrize(
    "sabotage",
    [no_folder_fsync, no_file_fsync, synchronous("NORMAL"), synchronous("OFF")],
    ids=["no folder fsync", "no file fsync", "synchronous normal", "synchronous off"],
)
def test_a_careless_store_is_caught(
    card: ForgetfulMount, sabotage: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    tally = run(card, CONTROL_CUTS, random.Random(7), sabotage)
    with capsys.disabled():
        print(f"\ncontrol: {tally}")
    assert len(tally.problems) > CONTROL_CUTS // 4


# --- the trial --------------------------------------------------------------------------------------------------------


def run(
    card: ForgetfulMount,
    cuts: int,
    chance: random.Random,
    sabotage: Callable[[], None] | None,
) -> Tally:
    """Cut the power ``cuts`` times and compare each time."""
    tally = Tally()
    world: World | None = None
    for number in range(cuts):
        if number % CUTS_A_CARD == 0:
            folder, world = card.path / f"records-{number}", None
        # Starting takes some 20 to 60 operations, a change 10 to 60: many cuts fall into both.
        card.cut_after(chance.randint(1, 60) if chance.random() < 0.25 else chance.randint(60, 700))
        story = in_own_process(lambda: work_until_cut(folder, world, chance.getrandbits(32), sabotage))  # noqa: B023
        cut = card.counts()["dead"]
        forgetting = chance.choice(list(Forgetting))
        card.power_cut(chance.getrandbits(32), forgetting)
        before, after = read_story(world, story, tally)
        problem = story_problem(story, bool(cut))
        seen, found = look(folder, [w["pin"] for w in (before, after) if w])
        found += [problem] if problem else []
        if seen not in (before, after):
            found.append(f"{forgetting}: {difference(before, after, seen)}")
        tally.cuts += 1
        if found:
            tally.problems.append(f"cut {number}: {found}")
            folder, seen = card.path / f"records-{number}-again", None
        world = seen
    return tally


def read_story(world: World | None, story: list[dict[str, Any]], tally: Tally) -> tuple[World | None, World | None]:
    """The world as last confirmed, and as it would be after the change that was under way."""
    under_way = world
    for line in story:
        if line["what"] == "try":
            under_way = line["world"]
        elif line["what"] == "done":
            tally.deeds += 1
            tally.finals += count_finals(under_way) - count_finals(world)
            world = under_way
    if under_way != world:
        tally.during_deed += 1
    elif not any(line["what"] == "open" for line in story):
        tally.during_start += 1
    return world, under_way


def count_finals(world: World | None) -> int:
    return sum(exam["state"] == "final" for exam in (world or {"exams": {}})["exams"].values())


def story_problem(story: list[dict[str, Any]], cut: bool) -> str:
    """A process that fails without a power cut has found a mistake of its own."""
    failed = [line["error"] for line in story if line["what"] == "failed"]
    return failed[0] if failed and not cut else ""


def work_until_cut(folder: Path, world: World | None, seed: int, sabotage: Callable[[], None] | None) -> Iterator[Any]:
    if sabotage:
        sabotage()
    told: list[dict[str, Any]] = []

    def tell(what: str, new_world: World | None) -> None:
        line = {"what": what, "world": new_world}
        told.append(line)
        send(line)

    shift = card_work.Shift(folder, world, random.Random(seed), tell)
    send({"what": "open"})
    shift.do(DEEDS)
    yield {"what": "finished"}


def look(folder: Path, pins: list[str]) -> tuple[World | None, list[str]]:
    def observe() -> Iterator[Any]:
        world, problems = card_work.observe(folder, pins)
        yield {"what": "seen", "world": world, "problems": problems}

    *_, last = in_own_process(observe)
    if last["what"] == "failed":
        return {"pin": None, "exams": {}}, [last["error"]]
    return last["world"], last["problems"]


def difference(before: World | None, after: World | None, seen: World | None) -> str:
    if before is None or after is None or seen is None:
        return f"set up: {before is not None} to {after is not None}, found {seen is not None}"
    lost = [code for code in before["exams"] if code not in seen["exams"] and code in after["exams"]]
    strange = [code for code in seen["exams"] if code not in before["exams"] and code not in after["exams"]]
    other = [
        (code, before["exams"].get(code), after["exams"].get(code), exam)
        for code, exam in seen["exams"].items()
        if exam not in (before["exams"].get(code), after["exams"].get(code))
    ]
    return f"lost {lost}, unknown {strange}, not as before or after {other[:2]}"
