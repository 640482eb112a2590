# SPDX-License-Identifier: Apache-2.0
"""What the device can offer for a lesion: its axes and how it lies by the outlines, its axes by the callipers.

The clinician decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from device.inference.manifest import Abstention
from device.inference.outline.shape import OutlineShape, outline_shape
from device.inference.views import Combined, combine
from device.records.exam import View
from device.records.lesion import MOST_AXIS_MM, Axes, BreastLesion
from device.records.lexicon import Orientation


@dataclass(frozen=True, slots=True)
class Offer:
    """Offered to the clinician.

    Attributes:
        axes: ``None`` where no view has a scale and an outline.
        orientation: By the first outlined view.
        taller_than_wide: Height through width of that outline.
        angle_deg: Between its long axis and the skin, ``None`` where it is round.
    """

    axes: Axes | None
    orientation: Orientation
    taller_than_wide: float
    angle_deg: float | None


def offer(lesion: BreastLesion, views: Sequence[View]) -> Offer | None:
    """What the outlines of its views say; ``None`` where there is none.

    Args:
        lesion: Says which views lie across each other.
        views: ``Exam.views_of(lesion)``.
    """
    measured = [(view, shape) for view in views if (shape := shape_of(view)) is not None]
    if not measured:
        return None
    first = measured[0][1]
    return Offer(
        axes=_axes(lesion, measured),
        orientation=Orientation.PARALLEL if first.parallel else Orientation.NOT_PARALLEL,
        taller_than_wide=first.taller_than_wide,
        angle_deg=first.angle_deg,
    )


def shape_of(view: View) -> OutlineShape | None:
    """What a view's outline measures; ``None`` where nothing was outlined."""
    outline = view.finding.lesion
    return None if outline is None else outline_shape(outline, view.spacing or view.frame.spacing)


def _axes(lesion: BreastLesion, measured: Sequence[tuple[View, OutlineShape]]) -> Axes | None:
    """Of the view in which the lesion is longest, and of one across it."""
    lengths = {view.uid: length for view, _ in measured if (length := _long_axis(view)) is not None}
    if not lengths:
        return None
    longest = max(lengths, key=lengths.__getitem__)
    shapes = {view.uid: shape for view, shape in measured}
    across = (shapes[uid].horizontal_mm for uid in _views_across(lesion, longest) if uid in shapes)
    return Axes(lengths[longest], _possible(shapes[longest].across_mm), _possible(next(across, None)))


def _long_axis(view: View) -> float | None:
    return None if view.finding.lesion is None else _possible(view.finding.lesion.long_axis_mm)


def measured_axes(lesion: BreastLesion, views: Sequence[View]) -> Axes | None:
    """The axes by the clinician's own measurements, also where the model has outlined nothing.

    Args:
        lesion: Says which views lie across each other.
        views: ``Exam.views_of(lesion)``.

    Returns:
        The longest of all that was measured in millimetres and the next of the same view, and the longest of a view
        across it; ``None`` where nothing was.
    """
    lengths = {view.uid: found for view in views if (found := _lengths(view))}
    if not lengths:
        return None
    first = max(lengths, key=lambda uid: lengths[uid][0])
    across = (lengths[uid][0] for uid in _views_across(lesion, first) if uid in lengths)
    long, *others = lengths[first]
    return Axes(long, others[0] if others else None, next(across, None))


def _views_across(lesion: BreastLesion, uid: str) -> list[str]:
    """The views that were taken across this one."""
    planes = {named.uid: named.plane for named in lesion.views}
    plane = planes.get(uid)
    return [other for other, across in planes.items() if plane is not None and across is plane.orthogonal]


def _lengths(view: View) -> list[float]:
    """What was measured in a view in millimetres, the longest first."""
    lengths = (_possible(calliper.length_mm) for calliper in view.callipers)
    return sorted((length for length in lengths if length is not None), reverse=True)


def _possible(length: float | None) -> float | None:
    return length if length is not None and 0 < length <= MOST_AXIS_MM else None


def combined_result(lesion: BreastLesion, views: Sequence[View], several: Abstention | None) -> Combined | None:
    """What the model says of all views of a lesion together.

    Args:
        lesion: Says which views show it.
        views: The exam's.
        several: The model's limits for two and more views (``Manifest.views``), ``None`` where it has none.

    Returns:
        ``None`` where no view shows the lesion, or where the views were judged by different models.
    """
    findings = [view.finding for view in views if view.uid in lesion.view_uids]
    if len({finding.model for finding in findings}) != 1:
        return None
    return combine(findings, several)
