# SPDX-License-Identifier: Apache-2.0
"""Mammograms in CBIS-DDSM's layout, as DICOM, and in folders of PNG files: read, cropped, grouped by patient."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from convert.compare.carry_out import carry_out
from convert.compare.plan import Plan, plan_tasks
from convert.compare.protocols import Protocol
from convert.compare.result import Result
from convert.compare.task import DataChoice, Task
from convert.data.datasets.mammograms import crop_breast, load_cbis, load_mammogram_folder, read_mammogram
from convert.data.datasets.sample import DatasetError
from convert.data.pictures import load_pictures
from convert.recipes.library import load_recipe, parse_recipe
from convert.train.architectures.weights import Weights
from device.capture.frame import Pixels
from tests.convert.folders import label_name

MAMMOGRAPHY = "1.2.840.10008.5.1.4.1.1.1.2"
HEADER = "patient_id,breast_density,left or right breast,image view,abnormality id,pathology,image file path"


def film(malignant: bool, seed: int = 0) -> Pixels:
    """A half-disc of tissue at the left edge, a mass in it, a printed label at the right."""
    rng = np.random.default_rng(seed)
    grey = np.zeros((300, 200), np.uint8)
    cv2.ellipse(grey, (0, 150), (110, 130), 0, -90, 90, 90, -1)
    grey = np.where(grey > 0, np.clip(grey + rng.normal(0, 8, grey.shape), 20, 255), 0).astype(np.uint8)
    cv2.circle(grey, (50, 150), 22 if malignant else 14, 220, -1)
    cv2.putText(grey, "R CC", (140, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)
    return grey


def write_dicom(path: Path, grey: Pixels) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MAMMOGRAPHY, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID, file.Modality = MAMMOGRAPHY, meta.MediaStorageSOPInstanceUID, "MG"
    file.Rows, file.Columns = grey.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.PixelData = (grey.astype(np.uint16) * 16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path)


@pytest.fixture
def cbis(tmp_path: Path) -> Path:
    rows = [HEADER]
    for patient in range(4):
        for view in ("CC", "MLO"):
            series = f"Mass-Training_P_{patient:05d}_LEFT_{view}"
            write_dicom(tmp_path / series / "1.2.3" / "1.2.4" / "000000.dcm", film(patient % 2 == 1, patient))
            pathology = ("BENIGN_WITHOUT_CALLBACK", "MALIGNANT")[patient % 2]
            rows.append(f"P_{patient:05d},3,LEFT,{view},1,{pathology},{series}/1.2.3/1.2.4/000000.dcm")
    rows.append(f"P_00000,3,LEFT,CC,2,MALIGNANT,{'Mass-Training_P_00000_LEFT_CC'}/1.2.3/1.2.4/000000.dcm")
    (tmp_path / "mass_case_description_train_set.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_cbis_is_read_by_its_table_and_grouped_by_patient(cbis: Path) -> None:
    samples = load_cbis(cbis)
    assert len(samples) == 8
    assert len({s.group for s in samples}) == 4
    by_key = {s.key: label_name(s) for s in samples}
    assert by_key["cbis/Mass-Training_P_00002_LEFT_CC"] == "benign"
    # Two lesions of one film, one of them malignant: the film is.
    assert by_key["cbis/Mass-Training_P_00000_LEFT_CC"] == "malignant"
    assert by_key["cbis/Mass-Training_P_00000_LEFT_MLO"] == "benign"


def test_pictures_of_dicom_mammograms_are_pseudocolour_of_the_breast(cbis: Path) -> None:
    pictures = load_pictures(load_cbis(cbis)[:2], 64, "pseudocolour")
    assert pictures.shape == (2, 64, 64, 3)
    assert pictures.std(axis=(1, 2)).min() > 5


def test_the_label_beside_the_breast_is_cut_away() -> None:
    grey = film(True)
    breast = crop_breast(grey)
    assert breast.shape[1] < 130
    assert breast.max() == grey[100:200, :100].max()
    assert np.array_equal(crop_breast(np.zeros((9, 9), np.uint8)), np.zeros((9, 9), np.uint8))


def test_a_folder_of_png_files_is_read_by_class(tmp_path: Path) -> None:
    for number, name in enumerate(("benign", "malignant")):
        (tmp_path / name).mkdir()
        for each in range(3):
            cv2.imwrite(str(tmp_path / name / f"{each}.png"), film(bool(number), each))
    samples = load_mammogram_folder(tmp_path)
    assert [label_name(s) for s in samples] == ["benign"] * 3 + ["malignant"] * 3
    assert read_mammogram(samples[0].image).shape[1] < 130


def test_what_is_missing_is_named(cbis: Path, tmp_path: Path) -> None:
    table = cbis / "mass_case_description_train_set.csv"
    table.write_text(table.read_text() + "P_9,3,LEFT,CC,1,BENIGN,Nowhere/1/2/0.dcm\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="Nowhere"):
        load_cbis(cbis)
    with pytest.raises(DatasetError, match="case_description"):
        load_cbis(tmp_path / "Mass-Training_P_00000_LEFT_CC")
    with pytest.raises(DatasetError, match="benign"):
        load_mammogram_folder(tmp_path)


def test_the_chain_is_fitted_and_tested_on_mammograms(tmp_path: Path) -> None:
    for number, name in enumerate(("benign", "malignant")):
        (tmp_path / "films" / name).mkdir(parents=True)
        for each in range(14):
            grey = film(bool(number), each)
            if each % 2:
                write_dicom(tmp_path / "films" / name / f"{each}.dcm", grey)
            else:
                cv2.imwrite(str(tmp_path / "films" / name / f"{each}.png"), grey)
    recipe = parse_recipe(
        {
            "kind": "cadx", "name": "chain", "title": "t", "source": "s", "components": 8, "folds": 3,
            "picture": {"size": 32, "colour": "pseudocolour"},
            "network": {"architecture": "simple_cnn", "weights": "random"},
        }
    )  # fmt: skip
    data = DataChoice(mammograms=tmp_path / "films")
    task = Task(recipe=recipe, weights=Weights("random"), protocol=Protocol.GROUPED, data=data)
    path = tmp_path / "result.zip"
    path.write_bytes(carry_out(task, tmp_path / "cache"))
    found = Result.read(path)
    assert found.predictions is not None
    assert set(found.predictions.labels.tolist()) == {1, 2}
    assert found.predictions.probabilities[:, 0].max() < 1e-6
    assert 2 <= found.notes["components"] <= 8
    # Mammograms have no row of ours, and it must not be asked for.
    assert len(plan_tasks(Plan(recipes=(recipe,), data=data, parts=1))) == 2
    with pytest.raises(ValueError, match="breast ultrasound"):
        plan_tasks(Plan(recipes=(recipe, load_recipe("mammascope")), data=data, parts=1))
