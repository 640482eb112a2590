# SPDX-License-Identifier: Apache-2.0
"""A reader's reading as a report in the archive: template 1500 as Comprehensive 3D SR, in a series of its own author.

A viewer shows the last report of a series, so every reader has a series, or one would hide the other. Each picture that
was read gets a group with coordinates (the calibrated region, else the whole picture): viewers stumble over groups
without. What concerns the exam as a whole stands in the qualitative evaluations. The same reading gives the same UIDs
and times whenever it is built, so storing it again is storing it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Final

import highdicom as hd
import numpy as np
from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    Comprehensive3DSR,
    ContainerContentItem,
    CoordinatesForMeasurement,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom import Dataset

from clinic.archive.content import ExamContent, ViewContent
from clinic.archive.study import CLINIC_MODEL
from clinic.reading.lexicon import ADVICE_CODES, DESCRIPTORS, KINDS, Advice, Edition, category_code
from clinic.store.schema import ReaderCalliper, Reading
from device import __version__
from device.dicom import report_codes as codes
from device.dicom.attributes import DISCLAIMER, date_and_time, encode, free_text, one_line, person_name
from device.dicom.identity import MANUFACTURER
from device.dicom.report_items import Code
from device.records.exam import Laterality
from device.records.uids import derived_uid

QUALITATIVE_EVALUATIONS: Final = Code("C0034375", "UMLS", "Qualitative Evaluations")
RECOMMENDED_FOLLOW_UP: Final = Code("111053", "DCM", "Recommended Follow-up")
BLIND_CATEGORY: Final = Code("blind-category", codes.SCHEME, "Category before the model's result was shown")
_SERIES_NUMBER: Final = 100


def reader_report(
    pictures: Sequence[Dataset],
    content: ExamContent,
    reading: Reading,
    clinic: str,
    callipers: Sequence[ReaderCalliper] = (),
) -> bytes:
    """The report of a decided reading.

    Args:
        pictures: Metadata of the exam's pictures, from the archive.
        content: What the index knows of them.
        reading: What was decided.
        clinic: Name of the clinic.
        callipers: What this reader has measured, in order.

    Returns:
        The DICOM file.

    Raises:
        ValueError: The reading is not decided, or none of the pictures is there.
    """
    if reading.decided_at is None or reading.category is None:
        raise ValueError("only a decided reading has a report")
    by_uid = {str(picture.SOPInstanceUID): picture for picture in pictures}
    read = [(view, by_uid[view.sop_uid]) for view in content.views if view.sop_uid in by_uid]
    if not read:
        raise ValueError("an exam without pictures has no report")
    evidence = [picture for _, picture in read]
    groups = [_group(view, picture, reading) for view, picture in read]
    groups += [
        _measured(line, number, view, picture)
        for view, picture in read
        for number, line in enumerate((line for line in callipers if line.sop_uid == view.sop_uid), start=1)
    ]
    report = MeasurementReport(
        observation_context=_observer(reading, clinic),
        procedure_reported=_concept(codes.ULTRASOUND_OF_BREAST),
        imaging_measurements=groups,
        title=_concept(codes.REPORT_TITLE),
        referenced_images=evidence,
    )
    root = report[0]
    root.ContentSequence.append(_evaluations(reading))
    document = _document(evidence, root, reading, clinic)
    _finish(document, reading)
    return encode(document)


def _document(evidence: Sequence[Dataset], root: Dataset, reading: Reading, clinic: str) -> Comprehensive3DSR:
    """The object around the content: which series it is in, who has verified it, what made it."""
    study_uid = str(evidence[0].StudyInstanceUID)
    return Comprehensive3DSR(
        evidence=evidence,
        content=root,
        series_instance_uid=derived_uid(study_uid, f"series/reader/{reading.reader_id}"),
        series_number=_SERIES_NUMBER + (reading.stage or 0),
        sop_instance_uid=reading.report_uid,
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=True,
        is_verified=True,
        institution_name=one_line(clinic),
        verifying_observer_name=person_name(reading.reader.display_name),
        verifying_organization=one_line(clinic),
        performed_procedure_codes=[_concept(codes.ULTRASOUND_OF_BREAST)],
        manufacturer_model_name=CLINIC_MODEL,
        device_serial_number="clinic",
        software_versions=__version__,
    )


def _finish(document: Dataset, reading: Reading) -> None:
    """What the library fills in from the clock is set to when the reading was decided."""
    assert reading.decided_at is not None  # noqa: S101 - for the type checker, the caller has looked
    day, time = date_and_time(reading.decided_at, UTC)
    document.SeriesDescription = "Reader's report"
    document.TimezoneOffsetFromUTC = "+0000"
    document.ContentDate = document.SeriesDate = document.InstanceCreationDate = day
    document.ContentTime = document.SeriesTime = document.InstanceCreationTime = time
    for observer in document.VerifyingObserverSequence:
        observer.VerificationDateTime = day + time
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeUID = codes.SCHEME, codes.SCHEME_UID
    scheme.CodingSchemeName, scheme.CodingSchemeResponsibleOrganization = codes.SCHEME_NAME, MANUFACTURER
    document.CodingSchemeIdentificationSequence = [scheme]
    document.SpecificCharacterSet = "ISO_IR 192"


def _observer(reading: Reading, clinic: str) -> ObservationContext:
    person = PersonObserverIdentifyingAttributes(
        name=person_name(reading.reader.display_name), organization_name=one_line(clinic) or None
    )
    return ObservationContext(ObserverContext(_concept(codes.PERSON), person))


def _group(view: ViewContent, picture: Dataset, reading: Reading) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    """One picture that was read, with where it was looked at."""
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=derived_uid(view.sop_uid, f"tracking/reading/{reading.report_uid}"),
            identifier=f"View {view.number}, read",
        ),
        referenced_region=ImageRegion("POLYLINE", _border(view), SourceImageForRegion.from_source_image(picture)),
        finding_sites=[_site(view)],
        qualitative_evaluations=[
            QualitativeEvaluation(_concept(codes.ASSESSMENT_CATEGORY), _category(str(reading.category), reading)),
            *(
                QualitativeEvaluation(_concept(KINDS[kind]), _concept(DESCRIPTORS[kind][value]))
                for kind, value in reading.descriptors.items()
            ),
        ],
    )


def _measured(
    line: ReaderCalliper, number: int, view: ViewContent, picture: Dataset
) -> MeasurementsAndQualitativeEvaluations:
    """A line that the reader has measured, with its two ends (template 1501)."""
    unit = codes.MILLIMETRE if line.unit == "mm" else codes.PIXEL
    source = SourceImageForRegion.from_source_image(picture)
    ends = np.array([(line.x0, line.y0), (line.x1, line.y1)], dtype=np.float64)
    distance = Measurement(
        _concept(codes.DISTANCE),
        round(line.length, 4),
        _concept(unit),
        referenced_coordinates=[CoordinatesForMeasurement("POLYLINE", ends, source)],
    )
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=derived_uid(view.sop_uid, f"tracking/calliper/{line.id}"),
            identifier=f"View {view.number}, reader's calliper {number}",
        ),
        finding_sites=[_site(view)],
        measurements=[distance],
    )


def _site(view: ViewContent) -> FindingSite:
    """Where in which breast."""
    side = {"L": codes.SIDE[Laterality.LEFT], "R": codes.SIDE[Laterality.RIGHT]}.get(view.laterality)
    return FindingSite(
        _concept(codes.BREAST),
        laterality=None if side is None else _concept(side),
        topographical_modifier=None if view.clock is None else _concept(codes.CLOCK[view.clock]),
    )


def _border(view: ViewContent) -> np.ndarray:
    """The closed border of what was looked at, (5, 2): the largest calibrated region, else the whole picture."""
    if view.regions:
        region = view.regions[-1]
        x0, y0, x1, y1 = region.x0, region.y0, region.x1 + 1, region.y1 + 1
    else:
        x0, y0, x1, y1 = 0, 0, view.columns, view.rows
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
    return np.array(corners, dtype=np.float64)


def _evaluations(reading: Reading) -> ContainerContentItem:
    """What concerns the exam as a whole."""
    said = [
        _code(codes.ASSESSMENT_CATEGORY, _category(str(reading.category), reading)),
        _code(BLIND_CATEGORY, _category(reading.blind_category, reading)),
        _code(RECOMMENDED_FOLLOW_UP, _concept(ADVICE_CODES[Advice(str(reading.advice))])),
    ]
    for words in (DISCLAIMER, reading.note, reading.blind_note if reading.blind_note != reading.note else ""):
        if words.strip():
            said.append(
                TextContentItem(_concept(codes.COMMENT), free_text(words), hd.sr.RelationshipTypeValues.CONTAINS)
            )
    container = ContainerContentItem(
        _concept(QUALITATIVE_EVALUATIONS), relationship_type=hd.sr.RelationshipTypeValues.CONTAINS
    )
    container.ContentSequence = hd.sr.ContentSequence(said)
    return container


def _category(category: str, reading: Reading) -> CodedConcept:
    return _concept(category_code(category, Edition(reading.edition)))


def _code(name: Code, value: CodedConcept) -> CodeContentItem:
    return CodeContentItem(_concept(name), value, hd.sr.RelationshipTypeValues.CONTAINS)


def _concept(code: Code) -> CodedConcept:
    return CodedConcept(code.value, code.scheme, code.meaning)
