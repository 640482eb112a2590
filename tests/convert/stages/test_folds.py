# SPDX-License-Identifier: Apache-2.0
"""Folds: every image tested once, interrupted work taken up, and one report over all of it.

Networks are not trained here but put in place of trained ones; everything after that is the real thing.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.__main__ import main
from convert.data.folders import DataFolders
from convert.evaluate.evaluation_inputs import load_evaluation
from convert.report.failures import SHEET
from convert.report.targets import check_targets
from convert.run import Run, SplitChoice, StageMissingError
from convert.stages import folds
from convert.stages.fitting import calibrate_stage
from convert.stages.folds import fold_run, kept_folds, make_fold, report_folds
from convert.stages.release import evaluate_run
from convert.train.fit import RunMismatchError, TrainingPlan
from convert.train.network import NetworkSpec
from tests.convert.conftest import TINY_SIZE
from tests.convert.folders import make_busbra, make_busi, make_uclm

PLAN = TrainingPlan(network=NetworkSpec(size=TINY_SIZE, weights="none"))
COUNT = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFolders:
    top = tmp_path_factory.mktemp("data")
    return DataFolders(make_busi(top / "busi", each=12), make_busbra(top / "busbra", 9), make_uclm(top / "uclm", 9))


class Trainer:
    """Stands for the stages that train and convert: counts them, and leaves the given network behind."""

    def __init__(self, network: Path) -> None:
        self.network = network
        self.calls: Counter[str] = Counter()

    def train(
        self, run: Run, data: DataFolders, split: SplitChoice, plan: TrainingPlan, teachers: Sequence[Path]
    ) -> None:
        self.calls[f"train {split.fold}"] += 1
        run.weights.touch()

    def quantise(self, run: Run, data: DataFolders) -> None:
        self.calls["quantise"] += 1
        shutil.copy(self.network, run.int8)
        shutil.copy(self.network, run.float32)


@pytest.fixture(scope="module")
def made(
    data: DataFolders, tiny_network: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Trainer, dict[str, object]]:
    """A folder of folds whose making was cut short after the first fold's calibration, and its report."""
    folder, trainer = tmp_path_factory.mktemp("folds"), Trainer(tiny_network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "train_stage", trainer.train)
        patch.setattr(folds, "quantise_stage", trainer.quantise)
        with pytest.MonkeyPatch.context() as cut:
            cut.setattr(folds, "evaluate_test_split", _power_cut)
            with pytest.raises(InterruptedError):
                make_fold(folder, data, SplitChoice(0, COUNT), PLAN)
        for fold in range(COUNT):
            make_fold(folder, data, SplitChoice(fold, COUNT), PLAN)
    return folder, trainer, report_folds(folder, data)


def _power_cut(*_: object) -> None:
    raise InterruptedError


def test_finished_stages_are_not_repeated(made: tuple[Path, Trainer, dict[str, object]]) -> None:
    assert made[1].calls == {"train 0": 1, "train 1": 1, "train 2": 1, "quantise": COUNT}


def test_every_image_is_tested_once_by_the_fold_that_left_it_out(
    made: tuple[Path, Trainer, dict[str, object]], data: DataFolders
) -> None:
    samples = data.load()
    said = kept_folds(made[0]).int8
    assert sorted(said.keys.tolist()) == sorted(s.key for s in samples)
    for fold in range(COUNT):
        own = {s.key for s in SplitChoice(fold, COUNT).divide(samples).test}
        assert set(said.keys[said.folds == fold].tolist()) == own


def test_the_report_has_what_the_targets_ask_of_folds(made: tuple[Path, Trainer, dict[str, object]]) -> None:
    folder, _, report = made
    figures = folder / "figures"
    assert json.loads((figures / "evaluation.json").read_text()) == report
    rows = {row.what: row for row in check_targets(report)}
    folded = [row for what, row in rows.items() if "grouped folds" in what]
    assert len(folded) == 3
    assert all(row.met is not None for row in folded)
    assert rows["same assessment, int8 and float"].met is True  # here both are the same network
    assert "| scanner U-Systems | float |" in (figures / "evaluation.md").read_text()
    for name in ("roc.png", SHEET):
        assert cv2.imread(str(figures / name)) is not None


def test_other_settings_in_the_same_folder_are_refused(
    made: tuple[Path, Trainer, dict[str, object]], data: DataFolders
) -> None:
    other = replace(PLAN, seed=1)
    with pytest.raises(RunMismatchError, match="fold-1"):
        make_fold(made[0], data, SplitChoice(1, COUNT), other)
    with pytest.raises(RunMismatchError, match="fold-0"):
        kept_folds(made[0], other)
    assert kept_folds(made[0], PLAN).title == f"{COUNT} grouped folds"


def test_folds_of_a_shorter_training_stand_for_a_longer_one_and_say_so(
    made: tuple[Path, Trainer, dict[str, object]], tmp_path: Path
) -> None:
    folder = shutil.copytree(made[0], tmp_path / "folds")
    for fold in range(COUNT):
        settings = folder / f"fold-{fold}/settings.json"
        text = settings.read_text()
        assert '"pictures": 0' in text
        settings.write_text(text.replace('"pictures": 0', '"pictures": 50'))
    longer = replace(PLAN, pictures=60)
    assert kept_folds(folder, longer).title == f"{COUNT} grouped folds (each trained on 16 times 50 pictures)"
    for other in (replace(PLAN, pictures=40), replace(longer, seed=1), PLAN):
        with pytest.raises(RunMismatchError, match="fold-0"):
            kept_folds(folder, other)


def test_what_is_missing_is_named(made: tuple[Path, Trainer, dict[str, object]], tmp_path: Path) -> None:
    shutil.copytree(fold_run(made[0], 0).folder, fold_run(tmp_path, 0).folder)
    with pytest.raises(StageMissingError, match="missing: 1, 2"):
        kept_folds(tmp_path)


def test_a_run_that_left_a_scanner_out_joins_the_report_with_its_curves(
    made: tuple[Path, Trainer, dict[str, object]], data: DataFolders, tiny_network: Path, tmp_path: Path
) -> None:
    run = Run(tmp_path / "run")
    run.begin(SplitChoice(leave_out="U-Systems"), PLAN)
    Trainer(tiny_network).quantise(run, data)
    calibrate_stage(run, data)
    evaluate_run(run, data)
    said = load_evaluation(run).int8
    assert set(said.scanners.tolist()) == {"U-Systems"}
    assert (run.figures / SHEET).exists() == bool(
        np.any(said.decisions[said.decisions < 3] != said.labels[said.decisions < 3])
    )
    report = report_folds(made[0], data, [run.folder])
    assert list(report["left_out"]) == ["U-Systems"]
    assert report["folds"] is not None


def test_a_fold_that_does_not_exist_is_refused_before_anything_is_made(data: DataFolders, tmp_path: Path) -> None:
    decisions = ["folds", "--run", str(tmp_path / "run"), "--busi", str(data.busi), "--folds", "3", "--only", "0", "3"]
    assert main(decisions) == 2
    assert not (tmp_path / "run").exists()
