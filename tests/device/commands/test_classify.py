# SPDX-License-Identifier: Apache-2.0
"""``classify`` as scripts use it: the keys and types of its JSON, its exit statuses, and names of every kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from device.__main__ import main
from device.capture.phantom.frames import phantom_frame

KEYS = {
    "file": str,
    "frame": int,
    "evaluable": bool,
    "reason": str | None,
    "probabilities": dict | None,
    "assessment": str,
    "lesion": dict | None,
    "sonogram": list,
    "latency_ms": float,
    "model": str,
}


def picture(path: Path, seed: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = phantom_frame(seed=seed, lesion="benign", size=(640, 480))
    path.write_bytes(cv2.imencode(".png", frame.pixels)[1].tobytes())
    return path


def classify(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "device", "classify", *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **environment}, timeout=300)


def test_the_json_has_the_keys_and_types_of_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = picture(tmp_path / "1.png"), picture(tmp_path / "2.png", seed=2)
    assert main(["classify", "--json", str(first), str(second)]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in found] == [str(first), str(second)]
    for one in found:
        for key, kind in KEYS.items():
            assert isinstance(one[key], kind), key
        assert len(one["sonogram"]) == 4
        assert one["assessment"] in ("normal", "benign", "malignant", "uncertain", "not_evaluable")
        assert one["evaluable"] == (one["reason"] is None)
        if one["evaluable"]:
            assert set(one["probabilities"]) == {"normal", "benign", "malignant"}
            assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_one_unreadable_file_costs_its_line_and_the_status_but_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    good = picture(tmp_path / "good.png")
    assert main(["classify", "--json", str(tmp_path / "broken.png"), str(tmp_path / "none.png"), str(good)]) == 2
    said = capsys.readouterr()
    assert [json.loads(line)["file"] for line in said.out.splitlines()] == [str(good)]
    assert len(said.err.splitlines()) == 2


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
@pytest.mark.parametrize("locale", [{"LC_ALL": "C.UTF-8"}, {"PYTHONIOENCODING": "ascii"}], ids=["utf-8", "ascii"])
def test_names_that_are_no_text_or_steer_a_terminal_are_written_out(
    tmp_path: Path, form: list[str], locale: dict[str, str]
) -> None:
    folder = os.fsencode(tmp_path / "names")
    os.mkdir(folder)  # noqa: PTH102 - bytes
    content = picture(tmp_path / "one.png").read_bytes()
    names = [
        b"1\xff.png",
        b"2\n forged: benign.png",
        b"3\x1b[31m.png",
        "4 \u202egnp.png".encode(),
        "5 படம்.png".encode(),
    ]
    for name in names:
        with open(os.path.join(folder, name), "wb") as file:  # noqa: PTH118, PTH123 - bytes
            file.write(content)
    (tmp_path / "names" / "6\x1b[2J.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = classify(*form, tmp_path / "names", **locale)
    assert done.returncode == 2, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5, done
    assert b"\x1b" not in done.stdout + done.stderr
    assert "\u202e".encode() not in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert b"Traceback" not in done.stderr
    if form:
        assert [os.fsencode(json.loads(line)["file"]) for line in lines] == [os.path.join(folder, n) for n in names]  # noqa: PTH118


def test_a_folder_is_done_in_natural_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("view 10.png", "view 2.png", "View 1.png"):
        picture(tmp_path / name)
    assert main(["classify", "--json", str(tmp_path)]) == 0
    found = [Path(json.loads(line)["file"]).name for line in capsys.readouterr().out.splitlines()]
    assert found == ["View 1.png", "view 2.png", "view 10.png"]


def test_a_stick_with_folders_below_folders_is_done_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    for place in ("DICOM/PT000000/ST000000/SE000000/2.png", "DICOM/PT000000/ST000000/SE000001/1.png", "a.png"):
        picture(tmp_path / place)
    (tmp_path / "DICOM" / "loop").symlink_to(tmp_path)
    assert main(["classify", "--json", str(tmp_path)]) == 0
    found = [Path(json.loads(line)["file"]).relative_to(tmp_path) for line in capsys.readouterr().out.splitlines()]
    assert [str(path) for path in found] == [
        "a.png",
        "DICOM/PT000000/ST000000/SE000000/2.png",
        "DICOM/PT000000/ST000000/SE000001/1.png",
    ]


def test_a_folder_that_lies_too_deep_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "1/2/3/4/5/6/7/8/9/deep.png")
    assert main(["classify", str(tmp_path)]) == 2
    told, nothing = capsys.readouterr().err.splitlines()
    assert told.startswith(f"{tmp_path}/1/2/3/4/5/6/7/8/9: ")
    assert "more than 8 folders below each other" in told
    assert "without images" in nothing


def test_a_folder_without_images_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert main(["classify", str(tmp_path)]) == 2
    assert "without images" in capsys.readouterr().err


def test_a_folder_of_too_many_files_says_that_some_were_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.commands.classify.MOST", 2)
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    assert main(["classify", str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert said[-1] == f"{tmp_path}: more than 2 files; the others were left out, name the folders in it"


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "--threads", "0", "x.png"],
        ["classify", "--threads", "-1", "x.png"],
        ["classify", "--threads", "two", "x.png"],
        ["bench", "--threads", "0"],
        ["bench", "--repeat", "0"],
        ["bench", "--repeat", "1e3"],
        ["bench", "--size", "foo"],
        ["bench", "--size", "0x0"],
        ["bench", "--size", "640"],
        ["bench", "--size", "640x480x3"],
        ["bench", "--size", "99999x99999"],
        ["bench", "--size", "\u0661\u0660\u0660x100"],
    ],
)
def test_a_number_that_cannot_be_is_refused_by_name(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert arguments[1] in said
    assert "update the software" not in said
