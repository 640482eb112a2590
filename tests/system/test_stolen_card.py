# SPDX-License-Identifier: Apache-2.0
"""A stolen card names no one: the raw image is searched for everything that was planted.

A real ext4 card; a day's work with conspicuous names, codes, notes, file names, pixels and DICOM files, with drafts
deleted, exams sent, the PIN changed and the device pulled off while unlocked. Every byte of the raw card, blocks of
deleted files and the database's log included, is searched in UTF-8 and UTF-16, also for the keys and for the UIDs under
which the clinic's archive knows the exams. A control plants a name in clear, deletes it, and must find it.

    python -m pytest tests/system/test_stolen_card.py -s
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from device.capture.frame import Box, Frame
from device.errors import MammascopeError, OtherDeviceError, WrongPinError
from device.inference.finding import Finding, ModelResult
from device.records.audit import AuditEvent
from device.records.exam import FamilyHistory, Gender, Patient, View
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault, locked_opener
from device.records.outbox.table import Instance, OutboxTable
from device.records.pieces import Pieces
from device.records.store.store import Store
from device.records.uids import new_uids
from device.transfer.backup import back_up
from device.upload.receipt import ConfirmedInstance, Receipt
from tests.system import loop_card
from tests.system.card_work import LIMITS
from tests.system.loop_card import LoopCard

PIN, SECOND_PIN, NEW_PIN = "739153028461", "739153028462", "739153028463"
CHEAP = PinCost(iterations=1, memory_kib=8)
PLANTED = [
    "Zuleikha Quastenflosser",
    "KLINIK-QX-887766",
    "Aunt with the disease, Vrbovsko",
    "Quastenflosser_1970.dcm",
    "Addendum by Ottokar Xylander",
    "Ottokar Xylander",
    "Second Operator Wenzeslaus",
    "Lösegeld Ångström",
    "சுலைகா",
    "remark on Quastenflosser",
]
BLOCK = 4096
PATTERN = bytes(range(7, 251, 3)) * 3  # a conspicuous row of pixels

pytestmark = [
    pytest.mark.skipif(bool(loop_card.missing()), reason=loop_card.missing() or "-"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def card(tmp_path: Path) -> Iterator[LoopCard]:
    with LoopCard(tmp_path, 96) as mounted:
        yield mounted


def test_raw_image_names_nobody(card: LoopCard, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets, uids = day_of_work(card, tmp_path)
    card.unmount()
    searched = 0
    for image in sorted(tmp_path.glob("*.img")):
        content = written_part(image)
        searched += image.stat().st_size
        assert b"records.sqlite3" in content  # it is the card that was written to
        found = [name for name, pattern in needles(secrets, uids) if pattern in content]
        assert found == [], image.name
    with capsys.disabled():
        print(f"\n{searched >> 20} MiB of raw cards searched for {len(needles(secrets, uids))} patterns: 0 found")


def test_a_name_in_clear_would_be_found(card: LoopCard, tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16-le"):
        (card.path / "note.txt").write_bytes(PLANTED[0].encode(encoding))
        card.sync()
        (card.path / "note.txt").unlink()
        content = written_part(card.copy_to(tmp_path / "control.img"))
        assert f"{PLANTED[0]} ({encoding})" in [name for name, pattern in needles({}, []) if pattern in content]


def test_without_the_pin_nothing_opens(card: LoopCard, tmp_path: Path) -> None:
    day_of_work(card, tmp_path)
    stolen = card.path / "records"
    with pytest.raises(WrongPinError):
        Vault.unlock(stolen, "482913")
    with pytest.raises(MammascopeError):
        Vault.recover(stolen, new_private_key(), "482913", "thief")
    assert locked_opener(stolen, None) is None
    outbox = OutboxTable.open(stolen)  # without the key; what the rows say is opaque
    waiting = [instance for entry in outbox.entries() for instance in outbox.instances(entry.exam_uid)]
    assert waiting
    with pytest.raises(MammascopeError):
        outbox.load(waiting[0], HpkeOpener(new_private_key())).whole()
    outbox.close()


def test_with_a_hardware_secret_not_even_the_pin_opens_a_copy(card: LoopCard) -> None:
    folder, secret = card.path / "bound", os.urandom(32)
    Vault.create(folder, PIN, "Asha", device_secret=secret, cost=CHEAP).lock()
    with pytest.raises(OtherDeviceError):
        Vault.unlock(folder, PIN)
    with pytest.raises(OtherDeviceError):
        Vault.unlock(folder, PIN, device_secret=os.urandom(32))
    assert Vault.unlock(folder, PIN, device_secret=secret).operator == "Asha"


# --- the day ----------------------------------------------------------------------------------------------------------


def day_of_work(card: LoopCard, keep: Path) -> tuple[dict[str, bytes], list[str]]:
    """Plant everything; copies the raw card at four moments into ``keep``.

    Returns:
        Keys that must not show, and the UIDs of all exams and instances.
    """
    folder = card.path / "records"
    vault = Vault.create(
        folder, PIN, PLANTED[5], clinic_public_key=HpkeOpener(new_private_key()).public_key, cost=CHEAP
    )
    vault.add_operator(PLANTED[6], SECOND_PIN)
    store, patient = (
        Store.open(folder, vault, limits=LIMITS),
        Patient(PLANTED[1], PLANTED[0], 44, Gender.FEMALE, FamilyHistory.YES),
    )
    deleted = store.begin_exam(replace(patient, name=PLANTED[7]), vault.operator, False)
    deleted = store.save_view(deleted, planted_view())
    store.delete_draft(deleted.uid)
    exam = store.begin_exam(patient, vault.operator, False)
    exam = store.save_view(exam, planted_view())
    exam = store.update_exam(replace(exam, note=PLANTED[2], patient=replace(patient, name=PLANTED[8])))
    file = b"\0" * 128 + b"DICM" + PLANTED[0].encode() + PLANTED[1].encode() + PATTERN
    final = store.finalise(exam, [Instance("image", exam.views[0].uid, Pieces.of(file))])
    store.add_addendum(final, PLANTED[4], vault.operator)
    store.audit(AuditEvent.EXAM_VIEWED, exam.uid, PLANTED[9])
    sent = store.save_view(
        store.begin_exam(replace(patient, code="KLINIK-QX-2"), vault.operator, False), planted_view()
    )
    sent = store.finalise(sent, [Instance("image", sent.views[0].uid, Pieces.of(file))])
    table = OutboxTable.open(folder, opener=vault.opener())
    table.mark_failed(final.uid, "content-conflict", None, exam.views[0].uid)
    table.mark_sending(sent.uid)
    table.confirm_instance(sent.views[0].uid)
    confirmed = ConfirmedInstance(sent.views[0].uid, "0" * 64, f"https://h/studies/{sent.uid}", datetime.now(UTC))
    table.mark_sent(sent.uid, Receipt(sent.uid, "https://h", (confirmed,)).to_json())
    table.close()
    assert store.search(PLANTED[8].split()[0])
    card.copy_to(keep / "pulled-while-unlocked.img")
    vault.change_pin(PIN, NEW_PIN)
    secrets = {"data key": bytes(vault._data_key or b""), "upload key": vault.opener()._private.private_bytes_raw()}
    (card.path / "stick").mkdir()
    back_up(store, vault, card.path / "stick")
    card.copy_to(keep / "with-backup.img")
    vault.lock()
    store.close()
    card.copy_to(keep / "locked.img")
    Store.open(folder, Vault.unlock(folder, NEW_PIN), limits=LIMITS).close()
    card.copy_to(keep / "after-restart.img")
    views = [view for one in (deleted, exam, sent) for view in one.views]
    uids = [
        deleted.uid,
        exam.uid,
        sent.uid,
        *(uid for view in views for uid in (view.uid, *view.derived_uids.values())),
    ]
    return secrets, uids


def planted_view() -> View:
    pixels = np.zeros((600, 800, 3), np.uint8)
    pixels[10, : len(PATTERN), :] = np.frombuffer(PATTERN, np.uint8)[:, None]
    shares = {"normal": 0.1, "benign": 0.1, "malignant": 0.8}
    finding = Finding(
        ModelResult.MALIGNANT, None, shares, (0.2, 0.6), None, Box(0, 0, 8, 8), pixels[:, :, 0], 1.0, "m@1"
    )
    uids = new_uids()
    return View(uids.uid, uids.derived_uids, Frame(pixels, PLANTED[3]), finding, datetime.now(UTC), note=PLANTED[2])


def written_part(image: Path) -> bytes:
    """All of a raw card but the blocks that were never written to, which are zero throughout and slow to search."""
    content, empty = image.read_bytes(), bytes(BLOCK)
    blocks = (content[start : start + BLOCK] for start in range(0, len(content), BLOCK))
    return b"".join(block for block in blocks if block != empty)


def needles(secrets: dict[str, bytes], uids: list[str]) -> list[tuple[str, bytes]]:
    """Everything that must not be on the card, in every form in which it might be."""
    found = []
    for text in [*PLANTED, PIN, SECOND_PIN, NEW_PIN]:
        for form in dict.fromkeys((text, text.casefold())):
            found += [
                (f"{form} ({encoding})", form.encode(encoding)) for encoding in ("utf-8", "utf-16-le", "utf-16-be")
            ]
        found += [
            (f"{text} (hex)", text.encode().hex().encode()),
            (f"{text} (base64)", base64.b64encode(text.encode())[:-4]),
        ]
    found += [("pixels", PATTERN), ("pixels as RGB", bytes(v for v in PATTERN for _ in range(3)))]
    found += [("PNG", b"\x89PNG\r\n\x1a\n"), ("JPEG", b"JFIF\0"), ("DICOM", bytes(4) + b"DICM")]
    for uid in uids:
        number = int(uid.removeprefix("2.25."))
        found += [(uid, str(number).encode()), (f"{uid} (bytes)", number.to_bytes(16, "big"))]
        found += [(f"{uid} (hex)", f"{number:032x}".encode()), (f"{uid} (UTF-16)", uid.encode("utf-16-le"))]
    for name, key in secrets.items():
        found += [(name, key), (f"{name} (hex)", key.hex().encode()), (f"{name} (base64)", base64.b64encode(key))]
    return found
