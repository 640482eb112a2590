# SPDX-License-Identifier: Apache-2.0
"""Two small sets of phantoms in the layouts of BUSI and BUS-UCLM, so that ``compare --quick`` needs no download."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from convert.compare.task import DataChoice
from device.capture.frame import Pixels
from device.capture.phantom.frames import phantom_scene
from device.imaging.sonogram import to_grey
from device.inference.finding import CLASSES

_EACH = 14
"""Images of a class: two in each of the seven parts."""

_PATIENTS = 12


def make_phantom_sets(folder: Path) -> DataChoice:
    """Draw both sets into a folder, unless they are there."""
    busi, uclm = folder / "busi", folder / "uclm"
    if not (folder / "whole").exists():
        _draw_busi(busi)
        _draw_uclm(uclm)
        (folder / "whole").touch()
    return DataChoice(busi=busi, uclm=uclm)


def _draw_busi(folder: Path) -> None:
    for label, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, _EACH + 1):
            pixels, mask = _pair(1000 * label + number, label)
            cv2.imwrite(str(folder / name / f"{name} ({number}).png"), pixels)
            cv2.imwrite(str(folder / name / f"{name} ({number})_mask.png"), mask)


def _draw_uclm(folder: Path) -> None:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "label", "patient", "doppler", "marks", "combined", "note"])
        for patient in range(_PATIENTS):
            label = patient % len(CLASSES)
            stem = f"P{patient:03d}"
            pixels, mask = _pair(9000 + patient, label)
            cv2.imwrite(str(folder / "images" / f"{stem}.png"), pixels)
            cv2.imwrite(str(folder / "masks" / f"{stem}.png"), mask)
            table.writerow([f"images/{stem}.png", CLASSES[label], stem, "No", "No", "No", ""])


def _pair(seed: int, label: int) -> tuple[Pixels, Pixels]:
    """Grey picture (120, 160) and its mask of 0 or 255."""
    scene = phantom_scene(seed, (None, "benign", "malignant")[label], size=(160, 120))
    return to_grey(scene.frame.pixels), (scene.lesion * 255).astype(np.uint8)
