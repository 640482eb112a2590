# SPDX-License-Identifier: Apache-2.0
"""The fitted distribution separates OOD embeddings from others, and reads back as the device reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.release.ood import distances, fit_in_distribution, save_in_distribution
from device.inference.ood.distance import read_in_distribution


def breasts(seed: int, n: int = 300, d: int = 40) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(size=(5, d))
    return (rng.normal(size=(n, 5)) @ basis * 3 + rng.normal(size=(n, d))).astype(np.float32)


def test_distance_is_about_one_in_distribution_and_large_out_of_it(tmp_path: Path) -> None:
    known = breasts(0)
    fitted = fit_in_distribution(known, ["a"] * 300, [0] * 300, directions=5)
    path = tmp_path / "rejection.npz"
    save_in_distribution(fitted, path)
    read = read_in_distribution(path)
    assert float(np.median(distances(read, breasts(1)))) == pytest.approx(1.0, abs=0.2)
    out = np.random.default_rng(3).normal(0, 6, (50, 40)).astype(np.float32)
    assert distances(read, out).min() > distances(read, breasts(1)).max()


def test_a_small_set_counts_as_much_as_a_large_one() -> None:
    rng = np.random.default_rng(0)
    large, small = rng.normal(0, 1, (400, 8)), rng.normal(6, 1, (20, 8))
    fitted = fit_in_distribution(
        np.vstack([large, small]).astype(np.float32), ["large"] * 400 + ["small"] * 20, [0] * 420, directions=2
    )
    assert fitted.mean == pytest.approx(np.full(8, 3.0), abs=0.5)


def test_few_images_determine_fewer_directions() -> None:
    few = breasts(0, n=24)
    twice = np.concatenate([few, few])  # as of two networks that say nearly the same
    fitted = fit_in_distribution(twice, ["a"] * 48, [0] * 48, directions=32)
    assert len(fitted.directions) == 12
    assert np.isfinite(distances(fitted, breasts(1))).all()
