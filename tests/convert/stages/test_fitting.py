# SPDX-License-Identifier: Apache-2.0
"""What would stop a later stage is said before a network is trained."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from convert.data.folders import DataFolders
from convert.run import Run, SplitChoice
from convert.stages.fitting import train_stage
from convert.train.fit import TrainingPlan
from convert.train.network import NetworkSpec
from tests.convert.folders import make_class_folders


@pytest.mark.parametrize(
    ("missing", "said"), [("malignant", "4 images .* 0 of them"), ("benign", "4 images .* 4 of them")]
)
def test_images_of_one_kind_alone_are_refused_before_training(
    missing: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        pytest.fail("a network was trained")

    monkeypatch.setattr("convert.stages.fitting.train", never)
    ours = make_class_folders(tmp_path / "ours", each=40)
    shutil.rmtree(ours / missing)
    (ours / "list.csv").unlink()
    data = DataFolders(others=(("ours", ours),))
    plan = TrainingPlan(network=NetworkSpec(weights="none"))
    with pytest.raises(ValueError, match=f"{said}.*give more images"):
        train_stage(Run(tmp_path / "run"), data, SplitChoice(), plan)
