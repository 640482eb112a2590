# SPDX-License-Identifier: Apache-2.0
"""Splits that never tear a group apart: near copies, the views of a case and the frames of a patient stay together.

Everything is seeded and depends on the groups' names alone, so that the same command on the same data gives the same
split on every machine. ``Split.identifier`` is what a manifest holds to name a split.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from convert.data.datasets.sample import Sample


@dataclass(frozen=True, slots=True)
class Split:
    """Samples by use; no group is in two of them.

    Attributes:
        train: Weights are fitted on these.
        calibration: The best checkpoint, calibration and thresholds are chosen on these.
        test: Looked at once, for the figures; empty where everything else is trained on.
    """

    train: tuple[Sample, ...]
    calibration: tuple[Sample, ...]
    test: tuple[Sample, ...]

    def identifier(self) -> str:
        """Short digest over which sample is used for what, to name the split in a manifest."""
        digest = hashlib.sha256()
        for use, samples in (("train", self.train), ("calibration", self.calibration), ("test", self.test)):
            digest.update("\n".join([use, *sorted(sample.key for sample in samples)]).encode())
        return digest.hexdigest()[:16]


def grouped_folds(samples: Sequence[Sample], folds: int, seed: int) -> list[list[Sample]]:
    """Distribute samples over folds, groups kept together, classes and data sets in proportion.

    Returns:
        One list of samples a fold, disjoint, together all of ``samples``.

    Raises:
        ValueError: Fewer than two folds, or fewer groups than folds; says what to give.
    """
    strata = [f"{sample.dataset}/{sample.label}" for sample in samples]
    groups = len({sample.group for sample in samples})
    if folds < 2:
        raise ValueError(f"{folds} folds cannot be divided into parts for training and for a test; give 2 or more")
    if min(groups, max(Counter(strata).values(), default=0)) < folds:
        raise ValueError(
            f"{len(samples)} images in {groups} groups that share no patient and no near copy are too few for {folds} "
            "parts; give more images, or fewer --folds"
        )
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    parts = splitter.split(np.zeros(len(samples)), strata, [sample.group for sample in samples])
    return [[samples[i] for i in test] for _, test in parts]


def fold_split(samples: Sequence[Sample], fold: int, folds: int = 5, seed: int = 0) -> Split:
    """Test on one fold, calibrate on half of the next one, train on the rest.

    Args:
        samples: Everything that takes part.
        fold: Which fold is the test part, 0 to ``folds`` - 1.
        folds: Number of folds.
        seed: Of the distribution.

    Raises:
        ValueError: There is no such fold.
    """
    if not 0 <= fold < folds:
        raise ValueError(f"there is no fold {fold}; {folds} folds are counted from 0 to {folds - 1}")
    parts = grouped_folds(samples, folds, seed)
    calibration, rest = grouped_folds(parts[(fold + 1) % folds], 2, seed)
    train = [s for i, part in enumerate(parts) if i not in (fold, (fold + 1) % folds) for s in part] + rest
    return Split(tuple(train), tuple(calibration), tuple(parts[fold]))


def whole_split(samples: Sequence[Sample], folds: int = 5, seed: int = 0) -> Split:
    """Train on everything but the calibration part of the first fold; nothing is left to test on.

    For what is shipped: its figures are those of the folds, whose networks are made in the same way from less.
    """
    calibration = fold_split(samples, 0, folds, seed).calibration
    held = {s.key for s in calibration}
    return Split(tuple(s for s in samples if s.key not in held), calibration, ())


def leave_out(samples: Sequence[Sample], name: str, seed: int = 0) -> Split:
    """Test on one whole data set or scanner, calibrate on a tenth of the rest and train on what remains.

    Args:
        samples: Everything that takes part.
        name: A data set (``busi``, ``busbra``, ``uclm``) or the name of a scanner.
        seed: Of the calibration part.

    Raises:
        ValueError: No sample, or every sample, is of that set or scanner.
    """
    test = [s for s in samples if name in (s.dataset, s.scanner)]
    rest = [s for s in samples if name not in (s.dataset, s.scanner)]
    if not test or not rest:
        known = sorted({s.dataset for s in samples} | {s.scanner for s in samples})
        raise ValueError(f"{name}: leaving this out leaves nothing to test or to train on; known are {known}")
    # A group with images of two scanners would leak over: its remaining images are not trained on either.
    tested = {s.group for s in test}
    calibration, *others = grouped_folds([s for s in rest if s.group not in tested], 10, seed)
    return Split(tuple(s for part in others for s in part), tuple(calibration), tuple(test))
