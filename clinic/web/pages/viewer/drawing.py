# SPDX-License-Identifier: Apache-2.0
"""What is drawn over a picture, as numbers that a template puts into SVG: outline, axis, the operator's callipers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clinic.archive.content import Line, Point, ViewContent
from clinic.store.schema import ReaderCalliper
from device.imaging.marks.styles import LONG_AXIS_LETTER, calliper_letter


@dataclass(frozen=True, slots=True)
class Label:
    """Words at a place.

    Attributes:
        x: In pixels of the picture.
        y: Likewise.
        text: What stands there.
    """

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line with its length.

    Attributes:
        points: As SVG wants it.
        start: One end.
        end: The other.
        label: Its length.
        letter: What the handheld calls it, on its screen and in its report; empty for a reader's line.
    """

    points: str
    start: Point
    end: Point
    label: Label
    letter: str = ""


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """A line that a reader has measured.

    Attributes:
        line: As it is drawn.
        id: Of the kept calliper.
        number: From 1, of this reader in this picture.
        name: Whose it is; empty for who looks at it.
    """

    line: DrawnLine
    id: str
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What lies over one picture.

    Attributes:
        view: The picture.
        outline: The model's outline, as SVG wants it; empty where there is none.
        axis: Its long axis.
        callipers: The operator's measurements.
        own: What the person who looks has measured.
        others: What other readers have.
        stroke: Width of a line that looks the same on every picture.
    """

    view: ViewContent
    outline: str
    axis: DrawnLine | None
    callipers: tuple[DrawnLine, ...]
    own: tuple[ReaderLine, ...]
    others: tuple[ReaderLine, ...]
    stroke: float


def drawing_of(view: ViewContent, kept: Iterable[ReaderCalliper] = (), viewer_id: str = "") -> Drawing:
    """The drawing over a picture; of the model only what ``view`` still holds.

    Args:
        view: The picture.
        kept: Readers' callipers of the exam, as far as they may be shown, in order.
        viewer_id: Account of the person who looks.
    """
    finding = view.finding
    axis = None if finding is None else finding.long_axis
    measured = list(_reader_lines(view, kept, viewer_id))
    return Drawing(
        view=view,
        outline="" if finding is None else _points(finding.outline),
        axis=None if axis is None else drawn(axis, view, above=True, letter=LONG_AXIS_LETTER),
        callipers=tuple(drawn(line, view, letter=calliper_letter(n)) for n, line in enumerate(view.callipers, 1)),
        own=tuple(line for line in measured if not line.name),
        others=tuple(line for line in measured if line.name),
        stroke=max(1.0, max(view.columns, view.rows) / 400),
    )


def _reader_lines(view: ViewContent, kept: Iterable[ReaderCalliper], viewer_id: str) -> Iterator[ReaderLine]:
    numbers: Counter[str] = Counter()
    for one in kept:
        if one.sop_uid == view.sop_uid:
            numbers[one.reader_id] += 1
            name = "" if one.reader_id == viewer_id else one.reader.display_name
            measured = Line((one.x0, one.y0), (one.x1, one.y1), one.length, one.unit)
            line = drawn(measured, view, above=bool(name))  # two readers measure the same, and both are to be read
            yield ReaderLine(line, one.id, numbers[one.reader_id], name)


def drawn(line: Line, view: ViewContent, *, above: bool = False, letter: str = "") -> DrawnLine:
    """A measured line; its length stands inside the picture, at the lower end or, out of the way of others, above."""
    high, low = sorted((line.start, line.end), key=lambda point: point[1])
    size = max(view.columns, view.rows) / 40
    x = min(max((high if above else low)[0], 0.0), max(0.0, view.columns - 6 * size))
    y = max(high[1] - 0.6 * size, size) if above else min(low[1] + 1.3 * size, view.rows - 0.3 * size)
    return DrawnLine(_points((line.start, line.end)), line.start, line.end, Label(x, y, words_of(line)), letter)


def words_of(line: Line) -> str:
    """A length in words; pixels are called pixels."""
    return f"{line.length:.1f} mm" if line.unit == "mm" else f"{line.length:.0f} px"


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
