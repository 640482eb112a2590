# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from device.capture.frame import Frame
from device.imaging.encoded import png
from device.records.exam import Exam, Patient, View
from device.records.pieces import Pieces
from device.records.report.report import marked_picture
from device.records.store.summary import ExamSummary, ViewSummary, summary_of
from device.transfer.export_files import ReportOptions, exam_folder, folder_name
from device.transfer.exporter import ExportFile, ExportFolder
from tests.device.records.made_up import PATIENT, changed, exam, view

LOOK = ReportOptions(timezone=UTC)


def head(of: Exam) -> ExamSummary:
    return summary_of(of, tuple(ViewSummary(v.uid, v.finding.result, v.frame.pixels.nbytes) for v in of.views))


def folder_of(of: Exam, **how: Any) -> ExportFolder:
    return exam_folder(head(of), lambda _: of, LOOK, **how)


def decoded(file: ExportFile) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(file.pieces.whole(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def test_report_frames_and_marked_frames_come_in_order() -> None:
    two = exam(view(1), view(2))
    files = list(folder_of(two, further=lambda _: [ExportFile("view-1.dcm", Pieces.of(b"dicom"))]).files())
    assert [file.name for file in files] == [
        "report.pdf",
        "view-1.png",
        "view-1-marked.png",
        "view-2.png",
        "view-2-marked.png",
        "view-1.dcm",
    ]
    assert files[0].pieces.whole().startswith(b"%PDF-")
    np.testing.assert_array_equal(decoded(files[1]), two.views[0].frame.pixels)
    np.testing.assert_array_equal(decoded(files[4])[..., ::-1], marked_picture(two.views[1]))


def test_colours_keep_their_order() -> None:
    red = np.zeros((4, 6, 3), np.uint8)
    red[..., 0] = 255
    assert decoded(ExportFile("red.png", Pieces.of(png(red, 3))))[0, 0].tolist() == [0, 0, 255]


def test_an_exam_is_loaded_only_when_its_turn_comes() -> None:
    asked = []

    def load(uid: str) -> Exam:
        asked.append(uid)
        return exam()

    folder = exam_folder(head(exam()), load, LOOK)
    assert asked == []
    next(iter(folder.files()))
    assert asked == [exam().uid]


def test_names_are_of_the_code_and_not_of_the_person() -> None:
    assert folder_name(exam(), timezone=UTC) == "KB-0042_2025-03-04_34567890"
    assert folder_name(exam(), with_name=True, timezone=UTC) == "KB-0042_Wanjirũ-Müller_2025-03-04_34567890"
    assert all("Wanjir" not in file.name for file in folder_of(exam()).files())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ('A/B\\C:D*E?F"G<H>I|J', "A-B-C-D-E-F-G-H-I-J"),
        ("  .hidden.  ", "hidden"),
        ("क्षमा 7", "क्षमा-7"),
        ("\x00\x1b[31m", "31m"),
        ("x" * 300, "x" * 40),
    ],
)
def test_no_code_leaves_the_folder_or_upsets_a_file_system(code: str, expected: str) -> None:
    name = folder_name(changed(exam(), patient=changed(PATIENT, code=code)), timezone=UTC)
    assert name == f"{expected}_2025-03-04_34567890"


def test_a_code_of_signs_only_still_has_a_name() -> None:
    assert folder_name(changed(exam(), patient=changed(PATIENT, code="***")), timezone=UTC) == "2025-03-04_34567890"


def test_the_date_is_the_one_that_the_clock_on_the_wall_showed() -> None:
    late = changed(exam(), started_at=datetime(2025, 3, 4, 22, 30, tzinfo=UTC))
    assert "2025-03-05" in folder_name(late, timezone=timezone(timedelta(hours=5, minutes=30)))


def test_the_estimate_is_enough_for_what_is_written() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 800, 3), dtype=np.uint8)  # nothing compresses worse
    worst: View = view(1, frame=Frame(noise, "noise"))
    folder = folder_of(exam(worst))
    assert sum(file.pieces.size for file in folder.files()) <= folder.estimate_bytes


@pytest.mark.parametrize("letter", ["\u0ba4", "\u5b57", "\U00020000", "a", "\u0928\u093f"])
def test_a_long_name_of_any_script_fits_a_file_system(tmp_path: Path, letter: str) -> None:
    long = exam(patient=Patient(letter * 40, letter * 40))
    name = folder_name(long, with_name=True)
    assert len(f"{name}.part".encode()) <= 255
    (tmp_path / f"{name}.part").mkdir()
    assert name.startswith(letter)
