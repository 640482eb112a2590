# SPDX-License-Identifier: Apache-2.0
"""Mammograms for the chain that was published on them: CBIS-DDSM's layout, and a folder of PNG files by class.

They have two classes, benign and malignant. DICOM files are read by the device's own reader, so what is hostile or
damaged in one is found by the code that is tested for it. Labels burned into the film are cut away: the breast is the
largest bright region.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from convert.data.datasets.sample import DatasetError, Sample, find_by_stem, label_of, read_table
from convert.data.images import read_grey
from device.capture.files.reader import read_frames
from device.capture.frame import Pixels
from device.imaging.sonogram import to_grey
from device.inference.finding import CLASSES

MAMMOGRAMS = ("cbis", "mammograms")
"""Names of the sets whose images are mammograms."""

_DARK = 12
"""Grey level up to which film is background."""


def load_cbis(folder: Path) -> list[Sample]:
    """Read CBIS-DDSM (Lee et al., Scientific Data 4 (2017) 170177) from its description tables.

    The patient is what is kept together. ``BENIGN_WITHOUT_CALLBACK`` is benign.

    Args:
        folder: Holds ``*case_description*.csv`` and, somewhere below, the image folders that they name.

    Raises:
        DatasetError: There is no table, or an image that one names is missing.
    """
    tables = sorted(folder.glob("*case_description*.csv"))
    if not tables:
        raise DatasetError(f"{folder}: no table *case_description*.csv of CBIS-DDSM")
    images = dict(_images_by_folder(folder))
    samples: dict[str, Sample] = {}
    for table in tables:
        for row in read_table(table, ("image file path", "pathology", "patient_id")):
            series = next(iter(Path(row["image file path"].strip()).parts), "")
            if series not in images:
                raise DatasetError(f"{folder / series}: the table {table.name} names this image, but it is missing")
            label = label_of(row["pathology"].strip().lower().removesuffix("_without_callback"), table)
            known = samples.get(series)
            # Several lesions of one film: it is malignant if one of them is.
            if known is None or known.label < label:
                patient = row["patient_id"].strip()
                key, group = f"cbis/{series}", f"cbis/{patient}"
                samples[series] = Sample(key, "cbis", images[series], (), label, group, "cbis")
    return list(samples.values())


def load_mammogram_folder(folder: Path) -> list[Sample]:
    """Read a folder with the subfolders ``benign`` and ``malignant``; each file is a group of its own.

    Raises:
        DatasetError: A class folder is missing or empty.
    """
    samples = []
    for name in ("benign", "malignant"):
        files = find_by_stem(folder / name)
        files |= {path.stem: path for path in sorted((folder / name).glob("*.dcm"))}
        if not files:
            raise DatasetError(f"{folder / name}: no image was found")
        for stem, path in files.items():
            key = f"mammograms/{name}/{stem}"
            samples.append(Sample(key, "mammograms", path, (), CLASSES.index(name), key, "mammograms"))
    return samples


def read_mammogram(path: Path) -> Pixels:
    """The breast of a mammogram, uint8 (h, w) grey, without what is printed beside it.

    Raises:
        DatasetError: The picture cannot be read.
        FrameError: The DICOM file cannot be read.
    """
    grey = to_grey(next(iter(read_frames(path))).pixels) if path.suffix.lower() == ".dcm" else read_grey(path)
    return crop_breast(grey)


def crop_breast(grey: Pixels) -> Pixels:
    """The box around the largest bright region; the picture itself where nothing is bright.

    Letters and markers are bright but small, and not connected with the breast.
    """
    bright = (cv2.medianBlur(grey, 5) > _DARK).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    if count < 2:
        return grey
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, w, h = (int(v) for v in stats[largest, :4])
    # Markers inside of the box are blackened: they are no part of the region.
    inside = np.where(labels == largest, grey, 0)[y : y + h, x : x + w]
    return np.ascontiguousarray(inside, dtype=np.uint8)


def _images_by_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    """The first image below each folder at the top, as the tables name them."""
    for series in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(path for path in series.rglob("*") if path.suffix.lower() in (".dcm", ".png", ".jpg", ".jpeg"))
        if files:
            yield series.name, files[0]
