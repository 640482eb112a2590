# SPDX-License-Identifier: Apache-2.0
"""Components that say nothing go; near copies do not decide which ones stay."""

from __future__ import annotations

import numpy as np
from sklearn.svm import SVC

from convert.cadx.elimination import eliminate


def made_up(n: int = 90, k: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Components of which the 3rd and the 7th alone tell the classes apart, the others are loud noise."""
    rng = np.random.default_rng(1)
    labels = np.arange(n) % 3
    components = rng.normal(0, 3, (n, k))
    components[:, 3] = np.where(labels == 1, 4, -4) + rng.normal(0, 0.7, n)
    components[:, 7] = np.where(labels == 2, 4, -4) + rng.normal(0, 0.7, n)
    return components, labels, np.array([f"g{i}" for i in range(n)])


def test_the_components_that_tell_are_kept_and_most_of_the_noise_is_not() -> None:
    components, labels, groups = made_up()
    found = eliminate(components, labels, groups, lambda: SVC(C=1.0, gamma=0.05), folds=5)
    assert {3, 7} <= set(found.kept.tolist())
    assert len(found.kept) <= 8
    assert found.scores[len(found.kept)] == max(found.scores.values()) > 0.95
    assert found.scores[len(found.kept)] > found.scores[30]
    assert min(found.scores) == 2


def test_the_same_data_give_the_same_choice() -> None:
    components, labels, groups = made_up()
    first, second = (eliminate(components, labels, groups, lambda: SVC(), folds=5) for _ in range(2))
    np.testing.assert_array_equal(first.kept, second.kept)
    assert first.scores == second.scores


def test_a_class_with_few_groups_gets_fewer_folds() -> None:
    components, labels, _ = made_up(n=24, k=8)
    groups = np.array([f"g{i % 6}" for i in range(24)])  # two groups of each class
    found = eliminate(components, labels, groups, lambda: SVC(), folds=5)
    assert 2 <= len(found.kept) <= 8
