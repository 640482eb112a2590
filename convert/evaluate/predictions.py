# SPDX-License-Identifier: Apache-2.0
"""What a model said of labelled images, with everything that a figure may be broken down by.

Plain arrays, so that evaluation needs no network, and one file, so that figures can be made again without running one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from device.inference.finding import CLASSES

UNCERTAIN, NOT_EVALUABLE, UNDECIDED = len(CLASSES), len(CLASSES) + 1, -1
"""What ``Predictions.decisions`` holds beside the index of a class."""

_ABSENT = {"folds": -1, "dice": np.nan, "suspicious": False, "decisions": UNDECIDED, "unfamiliar": False}
_TYPES: dict[str, type[np.generic]] = {
    "probabilities": np.float64,
    "labels": np.int64,
    "folds": np.int64,
    "dice": np.float64,
    "suspicious": np.bool_,
    "decisions": np.int64,
    "unfamiliar": np.bool_,
}


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model said of n labelled images. Sequences are accepted and become arrays.

    Attributes:
        probabilities: float64 (n, 3), calibrated, in the order of ``CLASSES``, rows summing to 1.
        labels: int64 (n,), index of the true class.
        groups: str (n,), what was kept together by the split; intervals resample these.
        sets: str (n,), data set of each image.
        scanners: str (n,), scanner of each image, the set's name where the set does not tell.
        keys: str (n,), unique name of each image.
        folds: int64 (n,), the fold in which the image was tested, -1 where there are no folds.
        dice: float64 (n,), overlap of the outlined lesion with the true one, NaN where the image has none.
        suspicious: bool (n,), whether the malignant probability reached the operating point that was in force.
        decisions: int64 (n,), the result under the limits in force: a class, ``UNCERTAIN``, ``NOT_EVALUABLE``, or
            ``UNDECIDED`` where no limits were applied. Each fold has limits of its own, so they are kept an image.
        unfamiliar: bool (n,), whether the finding carries the caution of an unfamiliar source.
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    sets: NDArray[np.str_]
    scanners: NDArray[np.str_]
    keys: NDArray[np.str_]
    folds: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    dice: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    suspicious: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    decisions: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    unfamiliar: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        n = len(self.labels)
        for name in (each.name for each in fields(self)):
            given = getattr(self, name)
            if name in _ABSENT and not len(given):
                given = np.full(n, _ABSENT[name])
            values = np.asarray(given, _TYPES.get(name, np.str_))
            shape = (n, len(CLASSES)) if name == "probabilities" else (n,)
            if values.shape != shape:
                raise ValueError(f"{name} has the shape {values.shape}, not {shape}")
            object.__setattr__(self, name, values)
        if not np.allclose(self.probabilities.sum(1), 1.0, atol=1e-4) or (self.probabilities < 0).any():
            raise ValueError("probabilities are not finite, not negative and summing to 1 in every row")
        if ((self.labels < 0) | (self.labels >= len(CLASSES))).any():
            raise ValueError(f"labels are not all indices into {CLASSES}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def malignant(self) -> NDArray[np.float64]:
        """Malignant probability, (n,)."""
        return self.probabilities[:, CLASSES.index("malignant")]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Index of the most probable class, (n,)."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    def where(self, chosen: ArrayLike) -> Predictions:
        """The images that a boolean mask (n,) or a list of positions chooses."""
        index = np.asarray(chosen)
        return Predictions(**{each.name: getattr(self, each.name)[index] for each in fields(self)})

    def save(self, path: Path) -> None:
        """Write everything into one compressed ``.npz``; what is there is replaced at once or not at all."""
        unfinished = path.with_suffix(".part.npz")
        np.savez_compressed(unfinished, **{_stored_as(each.name): getattr(self, each.name) for each in fields(self)})
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read what ``save`` wrote.

        Raises:
            OSError: The file cannot be read.
            KeyError: It lacks an array.
            ValueError: It is another file, or arrays do not fit together.
        """
        with np.load(path, allow_pickle=False) as stored:
            # Predictions from before there were cautions have none.
            names = [f.name for f in fields(cls) if f.name != "unfamiliar" or f.name in stored]
            return cls(**{name: stored[_stored_as(name)] for name in names})


def _stored_as(name: str) -> str:
    """Name of an array in the file: runs that were evaluated earlier call the decisions ``words``."""
    return "words" if name == "decisions" else name


def joined(parts: Sequence[Predictions]) -> Predictions:
    """One set of predictions out of several, for instance of the folds, in their order.

    Raises:
        ValueError: There are none, or an image occurs twice: folds are disjoint.
    """
    if not parts:
        raise ValueError("there are no predictions to join")
    whole = Predictions(
        **{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Predictions)}
    )
    if len(np.unique(whole.keys)) != len(whole):
        raise ValueError("an image was predicted twice")
    return whole
