# SPDX-License-Identifier: Apache-2.0
"""The mark that the key file and the database have in common (``device.records.recovery.identity`` compares them)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from device.errors import RecordDamagedError

KEPT = ("frames", "outbox", "copies", "quarantine")
"""Folders whose files are exams."""

_PURPOSE = "store mark"


class Sealing(Protocol):
    """What a mark needs of an open vault."""

    @property
    def vault_id(self) -> str:
        """Random name of the vault."""

    def seal(self, purpose: str, context: str, plaintext: bytes) -> bytes:
        """Encrypt and authenticate under the data key."""

    def unseal(self, purpose: str, context: str, blob: bytes) -> bytes:
        """The plaintext; raises ``RecordDamagedError`` for what this vault has not sealed."""


@dataclass(frozen=True, slots=True)
class StoreMark:
    """What key file and database have in common.

    Attributes:
        identity: Random, 32 hexadecimal digits; made with the database.
        generation: Grows with every change.
        proof: Both, sealed under the data key.
    """

    identity: str
    generation: int
    proof: bytes

    @classmethod
    def make(cls, vault: Sealing, identity: str, generation: int) -> Self:
        """A mark with its proof."""
        content = json.dumps([identity, generation]).encode()
        return cls(identity, generation, vault.seal(_PURPOSE, vault.vault_id, content))

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        """What :meth:`to_json` gave.

        Raises:
            ValueError: It is something else; ``TypeError`` and ``KeyError`` likewise.
        """
        identity, generation, proof = raw
        if type(identity) is not str or type(generation) is not int or generation < 0 or len(identity) != 32:
            raise ValueError("store mark")
        return cls(identity, generation, base64.b64decode(proof, validate=True))

    def to_json(self) -> list[Any]:
        """As it stands in a file."""
        return [self.identity, self.generation, base64.b64encode(self.proof).decode("ascii")]

    def next(self, vault: Sealing) -> Self:
        """The mark after one more change."""
        return self.make(vault, self.identity, self.generation + 1)

    def is_authentic(self, vault: Sealing) -> bool:
        """Whether this vault has made it."""
        try:
            said = json.loads(vault.unseal(_PURPOSE, vault.vault_id, self.proof))
        except (RecordDamagedError, ValueError):
            return False
        return bool(said == [self.identity, self.generation])


def holds_files(folder: Path) -> bool:
    """Whether anything of an exam lies in a records folder, beside the database."""
    return any(entry.is_file() for name in KEPT for entry in (folder / name).rglob("*"))
