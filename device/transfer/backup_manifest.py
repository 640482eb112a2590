# SPDX-License-Identifier: Apache-2.0
"""The manifest of a backup: which files belong to it, their hashes, and a proof that this device wrote it.

It is read from a stick, so nothing in it is believed: names are checked against what a backup may hold, and the proof
is opened with the data key before anything is restored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from device.errors import BackupDamagedError, BackupForeignError, BackupMissingError, RecordDamagedError
from device.files import write_atomically
from device.records.keys.vault import Vault
from device.structured import parse_json

FILE_NAME = "manifest.json"
FORMAT = 1
MAX_BYTES = 64 << 20
FOLDERS = ("frames", "outbox")
_NAME = re.compile(r"(frames|outbox)/[0-9a-f]{32}|records-[0-9]{1,9}\.sqlite3|vault-[0-9]{1,9}\.json")


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file of a backup.

    Attributes:
        name: Relative to the backup's folder.
    """

    name: str
    size: int
    sha256: str

    @property
    def content(self) -> tuple[int, str]:
        """What identifies the content."""
        return self.size, self.sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        folder: The backup's folder on the stick.
        vault_id: Of the device that made it.
        number: Counts up with every backup into this folder.
        exams: How many exams it holds.
        proof: SHA-256 over all the rest, sealed under the data key.
    """

    folder: Path
    vault_id: str
    number: int
    made_at: datetime
    exams: int
    files: tuple[BackupFile, ...]
    proof: bytes = b""

    @property
    def database(self) -> str:
        """Name of the database in this backup."""
        return database_name(self.number)

    @property
    def keys(self) -> str:
        """Name of the key file in this backup."""
        return keys_name(self.number)

    def write(self, vault: Vault) -> None:
        """Prove and write it; from then on this is the backup.

        Raises:
            OSError: The stick refuses.
        """
        proof = vault.seal("backup manifest", self.vault_id, self._digest())
        raw = {**self._body(), "proof": base64.b64encode(proof).decode("ascii")}
        write_atomically(self.folder / FILE_NAME, json.dumps(raw).encode())

    def require_proof(self, vault: Vault) -> None:
        """Nothing when the backup was made under this vault's data key and not changed since.

        Raises:
            BackupForeignError: It belongs to another device.
            BackupDamagedError: The manifest was changed.
        """
        if self.vault_id != vault.vault_id:
            raise BackupForeignError(self.folder)
        try:
            proven = vault.unseal("backup manifest", self.vault_id, self.proof)
        except RecordDamagedError:
            raise BackupDamagedError(FILE_NAME, "proof") from None
        if proven != self._digest():
            raise BackupDamagedError(FILE_NAME, "changed")

    def _digest(self) -> bytes:
        return hashlib.sha256(json.dumps(self._body(), sort_keys=True).encode()).digest()

    def _body(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "vault": self.vault_id,
            "number": self.number,
            "made_at": self.made_at.isoformat(),
            "exams": self.exams,
            "files": [[file.name, file.size, file.sha256] for file in self.files],
        }


def database_name(number: int) -> str:
    """Name of the database of the n-th backup."""
    return f"records-{number}.sqlite3"


def keys_name(number: int) -> str:
    """Name of the key file of the n-th backup."""
    return f"vault-{number}.json"


def read_manifest(folder: Path) -> Manifest:
    """Read and check.

    Raises:
        BackupMissingError: There is none, or it cannot be read.
        BackupDamagedError: It is not a manifest that this version understands.
    """
    try:
        with (folder / FILE_NAME).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise BackupMissingError(folder, error.strerror or "") from error
    try:
        if len(content) > MAX_BYTES:
            raise ValueError("too large")
        return _decode(folder, parse_json(content))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise BackupDamagedError(FILE_NAME, f"{type(error).__name__}: {error}") from error


def _decode(folder: Path, raw: Any) -> Manifest:
    if raw["format"] != FORMAT:
        raise ValueError(f"format {raw['format']!r}")
    manifest = Manifest(
        folder=folder,
        vault_id=str(raw["vault"]),
        number=_count(raw["number"]),
        made_at=_moment(raw["made_at"]),
        exams=_count(raw["exams"]),
        files=tuple(_file(*entry) for entry in raw["files"]),
        proof=base64.b64decode(raw["proof"], validate=True),
    )
    names = {file.name for file in manifest.files}
    if not {manifest.database, manifest.keys} <= names or len(names) != len(manifest.files):
        raise ValueError("files")
    return manifest


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a number is none")
    return value


def _moment(text: str) -> datetime:
    """When it was made; without its zone it could be compared with no other backup's."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC)


def _file(name: str, size: int, sha256: str) -> BackupFile:
    if _NAME.fullmatch(name) is None or type(size) is not int or size < 0 or len(sha256) != 64:
        raise ValueError("file entry")
    return BackupFile(name, size, sha256)
