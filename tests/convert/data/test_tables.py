# SPDX-License-Identifier: Apache-2.0
"""A table is read the same whichever program saved it."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from convert.data.datasets.sample import DatasetError, find_by_stem, label_of, read_table

LINES = [["file", "patient", "scanner"], ["benign/é.png", "Muñoz; A", "Aplio, 500"], ["benign/b.png", "", "x"]]


def text(delimiter: str, end: str = "\r\n") -> str:
    quoted = [[f'"{cell}"' if set(cell) & set(",;\t") else cell for cell in line] for line in LINES]
    return end.join(delimiter.join(line) for line in quoted) + end


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheets_of_every_country(delimiter: str, encoding: str, end: str, tmp_path: Path) -> None:
    """Excel writes a mark in front, semicolons in Europe, and no UTF-8 by itself; each gave a traceback or no match."""
    table = tmp_path / "list.csv"
    table.write_bytes(text(delimiter, end).encode(encoding))
    assert read_table(table, ("file",)) == [dict(zip(LINES[0], line, strict=True)) for line in LINES[1:]]


def test_lines_that_are_too_short_or_too_long(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text(" file , patient\na\nb,2,3,4\n\n", encoding="utf-8")
    assert read_table(table, ("file", "patient")) == [{"file": "a", "patient": ""}, {"file": "b", "patient": "2"}]


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "no column file"), (b"name,patient\nx,y\n", "no column file"), (codecs.BOM_UTF16_LE + b"f", "no column")],
)
def test_a_missing_heading_is_named(data: bytes, said: str, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_bytes(data)
    with pytest.raises(DatasetError, match=said):
        read_table(table, ("file",))
    with pytest.raises(DatasetError, match="missing"):
        read_table(tmp_path / "none.csv", ("file",))


def test_a_class_that_is_none_is_named_with_those_that_are(tmp_path: Path) -> None:
    assert [label_of(name, tmp_path) for name in (" Benign", "MALIGNANT ", "normal")] == [1, 2, 0]
    with pytest.raises(DatasetError, match=r"'gutartig' is no class; known are normal, benign, malignant"):
        label_of("gutartig", tmp_path)


def test_what_a_mac_leaves_beside_each_picture_is_no_picture(tmp_path: Path) -> None:
    for name in ("one.png", "._one.png", ".hidden.jpg", "two.PNG"):
        (tmp_path / name).write_bytes(b"x")
    assert sorted(find_by_stem(tmp_path)) == ["one", "two"]
