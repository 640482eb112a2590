# SPDX-License-Identifier: Apache-2.0
"""What the documents promise and a reader relies on: they are found, name what exists, and give measured figures."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import pytest

import device
from device import __main__ as command_line
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.commands import COMMANDS
from tests.draw_rooms import DOCUMENT, drawn_in, figure, shortest

CHECKOUT = Path(__file__).resolve().parents[1]
README = CHECKOUT / "README.md"
PAGES = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])


def targets(page: Path) -> set[Path]:
    """The files that a page links to."""
    links = re.findall(r"\]\(([^)\s#]+)", page.read_text("utf-8"))
    return {(page.parent / link).resolve() for link in links if "://" not in link}


def requirement(line: str) -> str:
    found = re.match(r"[\w.-]+", line)
    assert found is not None, line
    return found[0]


def test_every_document_is_reached_from_the_readme() -> None:
    found, waiting = {README}, [README]
    while waiting:
        fresh = {path for path in targets(waiting.pop()) if path.suffix == ".md"} - found
        found |= fresh
        waiting += fresh
    assert [path.relative_to(CHECKOUT).as_posix() for path in PAGES if path not in found] == []


def test_every_picture_of_the_documents_is_shown_by_one() -> None:
    shown = {path for page in PAGES for path in targets(page)}
    pictures = [path for path in (CHECKOUT / "docs").rglob("*") if path.suffix in {".png", ".jpg"}]
    assert pictures
    assert [path.name for path in pictures if path not in shown] == []


def test_the_figure_of_the_rooms_is_the_one_that_the_imports_give() -> None:
    assert drawn_in(DOCUMENT.read_text("utf-8")) == figure(), "run: python -m tests.draw_rooms --write"


def test_no_sequence_diagram_is_cut_by_a_semicolon() -> None:
    figures = [
        figure for page in PAGES for figure in re.findall(r"```mermaid\n(.*?)```", page.read_text("utf-8"), re.S)
    ]
    assert any(figure.startswith("sequenceDiagram") for figure in figures)
    # To Mermaid a semicolon ends a statement there, and the figure is not drawn at all.
    assert [figure for figure in figures if figure.startswith("sequenceDiagram") and ";" in figure] == []


def test_an_arrow_is_left_out_only_where_a_longer_way_leads() -> None:
    assert shortest({"ui": {"records", "imaging"}, "records": {"imaging"}, "imaging": set(), "site": set()}) == {
        "ui": {"records"},
        "records": {"imaging"},
        "imaging": set(),
        "site": set(),
    }


def test_every_file_that_the_architecture_names_exists() -> None:
    named = set(re.findall(r"[\w/-]+/[\w-]+\.py\b", DOCUMENT.read_text("utf-8")))
    assert len(named) > 30
    homes = [CHECKOUT, CHECKOUT / "device", CHECKOUT / "docs"]
    assert sorted(name for name in named if not any((home / name).exists() for home in homes)) == []


def test_every_command_that_a_document_names_exists() -> None:
    verbs = {command.verb for command in COMMANDS}
    named = {
        (page.name, verb)
        for page in PAGES
        for verb in re.findall(r"(?:python -m device|sudo mammascope) ([a-z]+)\b", page.read_text("utf-8"))
    }
    assert len(named) > 10
    assert {(page, verb) for page, verb in named if verb not in verbs} == set()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = {requirement(line) for lines in [project["dependencies"], *extras] for line in lines}
    rows = re.findall(
        r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$", (CHECKOUT / "docs/dependencies.md").read_text("utf-8"), re.M
    )
    assert sorted(name for name, _ in rows) == sorted(wanted), "one row each"
    assert [name for name, reason in rows if len(reason) < 15] == []


def keys_of(value: object) -> set[str]:
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(keys_of(inner) for inner in value.values()))


def test_the_json_of_the_readme_has_the_keys_that_classify_prints(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "scan.png"), phantom_frame(IN_DISTRIBUTION_SEED, "benign").pixels)
    command = [sys.executable, "-m", "device", "classify", str(tmp_path / "scan.png"), "--json"]
    printed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    example = re.search(r'^    \{"file":.*?\n\n', README.read_text("utf-8"), re.M | re.S)
    assert example is not None
    assert set(re.findall(r'"(\w+)":', example[0])) == keys_of(json.loads(printed))


def test_the_command_of_an_installation_is_the_command_line_of_the_device() -> None:
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, _, name = scripts["mammascope"].partition(":")
    assert getattr(importlib.import_module(module), name) is command_line.main


def test_the_version_is_the_newest_in_the_change_log() -> None:
    dated = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", (CHECKOUT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    assert dated[0] == device.__version__


def test_the_readme_names_the_newest_model_and_only_figures_of_its_card() -> None:
    text = README.read_text("utf-8")
    newest = max(
        (CHECKOUT / "models").glob("mammascope-*"), key=lambda path: [int(n) for n in path.name[11:].split(".")]
    )
    assert f"`{newest.name.replace('-', '@')}`" in text
    card = (newest / "MODEL_CARD.md").read_text("utf-8")
    section = text[text.index("## How good is it?") : text.index("## When something is odd")]
    figures = re.findall(r"\d\.\d+ \[\d\.\d+, \d\.\d+\]", section)
    assert len(figures) >= 6
    assert [figure for figure in figures if figure not in card] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_of_the_project_that_a_page_names_exists(page: Path) -> None:
    code = " ".join(re.findall(r"`([^`\n]+)`", page.read_text("utf-8")))
    named = set(
        re.findall(r"\b(?:device|convert|clinic|tests|examples|systemd|docs)/[\w./-]*\.(?:py|md|lua|toml|sh)\b", code)
    )
    assert sorted(name for name in named if not (CHECKOUT / name).exists()) == []
