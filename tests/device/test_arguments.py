# SPDX-License-Identifier: Apache-2.0
"""What is typed: numbers within their bounds are taken, the options of before are refused with those of today."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from device.__main__ import main
from device.arguments import number_between, thread_count, whole_number
from device.commands.enrol import OLD_SPELLINGS as OF_ENROL
from device.commands.update import OLD_SPELLINGS as OF_UPDATE
from tests.device.capture.odd_dicom import truth


@pytest.mark.parametrize(
    ("verb", "option", "today"),
    [
        *(("update", option, today) for option, today in OF_UPDATE.items()),
        *(("enrol", option, today) for option, today in OF_ENROL.items()),
    ],
)
def test_an_option_of_before_is_refused_by_naming_what_it_is_called_now(
    verb: str, option: str, today: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, option, "x.update"])
    assert ended.value.code == 2
    assert f"{option} is called '{today}' now" in capsys.readouterr().err


@pytest.mark.parametrize(("verb", "action"), [("update", "install"), ("enrol", "file")])
def test_a_file_without_an_action_is_refused_with_the_actions_that_there_are(
    verb: str, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "some.file"])
    assert ended.value.code == 2
    assert f"'{action}'" in capsys.readouterr().err


def test_no_help_page_shows_an_option_of_before(capsys: pytest.CaptureFixture[str]) -> None:
    for verb, options in (("update", OF_UPDATE), ("enrol", OF_ENROL)):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        page = capsys.readouterr().out
        assert [option for option in options if option in page] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", ""],
        ["classify", "x.png", "--threads", "65"],
        ["classify", "x.png", "--threads", "999999"],
        ["bench", "--threads", "100000"],
        ["classify", "x" * 300],
        ["classify", "/x" * 3000],
        ["classify", "x.png", "--model", "x" * 256],
        ["export", "--all", ""],
        ["backup", ""],
        ["restore", "/x" * 3000],
        ["doctor", "--support-bundle", "/x" * 3000],
        ["enrol", "file", ""],
        ["update", "install", "ä" * 200],
        ["run", "--frames", ""],
        ["inbox", "--day", "tomorrow"],
        ["inbox", "--day", "2026-02-30"],
    ],
)
def test_what_can_be_no_path_number_or_day_is_refused_by_saying_why(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty path was the current folder, a long one a traceback, thousands of threads a crash."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "needed, not" in said or "longer than the system allows" in said


def test_a_full_disk_under_the_output_is_said(checkout: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    Image.fromarray(truth()).save(picture)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "device", "classify", "--json", str(picture)],
            cwd=checkout, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "standard output: No space left on device\n")


def test_numbers_within_their_bounds_are_taken() -> None:
    assert [number_between(0, 9)(text) for text in ("0", "9", "07")] == [0, 9, 7]
    assert (whole_number("1000000"), thread_count("64")) == (1_000_000, 64)


@pytest.mark.parametrize("text", ["", "-1", "10", "1.5", "1e3", " 3", "\u0663", "9" * 400, "two", "0x3"])
def test_everything_else_is_refused_by_naming_the_bounds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 9 is needed"):
        number_between(0, 9)(text)
