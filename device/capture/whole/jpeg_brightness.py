# SPDX-License-Identifier: Apache-2.0
"""JPEG blocks whose mean brightness no picture has: behind damaged data the decoder's sum of differences runs away.

Each block's mean is coded as the difference to the block before (ITU-T T.81, F.1.1.5.1), so a damaged one shifts all
that follow. Decoders clip what leaves the range from black to white, and nothing is seen of it. With a smaller first
entry in the quantisation table the same data decode to a picture of less contrast, in which it is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from numpy.typing import NDArray

_DQT, _SOS, _APP14 = 0xDB, 0xDA, 0xEE
_DCT: Final = (0xC0, 0xC1, 0xC2)
_MIDDLE: Final = 128
_HALF_RANGE: Final = 1024  # of a block's first coefficient, eight times the mean of 64 samples of -128 to 127
_SLACK_STEPS, _SLACK_LEVELS = 2, 1  # rounding when it was quantised, and when it is decoded


@dataclass(frozen=True, slots=True)
class Brightness:
    """Where a stream states how block means were quantised, and how far they can lie from middle grey.

    Attributes:
        at: Place of the entry in the stream.
        width: Bytes of it, 1 or 2.
        step: The entry in its place that leaves room beyond black and white.
        reach: Grey levels of the altered picture between middle grey and the farthest possible mean.
    """

    at: int
    width: int
    step: int
    reach: float

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """For the brightness of a JPEG picture; ``None`` where its first markers do not tell, or no room is left."""
        tables: dict[int, tuple[int, int]] = {}
        frame, is_rgb = b"", False
        for marker, begin, end in _segments(data):
            if marker == _DQT:
                tables |= _tables(data, begin, end)
            elif marker in _DCT:
                frame = data[begin:end]
            elif marker == _APP14 and data[begin:end].startswith(b"Adobe"):
                is_rgb = data[begin + 11 : begin + 12] == b"\0"
        components = frame[5] if len(frame) > 5 else 0
        if components not in (1, 3) or frame[0] != 8 or len(frame) < 6 + 3 * components:
            return None
        is_rgb = is_rgb or frame[6:7] == b"R"
        if frame[8] not in tables or (is_rgb and len(set(frame[8::3])) > 1) or not _is_full(frame[7::3]):
            return None
        at, width = tables[frame[8]]
        step = int.from_bytes(data[at : at + width], "big")
        smaller = step * 3 // 4
        reach = (_HALF_RANGE / max(step, 1) + _SLACK_STEPS) * smaller / 8 + _SLACK_LEVELS
        return cls(at, width, smaller, reach) if smaller and reach < _MIDDLE - 1 else None

    def made_visible(self, data: bytes) -> bytes:
        """The stream, with what lies beyond black and white within the range of a decoded picture."""
        return b"".join((data[: self.at], self.step.to_bytes(self.width, "big"), data[self.at + self.width :]))

    def can_be(self, blocks: NDArray[Any]) -> bool:
        """Whether block means, decoded from ``made_visible``, are those of a picture: uint8, any shape."""
        return int(blocks.min()) >= _MIDDLE - self.reach and int(blocks.max()) <= _MIDDLE + self.reach


def _is_full(samplings: bytes) -> bool:
    """Whether the first component has as many samples as any other, across and down."""
    first = samplings[0]
    return all(first >> 4 >= one >> 4 and first & 15 >= one & 15 for one in samplings)


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """Marker, first byte and end of each segment up to the first scan."""
    found, here = [], 2
    while here + 4 <= len(data) and data[here] == 0xFF and data[here + 1] != _SOS:
        marker = data[here + 1]
        if marker == 0xFF:
            here += 1
            continue
        end = here + 2 + int.from_bytes(data[here + 2 : here + 4], "big")
        found.append((marker, here + 4, end))
        here = max(end, here + 2)
    return found


def _tables(data: bytes, begin: int, end: int) -> dict[int, tuple[int, int]]:
    """Place and width of the first entry of each table of a segment, by the table's number."""
    found, here = {}, begin
    while here < min(end, len(data) - 2):
        width = 1 + (data[here] >> 4)
        found[data[here] & 15] = (here + 1, width)
        here += 1 + 64 * width
    return found
