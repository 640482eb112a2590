# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from device.__main__ import main
from device.inference.finding import ModelResult
from device.records.audit import AuditEvent
from device.records.exam import Exam, Patient
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.records.report.report import short_id
from device.records.store.blobs import new_file_id
from device.records.store.store import Store
from device.records.uids import new_uids
from device.transfer.exporter import CHECKSUMS
from tests.device.records.made_up import PATIENT, changed, finding, frame, lesion, view

PIN = "729164"
CHEAP = PinCost(iterations=1, memory_kib=8)

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils reads reports back")


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The records folder of a device that has a PIN."""
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "records"
    folder.parent.mkdir()
    Vault.create(folder, PIN, "Nurse Achieng", cost=CHEAP).lock()
    return folder


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def device_export(
    stick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs ``python -m device export`` with the PIN on standard input: status, output, errors."""

    def call(*arguments: str, pin: str = PIN, target: Path | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{pin}\n"))
        capsys.readouterr()
        status = main(["export", str(target or stick), "--pin-stdin", *arguments])
        return (status, *capsys.readouterr())

    return call


def kept(records: Path, patient: Patient = PATIENT, *, final: bool = True, loop: int = 0) -> Exam:
    """An exam with one marked view in the store."""
    vault = Vault.unlock(records, PIN)
    store = Store.open(records, vault)
    exam = store.begin_exam(patient, "Nurse Achieng", clock_trusted=True)
    uid, derived = new_uids()
    frozen = view(
        1,
        finding(ModelResult.MALIGNANT, lesion()),
        uid=uid,
        derived_uids=derived,
        cine=tuple(frame(20 + i) for i in range(loop)),
    )
    exam = store.save_view(exam, frozen)
    if final:
        exam = store.finalise(exam)
    store.close()
    vault.lock()
    return exam


def test_an_exam_comes_out_as_report_pictures_and_dicom(
    records: Path, stick: Path, device_export: Callable[..., tuple[int, str, str]]
) -> None:
    exam = kept(records, loop=4)
    status, output, errors = device_export("--all")
    assert status == 0
    (folder,) = stick.iterdir()
    assert output.strip() == str(folder)
    assert "not encrypted" in errors
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "report.pdf", "view-1.png", "view-1-marked.png",
        "view-1.dcm", "view-1-loop.dcm", "view-1-marked.dcm", "report.dcm", CHECKSUMS,
    }  # fmt: skip
    picture = cv2.imread(str(folder / "view-1.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(picture, exam.views[0].frame.pixels)
    dicom = pydicom.dcmread(folder / "view-1.dcm")
    assert dicom.SOPInstanceUID == exam.views[0].uid
    assert dicom.StudyInstanceUID == exam.uid
    assert pydicom.dcmread(folder / "view-1-loop.dcm").NumberOfFrames == 4
    assert pydicom.dcmread(folder / "report.dcm").Modality == "SR"


def test_what_was_exported_is_written_down(records: Path, device_export: Callable[..., tuple[int, str, str]]) -> None:
    exam = kept(records)
    device_export("--all")
    vault = Vault.unlock(records, PIN)
    store = Store.open(records, vault)
    logged = [entry for entry in store.audit_log().entries if entry.event == AuditEvent.EXAM_EXPORTED]
    store.close()
    assert [entry.subject for entry in logged] == [exam.uid]


def test_chosen_exams_only(records: Path, stick: Path, device_export: Callable[..., tuple[int, str, str]]) -> None:
    first, second = kept(records), kept(records, changed(PATIENT, code="OTHER-7"))
    draft = kept(records, changed(PATIENT, code="DRAFT-1"), final=False)

    def exported() -> set[str]:
        found = {path.name.split("_")[0] for path in stick.iterdir()}
        for path in stick.iterdir():
            for file in path.iterdir():
                file.unlink()
            path.rmdir()
        return found

    assert device_export("--no-dicom", "--exam", first.uid)[0] == 0
    assert exported() == {"KB-0042"}
    assert device_export("--no-dicom", "--exam", short_id(second.uid), "--exam", draft.uid)[0] == 0
    assert exported() == {"OTHER-7", "DRAFT-1"}
    assert device_export("--no-dicom", "--code", " other-7 ")[0] == 0
    assert exported() == {"OTHER-7"}
    assert device_export("--no-dicom", "--all")[0] == 0
    assert exported() == {"KB-0042", "OTHER-7"}


def test_a_draft_has_no_dicom(records: Path, stick: Path, device_export: Callable[..., tuple[int, str, str]]) -> None:
    draft = kept(records, final=False)
    assert device_export("--exam", draft.uid)[0] == 0
    assert not list(stick.rglob("*.dcm"))
    assert list(stick.rglob("report.pdf"))


def test_names_are_in_the_names_of_folders_only_when_asked_for(
    records: Path, stick: Path, device_export: Callable[..., tuple[int, str, str]]
) -> None:
    kept(records)
    device_export("--all", "--no-dicom")
    device_export("--all", "--no-dicom", "--with-name")
    names = sorted(path.name for path in stick.iterdir())
    assert "Wanjirũ" not in names[0]
    assert "Wanjirũ-Müller" in names[1]


@needs_poppler
def test_the_report_is_in_the_language_that_was_asked_for(
    records: Path, stick: Path, device_export: Callable[..., tuple[int, str, str]]
) -> None:
    kept(records)
    device_export("--all", "--no-dicom", "--language", "es")
    (report,) = stick.rglob("report.pdf")
    text = subprocess.run(["pdftotext", report, "-"], capture_output=True, check=True).stdout.decode()
    assert "no es un diagnóstico" in text


@pytest.mark.parametrize(
    ("arguments", "pin", "expected"),
    [
        (["--all"], "000001", "PIN"),
        (["--all"], "", "PIN"),
        (["--exam", "12345678"], PIN, "12345678"),
        (["--code", "NOBODY"], PIN, "code"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    arguments: list[str],
    pin: str,
    expected: str,
    records: Path,
    stick: Path,
    device_export: Callable[..., tuple[int, str, str]],
) -> None:
    kept(records)
    status, output, errors = device_export(*arguments, pin=pin)
    assert status == 2
    assert output == ""
    assert len(errors.strip().splitlines()) == 1
    assert expected in errors
    assert list(stick.iterdir()) == []


def test_a_stick_that_is_not_there(
    records: Path, tmp_path: Path, device_export: Callable[..., tuple[int, str, str]]
) -> None:
    kept(records)
    status, output, errors = device_export("--all", target=tmp_path / "nowhere")
    assert (status, output) == (2, "")
    assert "The stick is gone" in errors


@needs_poppler
def test_a_loop_that_breaks_off_leaves_nothing_half_on_the_stick(
    records: Path,
    stick: Path,
    device_export: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: list[str] = []  # in the order of writing; times of files are those of a clock that ticks slower

    def noted() -> str:
        names.append(new_file_id())
        return names[-1]

    with monkeypatch.context() as patch:
        patch.setattr("device.records.store.frames.new_file_id", noted)
        kept(records, loop=5)
    last = records / "frames" / names[-1]  # of the loop
    last.write_bytes(last.read_bytes()[:-1] + b"?")
    whole = kept(records, changed(PATIENT, code="OTHER-7"), loop=5)
    status, output, errors = device_export("--all")
    assert status == 2
    assert "damaged" in errors
    (folder,) = stick.iterdir()
    assert output.strip() == str(folder)
    assert folder.name.endswith(short_id(whole.uid))
    assert pydicom.dcmread(folder / "view-1-loop.dcm").NumberOfFrames == 5


def test_a_damaged_view_costs_only_itself(
    records: Path, stick: Path, device_export: Callable[..., tuple[int, str, str]]
) -> None:
    kept(records)
    before = set((records / "frames").rglob("*"))
    kept(records, changed(PATIENT, code="OTHER-7"))
    for file in set((records / "frames").rglob("*")) - before:
        if file.is_file():
            file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    assert device_export("--all")[0] == 0
    damaged, whole = sorted(stick.iterdir(), key=lambda path: path.name.startswith("KB"))
    assert (whole / "view-1.dcm").is_file()
    assert {path.name for path in damaged.iterdir()} == {"report.pdf", CHECKSUMS}
    text = subprocess.run(["pdftotext", damaged / "report.pdf", "-"], capture_output=True, check=True).stdout.decode()
    assert "Views that could not be read and are missing here: 1" in text


def test_nothing_about_the_patient_is_printed(
    records: Path, device_export: Callable[..., tuple[int, str, str]]
) -> None:
    kept(records, changed(PATIENT, code="X-1"))
    _, output, errors = device_export("--all")
    assert "Wanjir" not in output + errors
