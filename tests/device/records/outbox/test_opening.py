# SPDX-License-Identifier: Apache-2.0
"""What waits for the clinic: in chunks since they are known, in one piece before."""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from device.errors import RecordDamagedError, SealError, StoreNewerError
from device.records.keys.hpke import HpkeSealer, new_private_key
from device.records.keys.stream import CHUNK, is_stream, seal_stream
from device.records.keys.vault import Vault
from device.records.outbox.rows import instance_label
from device.records.outbox.table import OutboxState, OutboxTable
from device.records.store.database import FILE_NAME
from device.records.store.schema import MIGRATIONS, migrate
from device.records.store.store import Store
from tests.device.records.conftest import LIMITS, PIN, Device, SetClock

LONG = b"".join(n.to_bytes(4, "big") for n in range(CHUNK))  # four chunks


def only_file(device: Device) -> Path:
    (path,) = (device.folder / "outbox").iterdir()
    return path


def read(device: Device) -> Iterator[bytes]:
    table = device.table()
    (entry,) = table.entries()
    (instance,) = table.instances(entry.exam_uid)
    yield from table.load(instance, device.vault.opener())


def test_a_long_instance_lies_in_chunks_and_comes_in_pieces(device: Device) -> None:
    device.final(contents=(LONG,))
    assert is_stream(only_file(device).read_bytes())
    pieces = list(read(device))
    assert b"".join(pieces) == LONG
    assert max(map(len, pieces)) <= CHUNK


def cut_at_a_chunk(path: Path) -> None:
    os.truncate(path, path.stat().st_size - CHUNK - 16)


def flipped_at_the_end(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut_at_a_chunk, flipped_at_the_end, removed])
def test_damage_is_said_and_the_last_piece_never_given(device: Device, damage: Callable[[Path], None]) -> None:
    device.final(contents=(LONG,))
    damage(only_file(device))
    pieces = read(device)
    given: list[bytes] = []
    with pytest.raises(RecordDamagedError):
        given.extend(pieces)
    assert sum(map(len, given)) < len(LONG)


def test_a_good_stream_of_something_else_is_not_what_was_queued(device: Device) -> None:
    """Whoever has the public key can seal what they like under any name; the row knows what it was."""
    exam = device.final(contents=(LONG,))
    other = seal_stream(device.vault.sealer(), instance_label(f"{exam.uid}.90"), (LONG[:-1] + b"?",))
    only_file(device).write_bytes(b"".join(other))
    with pytest.raises(RecordDamagedError):
        list(read(device))


def test_what_is_sealed_to_another_key_is_said_to_be(device: Device) -> None:
    exam = device.final(contents=(LONG,))
    stranger = HpkeSealer(new_private_key())  # any 32 bytes are a public key
    path = only_file(device)
    path.write_bytes(b"".join(seal_stream(stranger, instance_label(f"{exam.uid}.90"), (LONG,))))
    with sqlite3.connect(device.folder / FILE_NAME) as connection:
        connection.execute("UPDATE outbox_instances SET sha256 = ?", (sha256(path.read_bytes()).hexdigest(),))
    connection.close()
    with pytest.raises(SealError):
        list(read(device))


@pytest.fixture
def before_chunks(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """Records written by the software before chunks: an exam that waits, one that was sent, and a draft with a loop."""
    with tarfile.open(Path(__file__).parents[1] / "store" / "before_streams.tar.xz") as kept:
        kept.extractall(tmp_path, filter="data")
    return tmp_path / "records", json.loads((tmp_path / "expected.json").read_text())


def test_records_from_before_chunks_open_and_what_waits_is_the_same(
    before_chunks: tuple[Path, dict[str, Any]], watch: SetClock
) -> None:
    folder, expected = before_chunks
    waits, sent, draft = (expected["exams"][name] for name in ("P-WAITS", "P-SENT", "P-DRAFT"))
    vault = Vault.unlock(folder, PIN)
    store = Store.open(folder, vault, limits=LIMITS, clock=watch.clock)
    table = OutboxTable.open(folder, watch.clock, vault.opener())
    try:
        assert store.report.audit_intact
        assert store.unlisted() == ()
        assert {summary.uid for summary in store.search()} == {waits, sent, draft}
        assert (table.entry(waits).state, table.entry(sent).state) == (OutboxState.WAITING, OutboxState.SENT)
        found = {i.sop_uid: [i.kind, table.load(i, vault.opener()).sha256] for i in table.instances(waits)}
        assert found == expected["instances"]
        assert len(list(store.cine(store.get(draft).views[0].uid))) == 4
        final = store.finalise(store.get(draft), [])
        assert store.get(final.uid).finalised_at is not None
    finally:
        table.close()
        store.close()
        vault.lock()


def test_a_loop_that_was_sealed_before_is_built_again_byte_by_byte(
    before_chunks: tuple[Path, dict[str, Any]], watch: SetClock
) -> None:
    """What is sent again must be the same instance, also after an update."""
    from device.dicom.objects import build_instances
    from tests.device.upload import exams

    folder, expected = before_chunks
    vault = Vault.unlock(folder, PIN)
    store = Store.open(folder, vault, limits=LIMITS, clock=watch.clock)
    try:
        exam = store.get(expected["exams"]["P-WAITS"])
        built = build_instances(exam, exams.DEVICE, loop=lambda view: store.cine(view.uid))
        assert {one.sop_uid: [one.kind, one.pieces.sha256] for one in built} == expected["instances"]
    finally:
        store.close()
        vault.lock()


def test_software_before_chunks_refuses_these_records(device: Device) -> None:
    device.close()
    connection = sqlite3.connect(device.folder / FILE_NAME, isolation_level=None)
    with pytest.raises(StoreNewerError, match="update this handheld"):
        migrate(connection, FILE_NAME, MIGRATIONS[:6])  # those of 0.6.0
    connection.close()
