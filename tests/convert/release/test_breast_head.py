# SPDX-License-Identifier: Apache-2.0
"""The layers that tell breast from everything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.release.breast_head import fit_breast_head, log_odds, save_breast_head
from convert.train.exposure import Exposure
from device.inference.ood.source import read_breast_head


def exposure(seed: int = 0, each: int = 80) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], Exposure]:
    """Embeddings of two sets of breasts, two kinds of OOD images on both sides of them, and a synthetic one."""
    rng = np.random.default_rng(seed)
    places = {
        "busi": (0.0, 0.0),
        "uclm": (0.0, 1.0),
        "photos": (4.0, 0.0),
        "muscle": (-4.0, 0.0),
        "synthetic lung": (0.0, 6.0),
    }
    kinds = np.repeat(list(places), each)
    embeddings = np.zeros((len(kinds), 12), np.float32)
    embeddings[:, :2] = [places[k] for k in kinds]
    embeddings += rng.normal(size=embeddings.shape).astype(np.float32) * 0.6
    breast = np.isin(kinds, ["busi", "uclm"])
    pixels = np.zeros((len(kinds), 4, 4), np.uint8)
    return embeddings, Exposure(pixels, breast, kinds, kinds, np.ones(len(kinds), bool))


def test_ood_images_on_every_side_are_separated_from_breasts_which_no_line_could(tmp_path: Path) -> None:
    embeddings, pictures = exposure()
    head = fit_breast_head(embeddings, pictures)
    fresh, truth = exposure(seed=1)
    odds = log_odds(head, fresh)
    for kind in np.unique(truth.kinds):
        right = (odds > 0) == truth.breast
        assert right[truth.kinds == kind].mean() > 0.93, kind
    save_breast_head(head, tmp_path / "breast.npz")
    assert np.allclose(log_odds(read_breast_head(tmp_path / "breast.npz"), fresh), odds)


def test_the_same_pictures_give_the_same_layers_and_a_kind_left_out_takes_no_part() -> None:
    embeddings, pictures = exposure()
    one, again = (fit_breast_head(embeddings, pictures) for _ in range(2))
    assert all(
        np.array_equal(a, b) for x, y in zip(one.layers, again.layers, strict=True) for a, b in zip(x, y, strict=True)
    )
    without = fit_breast_head(embeddings, pictures, without=["muscle"])
    moved = embeddings.copy()
    moved[pictures.kinds == "muscle"] += 50
    assert np.allclose(
        log_odds(without, embeddings), log_odds(fit_breast_head(moved, pictures, without=["muscle"]), embeddings)
    )


def test_nothing_can_be_fitted_without_both_sides() -> None:
    embeddings, pictures = exposure()
    with pytest.raises(ValueError, match="both"):
        fit_breast_head(embeddings, pictures, without=["photos", "muscle", "synthetic lung"])
