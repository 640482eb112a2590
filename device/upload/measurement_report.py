"""What the model found and what the clinician judged, as a measurement report that other programs can read.

One report an exam, by DICOM's template 1500 (PS3.16): a group of measurements for every view, and one for the exam.
Groups that the model made name it (algorithm, version); groups without an algorithm are the clinician's own: the
callipers and the BI-RADS category. An addendum makes a new report that names its predecessor, because an instance that
the clinic has must never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pydicom import Dataset, FileDataset
from pydicom.uid import ComprehensiveSRStorage, UltrasoundImageStorage

from device.capture.frame import Point
from device.inference.finding import CLASSES, Lesion
from device.records.exam import Exam, FamilyHistory, View
from device.records.uids import REPORT, derived_uid
from device.upload import report_codes as codes
from device.upload import report_items as items
from device.upload.attributes import (
    CLOCK_UNVERIFIED,
    DISCLAIMER,
    IMAGES,
    REPORTS,
    SeriesKind,
    free_text,
    new_object,
    one_line,
    person_name,
    sop_reference,
)
from device.upload.identity import MANUFACTURER, MODEL, DeviceIdentity
from device.upload.report_items import Code, Relation

_PLANAR = "1410"
_PLAIN = "1501"
"""Templates of a measurement group: with an outline on the image, and without."""


def report_uid(exam: Exam, revision: int) -> str:
    """SOP Instance UID of the report with the first ``revision`` addenda."""
    first = exam.views[0].derived_uids[REPORT]
    return first if revision == 0 else derived_uid(first, f"revision/{revision}")


def measurement_report(exam: Exam, device: DeviceIdentity) -> FileDataset:
    """The report of a final exam, with the addenda that it has, as Comprehensive SR Storage.

    Args:
        exam: An exam with at least one view.
        device: What made it.
    """
    revision = len(exam.addenda)
    uid = report_uid(exam, revision)
    dataset = new_object(exam, device, REPORTS, ComprehensiveSRStorage, uid, revision + 1, _made_at(exam))
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.PreliminaryFlag = "PRELIMINARY"
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = [codes.ULTRASOUND_OF_BREAST.item()]
    dataset.CodingSchemeIdentificationSequence = [_own_coding_scheme()]
    images = [sop_reference(UltrasoundImageStorage, view.uid) for view in exam.views]
    dataset.CurrentRequestedProcedureEvidenceSequence = [_in_study(exam, IMAGES, images)]
    if revision:
        old = sop_reference(ComprehensiveSRStorage, report_uid(exam, revision - 1))
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
        groups.extend(_view_groups(view, number))
    groups.extend(_exam_group(exam))
    return items.container(
        None,
        codes.REPORT_TITLE,
        [
            items.code(Relation.MODIFIES, codes.LANGUAGE, codes.ENGLISH),
            *_observers(exam, device),
            items.code(Relation.MODIFIES, codes.PROCEDURE_REPORTED, codes.ULTRASOUND_OF_BREAST),
            items.container(Relation.CONTAINS, codes.IMAGING_MEASUREMENTS, groups),
            *(items.text(Relation.CONTAINS, codes.COMMENT, free_text(remark)) for remark in _remarks(exam)),
        ],
        template="1500",
    )


def _remarks(exam: Exam) -> list[str]:
    """Everything said in words: the disclaimer first, then notes and addenda with their authors."""
    remarks = [DISCLAIMER]
    if not exam.clock_trusted:
        remarks.append(CLOCK_UNVERIFIED)
    remarks += [f"View {number}: {view.note}" for number, view in enumerate(exam.views, start=1) if view.note.strip()]
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


def _view_groups(view: View, number: int) -> list[Dataset]:
    """The model's groups of one view, then one for each of the clinician's callipers."""
    lesion = view.finding.lesion
    groups = [_model_group(view, number)] if lesion is None else _lesion_groups(view, lesion, number)
    for index, calliper in enumerate(view.callipers, start=1):
        ends = (calliper.start, calliper.end)
        length = _length(codes.DISTANCE, calliper.length_px, calliper.length_mm, view, ends)
        tracking = _tracking(view, f"View {number}, calliper {index}", f"calliper/{index}")
        groups.append(_group(_PLAIN, [*tracking, _site(view), length]))
    return groups


def _model_group(view: View, number: int) -> Dataset:
    """What the model says of a view in which it outlined nothing."""
    image = items.picture(Relation.CONTAINS, codes.SOURCE_OF_MEASUREMENT, UltrasoundImageStorage, view.uid)
    tracking = _tracking(view, f"View {number}", "view")
    return _group(_PLAIN, [*tracking, _site(view), *_algorithm(view), *_probabilities(view), *_assessment(view), image])


def _lesion_groups(view: View, lesion: Lesion, number: int) -> list[Dataset]:
    """What the model says of a view with the outline on the image, then the long axis with its two ends."""
    finding = items.code(Relation.CONTAINS, codes.FINDING, codes.LESION)
    closed = (*lesion.contour, lesion.contour[0])
    outlined = [
        *_tracking(view, f"View {number}, lesion", "lesion"),
        finding,
        _site(view),
        *_algorithm(view),
        _length(codes.LONG_AXIS, lesion.long_axis_px, lesion.long_axis_mm),
        *_probabilities(view),
        *_assessment(view),
        items.polyline(Relation.CONTAINS, codes.IMAGE_REGION, closed, _source(view)),
    ]
    measured = [
        *_tracking(view, f"View {number}, long axis", "long-axis"),
        finding,
        _site(view),
        *_algorithm(view),
        _length(codes.LONG_AXIS, lesion.long_axis_px, lesion.long_axis_mm, view, lesion.long_axis),
    ]
    return [_group(_PLANAR, outlined), _group(_PLAIN, measured)]


def _exam_group(exam: Exam) -> list[Dataset]:
    """The clinician's BI-RADS category and the family history, as far as they were given."""
    said = []
    if exam.birads is not None:
        said.append(items.code(Relation.CONTAINS, codes.ASSESSMENT_CATEGORY, codes.BIRADS[exam.birads]))
    history = exam.patient.family_history
    if history is not FamilyHistory.UNKNOWN:
        said.append(items.code(Relation.CONTAINS, codes.FAMILY_HISTORY, codes.YES_NO[history]))
    if not said:
        return []
    images = [
        items.picture(Relation.CONTAINS, codes.SOURCE_OF_MEASUREMENT, UltrasoundImageStorage, view.uid)
        for view in exam.views
    ]
    identifier = items.text(Relation.CONTEXT, codes.TRACKING_IDENTIFIER, "Exam")
    unique = items.uid(Relation.CONTEXT, codes.TRACKING_UID, derived_uid(exam.uid, "tracking/exam"))
    return [_group(_PLAIN, [identifier, unique, *said, *images])]


def _group(template: str, children: Iterable[Dataset]) -> Dataset:
    return items.container(Relation.CONTAINS, codes.MEASUREMENT_GROUP, children, template)


def _tracking(view: View, identifier: str, role: str) -> list[Dataset]:
    return [
        items.text(Relation.CONTEXT, codes.TRACKING_IDENTIFIER, identifier),
        items.uid(Relation.CONTEXT, codes.TRACKING_UID, derived_uid(view.uid, f"tracking/{role}")),
    ]


def _site(view: View) -> Dataset:
    """Breast, side and clock position, as far as they were given."""
    where = []
    if view.laterality is not None:
        where.append(items.code(Relation.MODIFIES, codes.LATERALITY, codes.SIDE[view.laterality]))
    if view.clock_position is not None:
        clock = codes.CLOCK[view.clock_position]
        where.append(items.code(Relation.MODIFIES, codes.TOPOGRAPHICAL_MODIFIER, clock))
    return items.code(Relation.MODIFIES, codes.FINDING_SITE, codes.BREAST, where)


def _algorithm(view: View) -> list[Dataset]:
    """The model by name and version, and that it is artificial intelligence (template 4019)."""
    name, _, version = view.finding.model.partition("@")
    return [
        items.text(Relation.MODIFIES, codes.ALGORITHM_NAME, free_text(name)),
        items.text(Relation.MODIFIES, codes.ALGORITHM_VERSION, free_text(version) or "unknown"),
        items.text(Relation.MODIFIES, codes.ALGORITHM_MANUFACTURER, MANUFACTURER),
        items.code(Relation.MODIFIES, codes.ALGORITHM_FAMILY, codes.ARTIFICIAL_INTELLIGENCE),
    ]


def _assessment(view: View) -> list[Dataset]:
    finding = view.finding
    said = [items.code(Relation.CONTAINS, codes.MODEL_ASSESSMENT, codes.ASSESSMENT[finding.assessment])]
    if finding.reason is not None:
        said.append(items.code(Relation.CONTAINS, codes.MODEL_REASON, codes.reason(finding.reason.value)))
    return said


def _probabilities(view: View) -> list[Dataset]:
    """The calibrated probabilities, in per cent."""
    given = view.finding.probabilities
    if given is None:
        return []
    return [
        items.number(Relation.CONTAINS, codes.PROBABILITY[name], 100.0 * given[name], codes.PERCENT) for name in CLASSES
    ]


def _length(
    name: Code, pixels: float, mm: float | None, view: View | None = None, ends: Sequence[Point] = ()
) -> Dataset:
    """A length in millimetres where the scale is known, else in pixels and said so; with its ends where given."""
    value, unit = (pixels, codes.PIXEL) if mm is None else (mm, codes.MILLIMETRE)
    line = []
    if view is not None:
        line = [items.polyline(Relation.INFERRED_FROM, codes.SOURCE, ends, _source(view))]
    return items.number(Relation.CONTAINS, name, value, unit, line)


def _source(view: View) -> Dataset:
    return items.picture(Relation.SELECTED_FROM, codes.SOURCE, UltrasoundImageStorage, view.uid)
