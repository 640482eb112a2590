# SPDX-License-Identifier: Apache-2.0
"""UIDs as they stand in rows: who has the card and no PIN learns none, and so nothing that the archive could be asked.

The clinic's archive knows an exam by the same UIDs, so a row must not tell them; but the uploader works while the
device is locked and looks rows up by them. So a row holds AES-SIV of the UID (RFC 5297): equal UIDs give equal text,
which can be a key of a table, and the holder of the upload key reads it back. The key follows from the upload key's
private half, which the uploader holds in memory, and a stolen card only in wrapped form.

On a connection that :class:`RowNames` was given, SQL has two functions: ``hidden(?)`` for what is written or looked
for, and ``clear(column)`` for what is read. Without the key both pass on what they get, so that who has none can still
count and follow rows, and finds nothing under a UID.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from device.records.keys.hpke import HpkeOpener

MARK: Final = "~"
"""What hidden text begins with; no UID and no JSON does."""

FORM: Final = 10
"""Version of the database from which on its UIDs are hidden (``schema.MIGRATIONS``)."""

_KEY_BYTES: Final = 64  # AES-256-SIV: half of it authenticates, half encrypts
_MOST_KNOWN: Final = 4096
_LONGEST_KNOWN: Final = 120  # a UID; receipts are longer, and read seldom
_LABEL: Final = [b"mammascope/v1/row"]


class HiddenNames:
    """Hides and shows UIDs, and other text of rows that holds them.

    Args:
        opener: The upload key.
    """

    def __init__(self, opener: HpkeOpener) -> None:
        self._cipher = AESSIV(opener.derived("hidden names", _KEY_BYTES))
        # Lists are read again with every letter that is typed into a search.
        self._known = lru_cache(_MOST_KNOWN)(self._opened)

    def hidden(self, text: str) -> str:
        """The text as it stands in a row; what is empty or hidden already stays as it is."""
        if not text or is_hidden(text):
            return text
        return MARK + base64.urlsafe_b64encode(self._cipher.encrypt(text.encode(), _LABEL)).decode("ascii")

    def clear(self, text: str) -> str:
        """What :meth:`hidden` was given; what was changed on the card, or is not hidden, stays as it is.

        Nothing opens under a name that was changed, so its row is noticed as damaged, and no other is.
        """
        if not is_hidden(text):
            return text
        return self._known(text) if len(text) <= _LONGEST_KNOWN else self._opened(text)

    def _opened(self, text: str) -> str:
        try:
            return self._cipher.decrypt(base64.urlsafe_b64decode(text[len(MARK) :]), _LABEL).decode()
        except (InvalidTag, ValueError, binascii.Error):
            return text


def is_hidden(text: str) -> bool:
    """Whether a text of a row was read without the key."""
    return text.startswith(MARK)


class RowNames:
    """The functions ``hidden`` and ``clear`` of one connection.

    Attributes:
        names: The key; ``None`` while there is none.
        in_use: Whether the rows hold hidden text; :meth:`look` finds out.
    """

    def __init__(self, connection: sqlite3.Connection, names: HiddenNames | None = None) -> None:
        self.names = names
        self.in_use = False
        self._connection = connection
        connection.create_function("hidden", 1, self._hidden, deterministic=True)
        connection.create_function("clear", 1, self._clear, deterministic=True)

    def look(self) -> None:
        """See which form the database has now; another program may have changed it.

        Raises:
            sqlite3.Error: It cannot be read.
        """
        self.in_use = int(self._connection.execute("PRAGMA user_version").fetchone()[0]) >= FORM

    def _hidden(self, text: str) -> str:
        return self.names.hidden(text) if self.in_use and self.names is not None else text

    def _clear(self, text: str) -> str:
        return text if self.names is None else self.names.clear(text)
