# SPDX-License-Identifier: Apache-2.0
"""Training pictures: the mask follows the picture, and tissue beside a lesion is normal."""

from __future__ import annotations

import numpy as np
import pytest

from convert.data.corpus import Example, load_examples
from convert.data.datasets.busi import load_busi
from convert.train.augment import Augmentation, draw_picture, vary_grey
from tests.convert.folders import make_busi

PLAIN = Augmentation(whole_share=1.0, zoom=(1.0, 1.0), stretch=1.0, rotate=0.0, grey=False)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return load_examples(load_busi(make_busi(tmp_path_factory.mktemp("data") / "busi", each=3)), quiet=True)


def with_label(examples: list[Example], label: int) -> Example:
    return next(e for e in examples if e.sample.label == label)


def test_the_same_seed_gives_the_same_picture(examples: list[Example]) -> None:
    one = draw_picture(examples[0], 96, Augmentation(), np.random.default_rng(5))
    other = draw_picture(examples[0], 96, Augmentation(), np.random.default_rng(5))
    assert (one.pixels == other.pixels).all()
    assert (one.mask == other.mask).all()


def test_the_mask_follows_picture_mirrored_and_turned(examples: list[Example]) -> None:
    lesion = with_label(examples, 1)
    marked = np.where(lesion.mask > 0, 255, 20).astype(np.uint8)
    sonogram = type(lesion.sonogram)(marked, lesion.sonogram.box, 0.0)
    bright = Example(lesion.sample, lesion.frame, sonogram, lesion.mask, lesion.lesion)
    rng = np.random.default_rng(0)
    for _ in range(20):
        picture = draw_picture(bright, 96, Augmentation(grey=False, beside_share=0.0), rng)
        assert picture.mask.any()
        inside, outside = picture.pixels[picture.mask > 200], picture.pixels[picture.mask == 0]
        assert inside.min() > outside.max()


def test_the_lesion_stays_in_the_whole_look(examples: list[Example]) -> None:
    lesion, rng = with_label(examples, 2), np.random.default_rng(1)
    full = (draw_picture(lesion, 96, PLAIN, rng).mask > 127).sum()
    zoomed = Augmentation(whole_share=1.0, zoom=(0.65, 1.25), stretch=1.0, rotate=0.0, grey=False)
    assert all((draw_picture(lesion, 96, zoomed, rng).mask > 127).sum() > 0.55 * full for _ in range(30))


def test_tissue_beside_a_lesion_is_normal_and_holds_no_lesion(examples: list[Example]) -> None:
    beside = Augmentation(whole_share=0.0, beside_share=1.0, grey=False)
    drawn = [draw_picture(with_label(examples, 1), 96, beside, np.random.default_rng(s)) for s in range(30)]
    normal = [p for p in drawn if p.label == 0]
    assert normal
    assert not any(p.mask.any() for p in normal)


def test_grey_levels_vary_but_the_margin_stays_black(examples: list[Example]) -> None:
    pixels = np.zeros((96, 96), np.uint8)
    pixels[20:70] = 90
    rng = np.random.default_rng(2)
    means = [float(vary_grey(pixels, rng)[30:60].mean()) for _ in range(20)]
    assert np.std(means) > 5
