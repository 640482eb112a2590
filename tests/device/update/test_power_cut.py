# SPDX-License-Identifier: Apache-2.0
"""The power goes at any step of an update: what runs afterwards is the old release or the new one, whole.

Two halves are cut. The guard, which switches: at every change that it makes, one run each. The installation by the
program in use: at changes spread over all of it (all of them, on a disk that forgets what was not synchronised, are in
tests/system/test_update_power_cut.py).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from device.operations.updates.install import install
from device.update.fit import InstallOptions
from device.update.releases import COMPLETE, InstallPaths
from tests.device.update.conftest import OLD, Handheld, packages_of
from tests.device.update.test_guard import NEW, begin, card, put

__all__ = ["card"]  # the fixture

CHANGING = ("mv", "ln", "rm", "sync", "cat")
"""What the guard changes the disk with; `cat` fills the files that it writes."""

KILLED = -9
CUTS = 12


# --- the guard --------------------------------------------------------------------------------------------------------


class Scissors:
    """Programs in front of the real ones that cut the power at the n-th change: all of the guard ends at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in CHANGING:
            real = shutil.which(name)
            script = (
                f'read -r left <"{folder}/left"\necho $((left - 1)) >"{folder}/left"\n'
                f'[ "$left" -ne 1 ] || kill -9 0\nexec {real} "$@"\n'
            )
            (folder / name).write_text(f"#!/bin/sh\n{script}")
            (folder / name).chmod(0o755)

    def set(self, change: int) -> None:
        """Cut before this change, counted from 1."""
        (self.folder / "left").write_text(f"{change}\n")


def whole(places: InstallPaths) -> bool:
    """Whether a release is in use with nothing missing of it."""
    return all((places.base / "current" / part).exists() for part in (COMPLETE, "venv/bin/python", "device"))


def cut_everywhere(card: Handheld, act: Callable[[Path], int], check: Callable[[int], None]) -> int:
    """Do something once for every change that it makes, cut there, start the system again and check.

    Returns:
        How many cuts there were.
    """
    root = card.places.root
    shutil.copytree(root, root.with_name("before"), symlinks=True)
    scissors = Scissors(root.with_name("scissors"))
    for change in range(1, 100):
        shutil.rmtree(root)
        shutil.copytree(root.with_name("before"), root, symlinks=True)
        scissors.set(change)
        status = act(scissors.folder)
        assert whole(card.places), f"cut before change {change}"
        card.boot()
        assert whole(card.places), f"started after a cut before change {change}"
        check(change)
        if status != KILLED:
            assert status == 0
            return change - 1
    raise AssertionError("it never ends")


def test_cut_while_switching_it_is_the_old_one_or_the_new_one_on_trial(card: Handheld) -> None:
    def check(change: int) -> None:
        trial = card.places.trial
        on_trial = trial is not None and trial.to == NEW
        assert (card.places.current, on_trial) in {(OLD, False), (NEW, True)}, change
        card.app_has_run_for(500)
        card.guard("look")
        assert card.places.good == card.places.current

    cuts = cut_everywhere(card, lambda tools: card.guard("begin", NEW, tools=tools).returncode, check)
    assert cuts >= 7


def test_cut_while_taken_back_it_is_taken_back(card: Handheld) -> None:
    begin(card)
    card.guard("stopped", SERVICE_RESULT="signal")

    def check(change: int) -> None:
        # Cut before anything was noted, the trial goes on, and its next end counts.
        if card.places.current == NEW:
            card.guard("stopped", SERVICE_RESULT="signal")
        assert card.places.current == OLD, change
        assert card.places.failed == {NEW: "signal"}
        assert card.places.trial is None

    def act(tools: Path) -> int:
        return card.guard("stopped", tools=tools, SERVICE_RESULT="signal").returncode

    assert cut_everywhere(card, act, check) >= 14


def test_cut_while_a_cut_is_repaired(card: Handheld) -> None:
    begin(card)
    for _ in range(3):
        card.boot()
    put(card.places, "1.2.0-cccccccccccc", complete=False)

    def check(change: int) -> None:
        assert card.places.current == OLD, change
        assert card.places.failed == {NEW: "boots"}
        assert card.places.trial is None
        assert card.releases == {OLD, NEW}

    assert cut_everywhere(card, lambda tools: card.guard("resume", tools=tools).returncode, check) >= 16


def test_cut_while_called_good_and_tidied_up(card: Handheld) -> None:
    put(card.places, "0.9.0-dddddddddddd")
    begin(card)
    card.app_has_run_for(500)

    def check(change: int) -> None:
        assert card.places.current == NEW, change
        card.app_has_run_for(500)
        card.guard("look")
        assert (card.places.good, card.places.highest, card.places.trial) == (NEW, "1.1.0", None)
        assert all(whole_folder(card, name) for name in card.releases)

    assert cut_everywhere(card, lambda tools: card.guard("look", tools=tools).returncode, check) >= 14


def whole_folder(card: Handheld, name: str) -> bool:
    return (card.places.release(name) / COMPLETE).is_file()


# --- the installation -------------------------------------------------------------------------------------------------


def changes_of(work: Callable[[], object], root: Path, cut_at: int = 0) -> int:
    """Do something in a process of its own and count its changes below a folder, or end it before one of them.

    Returns:
        How many changes there were; 0 when it was cut.
    """
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_CREAT)
            named = event in {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod"}
            if event == "subprocess.Popen" or ((writes or named) and str(root) in str(arguments[:2])):
                seen += 1
                if seen == cut_at:
                    os._exit(9)

        sys.addaudithook(hook)
        status = 1
        try:
            work()
            os.write(sender, str(seen).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(sender)
    with os.fdopen(receiver, "rb") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (9 if cut_at and not said else 0)
    return int(said or 0)


def test_cut_while_installing_the_old_one_runs_and_the_next_attempt_succeeds(
    handheld: Handheld, update_file: Path, tmp_path: Path
) -> None:
    places, before = handheld.places, tmp_path / "before"
    shutil.copytree(places.root, before, symlinks=True)

    def anew() -> None:
        shutil.rmtree(places.root)
        shutil.copytree(before, places.root, symlinks=True)

    def work() -> None:
        install(update_file, places, InstallOptions(), None)

    total = changes_of(work, places.root)
    assert total > 20
    for step in range(CUTS):
        anew()
        changes_of(work, places.root, cut_at=1 + step * (total - 1) // (CUTS - 1))
        assert whole(places)
        handheld.boot()
        assert whole(places)
        assert (places.current == OLD) == (places.trial is None)
        assert all(whole_folder(handheld, name) for name in handheld.releases)
    anew()
    changes_of(work, places.root, cut_at=total // 2)
    handheld.boot()
    assert handheld.install(update_file) != OLD
    assert packages_of(places.base / "current").is_dir()
    assert handheld.says() == "1.1.0 hello"
