# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from pathlib import Path

from clinic.__main__ import _parser as of_the_clinic
from clinic.web.__main__ import _parser as of_the_pages
from clinic.web.choices import add_choices, words_of

CHOSEN = (
    *("--language", "fr", "--time-zone", "Africa/Nairobi", "--open-in", "https://pacs.example/?study={study}"),
    *("--checked-share", "0.2", "--diagnosis-days", "30", "--control-days", "90"),
    *("--record", "https://record.example/fhir", "--patients", "https://id.example/patients"),
)


def test_nothing_is_passed_on_of_what_nobody_has_chosen() -> None:
    assert words_of(of_the_clinic().parse_args([])) == []


def test_whatever_the_pages_can_be_told_the_one_command_can_be_told(tmp_path: Path) -> None:
    """Or a clinic on one machine could choose no viewer, no language and no days of its own."""
    files = ("--oidc", str(tmp_path / "oidc.toml"), "--record-access", str(tmp_path / "record.toml"))
    passed_on = words_of(of_the_clinic().parse_args([*CHOSEN, *files]))
    assert sorted(passed_on) == sorted([*CHOSEN, *files])
    parser = argparse.ArgumentParser()
    add_choices(parser)
    known = {name for action in parser._actions for name in action.option_strings} - {"-h", "--help"}
    assert known == {word for word in passed_on if word.startswith("--")}, "none is left out here"
    needed = ["--state", "x", "--archive", "https://archive.example/", "--archive-access", "x"]
    told = of_the_pages().parse_args([*needed, *passed_on])
    assert (told.open_in, told.diagnosis_days) == ("https://pacs.example/?study={study}", 30)
