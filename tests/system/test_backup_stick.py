# SPDX-License-Identifier: Apache-2.0
"""The stick is pulled at any moment of a backup: what is on it is a whole backup, the old one or the new one.

The stick forgets what was not fsynced (see ``forgetful_disk``). After each cut the newest backup on it is verified file
by file, restored as a whole onto an empty device, opened, and compared with the records at the time of that backup.

    python -m pytest tests/system/test_backup_stick.py -s
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.errors import BackupError, MammascopeError
from device.records.keys.vault import Vault
from device.transfer.backup import back_up, find_backups, verify_backup
from device.transfer.restore import restore_whole
from tests.system import card_work, forgetful_mount
from tests.system.card_work import Shift
from tests.system.forgetful_disk import Forgetting
from tests.system.forgetful_mount import ForgetfulMount

PULLS = 80

pytestmark = [
    pytest.mark.skipif(bool(forgetful_mount.missing()), reason=forgetful_mount.missing() or "-"),
    pytest.mark.timeout(1800),
]


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[ForgetfulMount]:
    mount = ForgetfulMount(tmp_path / "stick")
    yield mount
    mount.close()


def test_a_pulled_stick_holds_a_whole_backup(
    stick: ForgetfulMount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(3)
    shift = Shift(tmp_path / "records", None, chance, lambda what, world: None)
    done: dict[str, Any] | None = None
    finished = 0
    for _ in range(PULLS):
        shift.do(chance.randint(1, 6))
        now = shift.world
        stick.cut_after(chance.randint(1, 220))
        try:
            back_up(shift.store, shift.vault, stick.path)
            done, finished = now, finished + 1
        except BackupError:
            pass
        stick.power_cut(chance.getrandbits(32), chance.choice(list(Forgetting)))
        found = find_backups(stick.path)
        assert found or done is None, "a finished backup is gone"
        if found:
            verify_backup(found[0])
            restored = restored_world(found[0], tmp_path / "restored", now["pin"], done["pin"] if done else None)
            assert restored["exams"] in (now["exams"], (done or now)["exams"])
            done = restored
    with capsys.disabled():
        print(f"\n{PULLS} backups, {PULLS - finished} of them with the stick pulled, {finished} finished; 0 not whole")
    assert 10 < finished < PULLS - 10


def restored_world(manifest: Any, folder: Path, *pins: str | None) -> dict[str, Any]:
    def unlock(place: Path) -> Vault:
        for pin in filter(None, pins):
            try:
                return Vault.unlock(place, pin)
            except MammascopeError:
                continue
        raise AssertionError("no PIN opens the backup")

    restore_whole(manifest, folder, unlock).lock()
    world, problems = card_work.observe(folder, [pin for pin in pins if pin])
    shutil.rmtree(folder)
    assert problems == []
    assert world is not None
    return world
