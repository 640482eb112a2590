"""The view itself as an Ultrasound Image, and its loop as an Ultrasound Multi-frame Image.

The frame goes to the clinic untouched, as the source delivered it, with the scanner's own text around the sonogram: a
reader must see what the clinician saw. That text may hold a patient's name, so the objects are marked as having
something burned in. Used by ``device.upload.dicom_objects``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from pydicom import Dataset, FileDataset
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from device.capture.frame import Box, Frame, PixelSpacing
from device.records.exam import Exam, View
from device.records.uids import CINE
from device.upload.attributes import (
    CINES,
    IMAGES,
    code_item,
    comments,
    date_and_time,
    laterality_code,
    new_object,
    sop_reference,
)
from device.upload.identity import DeviceIdentity
from device.upload.pixels import is_grey, put_pixels

_TISSUE = 1
_TWO_DIMENSIONAL = 1
_CENTIMETRES = 3
"""Codes of the US Region Calibration module, PS3.3 C.8.5.5.1."""

_PLAIN_B_MODE = "0001"
"""Value 4 of Image Type, PS3.3 C.8.5.6.1.1."""

_FRAME_TIME_VECTOR = 0x0018_1065


def ultrasound_image(exam: Exam, view: View, number: int, device: DeviceIdentity, compress: bool = True) -> FileDataset:
    """The frozen frame as Ultrasound Image Storage.

    Args:
        exam: The exam that the view is part of.
        view: Whose ``uid`` the image gets.
        number: Instance number, from 1.
        device: What made it.
        compress: JPEG-LS lossless rather than plain pixels.
    """
    dataset = new_object(exam, device, IMAGES, UltrasoundImageStorage, view.uid, number, view.frozen_at)
    _describe(dataset, exam, view)
    pixels = view.frame.pixels
    put_pixels(dataset, [pixels], not is_grey(pixels), compress)
    return dataset


def ultrasound_loop(
    exam: Exam,
    view: View,
    number: int,
    device: DeviceIdentity,
    frames: Callable[[], Iterable[Frame]],
    compress: bool = True,
) -> FileDataset | None:
    """The view's loop as Ultrasound Multi-frame Image Storage.

    Frames of another size than the frozen one (the source changed its resolution) cannot stand in one object; they are
    left out, and the image comments say how many.

    Args:
        exam: The exam that the view is part of.
        view: Has a UID for its loop.
        number: Instance number, from 1.
        device: What made it.
        frames: Gives the loop's frames, oldest first; called twice, and the frames are held one at a time.
        compress: JPEG-LS lossless rather than plain pixels.

    Returns:
        The object, or ``None`` where fewer than two frames can be sent: that is no loop.
    """
    shape = view.frame.pixels.shape[:2]
    usable = _look_through(frames(), shape)
    if len(usable.moments) < 2:
        return None
    uid = view.derived_uids[CINE]
    dataset = new_object(exam, device, CINES, UltrasoundMultiFrameImageStorage, uid, number, view.frozen_at)
    left_out = f"{usable.left_out} frames of another size were left out." if usable.left_out else ""
    _describe(dataset, exam, view, left_out)
    dataset.ReferencedImageSequence = [sop_reference(UltrasoundImageStorage, view.uid)]
    dataset.NumberOfFrames = len(usable.moments)
    dataset.FrameIncrementPointer = _FRAME_TIME_VECTOR
    dataset.FrameTimeVector = _frame_times(usable.moments)
    pictures = (frame.pixels for frame in frames() if frame.pixels.shape[:2] == shape)
    put_pixels(dataset, pictures, usable.coloured, compress)
    return dataset


def view_spacing(view: View) -> PixelSpacing | None:
    """Millimetres a pixel of the view: as set for the view, else as the source knew it."""
    return view.spacing or view.frame.spacing


def _describe(dataset: Dataset, exam: Exam, view: View, *remarks: str) -> None:
    """Everything about the picture but its pixels.

    Args:
        dataset: The object being built.
        exam: The exam that the view is part of.
        view: What is described.
        *remarks: Further sentences for the image comments.
    """
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "BREAST", _PLAIN_B_MODE]
    acquired = view.frame.captured_at
    dataset.AcquisitionDate, dataset.AcquisitionTime = date_and_time(acquired)
    dataset.AcquisitionDateTime = "".join(date_and_time(acquired))
    dataset.Rows, dataset.Columns = view.frame.height, view.frame.width
    dataset.PatientOrientation = ""
    dataset.ImageLaterality = laterality_code(view)
    dataset.AnatomicRegionSequence = [code_item("76752008", "SCT", "Breast")]
    dataset.BurnedInAnnotation = "YES"
    clock = f"Clock position: {view.clock_position}" if view.clock_position is not None else ""
    dataset.ImageComments = comments(exam, clock, view.note, *remarks)
    spacing = view_spacing(view)
    if spacing is not None:
        region = view.finding.sonogram.clipped(view.frame.width, view.frame.height)
        whole = Box(0, 0, view.frame.width, view.frame.height)
        dataset.SequenceOfUltrasoundRegions = [_region(region if region.area else whole, spacing)]


def _region(box: Box, spacing: PixelSpacing) -> Dataset:
    """The calibrated B-mode region: corners in pixels, both inclusive, and centimetres a pixel."""
    item = Dataset()
    item.RegionSpatialFormat = _TWO_DIMENSIONAL
    item.RegionDataType = _TISSUE
    item.RegionFlags = 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box.x, box.y
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box.x + box.w - 1, box.y + box.h - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = _CENTIMETRES
    item.PhysicalDeltaX, item.PhysicalDeltaY = spacing.x_mm / 10.0, spacing.y_mm / 10.0
    return item


@dataclass(slots=True)
class _Loop:
    """What has to be known of a loop before its first frame is written."""

    moments: list[datetime] = field(default_factory=list)
    coloured: bool = False
    left_out: int = 0


def _look_through(frames: Iterable[Frame], shape: tuple[int, ...]) -> _Loop:
    loop = _Loop()
    for frame in frames:
        if frame.pixels.shape[:2] != shape:
            loop.left_out += 1
            continue
        loop.moments.append(frame.captured_at)
        loop.coloured = loop.coloured or not is_grey(frame.pixels)
    return loop


def _frame_times(moments: list[datetime]) -> list[str]:
    """Milliseconds from each frame to the one before; a clock that was set meanwhile must not give negative ones."""
    steps = [(later - earlier).total_seconds() * 1000.0 for earlier, later in pairwise(moments)]
    return ["0", *(f"{max(step, 0.0):.3f}" for step in steps)]
