# SPDX-License-Identifier: Apache-2.0
"""From an exam to the DICOM instances that a clinic gets. The one door to the builders beside it.

Called once, when an exam is finalised (and again when it gets an addendum). What comes out is sealed into the outbox as
it is, so that sending, and sending again, never builds anything.

pydicom costs 37 MiB and a third of a second, so it is imported here, inside the functions, and never when the app
starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from device.capture.frame import Frame
from device.dicom.identity import DeviceIdentity
from device.records.exam import Exam, ExamState, View
from device.records.outbox.table import Instance
from device.records.pieces import Pieces
from device.records.uids import CINE, OVERLAY

if TYPE_CHECKING:
    from pydicom import Dataset


class InstanceKind(StrEnum):
    """What an instance is to a person; the ``kind`` of its row in the outbox."""

    IMAGE = "image"
    CINE = "cine"
    OVERLAY = "overlay"
    REPORT = "report"


def kept_loop(view: View) -> Iterable[Frame]:
    """The loop that a view carries with it; the store's views carry none, see :func:`build_instances`."""
    return view.cine


def build_instances(
    exam: Exam, device: DeviceIdentity, *, loop: Callable[[View], Iterable[Frame]] = kept_loop, compress: bool = True
) -> Iterator[Instance]:
    """Every instance of a final exam, one at a time so that only one picture has to be held in memory.

    The same exam gives the same bytes whenever it is built.

    Args:
        exam: A final exam; one without views gives nothing, since there is nothing to show.
        device: What made it.
        loop: Gives a view's loop, oldest frame first; ``lambda view: store.cine(view.uid)`` where the store has it.
        compress: JPEG-LS lossless pixels; ``False`` for archives that cannot read them.

    Yields:
        For each view its image, its loop if it has one, and its overlay; the report last.

    Raises:
        ValueError: The exam is still a draft.
    """
    _refuse_draft(exam)
    from device.dicom.loop import ultrasound_loop
    from device.dicom.secondary_capture import overlay_capture
    from device.dicom.ultrasound_image import ultrasound_image

    for number, view in enumerate(exam.views, start=1):
        yield _instance(ultrasound_image(exam, view, number, device, compress), InstanceKind.IMAGE)
        if CINE in view.derived_uids and (view.cine or view.cine_length):
            frames, kind = partial(loop, view), InstanceKind.CINE.value
            moving = ultrasound_loop(exam, view, number, device, frames, kind, compress)
            if moving is not None:
                yield moving
        if OVERLAY in view.derived_uids:
            yield _instance(overlay_capture(exam, view, number, device, compress), InstanceKind.OVERLAY)
    if exam.views:
        yield _report(exam, device)


def build_addendum(exam: Exam, device: DeviceIdentity) -> Iterator[Instance]:
    """The report with the addenda that the exam has now; images that the clinic already has are not built again.

    Args:
        exam: A final exam with at least one addendum.
        device: What made it.

    Raises:
        ValueError: The exam is still a draft or has no addendum.
    """
    _refuse_draft(exam)
    if not exam.addenda:
        raise ValueError("an exam without an addendum has no new report")
    if exam.views:
        yield _report(exam, device)


def _report(exam: Exam, device: DeviceIdentity) -> Instance:
    from device.dicom.measurement_report import measurement_report

    return _instance(measurement_report(exam, device), InstanceKind.REPORT)


def _instance(dataset: Dataset, kind: InstanceKind) -> Instance:
    from device.dicom.attributes import encode

    return Instance(kind.value, str(dataset.SOPInstanceUID), Pieces.of(encode(dataset)))


def _refuse_draft(exam: Exam) -> None:
    if exam.state is not ExamState.FINAL:
        raise ValueError("only a final exam is sent")
