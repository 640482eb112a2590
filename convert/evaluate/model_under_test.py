# SPDX-License-Identifier: Apache-2.0
"""What is put to the test: a run that has just been trained, or a bundle that was shipped.

Both hold the same decisions (calibration, limits) in different places; the evaluation sees one form of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from convert.limits import Limits, preprocessing, read_limits
from convert.run import Run, SplitChoice
from device.imaging.quality import Reason, judge_quality
from device.imaging.sonogram import Sonogram
from device.inference.finding import Caution
from device.inference.manifest import Manifest, Preprocessing, read_manifest
from device.inference.ood.distance import InDistribution, read_in_distribution
from device.inference.ood.source import BreastHead, judge_source, read_breast_head

Floats = NDArray[np.float32]

_Split = TypeAdapter(SplitChoice)


@dataclass(frozen=True, slots=True, eq=False)
class ModelUnderTest:
    """A network with its decisions and the split that it was made with.

    Attributes:
        split: Which images it may be tested on.
        int8: The network that the device runs.
        original: Its float original, ``None`` where it was not kept.
        limits: Calibration, thresholds and limits.
        in_distribution: Distribution of the embeddings of breast ultrasound.
        how: How windows are cut.
        head: Layers that tell breast from everything else; ``None`` for models with one limit only.
    """

    split: SplitChoice
    int8: Path
    original: Path | None
    limits: Limits
    in_distribution: InDistribution
    how: Preprocessing
    head: BreastHead | None = None

    def source(self, sonograms: Sequence[Sonogram], embeddings: Floats) -> list[Reason | Caution | None]:
        """What the device would say of the source of each picture: refused, with a caution, or in-distribution.

        Args:
            sonograms: n pictures.
            embeddings: float32 (n, d), what the network says of the whole of each.
        """
        limits = self.limits
        return [
            judge_quality(sonogram)
            or judge_source(embedding, self.in_distribution, self.head, limits.ood_limit, limits.source)
            for sonogram, embedding in zip(sonograms, embeddings, strict=True)
        ]


def model_of_run(run: Run) -> ModelUnderTest:
    """What a run made.

    Raises:
        StageMissingError: A stage has not been run yet.
    """
    split, _ = run.read_settings()
    limits = read_limits(run)
    return ModelUnderTest(
        split=split,
        int8=run.needs(run.int8, "quantise"),
        original=run.needs(run.float32, "quantise"),
        limits=limits,
        in_distribution=read_in_distribution(run.needs(run.in_distribution, "calibrate")),
        how=preprocessing(run),
        head=read_breast_head(run.breast_head) if limits.source is not None else None,
    )


def model_of_bundle(folder: Path) -> tuple[ModelUnderTest, Manifest]:
    """A shipped bundle and its manifest.

    Raises:
        BundleError: The manifest cannot be read.
        ValueError: It does not say how its data were divided.
    """
    manifest = read_manifest(folder)
    limits = Limits(
        calibration=manifest.calibration,
        operating_points=manifest.operating_points,
        abstention=manifest.abstention,
        ood_limit=manifest.rejection.limit,
        breast_loss=manifest.rejection.breast_loss,
        source=manifest.source,
        careful=manifest.careful,
        views=manifest.views,
    )
    split = _Split.validate_python(manifest.training.settings.get("split"))
    in_distribution = read_in_distribution(folder / manifest.rejection.file)
    head = None if manifest.source is None else read_breast_head(folder / manifest.source.file)
    model = ModelUnderTest(
        split, folder / manifest.network, None, limits, in_distribution, manifest.preprocessing, head
    )
    return model, manifest
