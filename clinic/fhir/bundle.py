# SPDX-License-Identifier: Apache-2.0
"""One transaction an exam and reading: everything in it or nothing, and again and again the same.

Every resource that can carry an identifier is created only where the server has none of that identifier
(``identifier=system|value``, always with the system), so a second try makes nothing twice. Nothing is updated: a later
reading makes a report of its own that names the former one. There is no ServiceRequest, because the exams of handhelds
are not ordered, and IHE RAD.IMR asks for none then (``basedOn`` 0..*).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import uuid
from typing import Final
from urllib.parse import quote

from clinic.fhir import codings, resources
from clinic.fhir.codings import Json, coding, concept
from clinic.fhir.document import TITLE, report_html, report_pdf
from clinic.fhir.facts import ExamFacts
from clinic.reading.lexicon import Edition, category_code
from device.dicom import report_codes
from device.errors import FontMissingError

DIAGNOSTIC_IMAGING: Final = coding(codings.SERVICE_SECTIONS, "RAD", "Radiology")
REPORT_CODE: Final = coding(codings.LOINC, "18748-4", "Diagnostic imaging study")
"""Not LOINC 10193-1, as HL7's breast radiology guide has it: that one is of physical findings, not of ultrasound."""

_NAMESPACE: Final = uuid.UUID("6f1c2f0e-0d0b-5d4e-9a52-3b8d1a0c7e55")


def transaction(facts: ExamFacts) -> Json:
    """The Bundle of one reading of one exam.

    Args:
        facts: What is said.
    """
    bundle = _Bundle(facts)
    refs = {
        "patient": bundle.add("patient", resources.patient(facts)),
        "organization": bundle.add("organization", resources.organization(facts)),
        "reader": bundle.add("reader", resources.reader(facts)),
        "handheld": bundle.add("handheld", resources.handheld(facts)),
    }
    refs["study"] = bundle.add("study", resources.imaging_study(facts, refs["patient"]))
    if facts.exam.model_name:
        refs["model"] = bundle.add("model", resources.model(facts))
    results = [bundle.add("assessment", resources.assessment(facts, refs))]
    for role, said in (
        ("clinician", resources.clinician(facts, refs)),
        ("family", resources.family_history(facts, refs)),
    ):
        if said is not None:
            results.append(bundle.add(role, said))
    results += _view_results(facts, bundle, refs)
    report = bundle.add("report", diagnostic_report(facts, refs, results))
    bundle.add("provenance", resources.provenance(facts, refs, [report, results[0]]))
    return {"resourceType": "Bundle", "type": "transaction", "entry": bundle.entries}


def diagnostic_report(facts: ExamFacts, refs: dict[str, str], results: list[str]) -> Json:
    """The report: the reader's conclusion, what it rests on, and the page to read, as HTML and PDF."""
    reading = facts.reading
    assert reading.decided_at is not None  # noqa: S101 - for the type checker, only decided ones come here
    category = category_code(str(reading.category), Edition(reading.edition))
    decided = reading.decided_at.isoformat(timespec="seconds")
    made: Json = {
        "resourceType": "DiagnosticReport",
        "identifier": [report_identifier(facts)],
        "status": "final" if facts.supersedes is None else "amended",
        "category": [{"coding": [DIAGNOSTIC_IMAGING]}],
        "code": concept(report_codes.ULTRASOUND_OF_BREAST, REPORT_CODE) | {"text": TITLE},
        "subject": {"reference": refs["patient"]},
        "effectiveDateTime": facts.exam.started_at.isoformat(timespec="seconds"),
        "issued": decided,
        "performer": [{"reference": refs["organization"]}],
        "resultsInterpreter": [{"reference": refs["reader"]}],
        "imagingStudy": [{"reference": refs["study"]}],
        "result": [{"reference": result} for result in results],
        "conclusionCode": [concept(category)],
        "presentedForm": [_attachment("text/html", report_html(facts), decided)],
    }
    if reading.note.strip():
        made["conclusion"] = reading.note
    with contextlib.suppress(FontMissingError):  # on a server without fonts, the page says the same
        made["presentedForm"].append(_attachment("application/pdf", report_pdf(facts), decided))
    return made


def report_identifier(facts: ExamFacts) -> Json:
    """The report's identifier: the UID of the very same reading's DICOM report."""
    return codings.uid_identifier(facts.reading.report_uid)


def search_for(identifier: Json) -> str:
    """The search that finds a resource by an identifier, system included."""
    return "identifier=" + quote(f"{identifier['system']}|{identifier['value']}", safe="")


def _view_results(facts: ExamFacts, bundle: _Bundle, refs: dict[str, str]) -> list[str]:
    made = []
    for view in facts.content.views:
        if view.finding is not None and "model" in refs:
            said = resources.model_result(facts, view, view.finding, refs)
            made.append(bundle.add(f"model/{view.sop_uid}", said))
        for number, line in enumerate(view.callipers):
            if line.unit == "mm":
                said = resources.calliper(facts, view, number, line.length, refs)
                made.append(bundle.add(f"calliper/{view.sop_uid}/{number}", said))
        for own in facts.callipers:
            if own.sop_uid == view.sop_uid and own.unit == "mm":
                made.append(bundle.add(f"calliper/{own.id}", resources.reader_calliper(facts, view, own, refs)))
    return made


def _attachment(kind: str, content: bytes, created: str) -> Json:
    digest = hashlib.sha1(content, usedforsecurity=False).digest()  # R4 asks for this hash and no other
    return {
        "contentType": kind,
        "language": "en",
        "data": base64.b64encode(content).decode(),
        "size": len(content),
        "hash": base64.b64encode(digest).decode(),
        "title": TITLE,
        "creation": created,
    }


class _Bundle:
    """Collects entries, and gives each a URL by which the others refer to it."""

    def __init__(self, facts: ExamFacts) -> None:
        self._facts = facts
        self.entries: list[Json] = []

    def add(self, role: str, resource: Json) -> str:
        """Add an entry; its full URL."""
        url = f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{self._facts.reading.report_uid}/{role}')}"
        request: Json = {"method": "POST", "url": resource["resourceType"]}
        if identifiers := resource.get("identifier"):
            request["ifNoneExist"] = search_for(identifiers[0])
        self.entries.append({"fullUrl": url, "resource": resource, "request": request})
        return url
