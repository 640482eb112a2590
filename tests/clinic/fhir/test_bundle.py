# SPDX-License-Identifier: Apache-2.0
"""What the health record is told: valid R4, every part found again by its identifier, and nothing said twice."""

from __future__ import annotations

import base64
import copy
import hashlib
from functools import cache
from typing import Any
from urllib.parse import unquote

import pytest
from pyfhircheck import Validator

from clinic.fhir.bundle import transaction
from clinic.fhir.facts import Origin
from tests.clinic.fhir.conftest import RecordRoom


@cache
def validator() -> Validator:
    return Validator()


def problems(resource: dict[str, Any]) -> list[str]:
    report = validator().validate_resource(resource)
    return [f"{issue.path}: {issue.message}" for issue in report.issues if issue.severity.value in ("error", "fatal")]


@pytest.fixture
def bundle(room: RecordRoom, read_exam: str) -> dict[str, Any]:
    return transaction(room.facts(read_exam))


def of_kind(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_every_resource_and_the_whole_are_valid(bundle: dict[str, Any]) -> None:
    assert [problem for entry in bundle["entry"] for problem in problems(entry["resource"])] == []
    assert problems(bundle) == []


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("DiagnosticReport", "status", "finished"),
        ("ImagingStudy", "status", "done"),
        ("Observation", "status", "ok"),
        ("Observation", "valueQuantity", "12"),
        ("Patient", "gender", "F"),
        ("Provenance", "recorded", "yesterday"),
    ],
)
def test_the_validator_would_have_said_so(bundle: dict[str, Any], kind: str, field: str, value: str) -> None:
    broken = copy.deepcopy(of_kind(bundle, kind)[0])
    broken[field] = value
    assert problems(broken)


def test_all_kinds_are_there_and_refer_to_each_other(bundle: dict[str, Any]) -> None:
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert kinds == {
        "Patient", "Organization", "Practitioner", "Device", "ImagingStudy", "Observation", "DiagnosticReport",
        "Provenance",
    }  # fmt: skip
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert len(urls) == len(bundle["entry"])
    references = set(_references(bundle))
    assert references <= urls
    (report,) = of_kind(bundle, "DiagnosticReport")
    assert len(report["result"]) == len(of_kind(bundle, "Observation"))


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [found for inner in value.values() for found in _references(inner)]
    return [found for inner in value for found in _references(inner)] if isinstance(value, list) else []


def test_each_is_created_only_once_and_by_system_and_value(bundle: dict[str, Any]) -> None:
    asked = [entry["request"].get("ifNoneExist") for entry in bundle["entry"]]
    conditional = [unquote(one) for one in asked if one is not None]
    assert all(one.startswith("identifier=") and "|" in one for one in conditional)
    assert len(set(conditional)) == len(conditional)  # two of one identity would drop one in silence
    without = [entry["resource"]["resourceType"] for entry in bundle["entry"] if "ifNoneExist" not in entry["request"]]
    assert without == ["Provenance"]  # which has no identifier in R4
    assert {entry["request"]["method"] for entry in bundle["entry"]} == {"POST"}


def test_the_same_reading_says_the_same_again(room: RecordRoom, read_exam: str, bundle: dict[str, Any]) -> None:
    assert transaction(room.facts(read_exam)) == bundle


def test_the_report_says_the_readers_word_and_not_the_models(bundle: dict[str, Any]) -> None:
    (report,) = of_kind(bundle, "DiagnosticReport")
    assert report["conclusionCode"][0]["coding"][0]["code"] == "birads-4B"
    assert report["conclusion"] == "Agreed"
    (model,) = [one for one in of_kind(bundle, "Observation") if "device" in one]
    assert "not a diagnosis" in model["note"][0]["text"]
    assert {part["code"]["coding"][0]["code"] for part in model["component"]} >= {"111047", "106233006"}
    for form in report["presentedForm"]:
        content = base64.b64decode(form["data"])
        assert form["size"] == len(content)
        assert form["hash"] == base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
    html, pdf = (base64.b64decode(form["data"]) for form in report["presentedForm"])
    assert b"BI-RADS 4B" in html
    assert b"Wanjir\xc5\xa9 M\xc3\xbcller" in html
    assert pdf.startswith(b"%PDF-")


def test_descriptors_carry_radelements_numbers_where_it_has_them(bundle: dict[str, Any]) -> None:
    assessments = [one for one in of_kind(bundle, "Observation") if "component" in one and "device" not in one]
    codes = {coding["code"] for part in assessments[0]["component"] for coding in part["code"]["coding"]}
    assert {"RDE1576", "RDE1579", "RDE1580", "111366", "blind-category"} <= codes
    assert assessments[0]["code"]["coding"][0]["code"] == "RDE1586"


def test_what_the_reader_measured_is_his_and_what_the_clinician_did_hers(bundle: dict[str, Any]) -> None:
    (report,) = of_kind(bundle, "DiagnosticReport")
    reader = report["resultsInterpreter"][0]
    distances = [one for one in of_kind(bundle, "Observation") if one["code"]["coding"][0]["code"] == "121206"]
    by_reader = [one["valueQuantity"]["value"] for one in distances if one["performer"] == [reader]]
    assert len(by_reader) == 2, "of this reading, not of the one before"
    assert len(distances) == 3


def test_the_study_lists_what_the_archive_has(room: RecordRoom, bundle: dict[str, Any]) -> None:
    (study,) = of_kind(bundle, "ImagingStudy")
    listed = {one["uid"] for series in study["series"] for one in series["instance"]}
    assert listed == {entry["00080018"]["Value"][0] for entry in room.metadata}
    assert study["numberOfInstances"] == len(listed)


def test_what_somebody_typed_cannot_become_markup(room: RecordRoom) -> None:
    exam_id = room.send(birads=None)
    room.read(exam_id, "asha", "2", "routine", "<script>alert(1)</script>")  # type: ignore[arg-type]
    (report,) = of_kind(transaction(room.facts(exam_id)), "DiagnosticReport")
    html = base64.b64decode(report["presentedForm"][0]["data"])
    assert b"<script" not in html
    assert b"&lt;script&gt;" in html


def test_two_clinics_never_share_a_patient_by_accident() -> None:
    assert Origin.of("A", "aa" * 32).patients != Origin.of("A", "bb" * 32).patients
    assert Origin.of("A", "aa" * 32).patients == Origin.of("B", "aa" * 32).patients
    assert Origin.of("A", "aa" * 32, "urn:oid:2.16.1").patients == "urn:oid:2.16.1"
