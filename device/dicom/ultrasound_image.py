# SPDX-License-Identifier: Apache-2.0
"""The view itself as an Ultrasound Image; ``loop`` makes its loop of the same parts.

The frame goes to the clinic untouched, as the source delivered it, with the scanner's own text around the sonogram: a
reader must see what the clinician saw. That text may hold a patient's name, so the objects are marked as having
something burned in. Used by ``device.dicom.objects``.
"""

from __future__ import annotations

from pydicom import Dataset, FileDataset
from pydicom.uid import UltrasoundImageStorage

from device.capture.frame import Box, PixelSpacing
from device.dicom.attributes import (
    IMAGES,
    code_item,
    comments,
    date_and_time,
    laterality_code,
    mark_phantom,
    new_object,
    phantom_remark,
    zone_of,
)
from device.dicom.identity import DeviceIdentity
from device.dicom.pixels import is_grey, put_pixels
from device.records.exam import Exam, View

_TISSUE = 1
_TWO_DIMENSIONAL = 1
_CENTIMETRES = 3
"""Codes of the US Region Calibration module, PS3.3 C.8.5.5.1."""

_PLAIN_B_MODE = "0001"
"""Value 4 of Image Type, PS3.3 C.8.5.6.1.1."""


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
    describe_picture(dataset, exam, view)
    pixels = view.frame.pixels
    put_pixels(dataset, pixels, not is_grey(pixels), compress)
    return dataset


def view_spacing(view: View) -> PixelSpacing | None:
    """Millimetres a pixel of the view: as set for the view, else as the source knew it."""
    return view.spacing or view.frame.spacing


def describe_picture(dataset: Dataset, exam: Exam, view: View, *remarks: str) -> None:
    """Everything about the picture but its pixels.

    Args:
        dataset: The object being built.
        exam: The exam that the view is part of.
        view: What is described.
        *remarks: Further sentences for the image comments.
    """
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "BREAST", _PLAIN_B_MODE]
    acquired = view.frame.captured_at
    dataset.AcquisitionDate, dataset.AcquisitionTime = date_and_time(acquired, zone_of(exam))
    dataset.AcquisitionDateTime = dataset.AcquisitionDate + dataset.AcquisitionTime
    dataset.Rows, dataset.Columns = view.frame.height, view.frame.width
    dataset.PatientOrientation = ""
    dataset.ImageLaterality = laterality_code(view)
    dataset.AnatomicRegionSequence = [code_item("76752008", "SCT", "Breast")]
    dataset.BurnedInAnnotation = "YES"
    clock = f"Clock position: {view.clock_position}" if view.clock_position is not None else ""
    mark_phantom(dataset, view)
    dataset.ImageComments = comments(exam, phantom_remark(view), clock, view.note, *remarks)
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
