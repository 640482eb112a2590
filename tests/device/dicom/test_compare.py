# SPDX-License-Identifier: Apache-2.0
"""An archive may write a file anew; what was sent must all be there, and nothing of it different."""

from __future__ import annotations

import io

import numpy as np
import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from device.dicom.compare import differences
from device.dicom.objects import build_instances
from tests.device.upload import exams

UID = exams.exam_uid("same")
EXAM = exams.exam("same", exams.view(UID, 1, colour=True, loop=3))
KINDS = {instance.kind: instance.content for instance in build_instances(EXAM, exams.DEVICE)}


def rewritten(content: bytes, change: object = None, *, syntax: str | None = None) -> bytes:
    """The file as an archive might write it: another header, another order of bytes, attributes of its own."""
    dataset = dcmread(io.BytesIO(content))
    dataset.file_meta.ImplementationVersionName = "OTHER 1.0"
    dataset.RetrieveAETitle = "ARCHIVE"
    if callable(change):
        change(dataset)
    if syntax is not None and "PixelData" in dataset:
        dataset.decompress(generate_instance_uid=False)
        if syntax == RLELossless:
            dataset.compress(RLELossless, generate_instance_uid=False)
    if syntax is not None and syntax != RLELossless:
        dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    dcmwrite(
        buffer, dataset, enforce_file_format=True, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True
    )
    return buffer.getvalue()


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("syntax", [None, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
def test_a_file_written_anew_is_the_same(kind: str, syntax: str | None) -> None:
    if kind == "report" and syntax == RLELossless:
        syntax = None
    theirs = rewritten(KINDS[kind], syntax=syntax)
    assert theirs != KINDS[kind]
    assert differences(KINDS[kind], theirs) == []


@pytest.mark.parametrize("kind", list(KINDS))
def test_another_patient_is_different(kind: str) -> None:
    def rename(dataset: Dataset) -> None:
        dataset.PatientID = "KB-0043"

    assert differences(KINDS[kind], rewritten(KINDS[kind], rename)) == ["PatientID"]


def test_a_missing_attribute_is_different() -> None:
    def drop(dataset: Dataset) -> None:
        del dataset.ImageLaterality

    assert differences(KINDS["image"], rewritten(KINDS["image"], drop)) == ["ImageLaterality"]


def test_a_value_deep_in_the_report_is_different() -> None:
    def lower(dataset: Dataset) -> None:
        headings = [item for item in dataset.ContentSequence if item.ValueType == "CONTAINER"]
        groups = next(i for i in headings if i.ConceptNameCodeSequence[0].CodeMeaning == "Imaging Measurements")
        numbers = [item for item in groups.ContentSequence[0].ContentSequence if item.ValueType == "NUM"]
        numbers[-1].MeasuredValueSequence[0].NumericValue = "8.69"

    assert differences(KINDS["report"], rewritten(KINDS["report"], lower)) == ["ContentSequence"]


@pytest.mark.parametrize("kind", ["image", "cine", "overlay"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_one_other_pixel_is_different(kind: str, syntax: str) -> None:
    def touch(dataset: Dataset) -> None:
        dataset.decompress(generate_instance_uid=False)
        pixels = dataset.pixel_array.copy()
        pixels.flat[pixels.size // 2] ^= np.uint8(1)
        dataset.PixelData = pixels.tobytes()
        if syntax == RLELossless:
            dataset.compress(RLELossless, generate_instance_uid=False)

    assert differences(KINDS[kind], rewritten(KINDS[kind], touch)) == ["PixelData"]


@pytest.mark.parametrize("stored", [b"", b"<html>", KINDS["image"][:200], KINDS["image"][: len(KINDS["image"]) // 2]])
def test_what_is_no_dicom_file_or_half_of_one_is_different(stored: bytes) -> None:
    assert differences(KINDS["image"], stored) != []
