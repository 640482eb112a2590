# SPDX-License-Identifier: Apache-2.0
"""Codes and names as FHIR writes them: the DICOM report's codes, moved over, and identifiers made of DICOM UIDs.

RadElement's numbers name *what* is said (assessment category, shape, margin, orientation), as HL7's breast radiology
guide asks; the values keep the codes of DICOM, and the BI-RADS categories, which are the ACR's property and have no
free codes, this project's own scheme. Clock positions are those of DICOM's CID 6018, which are SNOMED CT too.
"""

from __future__ import annotations

from typing import Any, Final

from device.dicom import report_codes
from device.dicom.report_items import Code

Json = dict[str, Any]

DICOM_UID: Final = "urn:dicom:uid"
URI: Final = "urn:ietf:rfc:3986"
SNOMED: Final = "http://snomed.info/sct"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
RADELEMENT: Final = "https://radelement.org"
CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
SERVICE_SECTIONS: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"

_SYSTEMS: Final = {
    "DCM": DCM,
    "SCT": SNOMED,
    "UCUM": UCUM,
    "LN": LOINC,
    "UMLS": "http://www.nlm.nih.gov/research/umls",
    report_codes.SCHEME: f"urn:oid:{report_codes.SCHEME_UID}",
}

ASSESSMENT: Final = ("RDE1586", "Assessment category")
ELEMENTS: Final = {
    "shape": ("RDE1576", "Shape"),
    "margin": ("RDE1579", "Margin"),
    "orientation": ("RDE1580", "Orientation"),
}
"""RadElement's numbers for kinds of descriptors; the others have DICOM's code only."""

BREASTS: Final = {
    "L": ("80248007", "Left breast structure"),
    "R": ("73056007", "Right breast structure"),
    "U": ("76752008", "Breast structure"),
}


def coding(system: str, code: str, display: str) -> Json:
    """A Coding."""
    return {"system": system, "code": code, "display": display}


def concept(code: Code, *more: Json) -> Json:
    """A CodeableConcept of one of the report's codes.

    Args:
        code: As the DICOM report has it.
        more: Further codings of the same, which come first.
    """
    return {"coding": [*more, coding(_SYSTEMS[code.scheme], code.value, code.meaning)], "text": code.meaning}


def element(number: tuple[str, str], code: Code | None = None) -> Json:
    """What RadElement calls it, and what DICOM does."""
    first = coding(RADELEMENT, *number)
    return {"coding": [first], "text": number[1]} if code is None else concept(code, first)


def breast(side: str) -> Json:
    """Which breast, as one body site; FHIR R4 has no field of its own for a side."""
    code, display = BREASTS[side if side in BREASTS else "U"]
    return {"coding": [coding(SNOMED, code, display)], "text": display}


def uid_identifier(uid: str) -> Json:
    """An identifier made of a DICOM UID that names the thing itself."""
    return {"system": URI, "value": f"urn:oid:{uid}"}


def study_identifier(uid: str) -> Json:
    """A Study Instance UID, as DICOM and IHE write it in FHIR."""
    return {"system": DICOM_UID, "value": f"urn:oid:{uid}"}


def millimetres(value: float) -> Json:
    """A length."""
    return {"value": round(value, 1), "unit": "mm", "system": UCUM, "code": "mm"}


def percent(share: float) -> Json:
    """A share of one."""
    return {"value": round(100 * share, 1), "unit": "%", "system": UCUM, "code": "%"}
