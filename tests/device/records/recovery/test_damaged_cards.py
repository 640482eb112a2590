# SPDX-License-Identifier: Apache-2.0
"""Records whose files were damaged at random: each ends in what the user can act on, and never in another content."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from device.errors import MammascopeError
from device.records.keys.vault import Vault
from device.records.store.database import FILE_NAME
from device.records.store.store import Store
from tests.device.records.conftest import LIMITS, PIN, Device

Seen = dict[str, tuple[str, str, list[bytes]]]
DATABASES = 120
OTHERS = 60


def content(folder: Path) -> Seen:
    """Name, note and pixels of every exam that can be read; what cannot be read is said by an error."""
    vault = Vault.unlock(folder, PIN)
    try:
        store = Store.open(folder, vault, limits=LIMITS)
        try:
            seen: Seen = {}
            for summary in store.search():
                try:
                    exam = store.get(summary.uid)
                    pixels = [view.frame.pixels.tobytes() for view in exam.views]
                    [store.thumbnail(view.uid) for view in exam.views]
                except MammascopeError:
                    continue
                seen[exam.uid] = (exam.patient.name, exam.note, pixels)
            store.audit_log()
            return seen
        finally:
            store.close()
    finally:
        vault.lock()


def damage(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    length = min(size, chance.choice((1, 1, 4, 64, 512, 4096)))
    noise = random.Random(size).randbytes(length)
    with path.open("r+b") as file:
        file.seek(chance.randrange(size - length + 1))
        file.write(chance.choice((noise, bytes(length), b"\xff" * length, b"\xc3" * length)))


@pytest.fixture
def whole(device: Device) -> Path:
    """Records of a day, closed."""
    for number in range(4):
        device.final(f"P-{number}")
    device.draft("P-9", views=2)
    device.close()
    return device.folder


@pytest.mark.parametrize("which", [FILE_NAME, "others"])
def test_damage_is_said_and_nothing_is_shown_for_something_else(whole: Path, tmp_path: Path, which: str) -> None:
    right, ends = content(whole), {"right": 0, "less": 0, "refused": 0}
    chance = random.Random(which)
    for _ in range(DATABASES if which == FILE_NAME else OTHERS):
        copy = tmp_path / "copy"
        shutil.copytree(whole, copy)
        files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
        damage(copy / FILE_NAME if which == FILE_NAME else chance.choice(files), chance)
        try:
            seen = content(copy)
        except MammascopeError:
            ends["refused"] += 1
        else:
            assert seen.items() <= right.items()
            ends["right" if seen == right else "less"] += 1
        shutil.rmtree(copy)
    assert all(ends.values()), ends
