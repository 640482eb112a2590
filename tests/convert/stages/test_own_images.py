# SPDX-License-Identifier: Apache-2.0
"""``evaluate --own``: a hospital's own images, judged as the handheld would, with what was said of each."""

from __future__ import annotations

import csv
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from convert.__main__ import main
from convert.release.package import BundleDraft, write_bundle
from convert.run import SplitChoice
from device.inference.site import profile_path
from tests.convert.folders import make_class_folders, phantom_pair
from tests.convert.release.test_package import draft, key, trusted  # noqa: F401 - fixtures


@pytest.fixture
def bundle(draft: BundleDraft, key: Ed25519PrivateKey, tmp_path: Path) -> Path:  # noqa: F811
    training = draft.training.model_copy(update={"settings": {"split": asdict(SplitChoice())}})
    return write_bundle(replace(draft, training=training), tmp_path / "models", key)


def test_figures_and_the_answer_to_each_image(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    ours = make_class_folders(tmp_path / "ours", each=6)
    doppler = cv2.cvtColor(phantom_pair(60, 1)[0], cv2.COLOR_GRAY2BGR)
    doppler[30:90, 40:120] = (0, 0, 255)
    cv2.imwrite(str(ours / "benign" / "doppler.png"), doppler)
    (ours / "waiting").mkdir()
    cv2.imwrite(str(ours / "waiting" / "later.png"), phantom_pair(61, 2)[0])
    out = tmp_path / "answers"
    assert main(["evaluate", "--bundle", str(bundle), "--own", f"kisumu={ours}", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "tiny@0.1.0 on kisumu: 14 images: 7 benign, 6 malignant, 0 normal, 1 of unknown class" in said
    assert f"note: {ours / 'waiting'}: this is none of" in said
    assert "sensitivity at the operating point" in said
    assert str(out / "answers.csv") in said
    with (out / "answers.csv").open(encoding="utf-8", newline="") as table:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(table)}
    assert len(rows) == 14
    assert rows["later.png"]["class"] == ""
    assert rows["malignant0.png"]["class"] == "malignant"
    # Colour is what a doppler picture is refused for, and the handheld sees it.
    assert rows["doppler.png"]["result"] == "not_evaluable"
    for row in rows.values():
        assert sum(float(row[name]) for name in ("normal", "benign", "malignant")) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("folder", "said"),
    [("Kisumu=frames", "write NAME=DIR, the name in small letters"), ("/nowhere/a=b", "/nowhere/a=b: this folder is")],
)
def test_a_name_and_a_folder_with_an_equals_sign_are_told_apart(
    folder: str, said: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["evaluate", "--bundle", str(bundle), "--own", folder])
    except SystemExit as ended:  # argparse
        status = int(ended.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err


def test_images_without_any_class_are_answered_or_refused_alone(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = make_class_folders(tmp_path / "ours")
    (ours / "malignant").rename(ours / "maligno")
    (ours / "benign").rename(ours / "benigno")
    (ours / "list.csv").unlink()
    profile_path().parent.mkdir(parents=True, exist_ok=True)
    profile_path().write_text("{}", encoding="utf-8")
    assert main(["evaluate", "--bundle", str(bundle), "--own", str(ours)]) == 0
    said = capsys.readouterr().out
    assert f"{profile_path()}: what was fitted to a site takes no part" in said
    assert "0 malignant" in said.replace("\n", " ")
    assert "maligno: this is none of" in said
    assert "refused as no breast ultrasound" in said
    assert "sensitivity" not in said
