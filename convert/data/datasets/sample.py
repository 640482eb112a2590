# SPDX-License-Identifier: Apache-2.0
"""One labelled image of a data set, and what must stay together when the data are split."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.inference.finding import CLASSES

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
"""What the sets are published in, or what people convert them to; files are matched by stem, not by suffix."""


UNKNOWN = -1
"""The label of a breast image of unproven class: it is answered or refused, and never right or wrong."""


class DatasetError(ValueError):
    """A folder does not have the official layout of its data set; the message names what is missing."""


_SHOWN = 5
"""Names in a sentence; more would hide it."""


def few(names: Sequence[str], between: str = ", ") -> str:
    """The first of some names or sentences, and how many more there are."""
    more = len(names) - _SHOWN
    return between.join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled image.

    Attributes:
        key: Unique over all sets, for instance ``busi/benign (12)``.
        dataset: Name of the set, as ``--set`` takes it.
        image: The picture; masks are never used as input.
        masks: Lesion masks, united; empty for a normal image, or where the lesion was not drawn.
        label: Index into ``CLASSES``, or ``UNKNOWN``.
        group: What must not be torn apart by a split (duplicate group, case or patient), unique over all sets.
        scanner: Name of the device where the set names it, else the set's name.
    """

    key: str
    dataset: str
    image: Path
    masks: tuple[Path, ...]
    label: int
    group: str
    scanner: str


Row = dict[str, str]
"""One row of a table, by its headings."""


def read_table(table: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a table as spreadsheets write it: with commas, semicolons or tabs, with or without a mark in front.

    Args:
        table: A CSV file with a line of headings.
        columns: Headings that it must have.

    Raises:
        DatasetError: It is missing, is no text, or lacks a heading; the message names both.
    """
    if not table.is_file():
        raise DatasetError(f"{table}: the table of the data set is missing")
    data = table.read_bytes()
    try:
        text = data.decode("utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # Excel in the west of Europe
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    missing = [name for name in columns if name not in reader.fieldnames]
    if missing:
        raise DatasetError(f"{table}: the table has no column {', '.join(missing)}")
    try:
        return [{name: row[name] or "" for name in reader.fieldnames} for row in reader]
    except csv.Error as error:
        raise DatasetError(f"{table}: {error}") from error


def label_of(text: str, table: Path) -> int:
    """The class that a table names, in capitals or not.

    Raises:
        DatasetError: It is none.
    """
    name = text.strip().lower()
    if name not in CLASSES:
        raise DatasetError(f"{table}: {text!r} is no class; known are {', '.join(CLASSES)}")
    return CLASSES.index(name)


def table_rows(
    table: Path, folder: Path, columns: Sequence[str], stem_of: Callable[[Row], str]
) -> Iterator[tuple[Row, Path]]:
    """The rows of a data set's table, each with its image.

    Args:
        table: A CSV file with a line of headings.
        folder: Where the images are.
        columns: Headings that it must have.
        stem_of: The stem of the image that a row is about; empty for a row that is left out.

    Yields:
        The row and the image.

    Raises:
        DatasetError: The table, the folder or an image that the table names is missing.
    """
    rows, images = read_table(table, columns), find_by_stem(folder)
    for row in rows:
        stem = stem_of(row)
        if not stem:
            continue
        if stem not in images:
            raise DatasetError(f"{folder / stem}: the table names this image, but it is missing")
        yield row, images[stem]


def find_by_stem(folder: Path) -> dict[str, Path]:
    """The images of a folder by stem, so that converted copies of a set (JPEG for PNG) are found as well.

    Raises:
        DatasetError: The folder does not exist.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: this folder of the data set is missing")
    return {path.stem: path for path in sorted(folder.iterdir()) if _is_image(path)}


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")  # ._one.png of a Mac
