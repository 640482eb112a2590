# SPDX-License-Identifier: Apache-2.0
"""The card is full at any write: a clear sentence, nothing lost, and everything goes on as soon as there is room.

First on a card that another program fills at the n-th request for room, for every n of a whole shift (setup, drafts,
views, finalising, addenda, uploading, changing the PIN); the reserve is left out here, so that every single refusal is
met. Then on real ext4, filled up to some kilobytes. After each refusal all exams are read back, pixels included, from
the very store that refused; then there is room again and the same change must succeed.

    python -m pytest tests/system/test_disk_full.py -s
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device.errors import DiskFullError
from tests.system import card_work, forgetful_mount, loop_card
from tests.system.card_work import Shift
from tests.system.forgetful_mount import ForgetfulMount
from tests.system.loop_card import LoopCard
from tests.system.own_process import in_own_process, send

DEEDS = 40
SEED = 11
ROOM_LEFT = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]  # KiB on the real card

ENOUGH_TO_READ = 128 * 1024
"""Room that SQLite needs to open at all; the exams on a full card must be readable, or they could not be backed up."""

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.skipif(bool(forgetful_mount.missing()), reason=forgetful_mount.missing() or "-")
def test_full_at_every_request_for_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = ForgetfulMount(tmp_path)
    try:
        requests = rehearse(card)
        refusals = 0
        for number in range(1, requests + 1):
            folder = card.path / f"records-{number}"
            card.fill_at(number)
            story = in_own_process(lambda: shift(folder, lambda: card.make_room()))  # noqa: B023
            card.make_room()
            refusals += check(folder, story)
            shutil.rmtree(folder)
    finally:
        card.close()
    with capsys.disabled():
        print(f"\nfilled at each of {requests} requests for room: {refusals} refusals, 0 losses")
    assert refusals > requests // 2  # SQLite survives some by itself: lengthening its log may wait


def rehearse(card: ForgetfulMount) -> int:
    """How often a whole shift asks for room when there is plenty."""
    card.fill_at(10**9)
    check(card.path / "records", in_own_process(lambda: shift(card.path / "records", lambda: None)))
    return card.counts()["allocations"]


@pytest.mark.skipif(bool(loop_card.missing()), reason=loop_card.missing() or "-")
def test_full_on_a_real_file_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refusals = 0
    with LoopCard(tmp_path, 48) as card:
        for left in ROOM_LEFT:
            folder, filler = card.path / f"records-{left}", card.path / "filler"
            story = in_own_process(lambda: shift_on_filling_card(folder, filler, left))  # noqa: B023
            fill_up(filler, ENOUGH_TO_READ)
            refusals += check(folder, story)
            filler.unlink()
    with capsys.disabled():
        print(f"\next4 filled up to {ROOM_LEFT} KiB: {refusals} refusals, 0 losses")
    assert refusals >= len(ROOM_LEFT)


# --- a shift ----------------------------------------------------------------------------------------------------------


def shift(folder: Path, make_room: Any) -> Iterator[Any]:
    """A whole shift; whenever it is refused, look at everything, make room, insist."""

    def when_full(error: DiskFullError, work: Shift) -> None:
        assert "full" in error.sentence
        if getattr(work, "store", None) is not None:
            assert_world_readable(work)
        make_room()
        send({"what": "refused", "where": error.where, "detail": error.detail})

    card_work.LIMITS = replace(card_work.LIMITS, reserve_bytes=0)
    work = Shift(folder, None, random.Random(SEED), lambda what, world: None, when_full)
    work.do(DEEDS)
    work.outbox.close()
    work.store.close()
    yield {"what": "finished", "world": work.world}


def shift_on_filling_card(folder: Path, filler: Path, left_kib: int) -> Iterator[Any]:
    """Another program fills the card before every third change."""
    done = 0

    def fill(what: str, world: object) -> None:
        nonlocal done
        done += what == "done"
        if what == "done" and done % 3 == 0:
            fill_up(filler, left_kib * 1024)

    def when_full(error: DiskFullError, work: Shift) -> None:
        assert_world_readable(work)
        filler.unlink()
        send({"what": "refused", "where": error.where, "detail": error.detail})

    card_work.LIMITS = replace(card_work.LIMITS, reserve_bytes=0)
    work = Shift(folder, None, random.Random(SEED), fill, when_full)
    work.do(DEEDS)
    work.outbox.close()
    work.store.close()
    yield {"what": "finished", "world": work.world}


def fill_up(filler: Path, leave: int) -> None:
    """Write until the card refuses, then give ``leave`` bytes back."""
    written = 0
    with filler.open("wb", buffering=0) as stream:
        for size in (1 << 20, 4096):
            try:
                while True:
                    written += stream.write(bytes(size))
            except OSError:
                continue
        stream.truncate(max(0, written - leave))


def assert_world_readable(work: Shift) -> None:
    """The store that has just refused still gives everything that it has confirmed, and nothing else."""
    found = {
        summary.patient.code: card_work.described_exam(work.store, work.outbox, work.vault, summary.uid)
        for summary in work.store.search(limit=10**6)
    }
    assert found == work.world["exams"]


def check(folder: Path, story: list[dict[str, Any]]) -> int:
    """The shift came to its end and everything is there at the next start; returns how often it was refused."""
    *_, last = story
    assert last["what"] == "finished", last
    *_, seen = in_own_process(lambda: look(folder, last["world"]["pin"]))
    assert seen["what"] == "seen", seen
    assert seen["problems"] == []
    assert seen["world"] == last["world"]
    return sum(line["what"] == "refused" for line in story)


def look(folder: Path, pin: str) -> Iterator[Any]:
    world, problems = card_work.observe(folder, [pin])
    yield {"what": "seen", "world": world, "problems": problems}
