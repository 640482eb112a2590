# SPDX-License-Identifier: Apache-2.0
"""Lesions in the measurement report: coded, tied over their views, and each of a person."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.sr import _cid_dict, _concepts_dict

from device.dicom import lesion_codes
from device.dicom.objects import InstanceKind
from device.dicom.report_codes import SCHEME
from device.dicom.report_items import Code
from device.records.lesion import BreastRegion, Plane
from device.records.lexicon import Descriptors, Echotexture, Management
from tests.device.dicom import test_objects as objects


def report() -> Dataset:
    return objects.one(objects.several_views(), InstanceKind.REPORT)


def groups_of_lesions() -> dict[str, list[tuple[str, str]]]:
    """What each group of a lesion says, by its name."""
    found = {}
    for item in objects.every_item(report()):
        if objects.name_of(item) == "Measurement Group":
            said = objects.report_items(item)
            name = next(value for what, value in said if what == "Tracking Identifier")
            if name.startswith("Lesion"):
                found[name] = said
    return found


def test_a_lesion_is_described_in_each_of_its_views() -> None:
    groups = groups_of_lesions()
    assert list(groups) == ["Lesion 1, view 1", "Lesion 1, view 2", "Lesion 2, view 3"]
    first, second, third = groups.values()
    for said in (first, second):
        assert ("Laterality", "7771000") in said
        assert ("Topographical modifier", "129781005") in said  # 10 o'clock
        assert ("Topographical modifier", "129786000") in said  # central
        assert ("Distance from nipple", "3.5 cm") in said
        assert ("Distance from skin", "1.2 cm") in said
        assert [v for n, v in said if n.endswith("axis") or n.startswith("Horizontal")] == [
            "12.8 mm",
            "8.1 mm",
            "9.4 mm",
        ]
        assert ("Shape finding", "49608001") in said
        assert ("Orientation", "111356") in said
        assert ("Posterior acoustic features", "111369") in said
        assert ("Vascularity", "111376") in said
        assert Counter(name for name, _ in said)["Associated feature"] == 2
        assert ("Assessment Category", "birads-v2025-4C") in said
        assert [value for name, value in said if name == "Recommended Follow-up"] == ["111145", "111410"]
        assert not any(name.startswith("Algorithm") for name, _ in said), "this is the clinician's"
    assert ("Image View", "radial") in first
    assert ("Image View", "antiradial") in second
    assert ("The scanner's callipers are in the picture", "373066001") in second
    assert not any(name in ("Assessment Category", "Long axis") for name, _ in third)


def test_views_of_a_lesion_share_its_uid_and_no_tracking_uid() -> None:
    uids: dict[str, list[str]] = {"lesion": [], "112040": []}
    for group in objects.every_item(report()):
        said = [item for item in group.get("ContentSequence", []) if item.ValueType == "UIDREF"]
        if objects.name_of(group) == "Measurement Group" and len(said) == 2:
            for item in said:
                uids[item.ConceptNameCodeSequence[0].CodeValue].append(item.UID)
    first, second, third = uids["lesion"]
    assert first == second != third
    assert len(set(uids["112040"])) == 3


def test_a_lesion_without_a_view_and_the_combined_result_are_evaluations() -> None:
    exam = objects.several_views()
    (evaluations,) = (i for i in report().ContentSequence if objects.name_of(i) == "Qualitative Evaluations")
    combined, alone = evaluations.ContentSequence[:2]
    assert objects.name_of(combined).startswith("Model result over the views")
    said = objects.report_items(combined)
    assert ("Probability of cancer", "35 %") in said
    assert ("Algorithm Version", "1.2.3") in said
    assert ("Why the model's result deserves less trust", "unfamiliar-sourc") in said
    assert next(i.UID for i in combined.ContentSequence if i.ValueType == "UIDREF") == exam.lesions[0].uid
    assert (objects.name_of(alone), alone.ConceptCodeSequence[0].CodeValue) == ("Finding", "52988006")
    assert ("Topographical modifier", "129791004") in objects.report_items(alone)  # axilla
    assert next(i.UID for i in alone.ContentSequence if i.ValueType == "UIDREF") == exam.lesions[2].uid
    last = evaluations.ContentSequence[-1]
    assert (objects.name_of(last), last.ConceptCodeSequence[0].CodeValue) == ("Assessment Category", "birads-4B")


def test_notes_of_lesions_are_among_the_remarks() -> None:
    assert ("Comment", "Lesion 3: Hard, does not move.") in objects.report_items(report())


def test_another_library_reads_lesions_with_their_words(tmp_path: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    path = tmp_path / "report.dcm"
    path.write_bytes(objects.built(objects.several_views())[-1].content)
    groups = highdicom.sr.srread(path).content.get_planar_roi_measurement_groups()
    (lesion,) = (group for group in groups if group.tracking_identifier == "Lesion 1, view 2")
    assert lesion.finding_sites[0].laterality.value == "7771000"
    margin = highdicom.sr.CodedConcept("margin", SCHEME, "Margin")
    assert [said.value.value for said in lesion.get_qualitative_evaluations(name=margin)] == ["129742005"]
    nipple = highdicom.sr.CodedConcept("121242", "DCM", "Distance from nipple")
    assert [measured.value for measured in lesion.get_measurements(name=nipple)] == [3.5]


def every_code() -> list[Code]:
    descriptors = [code for name, values in lesion_codes.DESCRIPTORS.values() for code in (name, *values.values())]
    lists = (lesion_codes.ECHOTEXTURES, lesion_codes.REGIONS, lesion_codes.PLANES, lesion_codes.MANAGEMENT)
    return descriptors + [code for words in lists for code in words.values()]


def test_every_word_has_a_code_of_its_own_that_fits() -> None:
    codes = every_code()
    assert len({(code.value, code.scheme) for code in codes}) == len(codes)
    assert all(len(code.value) <= 16 and len(code.meaning) <= 64 for code in codes)
    assert set(lesion_codes.DESCRIPTORS) == {field.name for field in dataclasses.fields(Descriptors)}
    assert set(lesion_codes.MANAGEMENT) == set(Management)
    assert set(lesion_codes.PLANES) == set(Plane)
    assert set(lesion_codes.REGIONS) == set(BreastRegion)
    assert set(lesion_codes.ECHOTEXTURES) == set(Echotexture)
    for _, values in lesion_codes.DESCRIPTORS.values():
        (kind,) = {type(word) for word in values}
        assert set(values) == set(kind)


@pytest.mark.parametrize("code", [code for code in every_code() if code.scheme != SCHEME])
def test_standard_codes_mean_what_the_standard_says(code: Code) -> None:
    known = {
        value: meaning
        for entry in _concepts_dict.concepts[code.scheme].values()
        for value, (meaning, _) in entry.items()
    }
    assert code.value in known
    lists = [
        _concepts_dict.concepts[code.scheme][word]
        for cid in (6004, 6006, 6012, 6014, 6018, 6028, *range(6151, 6158))
        for word in _cid_dict.cid_concepts.get(cid, {}).get(code.scheme, ())
    ]
    meanings = {value: meaning for entry in lists for value, (meaning, _) in entry.items()}
    if code.value in meanings:
        assert code.meaning == meanings[code.value]
