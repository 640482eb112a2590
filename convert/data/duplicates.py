# SPDX-License-Identifier: Apache-2.0
"""Which images are near copies of each other, so that no split puts one of them on each side.

About a third of BUSI's images have a near copy (another crop, other callipers, another brightness). A random split then
tests on what it trained on, which is where accuracies of 97 % and more on this set come from. The loader of BUSI groups
its images with this module and leaves out groups that carry two labels; ``main`` prints the groups of any folder.

The hash is the DCT-based perceptual hash (Zauner, "Implementation and benchmarking of perceptual image hash functions",
2010) with 16 x 16 instead of 8 x 8 frequencies: a brightness or contrast change leaves it alone, a calliper moves a few
bits. Two images are near copies if at most 60 of 256 bits differ, and copies of copies belong together.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.datasets.sample import DatasetError
from convert.data.images import is_image, read_grey, together

HASH_SIDE = 16
"""Frequencies kept in each direction: 256 bits."""

MAX_DISTANCE = 60
"""Bits out of 256 that near copies may differ by; unrelated images differ by about 128."""

_REDUCED_SIDE = 64
_ROWS_AT_ONCE = 512

Hash = NDArray[np.uint64]
"""(4,) the 256 bits of one image."""


def group_images(paths: Iterable[Path]) -> dict[Path, int]:
    """Group images by near copy.

    Args:
        paths: Image files; masks must not be among them.

    Returns:
        The group of every path, in the order of ``paths``; groups count from 0 by their first member.

    Raises:
        DatasetError: Files cannot be read as pictures; the message names them.
    """
    ordered = list(dict.fromkeys(paths))
    if not ordered:
        return {}
    hashes, faults = [], []
    for path in ordered:
        try:
            hashes.append(perceptual_hash(read_grey(path)))
        except DatasetError as fault:
            faults.append(fault)
    if faults:
        raise together(faults)
    return dict(zip(ordered, group_hashes(np.stack(hashes)).tolist(), strict=True))


def conflicting(groups: Mapping[Path, int], labels: Mapping[Path, int]) -> set[int]:
    """Groups whose members carry more than one label: at least one of these labels is wrong.

    Args:
        groups: As from ``group_images``.
        labels: Class of every path of ``groups``.
    """
    seen: dict[int, set[int]] = defaultdict(set)
    for path, group in groups.items():
        seen[group].add(labels[path])
    return {group for group, found in seen.items() if len(found) > 1}


def perceptual_hash(grey: NDArray[np.uint8]) -> Hash:
    """The 256 bits of one image: which of its low frequencies are stronger than their median.

    Args:
        grey: uint8 (h, w), any size.

    Returns:
        uint64 (4,).
    """
    reduced = cv2.resize(grey, (_REDUCED_SIDE, _REDUCED_SIDE), interpolation=cv2.INTER_AREA)
    frequencies = cv2.dct(reduced.astype(np.float64))[:HASH_SIDE, :HASH_SIDE].ravel()
    return np.packbits(frequencies > np.median(frequencies)).view(np.uint64)


def group_hashes(hashes: NDArray[np.uint64], max_distance: int = MAX_DISTANCE) -> NDArray[np.int64]:
    """Connected components of images whose hashes lie near each other.

    Args:
        hashes: uint64 (n, 4).
        max_distance: Differing bits up to which two hashes are near.

    Returns:
        int64 (n,): the component of each, numbered from 0 in the order in which they first occur.
    """
    # Late: half of the time that --help would take otherwise.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    near = [
        (rows + start, columns)
        for start in range(0, len(hashes), _ROWS_AT_ONCE)
        for rows, columns in [np.nonzero(distances(hashes[start : start + _ROWS_AT_ONCE], hashes) <= max_distance)]
    ]
    if not near:
        return np.zeros(0, np.int64)
    rows, columns = (np.concatenate(part) for part in zip(*near, strict=True))
    edges = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(hashes), len(hashes)))
    _, component = connected_components(edges, directed=False)
    _, first = np.unique(component, return_index=True)
    renumbered = np.empty(len(first), np.int64)
    renumbered[np.argsort(first)] = np.arange(len(first))
    return np.asarray(renumbered[component], np.int64)


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Hamming distances between two lists of hashes: uint16 (len(one), len(other))."""
    total = np.zeros((len(one), len(other)), np.uint16)
    for word in range(one.shape[1]):
        total += np.bitwise_count(one[:, None, word] ^ other[None, :, word])
    return total


def images_below(folder: Path) -> list[Path]:
    """Pictures in a folder and its subfolders, sorted, lesion masks (``…_mask``, ``…_mask_1``) left out.

    Raises:
        DatasetError: The folder does not exist.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: this folder is missing")
    return [path for path in sorted(folder.rglob("*")) if "_mask" not in path.stem and is_image(path)]


def main(folder: Path, write: Callable[[str], object] = print) -> int:
    """Print the groups of a folder as CSV: file, label (its folder), duplicate_group, label_conflict.

    Args:
        folder: A data set whose subfolders are the classes, as BUSI is published.
        write: Takes the CSV text.

    Returns:
        Exit status, 0.
    """
    groups = group_images(images_below(folder))
    names = sorted({path.parent.name for path in groups})
    conflicts = conflicting(groups, {path: names.index(path.parent.name) for path in groups})
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", "label", "duplicate_group", "label_conflict"])
    for path, group in groups.items():
        relative = path.relative_to(folder).as_posix()
        table.writerow([relative, path.parent.name, group, int(group in conflicts)])
    write(text.getvalue().rstrip("\n"))
    return 0
