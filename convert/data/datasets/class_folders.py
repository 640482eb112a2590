# SPDX-License-Identifier: Apache-2.0
"""A folder a class: the layout of most small sets, and the one in which any hospital can lay out its own images.

    DIR/benign/one.png  DIR/malignant/two.png  DIR/normal/three.png     the classes that there are
    DIR/masks/one.png  or  DIR/benign/one_mask.png, one_mask_1.png …    lesions, white on black, where they were drawn
    DIR/list.csv                                                        optional, columns: file, patient, scanner

``file`` is ``benign/one.png`` (or without suffix), ``patient`` whatever tells patients apart. Images of one patient
stay together in every split; where no table says who is who, near copies do. Other folders than the three classes hold
breast images whose class is not known: they are answered or refused, and count for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from convert.data.datasets.sample import IMAGE_SUFFIXES, UNKNOWN, DatasetError, Sample, find_by_stem, read_table
from convert.data.duplicates import group_images
from device.inference.finding import CLASSES

MASKS = "masks"
TABLE = "list.csv"

_MASK = re.compile(r"^(?P<stem>.+)_mask(?:_\d+)?$")
_GROUPS = ("patient", "case", "exam")
"""Columns of the table that tell who is who; the first that is there counts."""


def load_class_folders(name: str, folder: Path, classes: Mapping[str, int] | None = None) -> list[Sample]:
    """Read a folder of class folders.

    Args:
        name: What the set is called from here on.
        folder: Holds the class folders.
        classes: Label of each folder by its name; the three classes by their own names if not given, all other folders
            ``UNKNOWN``.

    Returns:
        The samples in the order of folder and file name.

    Raises:
        DatasetError: The folder is missing or holds no image, or its table names another image.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: this folder of the data set is missing")
    labels = classes if classes is not None else {each: CLASSES.index(each) for each in CLASSES}
    found: dict[str, tuple[Path, tuple[Path, ...], int]] = {}
    drawn = find_by_stem(folder / MASKS) if (folder / MASKS).is_dir() else {}
    for inside in sorted(path for path in folder.iterdir() if path.is_dir() and path.name.lower() != MASKS):
        files = find_by_stem(inside)
        masks: dict[str, list[Path]] = {stem: [path] for stem, path in drawn.items()}
        for stem, path in files.items():
            if match := _MASK.match(stem):
                masks.setdefault(match["stem"], []).append(path)
        label = labels.get(inside.name.lower(), UNKNOWN)
        for stem, path in files.items():
            if not _MASK.match(stem):
                lesions = () if label == CLASSES.index("normal") else tuple(masks.get(stem, ()))
                found[f"{inside.name}/{stem}"] = (path, lesions, label)
    if not found:
        raise DatasetError(f"{folder}: no image was found; it must hold folders named {', '.join(CLASSES)}")
    groups, scanners = _who(name, folder, {key: path for key, (path, _, _) in found.items()})
    return [
        Sample(f"{name}/{key}", name, path, lesions, label, groups[key], scanners.get(key, name))
        for key, (path, lesions, label) in found.items()
    ]


def _who(name: str, folder: Path, images: Mapping[str, Path]) -> tuple[dict[str, str], dict[str, str]]:
    """What must stay together, and the scanner where the table tells it, of every image."""
    groups: dict[str, str] = {}
    scanners: dict[str, str] = {}
    if (folder / TABLE).is_file():
        for row in read_table(folder / TABLE, ("file",)):
            key = _without_suffix(row["file"].strip())
            if key not in images:
                raise DatasetError(f"{folder / TABLE}: the table names {row['file']!r}, which is not there")
            who = next((row[column].strip() for column in _GROUPS if row.get(column, "").strip()), "")
            if who:
                groups[key] = f"{name}/{who}"
            if row.get("scanner", "").strip():
                scanners[key] = row["scanner"].strip()
    unnamed = [key for key in images if key not in groups]
    copies = group_images([images[key] for key in unnamed])
    groups |= {key: f"{name}/copies {copies[images[key]]}" for key in unnamed}
    return groups, scanners


def _without_suffix(file: str) -> str:
    path = Path(file.replace("\\", "/"))
    return path.with_suffix("").as_posix() if path.suffix.lower() in IMAGE_SUFFIXES else path.as_posix()
