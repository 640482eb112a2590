# SPDX-License-Identifier: Apache-2.0
"""What a frame of run lengths says of itself: samples, bytes of a sample, rows (PS3.5 annex G).

Such a frame has no markers, but its segments are counted, each holds one byte of one sample, and no run goes from one
row into the next. Used by ``encapsulated.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_HEADER_BYTES: Final = 64
_MOST_SEGMENTS: Final = 15
_PLANES: Final[Mapping[int, tuple[int, int]]] = {1: (1, 1), 2: (1, 2), 3: (3, 1), 4: (1, 4), 6: (3, 2), 12: (3, 4)}
"""Samples, and bytes of a sample, by the number of segments."""

_REPEATED, _NOTHING = 129, 128  # least first byte of a repetition; one that stands for nothing


_BY_ROWS: Final = 0.5
"""Share of the rows that end with a run, from which the writer ended all of them so."""


@dataclass(frozen=True, slots=True)
class RunLengths:
    """The form of a frame: samples of a pixel, bytes of a sample, and the size of the picture."""

    samples: int
    bytes_a_sample: int
    rows: int
    columns: int


def is_run_lengths(data: bytes) -> bool:
    """Whether a frame begins like run lengths: a number of segments, the first of them right behind the header."""
    return 1 <= int.from_bytes(data[:4], "little") <= _MOST_SEGMENTS and data[4:8] == b"\x40\0\0\0"


def read_run_lengths(data: bytes, rows: int, columns: int) -> RunLengths:
    """The form of a frame.

    Args:
        data: All of it.
        rows: As stated; exchanged with ``columns`` where only so every row ends with a run.
        columns: As stated.

    Raises:
        ValueError: The header is damaged, or the runs hold more than one such picture.
    """
    if len(data) < _HEADER_BYTES:
        raise ValueError("the header of the run lengths is cut off")
    count, *offsets = struct.unpack_from("<16L", data)
    if count not in _PLANES or any(offsets[count:]):
        raise ValueError(f"{count} segments of run lengths")
    used = [*offsets[:count], len(data)]
    if used[0] != _HEADER_BYTES or any(a >= b for a, b in pairwise(used)):
        raise ValueError("segments of run lengths that are not in the frame")
    segment = data[used[-2] :]
    ends = dict(_ends(segment))
    held, wanted = max(ends, default=0), rows * columns
    if held > wanted and (wanted not in ends or segment[ends[wanted] :].strip(b"\0")):  # zeros are padding
        raise ValueError(f"{rows} rows of {columns} pixels, the run lengths hold {held} pixels")
    if not _rows_end(ends, rows, columns) and _rows_end(ends, columns, rows):
        rows, columns = columns, rows
    samples, wide = _PLANES[count]
    return RunLengths(samples, wide, rows, columns)


def require_whole_runs(data: bytes, rows: int, columns: int) -> None:
    """Hold the runs of every segment of a frame against its rows: damaged ones come to another number of pixels.

    Args:
        data: All of the frame, as ``read_run_lengths`` has found its form.
        rows: Of the picture.
        columns: Of the picture.

    Raises:
        ValueError: A segment holds more or fewer pixels, or some of its rows do not end with a run.
    """
    count, *offsets = struct.unpack_from("<16L", data)
    for begin, end in pairwise([*offsets[:count], len(data)]):
        segment = data[begin:end]
        ends = dict(_ends(segment))
        if rows * columns not in ends or segment[ends[rows * columns] :].strip(b"\0"):
            raise ValueError(f"run lengths of {max(ends, default=0)} pixels, {rows * columns} stated")
        whole = sum(row * columns in ends for row in range(1, rows + 1))
        if _BY_ROWS * rows <= whole < rows:  # some writers do not end rows at all
            raise ValueError(f"{rows - whole} rows end within a run")


def _ends(segment: bytes) -> Iterator[tuple[int, int]]:
    """How many bytes are unpacked at the end of each run, and where the run ends."""
    here = total = 0
    while here < len(segment):
        first = segment[here]
        if first == _NOTHING:
            here += 1
            continue
        if first >= _REPEATED:
            here, total = here + 2, total + 257 - first
        else:
            here, total = here + 2 + first, total + 1 + first
        if here <= len(segment):
            yield total, here


def _rows_end(ends: Collection[int], rows: int, columns: int) -> bool:
    return all(row * columns in ends for row in range(1, rows + 1))
