# SPDX-License-Identifier: Apache-2.0
"""A run folder: everything that one training leaves behind, from the weights to the figures.

Each stage reads what the one before it wrote, so a stage can be repeated alone, and a build that was interrupted goes
on with the first stage that is not finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from convert.data.datasets.sample import Sample
from convert.data.splits import Split, fold_split, leave_out, whole_split
from convert.errors import StageMissingError as StageMissingError
from convert.train.fit import RunMismatchError, TrainingPlan, nameless


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """How a run divides its samples.

    Attributes:
        fold: Test on this one of ``folds`` grouped folds.
        folds: Number of folds.
        leave_out: Test on this whole data set or scanner instead; empty for folds.
        seed: Of the distribution over folds.
        whole: Train on everything but a calibration part and test on nothing.
    """

    fold: int = 0
    folds: int = 5
    leave_out: str = ""
    seed: int = 0
    whole: bool = False

    def divide(self, samples: list[Sample]) -> Split:
        """Divide samples.

        Raises:
            ValueError: The data set or scanner to leave out is unknown.
        """
        if self.leave_out:
            return leave_out(samples, self.leave_out, self.seed)
        if self.whole:
            return whole_split(samples, self.folds, self.seed)
        return fold_split(samples, self.fold, self.folds, self.seed)


_Settings = TypeAdapter(tuple[SplitChoice, TrainingPlan])


@dataclass(frozen=True, slots=True)
class Run:
    """Paths of one run.

    Attributes:
        folder: Where it lives; ignored by version control when it lies in ``work/`` of the checkout.
    """

    folder: Path

    @property
    def training(self) -> Path:
        """State of the training itself."""
        return self.folder / "training"

    @property
    def weights(self) -> Path:
        """Weights that training chose."""
        return self.folder / "network.weights.h5"

    @property
    def int8(self) -> Path:
        """The network for the device."""
        return self.folder / "network-int8.tflite"

    @property
    def float32(self) -> Path:
        """The same network before quantisation."""
        return self.folder / "network-float.tflite"

    @property
    def calibration(self) -> Path:
        """Calibration and limits, as they go into the manifest."""
        return self.folder / "calibration.json"

    @property
    def in_distribution(self) -> Path:
        """The distribution of the training images' embeddings."""
        return self.folder / "rejection.npz"

    @property
    def breast_head(self) -> Path:
        """The layers that tell breast from everything else."""
        return self.folder / "breast.npz"

    @property
    def figures(self) -> Path:
        """Folder of the evaluation: JSON, Markdown and plots."""
        return self.folder / "figures"

    @property
    def predictions_int8(self) -> Path:
        """What the int8 network said of the test part (``convert.evaluate.predictions``)."""
        return self.figures / "int8.npz"

    @property
    def sources(self) -> Path:
        """What became of the source of frames never seen: refused, or with a caution."""
        return self.figures / "sources.json"

    @property
    def predictions_float(self) -> Path:
        """The same of the network before quantisation."""
        return self.figures / "float.npz"

    def needs(self, path: Path, command: str) -> Path:
        """A file of an earlier stage.

        Raises:
            StageMissingError: It is not there.
        """
        if not path.exists():
            raise StageMissingError(f"{path}: not there yet; run `python -m convert {command}` first")
        return path

    def begin(self, split: SplitChoice, plan: TrainingPlan) -> None:
        """Remember how the run divides its samples and what it trains.

        A run that got no further, because an argument or the data were wrong, may begin anew with others.

        Raises:
            RunMismatchError: The folder holds a run with other settings.
        """
        path = self.folder / "settings.json"
        if path.exists() and any(other != path for other in self.folder.iterdir()):
            begun, before = self.read_settings()
            if begun != split or nameless(before) != nameless(plan):
                raise RunMismatchError(f"{self.folder}: this folder holds a run with other settings; use another one")
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_Settings.dump_json((split, plan), indent=2) + b"\n")

    def read_settings(self) -> tuple[SplitChoice, TrainingPlan]:
        """What ``begin`` wrote.

        Raises:
            StageMissingError: The run was not begun.
        """
        path = self.needs(self.folder / "settings.json", "train")
        return _Settings.validate_json(path.read_bytes())
