# SPDX-License-Identifier: Apache-2.0
"""One run of the comparison: a recipe, a division and what it depends on, and the name that follows from all of it.

A run's name is a hash of the recipe, the weights, the images by content and the code's version, so that a result is
found again wherever it was made, and never taken for that of another run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from convert.compare.protocols import Protocol, at_most, divide
from convert.data.datasets.mammograms import load_cbis, load_mammogram_folder
from convert.data.datasets.sample import UNKNOWN, DatasetError, Sample
from convert.data.folders import DataFolders
from convert.data.splits import Split
from convert.recipes.recipe import Recipe
from convert.train.architectures.weights import Weights

_WORDS = {"title", "source", "published", "cut_short", "cut_short_pictures"}
"""What a recipe says that no result depends on; how many epochs are run stands in the task."""

VERSION = 3
"""Of what a run computes; a change that moves figures makes a new one."""


class DataChoice(BaseModel):
    """Which images take part; paths as the worker sees them.

    Attributes:
        busi: Folder of BUSI, and so on for the others.
        others: Further sets, name and folder (``convert.data.datasets.known``).
        limits: Largest number of images of a set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    busi: Path | None = None
    busbra: Path | None = None
    uclm: Path | None = None
    cbis: Path | None = None
    mammograms: Path | None = None
    others: tuple[tuple[str, Path], ...] = ()
    limits: dict[str, int] = {}

    def load(self) -> list[Sample]:
        """All samples of the folders that were named, of sets that may be trained on.

        Raises:
            DatasetError: None was, or one does not have its layout.
        """
        return list(_load(self.model_dump_json()))

    def load_external(self) -> list[Sample]:
        """Those of known class of sets that serve figures only: an unseen hospital, and nothing else.

        Raises:
            DatasetError: A folder does not have the layout of its set.
        """
        return list(_load_external(self.model_dump_json()))

    def folders(self) -> DataFolders:
        """The sets of ultrasound."""
        return DataFolders(self.busi, self.busbra, self.uclm, others=self.others)


class Task(BaseModel):
    """One run.

    Attributes:
        recipe: What is fitted.
        weights: What its network begins with: kind, path, digest.
        protocol: How images are divided.
        part: Which part is the test.
        unseen: Which set is, instead.
        data: Which images.
        epochs: In place of the recipe's; ``None`` for all of them.
        pictures: An epoch, of our own recipe; ``None`` for its own number.
        seed: Of weights and order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Recipe
    weights: Weights
    protocol: Protocol
    part: int = 0
    unseen: str = ""
    data: DataChoice
    epochs: int | None = None
    pictures: int | None = None
    seed: int = 0

    def split(self) -> Split:
        """Its images, by use. The first two protocols divide one set, as the papers did: BUSI where it takes part."""
        samples = self.data.load()
        if self.protocol is Protocol.UNSEEN:
            samples += [sample for sample in self.data.load_external() if sample.dataset == self.unseen]
        else:
            samples = papers_set(samples)
        return divide(samples, self.protocol, self.part, self.unseen)

    def name(self) -> str:
        """What its result is kept under."""
        split = self.split()
        description = {
            "version": VERSION,
            "recipe": self.recipe.model_dump(mode="json", exclude=_WORDS),
            "weights": [self.weights.kind, self.weights.digest],
            "images": [[_digest(s.image) for s in use] for use in (split.train, split.calibration, split.test)],
            "epochs": self.epochs,
            "pictures": self.pictures,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:32]

    def __str__(self) -> str:
        where = self.unseen or f"part {self.part + 1}"
        return f"{self.recipe.name}, {self.protocol}, {where}"


def papers_set(samples: Sequence[Sample]) -> list[Sample]:
    """The set that papers divide: BUSI, or the first there is."""
    names = dict.fromkeys(s.dataset for s in samples)
    chosen = "busi" if "busi" in names else next(iter(names))
    return [s for s in samples if s.dataset == chosen]


@lru_cache(maxsize=4)
def _load(choice: str) -> tuple[Sample, ...]:
    data = DataChoice.model_validate_json(choice)
    samples: list[Sample] = []
    if data.folders().folders():
        samples += data.folders().load()
    samples += load_cbis(data.cbis) if data.cbis else []
    samples += load_mammogram_folder(data.mammograms) if data.mammograms else []
    if not samples:
        raise DatasetError("no data set was named; give at least one of --busi, --busbra, --uclm, --set and --cbis")
    return tuple(at_most(samples, data.limits))


@lru_cache(maxsize=4)
def _load_external(choice: str) -> tuple[Sample, ...]:
    data = DataChoice.model_validate_json(choice)
    return tuple(at_most([s for s in data.folders().load_external() if s.label != UNKNOWN], data.limits))


@lru_cache(maxsize=20_000)
def _digest(image: Path) -> str:
    try:
        return hashlib.sha256(image.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise DatasetError(f"{image}: this image cannot be read ({error.strerror})") from error
