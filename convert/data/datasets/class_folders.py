# SPDX-License-Identifier: Apache-2.0
"""A folder a class: the layout of most small sets, and the one in which any hospital can lay out its own images.

    DIR/benign/one.png  DIR/malignant/two.dcm  DIR/normal/three.png     the classes that there are
    DIR/masks/one.png  or  DIR/benign/one_mask.png, one_mask_1.png …    lesions, white on black, where they were drawn
    DIR/list.csv                                                        optional, columns: file, patient, scanner

``file`` is ``benign/one.png`` (or without suffix), ``patient`` whatever tells patients apart. Images of one patient
stay together in every split; where no table says who is who, near copies do. Other folders than the three classes hold
breast images whose class is not known: they are answered or refused, and count for nothing else. What may be another
thing than its owner thinks, and is no fault for sure, is said by ``remarks``.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.data.datasets.sample import IMAGE_SUFFIXES, UNKNOWN, DatasetError, Sample, few, find_by_stem, read_table
from convert.data.duplicates import group_images
from convert.data.images import image_files
from device.inference.finding import CLASSES

MASKS = "masks"
TABLE = "list.csv"

_MASK = re.compile(r"^(?P<stem>.+)_mask(?:_\d+)?$")
_GROUPS = ("patient", "case", "exam")
"""Columns of the table that tell who is who; the first that is there counts."""
_COPIES = "/copies "
"""In the group of an image that no table names: what stays together is near copies."""


@dataclass(frozen=True, slots=True)
class _Image:
    path: Path
    masks: tuple[Path, ...]
    label: int


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
        DatasetError: The folder is missing or holds no image, one picture lies in two classes, it is not clear which
            image a mask or a name belongs to, or the table names another image.
        OSError: A file cannot be read.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: this folder is missing; it must hold folders named {', '.join(CLASSES)}")
    labels = classes if classes is not None else {each: CLASSES.index(each) for each in CLASSES}
    found: dict[str, _Image] = {}
    for inside in _class_folders(folder):
        found |= _read_folder(inside, labels.get(inside.name.lower(), UNKNOWN))
    if not found:
        raise DatasetError(f"{folder}: no image was found; it must hold folders named {', '.join(CLASSES)}")
    found = _with_masks(folder, found)
    _refuse_two_classes(found)
    groups, scanners = _who(name, folder, {key: image.path for key, image in found.items()})
    return [
        Sample(f"{name}/{key}", name, image.path, image.masks, image.label, groups[key], scanners.get(key, name))
        for key, image in found.items()
    ]


def remarks(folder: Path, samples: Sequence[Sample]) -> list[str]:
    """What the owner of the images should look at before believing a figure, a sentence each.

    Args:
        folder: The folder.
        samples: What :func:`load_class_folders` read from it.
    """
    said = []
    unknown = Counter(s.image.parent.name for s in samples if s.label == UNKNOWN)
    for inside, count in unknown.items():
        said.append(
            f"{folder / inside}: this is none of {', '.join(CLASSES)}; images in it ({count}) are of unknown "
            "class, so they are only answered or refused"
        )
    if (folder / MASKS).is_dir():
        used = {mask for s in samples for mask in s.masks}
        normal = {s.image.stem for s in samples if s.label == CLASSES.index("normal")}
        masks = find_by_stem(folder / MASKS).values()
        lost = [path.name for path in masks if path not in used and _owner(path.stem) not in normal]
        if lost:
            said.append(f"{folder / MASKS}: no image belongs to {few(lost)}; a mask is called like its image")
    unnamed = [s for s in samples if _COPIES in s.group]
    if unnamed:
        groups = len({s.group for s in unnamed})
        said.append(
            f"{folder / TABLE}: no patient is named for {len(unnamed)} images; near copies count as one patient, "
            f"which makes {groups}"
        )
    by_group: dict[str, list[Sample]] = defaultdict(list)
    for sample in unnamed:
        by_group[sample.group].append(sample)
    for alike in by_group.values():
        if len({s.label for s in alike} - {UNKNOWN}) > 1:
            names = few([f"{s.image.parent.name}/{s.image.name}" for s in alike])
            said.append(f"{folder}: {names} look alike and lie in different classes; is one in the wrong folder?")
    return said


def _class_folders(folder: Path) -> list[Path]:
    inside = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(path for path in inside if path.name.lower() != MASKS)


def _read_folder(inside: Path, label: int) -> dict[str, _Image]:
    """The images of a class folder by ``class/stem``, with the masks that lie beside them.

    Raises:
        DatasetError: Two images have one name, or images lie deeper.
    """
    files: dict[str, Path] = {}
    for path in image_files(inside):
        # A DICOM file is often called by its UID: what is behind the last point is no suffix then.
        stem = path.name if path.suffix[1:].isdecimal() else path.stem
        if stem in files:
            raise DatasetError(f"{path}: {files[stem].name} has the same name; take one away, or rename it")
        files[stem] = path
    for deeper in sorted(path for path in inside.iterdir() if path.is_dir() and not path.name.startswith(".")):
        if next(image_files(deeper), None) is not None:
            text = f"put its images into {inside} itself, and say in {TABLE} whose they are"
            raise DatasetError(f"{deeper}: a folder inside of a class is not read; {text}")
    masks: dict[str, list[Path]] = defaultdict(list)
    for stem, path in files.items():
        if match := _MASK.match(stem):
            masks[match["stem"]].append(path)
    return {
        f"{inside.name}/{stem}": _Image(path, tuple(masks[stem]), label)
        for stem, path in files.items()
        if not _MASK.match(stem)
    }


def _with_masks(folder: Path, found: Mapping[str, _Image]) -> dict[str, _Image]:
    """The images with their masks from ``masks`` in front of those beside them; normal ones have none.

    Raises:
        DatasetError: A mask may belong to either of two images.
    """
    drawn: dict[str, list[Path]] = defaultdict(list)
    for stem, path in (find_by_stem(folder / MASKS) if (folder / MASKS).is_dir() else {}).items():
        drawn[_owner(stem)].append(path)
    result, owners = {}, dict[str, str]()
    for key, image in found.items():
        stem = key.partition("/")[2]
        if image.label == CLASSES.index("normal"):
            result[key] = _Image(image.path, (), image.label)
            continue
        if stem in drawn:
            other = owners.setdefault(stem, key)
            if other != key:
                text = f"belongs to {other} or to {key}; put masks beside their images, as {key}_mask.png"
                raise DatasetError(f"{drawn[stem][0]}: it is not clear whether this mask {text}")
        result[key] = _Image(image.path, (*drawn.get(stem, ()), *image.masks), image.label)
    return result


def _owner(stem: str) -> str:
    """The stem of the image that a mask in ``masks`` belongs to."""
    match = _MASK.match(stem)
    return match["stem"] if match else stem


def _refuse_two_classes(found: Mapping[str, _Image]) -> None:
    """Raises: DatasetError: The very same file lies in two classes."""
    seen: dict[bytes, _Image] = {}
    for image in found.values():
        if image.label == UNKNOWN:
            continue
        other = seen.setdefault(hashlib.sha256(image.path.read_bytes()).digest(), image)
        if other.label != image.label:
            raise DatasetError(f"{image.path}: the same picture as {other.path}; take it out of the wrong class")


def _who(name: str, folder: Path, images: Mapping[str, Path]) -> tuple[dict[str, str], dict[str, str]]:
    """What must stay together, and the scanner where the table tells it, of every image."""
    groups: dict[str, str] = {}
    scanners: dict[str, str] = {}
    if (folder / TABLE).is_file():
        for row in read_table(folder / TABLE, ("file",)):
            key = _key_of(row["file"].strip(), images)
            if key not in images:
                text = f"which is not there; a file is named with its folder, as {next(iter(images))}"
                raise DatasetError(f"{folder / TABLE}: the table names {row['file']!r}, {text}")
            who = next((row[column].strip() for column in _GROUPS if row.get(column, "").strip()), "")
            if who:
                groups[key] = f"{name}/{who}"
            if row.get("scanner", "").strip():
                scanners[key] = row["scanner"].strip()
    unnamed = [key for key in images if key not in groups]
    copies = group_images([images[key] for key in unnamed])
    groups |= {key: f"{name}{_COPIES}{copies[images[key]]}" for key in unnamed}
    return groups, scanners


def _key_of(file: str, images: Mapping[str, Path]) -> str:
    """``class/stem`` of an image that a table names with or without its suffix."""
    path = Path(file.replace("\\", "/"))
    if path.as_posix() in images:
        return path.as_posix()
    return path.with_suffix("").as_posix() if path.suffix.lower() in _SUFFIXES else path.as_posix()


_SUFFIXES = (*IMAGE_SUFFIXES, ".webp", ".dcm", ".dicom", ".dic", ".ima")
