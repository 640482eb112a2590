# SPDX-License-Identifier: Apache-2.0
"""``package``: a bundle that misses its targets is not packed in passing, and says what it misses when it is."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from convert.__main__ import main
from convert.limits import Limits, read_limits
from convert.release.keys import public_key_path
from convert.release.package import BundleDraft
from convert.report.targets import check_targets
from convert.run import Run, SplitChoice
from convert.train.fit import TrainingPlan
from convert.train.network import NetworkSpec
from device.inference.bundle import load_bundle
from tests.convert.conftest import TINY_SIZE
from tests.convert.folders import make_busi, phantom_pair
from tests.convert.release.test_package import draft  # noqa: F401 - a fixture


@pytest.fixture
def run(draft: BundleDraft, tmp_path: Path) -> Run:  # noqa: F811
    """An evaluated run, with a tiny network in the place of a trained one."""
    run = Run(tmp_path / "run")
    run.begin(SplitChoice(), TrainingPlan(network=NetworkSpec(size=TINY_SIZE, weights="none")))
    for network in (run.int8, run.float32):
        shutil.copy(draft.network, network)
    shutil.copy(draft.in_distribution, run.in_distribution)
    limits = Limits(
        calibration=draft.calibration,
        operating_points=draft.operating_points,
        abstention=draft.abstention,
        ood_limit=draft.ood_limit,
        breast_loss=draft.breast_loss,
    )
    run.calibration.write_text(limits.model_dump_json(), encoding="utf-8")
    run.figures.mkdir()
    (run.figures / "evaluation.json").write_text(json.dumps(draft.report), encoding="utf-8")
    assert main(["keygen"]) == 0
    return run


def test_a_bundle_that_misses_targets_is_packed_by_a_word_of_acceptance_alone(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    busi = make_busi(tmp_path / "busi", each=6)
    command = ["package", "--run", str(run.folder), "--busi", str(busi), "--out", str(models)]
    missed = [row for row in check_targets(json.loads((run.figures / "evaluation.json").read_text())) if not row.met]
    assert {row.verdict for row in missed} == {"not met", "not measured"}

    capsys.readouterr()
    assert main(command) == 2
    said = capsys.readouterr().err
    for row in missed:
        assert f"{row.verdict}: {row.what}: {row.found}" in said
    assert f"package --run {run.folder} --accept" in said
    assert not models.exists()

    assert main([*command, "--accept"]) == 0
    said = capsys.readouterr().out
    for row in missed:
        assert f"{row.verdict}: {row.what}: {row.found}" in said
    bundle = models / "own-0.1.0"
    load_bundle(bundle, trusted_keys=public_key_path().parent)
    card = (bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    for row in missed:
        assert f"| {row.what} | {row.wanted} |" in card


def test_a_bundle_that_meets_its_targets_needs_no_acceptance(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def met(report: object) -> object:
        return [replace(row, met=True) for row in check_targets(json.loads(json.dumps(report)))]

    monkeypatch.setattr("convert.stages.release.check_targets", met)
    models = tmp_path / "models"
    busi = make_busi(tmp_path / "busi", each=6)
    assert main(["package", "--run", str(run.folder), "--busi", str(busi), "--out", str(models)]) == 0
    assert (models / "own-0.1.0" / "manifest.sig").exists()

    # With other data it is not tested, and what it was made of is said.
    cv2.imwrite(str(busi / "benign" / "benign (7).png"), phantom_pair(107, 1)[0])
    capsys.readouterr()
    assert main(["evaluate", "--bundle", str(models / "own-0.1.0"), "--busi", str(busi)]) == 2
    assert re.search(
        r"another split .* name the same sets, whole \(it was trained on \d+ images of busi\)", capsys.readouterr().err
    )


def test_a_run_calibrated_under_the_old_word_for_the_limit_is_read(run: Run) -> None:
    new = json.loads(run.calibration.read_text(encoding="utf-8"))
    old = {("rejection_limit" if key == "ood_limit" else key): value for key, value in new.items()}
    run.calibration.write_text(json.dumps(old), encoding="utf-8")
    assert read_limits(run).ood_limit == new["ood_limit"]
