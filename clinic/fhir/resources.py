# SPDX-License-Identifier: Apache-2.0
"""The resources of one exam, each as R4 wants it. References are full URLs of the same transaction.

Nothing here invents: what the index does not know is left out, and a model's word is an Observation by a Device with
a note that it is no diagnosis, never part of the conclusion.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from clinic.archive.content import ModelFinding, ViewContent
from clinic.fhir import codings
from clinic.fhir.codings import Json, coding, concept
from clinic.fhir.facts import ExamFacts
from clinic.reading.lexicon import ADVICE_CODES, DESCRIPTORS, KINDS, Advice, Edition, category_code
from clinic.reading.report import BLIND_CATEGORY, RECOMMENDED_FOLLOW_UP
from clinic.store.schema import ReaderCalliper
from device.dicom import report_codes
from device.dicom.attributes import DISCLAIMER
from device.dicom.identity import MANUFACTURER, MODEL
from device.inference.finding import ModelResult

_GENDERS: Final = {"F": "female", "M": "male", "O": "other"}
_IMAGING: Final = {"coding": [coding(codings.CATEGORIES, "imaging", "Imaging")]}
_EXAM: Final = {"coding": [coding(codings.CATEGORIES, "exam", "Exam")]}
_HISTORY: Final = {"coding": [coding(codings.CATEGORIES, "social-history", "Social History")]}
_PROCEDURE: Final = report_codes.ULTRASOUND_OF_BREAST


def patient(facts: ExamFacts) -> Json:
    """The patient by the code that she has at this clinic; a code alone is enough."""
    exam = facts.exam
    made: Json = {
        "resourceType": "Patient",
        "identifier": [{"system": facts.origin.patients, "value": exam.patient_code or exam.study_uid}],
    }
    if exam.patient_name:
        made["name"] = [{"text": exam.patient_name}]
    if exam.patient_sex in _GENDERS:
        made["gender"] = _GENDERS[exam.patient_sex]
    return made


def organization(facts: ExamFacts) -> Json:
    """The clinic."""
    identifier = {"system": codings.URI, "value": facts.origin.patients}
    return {"resourceType": "Organization", "identifier": [identifier], "name": facts.origin.clinic}


def reader(facts: ExamFacts) -> Json:
    """Who has read."""
    account = facts.reading.reader
    identifier = {"system": facts.origin.patients, "value": f"reader/{account.id}"}
    return {"resourceType": "Practitioner", "identifier": [identifier], "name": [{"text": account.display_name}]}


def handheld(facts: ExamFacts) -> Json:
    """The device that the exam was made with."""
    exam = facts.exam
    value = exam.serial or exam.station or "unknown"
    made: Json = {
        "resourceType": "Device",
        "identifier": [{"system": facts.origin.patients, "value": f"device/{value}"}],
        "manufacturer": MANUFACTURER,
        "deviceName": [{"name": MODEL, "type": "model-name"}],
    }
    if exam.serial:
        made["serialNumber"] = exam.serial
    return made


def model(facts: ExamFacts) -> Json:
    """The model, which is software and no reader."""
    name, _, version = facts.exam.model_name.partition("@")
    return {
        "resourceType": "Device",
        "identifier": [{"system": facts.origin.patients, "value": f"model/{facts.exam.model_name}"}],
        "deviceName": [{"name": name or "unknown", "type": "model-name"}],
        "version": [{"value": version or "unknown"}],
        "type": concept(report_codes.ARTIFICIAL_INTELLIGENCE),
        "note": [{"text": DISCLAIMER}],
    }


def imaging_study(facts: ExamFacts, who: str) -> Json:
    """The study, with every instance that the archive has."""
    exam = facts.exam
    series = [
        {
            "uid": uid,
            "modality": coding(codings.DCM, instances[0].modality, instances[0].modality),
            "numberOfInstances": len(instances),
            "instance": [
                {"uid": one.sop_uid, "sopClass": {"system": codings.URI, "code": f"urn:oid:{one.sop_class}"}}
                for one in instances
            ],
        }
        for uid, group in groupby(facts.instances, key=lambda one: one.series_uid)
        if (instances := list(group))
    ]
    made: Json = {
        "resourceType": "ImagingStudy",
        "identifier": [codings.study_identifier(exam.study_uid)],
        "status": "available",
        "subject": {"reference": who},
        "started": exam.started_at.isoformat(timespec="seconds"),
        "modality": [coding(codings.DCM, "US", "Ultrasound")],
        "procedureCode": [concept(_PROCEDURE)],
        "numberOfSeries": len(series),
        "numberOfInstances": len(facts.instances),
    }
    return made | ({"series": series} if series else {})


def assessment(facts: ExamFacts, refs: dict[str, str]) -> Json:
    """The reader's assessment: the category, what it was before the model's result was shown, and the descriptors."""
    reading = facts.reading
    edition = Edition(reading.edition)
    components = [
        {
            "code": concept(BLIND_CATEGORY),
            "valueCodeableConcept": concept(category_code(reading.blind_category, edition)),
        },
        {
            "code": concept(RECOMMENDED_FOLLOW_UP),
            "valueCodeableConcept": concept(ADVICE_CODES[Advice(str(reading.advice))]),
        },
    ]
    for kind, value in reading.descriptors.items():
        name = concept(KINDS[kind])
        if kind in codings.ELEMENTS:
            name = codings.element(codings.ELEMENTS[kind], KINDS[kind])
        components.append({"code": name, "valueCodeableConcept": concept(DESCRIPTORS[kind][value])})
    said = _observation(facts, "assessment", _EXAM, codings.element(codings.ASSESSMENT), refs)
    said |= {
        "bodySite": codings.breast(_side(facts)),
        "valueCodeableConcept": concept(category_code(str(reading.category), edition)),
        "performer": [{"reference": refs["reader"]}],
        "component": components,
    }
    if reading.note.strip():
        said["note"] = [{"authorReference": {"reference": refs["reader"]}, "text": reading.note}]
    return said


def clinician(facts: ExamFacts, refs: dict[str, str]) -> Json | None:
    """The field clinician's own category, where there is one."""
    exam = facts.exam
    if exam.clinician_category is None:
        return None
    edition = Edition(exam.clinician_edition) if exam.clinician_edition in list(Edition) else Edition.FIFTH
    said = _observation(facts, "clinician", _EXAM, codings.element(codings.ASSESSMENT), refs, of_study=True)
    performer: Json = {"display": exam.operator} if exam.operator else {"reference": refs["organization"]}
    return said | {
        "bodySite": codings.breast(_side(facts)),
        "valueCodeableConcept": concept(category_code(exam.clinician_category, edition)),
        "performer": [performer],
        "note": [{"text": "Category of the clinician who made the exam."}],
    }


def model_result(facts: ExamFacts, view: ViewContent, finding: ModelFinding, refs: dict[str, str]) -> Json:
    """What the model said of one view; by a device, and never a diagnosis."""
    said = _observation(
        facts, f"model/{view.sop_uid}", _IMAGING, concept(report_codes.MODEL_RESULT), refs, of_study=True
    )
    said |= {
        "bodySite": codings.breast(view.laterality),
        "device": {"reference": refs["model"]},
        "performer": [{"reference": refs["organization"]}],
        "valueCodeableConcept": concept(report_codes.RESULT[ModelResult(finding.result)]),
        "note": [{"text": DISCLAIMER}],
    }
    components = [
        {"code": concept(report_codes.PROBABILITY[name]), "valueQuantity": codings.percent(share)}
        for name, share in finding.probabilities.items()
        if name in report_codes.PROBABILITY
    ]
    if view.clock is not None:
        site = {"code": concept(report_codes.TOPOGRAPHICAL_MODIFIER)}
        components.append(site | {"valueCodeableConcept": concept(report_codes.CLOCK[view.clock])})
    if finding.long_axis is not None and finding.long_axis.unit == "mm":
        length = codings.millimetres(finding.long_axis.length)
        components.append({"code": concept(report_codes.LONG_AXIS), "valueQuantity": length})
    return said | ({"component": components} if components else {})


def calliper(facts: ExamFacts, view: ViewContent, number: int, length: float, refs: dict[str, str]) -> Json:
    """A distance that the field clinician has measured, in millimetres; one in pixels says nothing to a record."""
    role = f"calliper/{view.sop_uid}/{number}"
    said = _observation(facts, role, _IMAGING, concept(report_codes.DISTANCE), refs, of_study=True)
    performer: Json = {"display": facts.exam.operator} if facts.exam.operator else {"reference": refs["organization"]}
    return said | {
        "bodySite": codings.breast(view.laterality),
        "performer": [performer],
        "valueQuantity": codings.millimetres(length),
    }


def reader_calliper(facts: ExamFacts, view: ViewContent, line: ReaderCalliper, refs: dict[str, str]) -> Json:
    """A distance that the reader has measured, in millimetres."""
    said = _observation(facts, f"calliper/{line.id}", _IMAGING, concept(report_codes.DISTANCE), refs)
    return said | {
        "bodySite": codings.breast(view.laterality),
        "performer": [{"reference": refs["reader"]}],
        "valueQuantity": codings.millimetres(line.length),
    }


def family_history(facts: ExamFacts, refs: dict[str, str]) -> Json | None:
    """Breast cancer in the family, where the patient has told."""
    answer = {value.value: code for value, code in report_codes.YES_NO.items()}.get(facts.exam.family_history)
    if answer is None:
        return None
    said = _observation(facts, "family", _HISTORY, concept(report_codes.FAMILY_HISTORY), refs, of_study=True)
    return said | {"performer": [{"reference": refs["organization"]}], "valueCodeableConcept": concept(answer)}


def provenance(facts: ExamFacts, refs: dict[str, str], targets: list[str]) -> Json:
    """Who has said it, with which software, and whose place it takes."""
    participants = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    made: Json = {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": _decided(facts),
        "agent": [
            {
                "type": {"coding": [coding(participants, "author", "Author")]},
                "who": {"reference": refs["reader"]},
                "onBehalfOf": {"reference": refs["organization"]},
            },
            {
                "type": {"coding": [coding(participants, "performer", "Performer")]},
                "who": {"reference": refs["handheld"]},
            },
        ],
        "entity": [{"role": "source", "what": {"reference": refs["study"]}}],
    }
    if facts.supersedes is not None:
        former = {"type": "DiagnosticReport", "identifier": codings.uid_identifier(facts.supersedes.report_uid)}
        made["entity"].append({"role": "revision", "what": former})
    return made


def _observation(
    facts: ExamFacts, role: str, category: Json, code: Json, refs: dict[str, str], *, of_study: bool = False
) -> Json:
    """What all have in common.

    Args:
        facts: The exam.
        role: Makes its identifier.
        category: Of what kind it is.
        code: What it says something about.
        refs: Full URLs.
        of_study: Whether it belongs to the exam and not to this reading.
    """
    uid = facts.study_part(role) if of_study else facts.uid(role)
    moment = facts.exam.started_at.isoformat(timespec="seconds") if of_study else _decided(facts)
    return {
        "resourceType": "Observation",
        "identifier": [codings.uid_identifier(uid)],
        "status": "final",
        "category": [category],
        "code": code,
        "subject": {"reference": refs["patient"]},
        "effectiveDateTime": moment,
        "derivedFrom": [{"reference": refs["study"]}],
    }


def _decided(facts: ExamFacts) -> str:
    assert facts.reading.decided_at is not None  # noqa: S101 - for the type checker, only decided ones come here
    return facts.reading.decided_at.isoformat(timespec="seconds")


def _side(facts: ExamFacts) -> str:
    """Which breast the exam as a whole is of; both, or none said, is just the breast."""
    sides = {view.laterality for view in facts.content.views}
    return sides.pop() if len(sides) == 1 else "U"
