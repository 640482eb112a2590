# SPDX-License-Identifier: Apache-2.0
"""Near copies: what is one image to a reader must be one group, and the published grouping of BUSI must come out."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from convert.data.datasets.sample import DatasetError
from convert.data.duplicates import (
    conflicting,
    distances,
    group_hashes,
    group_images,
    images_below,
    main,
    perceptual_hash,
)
from tests.convert.folders import write_ultrasound


def speckle(seed: int, height: int = 180, width: int = 240) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 9)
    return np.asarray(cv2.normalize(smooth, np.empty_like(smooth), 0, 255, cv2.NORM_MINMAX), np.uint8)


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def test_brighter_smaller_and_marked_copies_are_one_group_and_others_are_not(tmp_path: Path) -> None:
    original = speckle(1)
    marked = original.copy()
    cv2.line(marked, (60, 60), (130, 100), 255, 1)
    cv2.putText(marked, "L 3h", (5, 170), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    smaller = np.asarray(cv2.resize(original, (150, 112), interpolation=cv2.INTER_AREA), np.uint8)
    paths = [
        save(tmp_path / "other.png", speckle(2)),
        save(tmp_path / "original.png", original),
        save(tmp_path / "brighter.png", np.clip(original * 0.7 + 40, 0, 255).astype(np.uint8)),
        save(tmp_path / "smaller.jpg", smaller),
        save(tmp_path / "marked.png", marked),
        save(tmp_path / "third.png", speckle(3)),
    ]
    assert list(group_images(paths).values()) == [0, 1, 1, 1, 1, 2]


def test_copies_of_copies_belong_together_although_first_and_last_differ() -> None:
    bits = np.zeros((4, 256), np.uint8)
    bits[1, :50] = 1
    bits[2, :100] = 1  # 100 bits from the first, 50 from the second
    bits[3, 195:] = 1  # 61 bits from the first: just too far
    hashes = np.packbits(bits, axis=1).view(np.uint64)
    assert distances(hashes[:1], hashes).tolist() == [[0, 50, 100, 61]]
    assert group_hashes(hashes).tolist() == [0, 0, 0, 1]
    assert group_hashes(hashes, max_distance=61).tolist() == [0, 0, 0, 0]
    assert group_hashes(hashes[:0]).tolist() == []


def test_grouping_beyond_one_block_of_rows_equals_the_pairwise_definition() -> None:
    generator = np.random.default_rng(5)
    hashes = np.repeat(generator.integers(0, 2**63, (300, 4), np.uint64), 4, axis=0)[generator.permutation(1200)]
    groups = group_hashes(hashes)
    same = groups[:, None] == groups[None, :]
    assert np.array_equal(same, (hashes[:, None] == hashes[None]).all(axis=2))


def test_a_group_with_two_labels_is_named() -> None:
    groups = {Path("a"): 0, Path("b"): 0, Path("c"): 1, Path("d"): 2, Path("e"): 2}
    labels = {Path("a"): 1, Path("b"): 2, Path("c"): 0, Path("d"): 1, Path("e"): 1}
    assert conflicting(groups, labels) == {0}


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    empty = tmp_path / "empty.png"
    empty.touch()
    with pytest.raises(DatasetError, match=r"broken\.png"):
        group_images([broken])
    with pytest.raises(DatasetError, match=r"empty\.png"):
        group_images([empty])
    with pytest.raises(DatasetError, match=r"gone\.png"):
        group_images([tmp_path / "gone.png"])
    assert group_images([]) == {}


def test_hash_does_not_depend_on_size_alone() -> None:
    original = speckle(7)
    twice = np.asarray(cv2.resize(original, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.uint8)
    assert distances(perceptual_hash(original)[None], perceptual_hash(twice)[None]).item() <= 10


def test_the_command_prints_groups_and_conflicts_and_skips_masks(tmp_path: Path) -> None:
    save(tmp_path / "benign" / "benign (1).png", speckle(1))
    save(tmp_path / "benign" / "benign (1)_mask.png", speckle(4))
    save(tmp_path / "malignant" / "malignant (1).png", speckle(1))
    save(tmp_path / "normal" / "normal (1).png", speckle(2))
    write_ultrasound(tmp_path / "normal" / "scan.dcm", [speckle(2)])
    printed: list[str] = []
    assert main(tmp_path, printed.append) == 0
    rows = list(csv.DictReader(printed[0].splitlines()))
    assert [(row["label"], row["duplicate_group"], row["label_conflict"]) for row in rows] == [
        ("benign", "0", "1"),
        ("malignant", "0", "1"),
        ("normal", "1", "0"),
        ("normal", "1", "0"),
    ]


@pytest.mark.real_data
def test_busi_groups_are_the_published_ones(shared: Path) -> None:
    folder = shared / "data" / "Dataset_BUSI_with_GT"
    with (folder / "groups.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    published = {folder / row["file"]: row["duplicate_group"] for row in rows}
    ours = group_images(images_below(folder))
    assert set(ours) == set(published)

    def pairs(groups: dict[Path, int] | dict[Path, str]) -> set[tuple[Path, Path]]:
        return {(a, b) for a, b in combinations(sorted(groups), 2) if groups[a] == groups[b]}

    assert pairs(ours) == pairs(published)
    names = sorted({row["label"] for row in rows})
    conflicts = conflicting(ours, {folder / row["file"]: names.index(row["label"]) for row in rows})
    flagged = {folder / row["file"] for row in rows if row["label_conflict"] == "1"}
    assert {path for path, group in ours.items() if group in conflicts} == flagged
    assert len(conflicts) == 8
