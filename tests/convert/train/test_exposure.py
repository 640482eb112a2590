# SPDX-License-Identifier: Apache-2.0
"""Outlier exposure: both sides are drawn alike, and a synthetic OOD image is no breast any more."""

from __future__ import annotations

import numpy as np
import pytest

from convert.data.corpus import Example, load_examples
from convert.data.datasets.busi import load_busi
from convert.train.chrome import with_chrome
from convert.train.exposure import SYNTHETIC, Amounts, as_seen, draw_exposure
from convert.train.synthetic_ood import MAKERS, synthetic_ood_picture
from device.capture.phantom.frames import phantom_frame
from device.imaging.sonogram import Sonogram, find_sonogram
from tests.convert.folders import make_busi

SIZE = 64


@pytest.fixture(scope="module")
def breasts(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return load_examples(load_busi(make_busi(tmp_path_factory.mktemp("data") / "busi", each=2)), quiet=True)


@pytest.fixture(scope="module")
def ood() -> dict[str, list[Sonogram]]:
    noise = np.random.default_rng(0).integers(20, 220, (90, 120)).astype(np.uint8)
    return {"noise": [Sonogram(noise, find_sonogram(phantom_frame(1)).box, 0.0)]}


def test_both_sides_are_there_as_often_as_asked_and_can_be_drawn_again(
    breasts: list[Example], ood: dict[str, list[Sonogram]]
) -> None:
    first, again = (draw_exposure(breasts, ood, SIZE, Amounts(8, 4, 2), seed=3) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.shape == (8 + 4 + 2 * len(MAKERS), SIZE, SIZE)
    assert first.breast.sum() == 8
    assert set(first.kinds[~first.breast]) == {"noise", *(SYNTHETIC + kind for kind in MAKERS)}
    seen = {as_seen(e.sonogram.pixels, SIZE).tobytes() for e in breasts}
    plain = first.breast & first.plain
    assert plain.sum() == 4
    assert all(picture.tobytes() in seen for picture in first.pixels[plain])
    assert not any(picture.tobytes() in seen for picture in first.pixels[~first.plain])


@pytest.mark.parametrize("kind", list(MAKERS))
def test_a_synthetic_ood_image_is_another_picture_with_echoes_in_it(kind: str, breasts: list[Example]) -> None:
    picture = as_seen(breasts[-1].sonogram.pixels, SIZE)
    rng = np.random.default_rng(5)
    for _ in range(4):
        made = synthetic_ood_picture(picture, kind, rng)
        assert made.shape == picture.shape
        assert made.dtype == np.uint8
        assert made.std() > 4
        assert float(np.mean(made != picture)) > 0.03


def test_chrome_leaves_most_of_the_tissue_and_is_seen(breasts: list[Example]) -> None:
    picture = as_seen(breasts[0].sonogram.pixels, SIZE)
    changed = [with_chrome(picture, np.random.default_rng(seed)) for seed in range(12)]
    assert sum(bool(np.any(c != picture)) for c in changed) >= 9
    assert all(c.shape == picture.shape and c.std() > 4 for c in changed)
