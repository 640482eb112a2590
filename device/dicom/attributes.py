# SPDX-License-Identifier: Apache-2.0
"""What all DICOM objects of one exam have in common: patient, study, series, equipment, times.

One exam becomes images, overlays and a report, and a clinic's archive files them by these attributes. They must agree
to the letter, or one patient becomes two. So every builder starts from :func:`new_object`.

Everything here follows from the exam and the device's time zone. No clock is asked and no number is drawn, so building
again gives the same bytes, and the archive can tell a repetition from a change. Dates and times are those of the clock
on the wall where the exam was begun, because most viewers show them as they stand; the offset from UTC stands beside.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from pydicom import Dataset, FileDataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from device.dicom.identity import MANUFACTURER, MODEL, DeviceIdentity
from device.records.exam import Exam, FamilyHistory, Gender, Laterality, View
from device.records.uids import derived_uid

DISCLAIMER = "Research and triage support, not a diagnosis."
PHANTOM = "PHANTOM: a practice picture, not of a patient."
CLOCK_UNVERIFIED = "The clock of the device was not verified when this was made."

LONG_STRING = 64
_LONG_TEXT = 10_240
SHORT_STRING = 16

_UNPRINTABLE = {"Cc", "Cs"}
"""Unicode categories: control characters, and halves of characters that UTF-8 cannot hold (a misread bar code)."""

SEX = {Gender.FEMALE: "F", Gender.MALE: "M", Gender.OTHER: "O"}
_LATERALITY = {Laterality.LEFT: "L", Laterality.RIGHT: "R", None: "U"}


@dataclass(frozen=True, slots=True)
class SeriesKind:
    """One series of the study; every kind of object has its own.

    Attributes:
        role: Part of the derived Series Instance UID.
        number: Series number, which viewers sort by.
        modality: DICOM modality.
        description: Shown in viewers.
    """

    role: str
    number: int
    modality: str
    description: str

    def uid(self, exam: Exam) -> str:
        """The Series Instance UID in this exam."""
        return derived_uid(exam.uid, f"series/{self.role}")


IMAGES = SeriesKind("ultrasound", 1, "US", "Breast ultrasound, handheld")
CINES = SeriesKind("cine", 2, "US", "Breast ultrasound loops, handheld")
OVERLAYS = SeriesKind("overlay", 3, "US", "Model outline, not a diagnosis")
REPORTS = SeriesKind("report", 4, "SR", "Model findings and BI-RADS, not a diagnosis")


def new_object(
    exam: Exam, device: DeviceIdentity, series: SeriesKind, sop_class: str, uid: str, number: int, made_at: datetime
) -> FileDataset:
    """An object with everything but its content.

    Args:
        exam: Where patient, study and operator come from.
        device: Where the equipment module comes from.
        series: The series that it belongs to.
        sop_class: SOP Class UID.
        uid: SOP Instance UID.
        number: Instance number inside the series, from 1.
        made_at: When the content came to be.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = uid
    zone = zone_of(exam)
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = date_and_time(made_at, zone)
    dataset.ContentDate, dataset.ContentTime = date_and_time(made_at, zone)
    dataset.TimezoneOffsetFromUTC = made_at.astimezone(zone).strftime("%z")[:5]
    dataset.InstanceNumber = number
    _add_patient(dataset, exam)
    _add_study(dataset, exam)
    _add_series(dataset, exam, series)
    _add_equipment(dataset, device)
    return dataset


def encode(dataset: Dataset) -> bytes:
    """The bytes of the DICOM file (PS3.10), the same for the same content."""
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def zone_of(exam: Exam) -> tzinfo:
    """The offset from UTC that held here when the exam was begun: one for all times in all objects of it."""
    return exam.started_at.astimezone().tzinfo or UTC


def date_and_time(moment: datetime, zone: tzinfo) -> tuple[str, str]:
    """DA and TM, as the clock on the wall of that zone shows it."""
    moment = moment.astimezone(zone)
    return moment.strftime("%Y%m%d"), moment.strftime("%H%M%S.%f")


def laterality_code(view: View) -> str:
    """Image Laterality: L, R, or U where it is not said which breast it is."""
    return _LATERALITY[view.laterality]


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def sop_reference(sop_class: str, uid: str) -> Dataset:
    """One item that points at another instance."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def mark_phantom(dataset: Dataset, view: View) -> None:
    """Say in the image's own attribute that it shows a phantom (PS3.3 C.7.6.1); nothing for a patient's."""
    if view.phantom:
        dataset.QualityControlImage = "YES"


def phantom_remark(view: View) -> str:
    """The sentence for Image Comments; empty for a patient's picture."""
    return PHANTOM if view.phantom else ""


def comments(exam: Exam, *parts: str) -> str:
    """The text for Image Comments: what it must not be used for first, then whatever else there is to say."""
    sentences = [DISCLAIMER, *(() if exam.clock_trusted else (CLOCK_UNVERIFIED,)), *parts]
    return free_text("\n".join(part for part in sentences if part))


def one_line(text: str, limit: int = LONG_STRING) -> str:
    r"""Text that fits a short DICOM string: no control characters, no ``\`` (which would make two values of it)."""
    printable = "".join(" " if unicodedata.category(char) in _UNPRINTABLE else char for char in text)
    return " ".join(printable.replace("\\", "/").split())[:limit].strip()


def free_text(text: str) -> str:
    """Text for LT and UT values, cut where an LT ends: control characters other than line ends are dropped."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    kept = "".join(char for char in text if char == "\n" or unicodedata.category(char) not in _UNPRINTABLE)
    return kept.replace("\n", "\r\n")[:_LONG_TEXT].rstrip()


def patient_id(code: str) -> str:
    r"""The patient code as a DICOM Patient ID (64 characters, no ``\``).

    A code that does not fit is marked with a digest of the whole, because cutting it off, or replacing a character,
    could make one identifier of two patients.
    """
    cleaned = one_line(code)
    if cleaned == code:
        return code
    mark = hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{one_line(code, LONG_STRING - 17)}~{mark}"


def person_name(name: str) -> str:
    """A name as it was written, in the first component of a DICOM person name.

    Which word is the family name differs between cultures and was not asked for, so nothing is split; the delimiter at
    the end says that the one component is meant as it is.
    """
    whole = one_line(name.replace("^", " ").replace("=", " "), LONG_STRING - 1)
    return f"{whole}^" if whole else ""


def _add_patient(dataset: Dataset, exam: Exam) -> None:
    patient = exam.patient
    dataset.PatientID = patient_id(patient.code)
    dataset.PatientName = person_name(patient.name)
    dataset.PatientBirthDate = ""
    dataset.PatientSex = "" if patient.gender is None else SEX[patient.gender]
    if patient.age_years is not None:
        dataset.PatientAge = f"{patient.age_years:03d}Y"
    if patient.family_history is not FamilyHistory.UNKNOWN:
        dataset.AdditionalPatientHistory = f"Breast cancer in the family: {patient.family_history.value}"


def _add_study(dataset: Dataset, exam: Exam) -> None:
    dataset.StudyInstanceUID = exam.uid
    zone = zone_of(exam)
    dataset.StudyDate, dataset.StudyTime = date_and_time(exam.started_at, zone)
    dataset.StudyID = exam.started_at.astimezone(zone).strftime("%Y%m%d%H%M")
    dataset.StudyDescription = "TRAINING, phantom, no patient" if exam.training else "Breast ultrasound"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""


def _add_series(dataset: Dataset, exam: Exam, series: SeriesKind) -> None:
    dataset.SeriesInstanceUID = series.uid(exam)
    dataset.SeriesNumber = series.number
    dataset.SeriesDescription = series.description
    dataset.Modality = series.modality
    dataset.SeriesDate, dataset.SeriesTime = date_and_time(exam.started_at, zone_of(exam))
    if series.modality != "SR":
        dataset.BodyPartExamined = "BREAST"
        dataset.OperatorsName = person_name(exam.operator)


def _add_equipment(dataset: Dataset, device: DeviceIdentity) -> None:
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL
    dataset.DeviceSerialNumber = one_line(device.serial)
    dataset.StationName = one_line(device.station, SHORT_STRING)
    dataset.SoftwareVersions = one_line(device.software)
    if device.site:
        dataset.InstitutionName = one_line(device.site)
