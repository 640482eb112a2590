# SPDX-License-Identifier: Apache-2.0
"""What the model found and what the clinician judged, as a measurement report that other programs can read.

One report an exam, by DICOM's template 1500 (PS3.16), as IHE's profile AI Results wants it: Comprehensive 3D SR, groups
of measurements for every view (``report_groups``) and for every lesion (``lesion_report``), each with coordinates, and
what concerns the exam as a whole among the qualitative evaluations. Groups that the model made name it (algorithm,
version); groups without an algorithm are the clinician's own. An addendum makes a new report that names its
predecessor, because an instance that the clinic has must never change.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydicom import Dataset, FileDataset
from pydicom.uid import Comprehensive3DSRStorage, UltrasoundImageStorage

from device.dicom import lesion_codes
from device.dicom import report_codes as codes
from device.dicom import report_items as items
from device.dicom.attributes import (
    CLOCK_UNVERIFIED,
    DISCLAIMER,
    IMAGES,
    PHANTOM,
    REPORTS,
    SeriesKind,
    free_text,
    new_object,
    one_line,
    person_name,
    sop_reference,
)
from device.dicom.identity import MANUFACTURER, MODEL, DeviceIdentity
from device.dicom.lesion_report import lesion_evaluations, lesion_groups
from device.dicom.report_groups import view_groups
from device.dicom.report_items import Relation
from device.records.exam import Exam, FamilyHistory
from device.records.uids import REPORT, derived_uid


def report_uid(exam: Exam, revision: int) -> str:
    """SOP Instance UID of the report with the first ``revision`` addenda."""
    first = exam.views[0].derived_uids[REPORT]
    return first if revision == 0 else derived_uid(first, f"revision/{revision}")


def measurement_report(exam: Exam, device: DeviceIdentity) -> FileDataset:
    """The report of a final exam, with the addenda that it has, as Comprehensive 3D SR Storage.

    Args:
        exam: An exam with at least one view.
        device: What made it.
    """
    revision = len(exam.addenda)
    uid = report_uid(exam, revision)
    dataset = new_object(exam, device, REPORTS, Comprehensive3DSRStorage, uid, revision + 1, _made_at(exam))
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.PreliminaryFlag = "PRELIMINARY"
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = [codes.ULTRASOUND_OF_BREAST.item()]
    dataset.CodingSchemeIdentificationSequence = [_own_coding_scheme()]
    images = [sop_reference(UltrasoundImageStorage, view.uid) for view in exam.views]
    dataset.CurrentRequestedProcedureEvidenceSequence = [_in_study(exam, IMAGES, images)]
    if revision:
        old = sop_reference(Comprehensive3DSRStorage, report_uid(exam, revision - 1))
        dataset.PredecessorDocumentsSequence = [_in_study(exam, REPORTS, [old])]
    dataset.update(_content(exam, device))
    return dataset


def _own_coding_scheme() -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator = codes.SCHEME
    item.CodingSchemeUID = codes.SCHEME_UID
    item.CodingSchemeName = codes.SCHEME_NAME
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item


def _in_study(exam: Exam, series: SeriesKind, references: list[Dataset]) -> Dataset:
    """References to instances of this study, in the hierarchy that SR documents want (PS3.3, table C.17-3)."""
    inner = Dataset()
    inner.SeriesInstanceUID = series.uid(exam)
    inner.ReferencedSOPSequence = references
    outer = Dataset()
    outer.StudyInstanceUID = exam.uid
    outer.ReferencedSeriesSequence = [inner]
    return outer


def _made_at(exam: Exam) -> datetime:
    if exam.addenda:
        return exam.addenda[-1].written_at
    return exam.finalised_at or exam.started_at


def _content(exam: Exam, device: DeviceIdentity) -> Dataset:
    """The content tree: who observed, the groups of measurements, then the words."""
    groups: list[Dataset] = []
    for number, view in enumerate(exam.views, start=1):
        groups.extend(view_groups(view, number))
    groups.extend(lesion_groups(exam))
    evaluations = [*lesion_evaluations(exam), *_exam_evaluations(exam)]
    return items.container(
        None,
        codes.REPORT_TITLE,
        [
            items.code(Relation.MODIFIES, codes.LANGUAGE, codes.ENGLISH),
            *_observers(exam, device),
            items.code(Relation.MODIFIES, codes.PROCEDURE_REPORTED, codes.ULTRASOUND_OF_BREAST),
            _image_library(exam),
            items.container(Relation.CONTAINS, codes.IMAGING_MEASUREMENTS, groups),
            *([items.container(Relation.CONTAINS, codes.QUALITATIVE_EVALUATIONS, evaluations)] if evaluations else []),
            *(items.text(Relation.CONTAINS, codes.COMMENT, free_text(remark)) for remark in _remarks(exam)),
        ],
        template="1500",
    )


def _remarks(exam: Exam) -> list[str]:
    """Everything said in words: the disclaimer first, then notes and addenda with their authors."""
    remarks = [DISCLAIMER]
    if not exam.clock_trusted:
        remarks.append(CLOCK_UNVERIFIED)
    remarks += [f"View {number}: {PHANTOM}" for number, view in enumerate(exam.views, start=1) if view.phantom]
    remarks += [f"View {number}: {view.note}" for number, view in enumerate(exam.views, start=1) if view.note.strip()]
    remarks += [f"Lesion {number}: {one.note}" for number, one in enumerate(exam.lesions, start=1) if one.note.strip()]
    if exam.note.strip():
        remarks.append(f"Exam: {exam.note}")
    for addendum in exam.addenda:
        written = addendum.written_at.astimezone(UTC)
        remarks.append(f"Addendum by {addendum.author}, {written:%Y-%m-%d %H:%M} UTC: {addendum.text}")
    return remarks


def _observers(exam: Exam, device: DeviceIdentity) -> list[Dataset]:
    """The operator, where there was one signed in, and the device (templates 1002 to 1004)."""
    found: list[Dataset] = []
    operator = person_name(exam.operator)
    if operator:
        found.append(items.code(Relation.CONTEXT, codes.OBSERVER_TYPE, codes.PERSON))
        found.append(items.person(Relation.CONTEXT, codes.PERSON_NAME, operator))
    found.append(items.code(Relation.CONTEXT, codes.OBSERVER_TYPE, codes.DEVICE))
    found.append(items.uid(Relation.CONTEXT, codes.DEVICE_UID, device.uid))
    described = (
        (codes.DEVICE_NAME, device.station),
        (codes.DEVICE_MANUFACTURER, MANUFACTURER),
        (codes.DEVICE_MODEL, MODEL),
        (codes.DEVICE_SERIAL, device.serial),
        (codes.DEVICE_PLACE, device.site),
    )
    return found + [items.text(Relation.CONTEXT, name, one_line(value)) for name, value in described if value]


def _image_library(exam: Exam) -> Dataset:
    """The images that the report is of (template 1600); some viewers read no report without it."""
    modality = items.code(Relation.ACQUISITION, codes.MODALITY, codes.ULTRASOUND)
    images = [items.picture(Relation.CONTAINS, None, UltrasoundImageStorage, view.uid) for view in exam.views]
    group = items.container(Relation.CONTAINS, codes.IMAGE_LIBRARY_GROUP, [modality, *images])
    return items.container(Relation.CONTAINS, codes.IMAGE_LIBRARY, [group], "1600")


def _exam_evaluations(exam: Exam) -> list[Dataset]:
    """What concerns the exam as a whole; outside of the measurements, where viewers expect coordinates.

    The category stands last, so that software which takes the last one of a report takes that of the exam.
    """
    said = []
    history = exam.patient.family_history
    if history is not FamilyHistory.UNKNOWN:
        said.append(items.code(Relation.CONTAINS, codes.FAMILY_HISTORY, codes.YES_NO[history]))
    if exam.echotexture is not None:
        value = lesion_codes.ECHOTEXTURES[exam.echotexture]
        said.append(items.code(Relation.CONTAINS, lesion_codes.ECHOTEXTURE, value))
    if exam.birads is not None:
        category = codes.birads(exam.birads, exam.birads_edition)
        said.append(items.code(Relation.CONTAINS, codes.ASSESSMENT_CATEGORY, category))
    return said
