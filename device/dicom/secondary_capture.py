# SPDX-License-Identifier: Apache-2.0
"""The overlay as a Secondary Capture: derived, with everything burned in, and marked so.

It is made from the untouched image and says so, names the model that drew it, and never replaces the image.
Used by ``device.dicom.objects``.
"""

from __future__ import annotations

from pydicom import FileDataset
from pydicom.uid import SecondaryCaptureImageStorage, UltrasoundImageStorage

from device.dicom.attributes import (
    DISCLAIMER,
    OVERLAYS,
    code_item,
    comments,
    laterality_code,
    mark_phantom,
    new_object,
    one_line,
    phantom_remark,
    sop_reference,
)
from device.dicom.identity import DeviceIdentity
from device.dicom.marked_picture import burn_in, first_line
from device.dicom.pixels import put_pixels
from device.dicom.ultrasound_image import view_spacing
from device.imaging.marks.styles import PHANTOM_WORD
from device.records.exam import Exam, View
from device.records.uids import OVERLAY


def overlay_capture(exam: Exam, view: View, number: int, device: DeviceIdentity, compress: bool = True) -> FileDataset:
    """The view with outline and long axis burned in, as Secondary Capture Image Storage.

    Args:
        exam: The exam that the view is part of.
        view: Has a finding, and a UID for the overlay.
        number: Instance number, from 1.
        device: What made it.
        compress: JPEG-LS lossless rather than plain pixels.
    """
    uid = view.derived_uids[OVERLAY]
    dataset = new_object(exam, device, OVERLAYS, SecondaryCaptureImageStorage, uid, number, view.frozen_at)
    dataset.ConversionType = "WSD"  # made on a workstation, PS3.3 C.8.6.1
    dataset.ImageType = ["DERIVED", "SECONDARY", "OVERLAY"]
    dataset.PatientOrientation = ""
    dataset.ImageLaterality = laterality_code(view)
    dataset.AnatomicRegionSequence = [code_item("76752008", "SCT", "Breast")]
    dataset.BurnedInAnnotation = "YES"
    model = one_line(view.finding.model)
    described = f"Outline, long axis and caption drawn by the model {model}."
    if view.callipers:
        described += " Dashed lines with letters: measurements by the clinician."
    dataset.DerivationDescription = f"{described} {DISCLAIMER}"
    source = sop_reference(UltrasoundImageStorage, view.uid)
    source.PurposeOfReferenceCodeSequence = [
        code_item("121322", "DCM", "Source image for image processing operation"),
    ]
    dataset.SourceImageSequence = [source]
    mark_phantom(dataset, view)
    dataset.ImageComments = comments(exam, phantom_remark(view), first_line(view.finding))
    spacing = view_spacing(view)
    if spacing is not None:
        dataset.PixelSpacing = [f"{spacing.y_mm:.8g}", f"{spacing.x_mm:.8g}"]  # down, then across
        dataset.PixelSpacingCalibrationType = "GEOMETRY"
        dataset.PixelSpacingCalibrationDescription = "Scale of the ultrasound picture"
    measured = [(calliper.start, calliper.end) for calliper in view.callipers]
    word = PHANTOM_WORD if view.phantom else ""
    drawn = burn_in(view.frame.pixels, view.finding, DISCLAIMER, measured, watermark=word)
    dataset.Rows, dataset.Columns = drawn.shape[:2]
    put_pixels(dataset, drawn, colour=True, compress=compress)
    return dataset
