# SPDX-License-Identifier: Apache-2.0
"""The divisions that every recipe goes through: as papers did it, without duplicates, and on an unseen hospital.

* ``random``: images at random into seven parts, one for the test, one for validation, five to train on (14/14/71 %, the
  papers' 70/15/15): near copies of test images are trained on.
* ``grouped``: the same with duplicate groups, cases and patients kept together.
* ``unseen``: one whole set is the test, a tenth of the others is validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from sklearn.model_selection import StratifiedKFold

from convert.data.datasets.sample import Sample
from convert.data.splits import Split, grouped_folds, leave_out

PARTS = 7

SEED = 0
"""Of every division: recipes are compared on the same images."""


class Protocol(StrEnum):
    """How images are divided."""

    RANDOM = "random"
    GROUPED = "grouped"
    UNSEEN = "unseen"


def divide(samples: Sequence[Sample], protocol: Protocol, part: int, unseen: str = "") -> Split:
    """One division.

    Args:
        samples: Everything that takes part.
        protocol: How.
        part: Which of the ``PARTS`` is the test, for the first two.
        unseen: The set that is the test, for the third.

    Raises:
        ValueError: There are too few images of a class, or no set of that name.
    """
    if protocol is Protocol.UNSEEN:
        return leave_out(samples, unseen, SEED)
    parts = grouped_folds(samples, PARTS, SEED) if protocol is Protocol.GROUPED else _random(samples)
    validation = (part + 1) % PARTS
    train = [s for i, each in enumerate(parts) if i not in (part, validation) for s in each]
    return Split(tuple(train), tuple(parts[validation]), tuple(parts[part]))


def at_most(samples: Sequence[Sample], limits: dict[str, int]) -> list[Sample]:
    """Whole groups at random until a set has as many images as its limit allows; sets without one stay whole."""
    kept: list[Sample] = []
    for name in dict.fromkeys(s.dataset for s in samples):
        of_set = [s for s in samples if s.dataset == name]
        groups = sorted({s.group for s in of_set})
        order = np.random.default_rng(SEED).permutation(len(groups))
        chosen: set[str] = set()
        count = 0
        for index in order:
            size = sum(s.group == groups[index] for s in of_set)
            if count + size <= limits.get(name, len(of_set)):
                chosen.add(groups[index])
                count += size
        kept += [s for s in of_set if s.group in chosen]
    return kept


def _random(samples: Sequence[Sample]) -> list[list[Sample]]:
    strata = [f"{s.dataset}/{s.label}" for s in samples]
    splitter = StratifiedKFold(n_splits=PARTS, shuffle=True, random_state=SEED)
    return [[samples[i] for i in test] for _, test in splitter.split(np.zeros(len(samples)), strata)]
