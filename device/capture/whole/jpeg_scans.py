# SPDX-License-Identifier: Apache-2.0
"""JPEG pictures that lost whole scans: libjpeg shows what the others hold, blurred or without colours, and is silent.

A picture is coded in one scan or in many, each for some components, coefficients and bits (ITU-T T.81, B.2.3 and
G.1.1). Only the markers are read. Used by ``jpeg.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Self

_SOF_DCT: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_SOF_PROGRESSIVE: Final = frozenset({0xC2, 0xCA})
_SOF: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SOS, _EOI = 0xDA, 0xD9
_NO_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_COEFFICIENTS: Final = 64
_NOT_SENT: Final = 255


@dataclass(slots=True)
class Scans:
    """What the markers of a picture say of its coded data.

    Attributes:
        process: Marker of the frame header, 0 where there is none.
        left: By component, the number of bits of each coefficient that no scan has brought yet.
    """

    process: int = 0
    left: dict[int, bytearray] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Of the first picture in ``data``; what is no marker ends the walk."""
        found, here = cls(), 2
        while here + 4 <= len(data) and data[here] == 0xFF and data[here + 1] != _EOI:
            marker = data[here + 1]
            if marker == 0xFF:
                here += 1
                continue
            if marker in _NO_LENGTH:
                here += 2
                continue
            end = here + 2 + max(int.from_bytes(data[here + 2 : here + 4], "big"), 2)
            found._met(marker, data[here + 4 : end])
            here = end
            if marker == _SOS:
                following = _NEXT_MARKER.search(data, here)
                here = len(data) if following is None else following.start()
        return found

    @property
    def is_dct(self) -> bool:
        """Whether the picture is one of cosines, which a decoder can reduce; others it writes in full all the same."""
        return self.process in _SOF_DCT

    def missing(self) -> str:
        """What no scan has brought, in words; empty where nothing is missing or the markers do not tell."""
        if not self.is_dct:
            return ""
        lacking = [name for name, bits in self.left.items() if any(bits)]
        if not lacking:
            return ""
        unsent = sum(bits[0] == _NOT_SENT for bits in self.left.values())
        return f"{unsent or len(lacking)} of {len(self.left)} components {'are missing' if unsent else 'are not whole'}"

    def _met(self, marker: int, body: bytes) -> None:
        if marker in _SOF and not self.process and len(body) >= 6:
            self.process = marker
            self.left = {body[6 + 3 * n]: bytearray([_NOT_SENT] * _COEFFICIENTS) for n in range((len(body) - 6) // 3)}
        elif marker == _SOS and body and len(body) >= 4 + 2 * body[0]:
            first, last, low = 0, _COEFFICIENTS - 1, 0
            if self.process in _SOF_PROGRESSIVE:
                first, last, low = body[1 + 2 * body[0]], body[2 + 2 * body[0]], body[3 + 2 * body[0]] & 15
            for name in body[1 : 1 + 2 * body[0] : 2]:
                if name in self.left and first <= last < _COEFFICIENTS:
                    self.left[name][first : last + 1] = bytes([low] * (last + 1 - first))
