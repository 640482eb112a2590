# SPDX-License-Identifier: Apache-2.0
"""Small data sets in the official layouts, made up of phantoms, for tests that need folders and not real images."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from convert.data.datasets.sample import UNKNOWN, Sample
from device.capture.frame import Pixels
from device.capture.phantom.frames import phantom_scene
from device.imaging.sonogram import to_grey
from device.inference.finding import CLASSES


@cache  # hundreds of them, and the same for many folders
def phantom_pair(seed: int, label: int) -> tuple[Pixels, Pixels]:
    """Grey picture (120, 160) and its mask of 0 or 255."""
    scene = phantom_scene(seed, (None, "benign", "malignant")[label], size=(160, 120))
    return to_grey(scene.frame.pixels), (scene.lesion * 255).astype(np.uint8)


def make_busi(folder: Path, each: int = 4) -> Path:
    for label, name in enumerate(("normal", "benign", "malignant")):
        (folder / name).mkdir(parents=True)
        for number in range(1, each + 1):
            pixels, mask = phantom_pair(100 * label + number, label)
            cv2.imwrite(str(folder / name / f"{name} ({number}).png"), pixels)
            cv2.imwrite(str(folder / name / f"{name} ({number})_mask.png"), mask)
    half = np.zeros((120, 160), np.uint8)
    half[:20, :20] = 255
    cv2.imwrite(str(folder / "benign" / "benign (1)_mask_1.png"), half)
    return folder


def make_busbra(folder: Path, cases: int = 6) -> Path:
    (folder / "Images").mkdir(parents=True)
    (folder / "Masks").mkdir()
    rows = ["ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX"]
    for case in range(1, cases + 1):
        label = 1 + case % 2
        scanner = "GE Logiq 7 @10-14MHz" if case % 3 else "U-Systems @10-14MHz"
        for side in ("l", "r"):
            pixels, mask = phantom_pair(1000 + 10 * case + ord(side), label)
            cv2.imwrite(str(folder / "Images" / f"bus_{case:04d}-{side}.png"), pixels)
            cv2.imwrite(str(folder / "Masks" / f"mask_{case:04d}-{side}.png"), mask)
            kind = ("benign", "malignant")[label - 1]
            rows.append(f'bus_{case:04d}-{side},{case},x,{kind},4,{scanner},160,120,{side},"[1,1,2,2]"')
    (folder / "bus_data.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def make_uclm(folder: Path, patients: int = 6) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rows = ["file,label,patient,doppler,marks,combined,note"]
    for patient in range(patients):
        for number, label in enumerate((0, 1 + patient % 2)):
            stem = f"P{patient:03d}_{number:03d}"
            pixels, mask = phantom_pair(5000 + 10 * patient + number, label)
            cv2.imwrite(str(folder / "images" / f"{stem}.png"), pixels)
            cv2.imwrite(str(folder / "masks" / f"{stem}.png"), mask)
            rows.append(f"images/{stem}.jpg,{('normal', 'benign', 'malignant')[label]},P{patient:03d},No,No,No,")
    rows.append("images/P000_000.jpg,normal,P000,Yes,No,No,doppler")
    rows.append("images/P000_001.jpg,benign,P000,No,No,Yes,two pictures")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def make_class_folders(folder: Path, each: int = 2, outlined: bool = True) -> Path:
    """A hospital's own folder: ``benign`` and ``malignant``, masks beside, a table of patients with two images each."""
    (folder / "masks").mkdir(parents=True)
    rows = ["file,patient,scanner"]
    for label, name in ((1, "benign"), (2, "malignant")):
        (folder / name).mkdir()
        for number in range(each):
            stem = f"{name}{number}"
            pixels, mask = phantom_pair(9000 + 100 * label + number, label)
            cv2.imwrite(str(folder / name / f"{stem}.png"), pixels)
            if outlined:
                cv2.imwrite(str(folder / "masks" / f"{stem}.png"), mask)
            rows.append(f"{name}/{stem}.png,{name} {number // 2},Aplio")
    (folder / "list.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def write_ultrasound(path: Path, pictures: list[Pixels]) -> None:
    """A DICOM file as a scanner writes it: one grey picture, or a loop."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = UltrasoundImageStorage, generate_uid(), "US"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.Rows, data.Columns = pictures[0].shape
    if len(pictures) > 1:
        data.NumberOfFrames = len(pictures)
    data.PixelData = b"".join(picture.tobytes() for picture in pictures)
    data.save_as(path, enforce_file_format=True)


def label_name(sample: Sample) -> str:
    """The class of a sample in words."""
    return "unknown" if sample.label == UNKNOWN else CLASSES[sample.label]
