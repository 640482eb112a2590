# SPDX-License-Identifier: Apache-2.0
"""The update file: what was signed is read, and everything else is refused before anything of it is used."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.errors import UpdateFileError, UpdateSignerError
from device.update.container import MAX_MANIFEST_BYTES, contents, opened, read_head, verify, write_update
from device.update.manifest import MAX_FILE_BYTES, MAX_FILES, UpdateManifest, parse_manifest
from tests.device.update.conftest import Desk

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
FILES = [{"path": name, "size": 0, "sha256": EMPTY} for name in ("device/__init__.py", "requirements/device.lock")]
PLAIN = {
    "format": 1,
    "version": "1.1.0",
    "made": "2026-11-21T12:00:00+00:00",
    "minimum": "1.0.0",
    "records_schema": 2,
    "units": 1,
    "files": FILES,
}


def anybody(signer: bytes) -> None:
    del signer


def whole(path: Path) -> None:
    with opened(path, anybody) as (head, stream):
        verify(head, stream, path)


def test_what_was_packed_comes_out_again(desk: Desk, update_file: Path) -> None:
    with opened(update_file, anybody) as (head, stream):
        found = {entry.path: b"".join(pieces) for entry, pieces in contents(head, stream, update_file)}
    assert head.signer == desk.signer
    assert head.manifest.version == "1.1.0"
    assert head.manifest.records_schema == 2
    assert found["device/__init__.py"] == b'__version__ = "1.1.0"\n'
    assert found["update-keys/signer.pub"].decode().strip() == desk.signer.hex()
    assert {entry.path: entry.program for entry in head.manifest.files}["setup.sh"]


def test_of_the_shipped_bundles_it_carries_the_newest_and_the_one_before(desk: Desk) -> None:
    versions = ("0.9.0", "0.10.0", "0.8.0")
    files = {f"models/mammascope-{version}/manifest.json": "{}" for version in versions}
    files |= {f"models/mammascope-{version}/model.tflite": version for version in versions}
    update = desk.update(files=files | {"models/own-0.1.0/manifest.json": "{}", "models/README": "models"})
    with opened(update, anybody) as (head, _):
        found = {entry.path for entry in head.manifest.files if entry.path.startswith("models/")}
    kept = {
        f"models/mammascope-{version}/{file}" for version in versions[:2] for file in ("manifest.json", "model.tflite")
    }
    assert found == kept | {"models/own-0.1.0/manifest.json", "models/README"}


@pytest.mark.parametrize("place", ["mark", "signer", "signature", "length", "manifest", "content", "end"])
def test_one_changed_byte_anywhere_is_noticed(update_file: Path, tmp_path: Path, place: str) -> None:
    raw = bytearray(update_file.read_bytes())
    line = raw.index(b"\n")
    first, second, third = (found.start() for found in re.finditer(b" ", bytes(raw[:line])))
    at = {
        "mark": 3,
        "signer": first + 5,
        "signature": second + 5,
        "length": third + 1,
        "manifest": line + 50,
        "content": len(raw) - 20,
        "end": len(raw) - 1,
    }[place]
    raw[at] = raw[at] ^ 1
    changed = tmp_path / "changed.update"
    changed.write_bytes(raw)
    with pytest.raises(UpdateFileError):
        whole(changed)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"x",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:100],
        lambda raw: b"",
        lambda raw: b"\n" + raw,
        lambda raw: os.urandom(4096),
        lambda raw: b"#mammascope-update-1 " + b"a" * 10_000_000,
        lambda raw: re.sub(rb"(\d+)\n", b"9999999\n", raw, count=1),
        lambda raw: re.sub(rb"(\d+)\n", b"-5\n", raw, count=1),
    ],
    ids=["cut", "longer", "half", "head only", "empty", "shifted", "noise", "endless line", "huge", "negative"],
)
def test_what_is_not_exactly_an_update_is_refused(
    update_file: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    changed = tmp_path / "changed.update"
    changed.write_bytes(change(update_file.read_bytes()))
    with pytest.raises(UpdateFileError):
        whole(changed)


def test_of_a_file_that_promises_a_huge_manifest_nothing_more_is_read(update_file: Path) -> None:
    raw = re.sub(rb"(\d+)\n", f"{MAX_MANIFEST_BYTES + 1}\n".encode(), update_file.read_bytes(), count=1)
    stream = io.BytesIO(raw)
    with pytest.raises(UpdateFileError):
        read_head(stream, "stick", anybody)
    assert stream.tell() < 300


def test_a_stranger_is_named_before_anything_of_the_manifest_is_read(update_file: Path) -> None:
    def nobody(signer: bytes) -> None:
        raise UpdateSignerError("x", signer.hex())

    stream = io.BytesIO(update_file.read_bytes())
    with pytest.raises(UpdateSignerError):
        read_head(stream, "stick", nobody)
    assert stream.tell() < 300


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "nothing"])
def test_only_a_file_is_opened(update_file: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.update"
    if kind == "link":
        path.symlink_to(update_file)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)  # it is never written to
    with pytest.raises(UpdateFileError):
        whole(path)


def test_a_file_that_changes_while_it_is_packed_is_not_signed_over(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "two")]
    for path in files:
        path.write_text("other than was said")
    with pytest.raises(UpdateFileError):
        write_update(io.BytesIO(), manifest(), files, Ed25519PrivateKey.generate(), lambda done, total: None)


# --- the manifest -----------------------------------------------------------------------------------------------------


def manifest(**changes: object) -> UpdateManifest:
    return parse_manifest(json.dumps({**PLAIN, **changes}).encode(), "stick")


def test_the_plain_manifest_is_a_good_one() -> None:
    assert manifest().total == 0


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        "device/../../x",
        "device/./x",
        "device//x",
        "device/",
        "",
        ".",
        "..",
        "etc/x",
        "venv/bin/python",
        "complete",
        "device\\x",
        "device/a b",
        "device/\n",
        "device/x\0y",
        "device/" + "x" * 300,
    ],
)
def test_no_name_leads_out_of_the_release(path: str) -> None:
    with pytest.raises(UpdateFileError):
        manifest(files=[*FILES, {"path": path, "size": 0, "sha256": EMPTY}])


@pytest.mark.parametrize(
    "changes",
    [
        {"files": [*FILES, FILES[0]]},
        {"files": [*FILES, {"path": "device/__init__.py/x", "size": 0, "sha256": EMPTY}]},
        {"files": FILES[:1]},
        {"files": []},
        {"files": [*FILES, {"path": "device/x", "size": MAX_FILE_BYTES + 1, "sha256": EMPTY}]},
        {"files": [*FILES, *({"path": f"device/{n}", "size": MAX_FILE_BYTES, "sha256": EMPTY} for n in range(5))]},
        {"files": [*FILES, {"path": "device/x", "size": -1, "sha256": EMPTY}]},
        {"files": [*FILES, {"path": "device/x", "size": "3", "sha256": EMPTY}]},
        {"files": [*FILES, {"path": "device/x", "size": 0, "sha256": EMPTY, "link": "/etc/passwd"}]},
        {"files": [{"path": f"device/{n}", "size": 0, "sha256": EMPTY} for n in range(MAX_FILES + 1)]},
        {"version": "1.1"},
        {"version": "1.1.0-rc1"},
        {"version": "1.1.0\n"},
        {"version": "9" * 40 + ".0.0"},
        {"format": 2},
        {"run": "rm"},
        {"made": "yesterday"},
        {"made": "2026-11-21T12:00:00"},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_what_this_software_does_not_understand_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UpdateFileError):
        manifest(**changes)


def test_a_manifest_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(UpdateFileError):
        parse_manifest(b"[" * 1_000_000, "stick")
