# SPDX-License-Identifier: Apache-2.0
"""What a page needs of an exam's pictures: where they are, their scale, and what was drawn and said of each.

Kept in the index as JSON, so that showing an exam asks the archive for nothing but pictures. Points are in pixels of
the picture from the corner of its first pixel, as DICOM counts (PS3.3 C.18.6.1.1), which is also how SVG counts.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Region:
    """A calibrated part of a picture (one item of Sequence of Ultrasound Regions, PS3.3 C.8.5.5).

    Attributes:
        x0: First column.
        y0: First row.
        x1: Last column.
        y1: Last row.
        mm_x: Millimetres a pixel across.
        mm_y: Millimetres a pixel down.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    mm_x: float
    mm_y: float

    def holds(self, point: Point) -> bool:
        """Whether a point lies in it; both edges count in, and half a pixel is tolerated."""
        return self.x0 - 0.5 <= point[0] <= self.x1 + 1.5 and self.y0 - 0.5 <= point[1] <= self.y1 + 1.5


@dataclass(frozen=True, slots=True)
class Line:
    """A measured line.

    Attributes:
        start: One end.
        end: The other.
        length: As the report says.
        unit: ``mm`` or ``px``.
    """

    start: Point
    end: Point
    length: float
    unit: str


@dataclass(frozen=True, slots=True)
class ModelFinding:
    """What the model said of a view.

    Attributes:
        result: normal, benign, malignant, uncertain or not_evaluable.
        reason: Why it is not evaluable, as the report's code.
        probabilities: 0..1 by class.
        model: ``name@version``.
        outline: Closed outline of the lesion, empty where there is none.
        long_axis: Its longest axis.
    """

    result: str
    reason: str | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    model: str = ""
    outline: tuple[Point, ...] = ()
    long_axis: Line | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """The cine loop of a view.

    Attributes:
        series_uid: Its series.
        sop_uid: Its instance.
        frames: How many frames it has.
        fps: Frames a second.
    """

    series_uid: str
    sop_uid: str
    frames: int
    fps: float


@dataclass(frozen=True, slots=True)
class ViewContent:
    """One picture of an exam.

    Attributes:
        number: From 1, in the order in which they were taken.
        series_uid: Series of the picture.
        sop_uid: Its instance.
        rows: Pixels down.
        columns: Pixels across.
        laterality: ``L``, ``R``, or ``U`` where it is not said which breast.
        clock: Clock position, 1 to 12.
        taken_at: ISO 8601, UTC.
        note: What the operator wrote.
        regions: Calibrated parts; empty where the scale is unknown.
        finding: What the model said.
        callipers: The field clinician's own measurements.
        loop: Its loop.
    """

    number: int
    series_uid: str
    sop_uid: str
    rows: int
    columns: int
    laterality: str = "U"
    clock: int | None = None
    taken_at: str = ""
    note: str = ""
    regions: tuple[Region, ...] = ()
    finding: ModelFinding | None = None
    callipers: tuple[Line, ...] = ()
    loop: Loop | None = None

    def measure(self, start: Point, end: Point) -> Line:
        """The distance between two points: millimetres where one calibrated region holds both, else pixels.

        A length is never guessed: points in two regions, or outside of all, have no millimetres.
        """
        across, down = end[0] - start[0], end[1] - start[1]
        for region in self.regions:
            if region.holds(start) and region.holds(end):
                return Line(start, end, math.hypot(across * region.mm_x, down * region.mm_y), "mm")
        return Line(start, end, math.hypot(across, down), "px")


@dataclass(frozen=True, slots=True)
class LesionContent:
    """One lesion of one breast, as the field clinician has placed and measured it.

    Attributes:
        uid: Its own, the same in all its views.
        laterality: ``L``, ``R``, or ``U`` where it was not said.
        clock: Clock position, 1 to 12.
        region: A place beside the clock (``device.records.lesion.BreastRegion``), empty where none was given.
        nipple_cm: Distance from the nipple.
        axes_mm: Long, short and third axis, up to the last that was measured; ``None`` for one before it that was not.
        views: SOP Instance UIDs of the pictures that show it.
    """

    uid: str
    laterality: str = "U"
    clock: int | None = None
    region: str = ""
    nipple_cm: float | None = None
    axes_mm: tuple[float | None, ...] = ()
    views: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExamContent:
    """All pictures of an exam, and what was said of it as a whole.

    Attributes:
        views: In the order in which they were taken.
        remarks: What the field clinician wrote, addenda included.
        lesions: In the order of the report.
        dated_at: When the sender's clock says that it was begun, true or not; ISO 8601, UTC.
    """

    views: tuple[ViewContent, ...] = ()
    remarks: tuple[str, ...] = ()
    lesions: tuple[LesionContent, ...] = ()
    dated_at: str = ""

    def to_json(self) -> dict[str, Any]:
        """For the index."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """As :meth:`to_json` gave it."""
        return cls(
            tuple(_view(view) for view in stored.get("views", ())),
            tuple(stored.get("remarks", ())),
            tuple(_lesion(lesion) for lesion in stored.get("lesions", ())),
            stored.get("dated_at", ""),
        )


def _view(stored: dict[str, Any]) -> ViewContent:
    finding, loop = stored.get("finding"), stored.get("loop")
    rebuilt = {
        "regions": tuple(Region(**region) for region in stored.get("regions", ())),
        "callipers": tuple(_line(line) for line in stored.get("callipers", ())),
        "finding": None if finding is None else _finding(finding),
        "loop": None if loop is None else Loop(**loop),
    }
    return ViewContent(**{**stored, **rebuilt})


def _finding(stored: dict[str, Any]) -> ModelFinding:
    axis = stored.get("long_axis")
    outline = tuple((x, y) for x, y in stored.get("outline", ()))
    return ModelFinding(**{**stored, "outline": outline, "long_axis": None if axis is None else _line(axis)})


def _lesion(stored: dict[str, Any]) -> LesionContent:
    return LesionContent(**{**stored, "axes_mm": tuple(stored["axes_mm"]), "views": tuple(stored["views"])})


def _line(stored: dict[str, Any]) -> Line:
    start, end = stored["start"], stored["end"]
    return Line((start[0], start[1]), (end[0], end[1]), stored["length"], stored["unit"])
