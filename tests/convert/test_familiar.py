"""The fitted distribution tells strangers from family, and reads back as the device reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.familiar import distances, fit_familiar
from convert.stages import save_familiar
from device.inference.rejection import read_familiar


def family(seed: int, n: int = 300, d: int = 40) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(size=(5, d))
    return (rng.normal(size=(n, 5)) @ basis * 3 + rng.normal(size=(n, d))).astype(np.float32)


def test_distance_is_about_one_for_family_and_large_for_strangers(tmp_path: Path) -> None:
    known = family(0)
    fitted = fit_familiar(known, ["a"] * 300, [0] * 300, directions=5)
    path = tmp_path / "rejection.npz"
    save_familiar(fitted, path)
    read = read_familiar(path)
    assert float(np.median(distances(read, family(1)))) == pytest.approx(1.0, abs=0.2)
    strangers = np.random.default_rng(3).normal(0, 6, (50, 40)).astype(np.float32)
    assert distances(read, strangers).min() > distances(read, family(1)).max()


def test_a_small_set_counts_as_much_as_a_large_one() -> None:
    rng = np.random.default_rng(0)
    large, small = rng.normal(0, 1, (400, 8)), rng.normal(6, 1, (20, 8))
    fitted = fit_familiar(
        np.vstack([large, small]).astype(np.float32), ["large"] * 400 + ["small"] * 20, [0] * 420, directions=2
    )
    assert fitted.mean == pytest.approx(np.full(8, 3.0), abs=0.5)


def test_few_images_determine_fewer_directions() -> None:
    few = family(0, n=24)
    twice = np.concatenate([few, few])  # as of two networks that say nearly the same
    fitted = fit_familiar(twice, ["a"] * 48, [0] * 48, directions=32)
    assert len(fitted.directions) == 12
    assert np.isfinite(distances(fitted, family(1))).all()
