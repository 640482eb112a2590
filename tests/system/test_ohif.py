# SPDX-License-Identifier: Apache-2.0
"""Our reports in the viewer that clinics have: OHIF's published code is given them, unmodified, under Node.

    python -m pytest tests/system/test_ohif.py

Fetches ``@ohif/app`` (MIT, 48 MB) and ``dcmjs`` (MIT) by npm into a temporary folder; needs Node 20 and a network or
npm's cache. What is checked is what OHIF would draw, not how it looks in a browser.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from clinic.archive.study import read_study
from clinic.reading.report import reader_report
from clinic.store.schema import Account, ReaderCalliper, Reading
from device.dicom.objects import build_addendum
from device.records.exam import Exam
from device.records.uids import new_exam_uid
from tests.device.dicom import test_objects as objects
from tests.device.upload import exams

OHIF, DCMJS = "@ohif/app@3.12.10", "dcmjs@0.51.1"
SCRIPT = Path(__file__).with_name("ohif_report.mjs")
INSTALL_S = 900

pytestmark = pytest.mark.skipif(not shutil.which("node") or not shutil.which("npm"), reason="no node and npm")

Drawn = Callable[[Exam, Dataset], dict[str, Any]]


@pytest.fixture(scope="module")
def ohif(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Gives a report to OHIF and says what it draws on the exam's images."""
    folder = tmp_path_factory.mktemp("ohif")
    quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(["npm", "pack", *quiet, OHIF], cwd=folder, check=True, timeout=INSTALL_S)
    subprocess.run(["npm", "install", *quiet, "--prefix", ".", DCMJS], cwd=folder, check=True, timeout=INSTALL_S)
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as package:
        package.extractall(folder, filter="data")

    def draw(exam: Exam, report: Dataset) -> dict[str, Any]:
        path = folder / "report.dcm"
        report.save_as(path)
        images = ",".join(view.uid for view in exam.views)
        command: list[str | Path] = [
            "node",
            SCRIPT,
            folder / "package/dist",
            folder / "node_modules/dcmjs",
            images,
            path,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        (answer,) = json.loads(done.stdout)
        return dict(answer)

    return draw


def report_of(exam: Exam) -> Dataset:
    return objects.opened(objects.built(exam)[-1])


def groups_of(report: Dataset) -> list[Dataset]:
    return [item for item in objects.every_item(report) if objects.name_of(item) == "Measurement Group"]


def tracking_uid(group: Dataset) -> str:
    return next(str(item.UID) for item in group.ContentSequence if item.ValueType == "UIDREF")


@pytest.mark.parametrize(
    "exam", [objects.several_views(), objects.least(), exams.exam()], ids=["several", "least", "one"]
)
def test_every_group_is_drawn_on_its_image(ohif: Drawn, exam: Exam) -> None:
    report = report_of(exam)
    answer = ohif(exam, report)
    assert answer["recognised"] is True
    assert answer["images"] == [view.uid for view in exam.views]
    expected = {}
    for group in groups_of(report):
        (coordinates,) = (item for item in objects.every_item(group) if item.get("GraphicType"))
        expected[tracking_uid(group)] = (
            objects.image_of(coordinates),
            np.asarray(coordinates.GraphicData).reshape(-1, 2).tolist(),
        )
    drawn = {one["uid"]: (one["image"], [point[:2] for point in one["points"]]) for one in answer["drawn"]}
    assert drawn == expected
    assert len(drawn) >= 2 * len([view for view in exam.views if view.finding.lesion])


def test_an_addendum_is_drawn_like_the_report_before(ohif: Drawn) -> None:
    exam = objects.amended()
    (addendum,) = build_addendum(exam, exams.DEVICE)
    before, after = ohif(exam, report_of(exams.exam())), ohif(exam, objects.opened(addendum))
    assert after["drawn"] == before["drawn"] != []


def test_sizes_are_labels_beside_the_outline(ohif: Drawn) -> None:
    exam = objects.several_views()
    labels = [{one["label"]: one["value"] for one in drawn["labels"]} for drawn in ohif(exam, report_of(exam))["drawn"]]
    assert any(said.get("Long axis") == "12.80 mm" and "Probability of cancer" in said for said in labels)
    assert any(said.get("Distance from nipple") == "3.50 cm" for said in labels)


def test_a_reader_s_report_is_drawn_with_what_he_measured(ohif: Drawn) -> None:
    exam = exams.exam()
    pictures = [objects.opened(one) for one in objects.built(exam)]
    facts = read_study(exam.uid, [json.loads(one.to_json()) for one in pictures])
    assert facts is not None
    asha = Account(id="asha", name="asha", display_name="Dr Asha", role_names="reader")
    reading = Reading(
        **{"exam_id": "one", "stage": 1, "reader": asha, "reader_id": asha.id, "report_uid": new_exam_uid()},
        **{"blind_category": "4A", "category": "4A", "edition": "v2025", "advice": "biopsy", "descriptors": {}},
        **{"note": "", "blind_note": "", "decided_at": exam.started_at},
    )
    ends = {"x0": 50.0, "y0": 20.0, "x1": 90.0, "y1": 50.0, "length": 10.97, "unit": "mm"}
    line = ReaderCalliper(id="line", reader_id=asha.id, sop_uid=exam.views[0].uid, **ends)
    report = dcmread(io.BytesIO(reader_report(pictures, facts.content, reading, "Kibera", [line])))
    answer = ohif(exam, report)
    drawn = [([point[:2] for point in one["points"]], one["labels"]) for one in answer["drawn"]]
    assert len(drawn) == 2
    assert [[50.0, 20.0], [90.0, 50.0]] in [points for points, _ in drawn]
    assert {"label": "Distance", "value": "10.97 mm"} in [label for _, labels in drawn for label in labels]


def test_the_check_itself_finds_a_group_without_coordinates(ohif: Drawn, tmp_path: Path) -> None:
    exam = objects.several_views()
    report_of(exam).save_as(tmp_path / "report.dcm")
    report = dcmread(tmp_path / "report.dcm")
    group = next(group for group in groups_of(report) if any(i.ValueType == "SCOORD" for i in group.ContentSequence))
    group.ContentSequence = [item for item in group.ContentSequence if item.ValueType != "SCOORD"]
    assert "ReferencedSOPSequence" in ohif(exam, report)["error"]
