# SPDX-License-Identifier: Apache-2.0
"""The power goes at any moment of an update, on a card that really forgets: the old release runs or the new one, whole.

The card is the one of ``forgetful_disk``: after a cut, of every file any of the pages and of every folder any of the
names that were not fsynced may be gone. An update is installed, tried, and called good or taken back; at a random
operation the power goes, now and then once more while the start repairs that. Then every file of the release in use is
compared with what the maker has put in.

    python -m pytest tests/system/test_update_power_cut.py -s        # MAMMASCOPE_CUTS=400 for more than 60
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from device.files import sync_tree
from device.operations.updates.install import install
from device.update import staging
from device.update.fit import InstallOptions
from device.update.releases import InstallPaths
from tests.device.update.conftest import OLD, Desk, Handheld, desk, packages_of, shelf, update_file
from tests.system import forgetful_mount
from tests.system.forgetful_disk import Forgetting
from tests.system.forgetful_mount import ForgetfulMount
from tests.system.own_process import in_own_process, send

__all__ = ["desk", "shelf", "update_file"]  # fixtures

CUTS = int(os.environ.get("MAMMASCOPE_CUTS", "60"))
CONTROL_CUTS = 40

pytestmark = [
    pytest.mark.skipif(bool(forgetful_mount.missing()), reason=forgetful_mount.missing() or "-"),
    pytest.mark.timeout(7200),
]


@dataclass
class Tally:
    """What happened, for the report."""

    cuts: int = 0
    while_repairing: int = 0
    ended_in: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = ", ".join(f"{count} in the {name}" for name, count in sorted(self.ended_in.items()))
        found = self.problems or "no losses"
        return f"{self.cuts} power cuts, {self.while_repairing} more while repairing; ended {ends}; {found}"


@dataclass
class Bench:
    """A card that forgets, what is put on it, and what an update makes of it."""

    mount: ForgetfulMount
    shelf: Handheld
    update: Path
    source: Path

    def card(self, number: int) -> Handheld:
        """A handheld with the old release, durable down to the last byte; its app runs well."""
        root = self.mount.path / f"card-{number}"
        shutil.copytree(self.shelf.places.root, root, symlinks=True)
        made = Handheld(InstallPaths(root))
        release = made.places.release(OLD)
        (packages_of(release) / "mammascope.pth").write_text(f"{release}\n")
        (made.places.state / "good").write_text(f"releases/{OLD}\n")
        for name in ("proc", "tools"):  # what the kernel and systemd say is not on the card
            outside = self.mount.path.with_name(f"{name}-{number}")
            shutil.copytree(root / name, outside)
            shutil.rmtree(root / name)
            (root / name).symlink_to(outside)
        made.uptime(1000)
        made.app_runs_for(None)
        sync_tree(self.mount.path)
        return made


@pytest.fixture
def bench(
    tmp_path: Path, shelf: Handheld, update_file: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    # It only makes the single fsyncs faster, and slow here, where others use the disk; nothing may rely on it.
    monkeypatch.setattr(os, "sync", lambda: None)
    mount = ForgetfulMount(tmp_path)
    yield Bench(mount, shelf, update_file, desk.folder / "source")
    mount.close()


def test_the_old_one_or_the_new_one_and_never_neither(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    tally = run(bench, CUTS, random.Random(20261121), sabotage=None)
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.problems == []
    assert tally.cuts == CUTS
    assert set(tally.ended_in) == {"old", "new"}
    assert tally.while_repairing > CUTS // 10


def no_fsync_of_the_release() -> None:
    staging.sync_tree = lambda folder: None  # type: ignore[attr-defined]  # broken on purpose


def no_sync_by_the_guard(folder: Path) -> Path:
    """A program in front of the real one."""
    folder.mkdir()
    (folder / "sync").write_text("#!/bin/sh\n")
    (folder / "sync").chmod(0o755)
    return folder


@pytest.mark.parametrize("careless", ["release", "guard"])
def test_a_careless_update_is_caught(
    bench: Bench, tmp_path: Path, careless: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if careless == "guard":
        monkeypatch.setenv("PATH", f"{no_sync_by_the_guard(tmp_path / 'tools')}:{os.environ['PATH']}")
    sabotage = no_fsync_of_the_release if careless == "release" else None
    tally = run(bench, CONTROL_CUTS, random.Random(7), sabotage)
    with capsys.disabled():
        print(f"\ncontrol, no fsync of the {careless}: {tally.cuts} power cuts, {len(tally.problems)} losses")
    assert len(tally.problems) > 0


# --- the trial --------------------------------------------------------------------------------------------------------


def run(bench: Bench, cuts: int, chance: random.Random, sabotage: Callable[[], None] | None) -> Tally:
    """Cut the power so many times, each time in a fresh update, and look what is left."""
    tally = Tally()
    operations = measure(bench, sabotage)
    for number in range(cuts):
        card = bench.card(number)
        good = chance.random() < 0.5
        # Most operations write files; the last tenth is the switch and the trial, which deserve half of the cuts.
        first = 1 if chance.random() < 0.5 else operations * 9 // 10
        bench.mount.cut_after(chance.randint(first, operations))
        in_own_process(lambda: whole_update(bench, card, good, sabotage))  # noqa: B023
        forgetting = chance.choice(list(Forgetting))
        bench.mount.power_cut(chance.getrandbits(32), forgetting)
        if chance.random() < 0.3:
            bench.mount.cut_after(chance.randint(1, 40))
            in_own_process(lambda: boot(card))  # noqa: B023
            bench.mount.power_cut(chance.getrandbits(32), chance.choice(list(Forgetting)))
            tally.while_repairing += 1
        tally.cuts += 1
        in_own_process(lambda: boot(card))  # noqa: B023
        name, problem = look(bench, card)
        tally.ended_in[name] = tally.ended_in.get(name, 0) + 1
        if problem:
            tally.problems.append(f"cut {number}, {forgetting}: {problem}")
        shutil.rmtree(card.places.root)
        sync_tree(bench.mount.path)
    return tally


def measure(bench: Bench, sabotage: Callable[[], None] | None) -> int:
    """How many changing operations a whole update has."""
    card = bench.card(10**6)
    before = bench.mount.counts()["operations"]
    story = in_own_process(lambda: whole_update(bench, card, True, sabotage))
    assert story[-1]["what"] == "finished", story
    return int(bench.mount.counts()["operations"]) - before


def whole_update(bench: Bench, card: Handheld, good: bool, sabotage: Callable[[], None] | None) -> Iterator[Any]:
    if sabotage is not None:
        sabotage()
    send({"what": "begun"})
    install(bench.update, card.places, InstallOptions(), None)
    card.app_has_run_for(500)
    if good:
        card.guard("look")
    else:
        for _ in range(2):
            card.guard("stopped", SERVICE_RESULT="watchdog")
    yield {"what": "finished"}


def boot(card: Handheld) -> Iterator[Any]:
    card.uptime(10)
    card.guard("resume")
    yield {"what": "started"}


def look(bench: Bench, card: Handheld) -> tuple[str, str]:
    """Which release is in use, and what is wrong with that; empty for nothing."""
    places, found = card.places, ""
    link = places.base / "current"
    current = link.readlink().name if link.is_symlink() else ""
    if not (places.base / "releases" / current / "complete").is_file():
        return "void", f"no whole release in use: {current!r}"
    name, version = ("old", "1.0.0") if current == OLD else ("new", "1.1.0")
    for path in sorted(bench.source.rglob("*")):
        if path.is_file() and path.name not in ("__init__.py", "broken"):
            copy = places.release(current) / path.relative_to(bench.source)
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                found = found or f"{name}: {copy.name} is not what the maker put in"
    if not found:
        said = says(card)
        found = "" if said == f"{version} hello" else f"{name}: it says {said!r}"
    trial = places.trial
    if name == "new" and not (trial is not None and trial.to == current) and places.good != current:
        found = found or "the new one is in use without being watched"
    if name == "old" and trial is not None:
        found = found or "the old one is in use, and a trial of another is noted"
    left = [path.name for path in (places.base / "releases").iterdir() if not (path / "complete").is_file()]
    return name, found or (f"left behind: {left}" if left else "")


def says(card: Handheld) -> str:
    try:
        return card.says()
    except (OSError, subprocess.SubprocessError) as error:
        return f"{error}"
