# SPDX-License-Identifier: Apache-2.0
"""Choose the limits of careful consideration and of several views of a lesion, on the calibration part.

Averaged log-odds lie less far out than those of a single answer, so they need an operating point and a band of their
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from convert.data.corpus import Example
from convert.data.datasets.known import known_set
from convert.data.datasets.sample import Sample
from convert.evaluate.batch_inference import OUTLINE
from convert.release.calibrate import operating_point, uncertain_band
from device.inference.calibration import calibrated
from device.inference.careful import run_variants, spread_of
from device.inference.finding import CLASSES
from device.inference.manifest import Calibration, Careful, FurtherNetwork, Preprocessing, Views
from device.inference.pooling import mean_of_log_odds
from device.inference.runtime import Runtime

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

ZOOMS = (1.0,)
"""The whole sonogram. A tenth less of it around its centre as well took twice the time for 0.001 of AUC (three
networks, mean over five sets left out; docs/model-development.md)."""

LEAST_LESIONS = 20
"""Malignant lesions with two views from which a threshold for them is chosen."""

DOUBTED_SHARE = 0.05
"""Share of the calibration part whose answers disagree so much that the answer is *uncertain*."""


@dataclass(frozen=True, slots=True, eq=False)
class MemberNetwork:
    """A network of careful consideration: the ``.tflite`` file, how windows are cut, and its calibration."""

    path: Path
    how: Preprocessing
    calibration: Calibration


@dataclass(frozen=True, slots=True, eq=False)
class CarefulAnswers:
    """What n sonograms got: probabilities (n, 3), and how far the answers disagreed, (n,)."""

    probabilities: Floats
    spread: Floats


def answer_carefully(members: Sequence[MemberNetwork], examples: Sequence[Example], plan: Careful) -> CarefulAnswers:
    """All networks on all variants of every example, averaged as the device does it."""
    runtimes = [(Runtime(member.path, threads=1), member) for member in members]
    found, spreads = [], []
    for example in track(examples, "careful consideration"):
        said = np.array(
            [
                calibrated(seen, member.calibration)
                for runtime, member in runtimes
                for seen in run_variants(runtime, member.how, plan, OUTLINE, example.sonogram)
            ]
        )
        found.append(mean_of_log_odds(said))
        spreads.append(spread_of(said))
    return CarefulAnswers(np.array(found), np.array(spreads))


def careful_plan(further: Sequence[FurtherNetwork] = ()) -> Careful:
    """Which variants are run; its limits are placeholders, and nothing may be decided with them."""
    nothing = {"lower": 0.0, "upper": 1.0}
    return Careful.model_validate(
        {
            "further": [network.model_dump() for network in further],
            "mirrored": True,
            "zooms": ZOOMS,
            "operating_points": [],
            "abstention": nothing,
            "spread_limit": 1e9,
        }
    )


def choose_careful_limits(answers: CarefulAnswers, labels: Labels, plan: Careful) -> Careful:
    """The plan with limits from the calibration part's answers and labels (n,)."""
    malignant = answers.probabilities[:, CLASSES.index("malignant")]
    point = operating_point(malignant, labels)
    return plan.model_copy(
        update={
            "operating_points": (point,),
            "abstention": uncertain_band(malignant, labels, point.malignant_threshold).abstention,
            "spread_limit": float(np.quantile(answers.spread, 1 - DOUBTED_SHARE)),
        }
    )


def pool_views(probabilities: Floats, labels: Labels, lesions: Sequence[str]) -> tuple[Floats, Labels]:
    """Lesions with two and more views: the first two pooled.

    Args:
        probabilities: (n, 3) of views.
        labels: (n,).
        lesions: Which lesion each view shows, (n,); an empty name where that is not known.

    Returns:
        Probabilities (m, 3) and labels (m,) of the lesions.
    """
    by_lesion: dict[str, list[int]] = {}
    for row, lesion in enumerate(lesions):
        if lesion:
            by_lesion.setdefault(lesion, []).append(row)
    pairs = [rows[:2] for rows in by_lesion.values() if len(rows) > 1 and len({int(labels[r]) for r in rows[:2]}) == 1]
    if not pairs:
        return np.zeros((0, len(CLASSES))), np.zeros(0, np.int64)
    pooled = np.array([mean_of_log_odds(probabilities[pair]) for pair in pairs])
    return pooled, np.array([labels[pair[0]] for pair in pairs])


def lesions_of(samples: Sequence[Sample]) -> list[str]:
    """The lesion of each sample, an empty name where the set does not say which lesion."""
    return [s.group if known_set(s.dataset).group_is_lesion else "" for s in samples]


def choose_view_limits(probabilities: Floats, labels: Labels, lesions: Sequence[str]) -> Views | None:
    """Limits for two views of a lesion from the calibration part; ``None`` where it has too few such lesions."""
    pooled, truth = pool_views(probabilities, labels, lesions)
    if (truth == CLASSES.index("malignant")).sum() < LEAST_LESIONS:
        return None
    malignant = pooled[:, CLASSES.index("malignant")]
    point = operating_point(malignant, truth)
    band = uncertain_band(malignant, truth, point.malignant_threshold).abstention
    return Views(operating_point=point, abstention=band)
