# SPDX-License-Identifier: Apache-2.0
"""How many principal components are kept: recursive elimination, each count judged in grouped folds.

The published chain kept 404 components "by a recursive elimination over components". Here the components that a linear
support vector machine weighs least go first (Guyon et al. 2002), a fifth at a time, and each count is judged by the
balanced accuracy of the real classifier in folds that keep groups together, so that near copies do not vote for
components which only recognise them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

_KEPT_EACH_TIME = 0.8
_FEWEST = 2

_SEED = 0
"""Of the folds and of the linear machine."""


@dataclass(frozen=True, slots=True, eq=False)
class Elimination:
    """What was kept and how every count did.

    Attributes:
        kept: Indices of the components, most important first.
        scores: Mean balanced accuracy over the folds by number of components.
    """

    kept: NDArray[np.int64]
    scores: dict[int, float]


def eliminate(
    components: Matrix, labels: Labels, groups: NDArray[np.str_], make: Callable[[], Any], folds: int
) -> Elimination:
    """Choose components.

    Args:
        components: (n, k) of the training part.
        labels: (n,).
        groups: (n,), what must not be torn apart.
        make: A new classifier with ``fit`` and ``predict``.
        folds: Number of grouped folds; fewer where a class has fewer groups.
    """
    remaining = np.arange(components.shape[1])
    parts = _folds(labels, groups, folds)
    scores: dict[int, float] = {}
    held: dict[int, NDArray[np.int64]] = {}
    while True:
        chosen = components[:, remaining]
        scores[len(remaining)] = _judged(chosen, labels, parts, make)
        order = np.argsort(-_importance(chosen, labels), kind="stable")
        remaining = remaining[order]
        held[len(remaining)] = remaining
        if len(remaining) <= _FEWEST:
            break
        remaining = remaining[: max(_FEWEST, int(len(remaining) * _KEPT_EACH_TIME))]
    # Among equals the fewest: what adds nothing is left out.
    best = min(scores, key=lambda count: (-scores[count], count))
    return Elimination(held[best], scores)


def _folds(labels: Labels, groups: NDArray[np.str_], folds: int) -> list[tuple[Any, Any]]:
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    count = max(2, min(folds, fewest))
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=_SEED)
    parts = list(splitter.split(np.zeros(len(labels)), labels, groups))
    return [(fit, test) for fit, test in parts if len(np.unique(labels[fit])) == len(np.unique(labels)) and len(test)]


def _judged(components: Matrix, labels: Labels, parts: list[tuple[Any, Any]], make: Callable[[], Any]) -> float:
    scores = [
        balanced_accuracy_score(labels[test], make().fit(components[fit], labels[fit]).predict(components[test]))
        for fit, test in parts
    ]
    return float(np.mean(scores)) if scores else 0.0


def _importance(components: Matrix, labels: Labels) -> Matrix:
    spread = components / np.maximum(components.std(axis=0), 1e-9)
    machine = LinearSVC(C=0.01, random_state=_SEED, max_iter=5000).fit(spread, labels)
    return np.asarray((machine.coef_**2).sum(axis=0), np.float64)
