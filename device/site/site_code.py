# SPDX-License-Identifier: Apache-2.0
"""A site file as QR codes: for a device without any stick, shown to its camera on paper or on a telephone.

One code that a camera reads at arm's length holds a few hundred letters, so a file becomes several of them:
``MAMMASITE/<digest>/<number>/<count>/<base32>``. The letters are those of a QR code's dense alphabet. What was put
together is still nothing but bytes; ``site_file.py`` checks the signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from device.errors import SiteCodeError
from device.site.site_file import MAX_BYTES

LETTERS_A_CODE = 240
"""Makes codes of 57 to 61 modules a side at the medium level of correction."""

MOST_CODES = 64
_PART = re.compile(r"MAMMASITE/([0-9A-F]{16})/(\d{1,2})/(\d{1,2})/([A-Z2-7]{1,480})")


def site_codes(raw: bytes) -> list[str]:
    """The texts of the codes that carry a site file.

    Raises:
        SiteCodeError: It is too long for the number of codes that can sensibly be shown to a camera.
    """
    letters = base64.b32encode(zlib.compress(raw, 9)).decode().rstrip("=")
    chunks = [letters[start : start + LETTERS_A_CODE] for start in range(0, len(letters), LETTERS_A_CODE)]
    if len(chunks) > MOST_CODES:
        raise SiteCodeError("site file", f"it would take {len(chunks)} codes; use a stick")
    name = _digest(raw)
    return [f"MAMMASITE/{name}/{number}/{len(chunks)}/{chunk}" for number, chunk in enumerate(chunks, start=1)]


@dataclass(slots=True)
class SiteCodes:
    """Collects codes from any number of frames, in any order, until one file is whole.

    Attributes:
        count: How many codes there are in the file that is being collected, 0 before the first was seen.
    """

    count: int = 0
    _name: str = field(default="", init=False)
    _chunks: dict[int, str] = field(default_factory=dict, init=False)

    @property
    def seen(self) -> int:
        """How many different codes were seen."""
        return len(self._chunks)

    @property
    def missing(self) -> list[int]:
        """Numbers of the codes that were not seen yet."""
        return [number for number in range(1, self.count + 1) if number not in self._chunks]

    def add(self, texts: Iterable[str]) -> bytes | None:
        """Take what was read from a frame; other codes are passed over, and a code of another file starts over.

        Returns:
            The file when it is whole, else ``None``.

        Raises:
            SiteCodeError: The codes do not make the file that they name.
        """
        for text in texts:
            found = _PART.fullmatch(text)
            if found is None:
                continue
            name, number, count, chunk = found[1], int(found[2]), int(found[3]), found[4]
            if not 1 <= number <= count <= MOST_CODES:
                continue
            if (name, count) != (self._name, self.count):
                self._name, self.count, self._chunks = name, count, {}
            self._chunks[number] = chunk
        return self._whole() if self.count and not self.missing else None

    def _whole(self) -> bytes:
        letters = "".join(self._chunks[number] for number in range(1, self.count + 1))
        try:
            packed = base64.b32decode(letters + "=" * (-len(letters) % 8))
            raw = zlib.decompressobj().decompress(packed, MAX_BYTES + 1)
        except (binascii.Error, zlib.error):
            raise SiteCodeError("codes", "they do not fit together") from None
        if _digest(raw) != self._name:
            raise SiteCodeError("codes", "they do not fit together")
        return raw


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16].upper()
