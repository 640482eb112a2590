# SPDX-License-Identifier: Apache-2.0
"""A hospital's own folder as it really comes: what is wrong with it is refused or said, never passed over."""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.data.corpus import load_examples
from convert.data.datasets.class_folders import load_class_folders, remarks
from convert.data.datasets.sample import DatasetError
from convert.data.folders import DataFolders
from convert.data.images import delivered_frame, read_grey
from device.inference.finding import CLASSES
from tests.convert.folders import make_class_folders, phantom_pair, write_ultrasound


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return make_class_folders(tmp_path / "ours")


def test_dicom_files_are_images_too_with_and_without_a_suffix(ours: Path) -> None:
    grey, mask = phantom_pair(1, 2)
    uid = "1.2.840.113619.2.55"
    for name in ("scan.dcm", uid):
        write_ultrasound(ours / "malignant" / name, [grey])
    cv2.imwrite(str(ours / "malignant" / "scan_mask.png"), mask)
    with (ours / "list.csv").open("a", encoding="utf-8") as table:
        table.write(f"malignant/scan.dcm,A,Aplio\nmalignant/{uid},A,Aplio\n")
    samples = load_class_folders("ours", ours)
    by_key = {s.key: s for s in samples}
    assert by_key["ours/malignant/scan"].group == by_key[f"ours/malignant/{uid}"].group == "ours/A"
    for example in load_examples(samples, quiet=True), load_examples(samples, quiet=True, read=delivered_frame):
        read = {e.sample.key: e for e in example}
        assert np.array_equal(read["ours/malignant/scan"].frame.pixels, grey)
        assert read["ours/malignant/scan"].mask.any()
        assert np.array_equal(read[f"ours/malignant/{uid}"].frame.pixels, grey)


def test_a_dicom_file_that_is_a_tiff_as_well_is_the_dicom(tmp_path: Path) -> None:
    """The 128 bytes in front of DICOM's mark hold the head of a TIFF of 8 by 8 pixels: both kinds of viewer open it."""
    grey, path = phantom_pair(1, 2)[0], tmp_path / "both.dcm"
    write_ultrasound(path, [grey])
    tags = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: 8, 279: 64}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    path.write_bytes(head.ljust(128, b"\0") + path.read_bytes()[128:])
    thumbnail = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert thumbnail is not None
    assert thumbnail.shape == (8, 8)
    assert np.array_equal(read_grey(path), grey)


def test_a_table_without_the_folders_of_its_files_says_how_they_are_named(ours: Path) -> None:
    (ours / "list.csv").write_text("file,patient\nbenign0.png,A\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"'benign0\.png', which is not there; .* as benign/benign0$"):
        load_class_folders("ours", ours)


def loop(ours: Path) -> None:
    write_ultrasound(ours / "benign" / "loop.dcm", [phantom_pair(seed, 1)[0] for seed in (1, 2)])


def two_classes(ours: Path) -> None:
    shutil.copy(ours / "benign" / "benign0.png", ours / "malignant" / "other.png")


def one_name_twice(ours: Path) -> None:
    cv2.imwrite(str(ours / "benign" / "benign0.jpg"), phantom_pair(1, 1)[0])


def deeper(ours: Path) -> None:
    (ours / "benign" / "Amina").mkdir()
    shutil.move(ours / "benign" / "benign0.png", ours / "benign" / "Amina" / "benign0.png")


def whose_mask(ours: Path) -> None:
    cv2.imwrite(str(ours / "malignant" / "benign0.png"), phantom_pair(1, 2)[0])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (loop, r"benign/loop\.dcm: .*several frames"),
        (two_classes, r"malignant/other\.png: the same picture as .*benign/benign0\.png"),
        (one_name_twice, r"benign0\.png: benign0\.jpg has the same name"),
        (deeper, r"benign/Amina: .*put its images into"),
        (whose_mask, r"masks/benign0\.png: .*benign/benign0 or to malignant/benign0"),
    ],
)
def test_what_cannot_be_counted_rightly_is_refused_with_its_name(
    harm: Callable[[Path], None], said: str, ours: Path
) -> None:
    harm(ours)
    with pytest.raises(DatasetError, match=said):
        load_class_folders("ours", ours)


@pytest.mark.parametrize("listed", [True, False])
def test_all_files_that_cannot_be_read_are_named_at_once(listed: bool, ours: Path) -> None:
    (ours / "benign" / "benign0.png").write_bytes(b"")
    (ours / "malignant" / "malignant1.png").write_text("a note", encoding="utf-8")
    if not listed:
        (ours / "list.csv").unlink()
    with pytest.raises(DatasetError, match=r"benign0\.png: .*; .*malignant1\.png: "):
        load_examples(load_class_folders("ours", ours), quiet=True)


def test_a_mask_of_another_size_is_named_with_both_sizes(ours: Path) -> None:
    cv2.imwrite(str(ours / "masks" / "benign0.png"), np.zeros((60, 80), np.uint8))
    with pytest.raises(DatasetError, match=r"masks/benign0\.png: .*80 by 60 pixels, its image 160 by 120"):
        load_examples(load_class_folders("ours", ours), quiet=True)


def test_a_mask_may_say_that_it_is_one(ours: Path) -> None:
    (ours / "masks" / "benign0.png").rename(ours / "masks" / "benign0_mask.png")
    samples = load_class_folders("ours", ours)
    assert all(len(s.masks) == 1 for s in samples)
    assert remarks(ours, samples) == []


def test_what_is_no_fault_for_sure_is_said(ours: Path) -> None:
    assert remarks(ours, load_class_folders("ours", ours)) == []
    (ours / "benign").rename(ours / "benigno")
    grey = phantom_pair(7, 2)[0]
    (ours / "normal").mkdir()
    cv2.imwrite(str(ours / "malignant" / "one.png"), grey)
    cv2.imwrite(str(ours / "normal" / "one.png"), np.clip(grey, 6, 250))
    cv2.imwrite(str(ours / "masks" / "nobody.png"), np.zeros((120, 160), np.uint8))
    table = (ours / "list.csv").read_text(encoding="utf-8").replace("benign/", "benigno/")
    (ours / "list.csv").write_text(table, encoding="utf-8")
    said = remarks(ours, load_class_folders("ours", ours))
    assert len(said) == 4
    for words in (
        r"benigno: .*images in it \(2\) are of unknown class",
        r"masks: no image belongs to nobody\.png",
        r"no patient is named for 2 images; near copies count as one patient, which makes 1$",
        r"(?s)malignant/one\.png, normal/one\.png look alike",
    ):
        assert sum(bool(re.search(words, each)) for each in said) == 1, (words, said)


def test_training_on_folders_of_other_names_says_how_they_have_to_be_called(ours: Path) -> None:
    for name in ("benign", "malignant"):
        (ours / name).rename(ours / f"{name}o")
    (ours / "list.csv").unlink()
    data = DataFolders(others=(("ours", ours),))
    with pytest.raises(DatasetError, match=rf"none of 4 images is of known class.*{', '.join(CLASSES)}"):
        data.load()
    assert any("benigno" in each for each in data.remarks())


def test_a_set_kept_for_figures_alone_is_not_called_unnamed(ours: Path) -> None:
    with pytest.raises(DatasetError, match="buv40: kept for figures"):
        DataFolders(others=(("buv40", ours),)).load()
