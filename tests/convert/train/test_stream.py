# SPDX-License-Identifier: Apache-2.0
"""The pictures that training sees: balanced, and the same ones again after an interruption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.data.corpus import Example, load_examples
from convert.data.datasets.busi import load_busi
from convert.data.datasets.class_folders import load_class_folders
from convert.train.augment import Augmentation
from convert.train.stream import (
    UNKNOWN_MASK,
    PictureStream,
    SoftTargets,
    fixed_pictures,
    sampling_weights,
    shrink_mask,
)
from tests.convert.folders import make_busi, make_class_folders


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return load_examples(load_busi(make_busi(tmp_path_factory.mktemp("data") / "busi", each=2)), quiet=True)


def stream(examples: list[Example], mask: bool = True, seed: int = 3) -> PictureStream:
    return PictureStream(examples, Augmentation(), lambda pictures: pictures / np.float32(2), 64, 4, 26, mask, seed)


def test_an_epoch_can_be_drawn_again_and_no_two_are_alike(examples: list[Example]) -> None:
    first, again = list(stream(examples).epoch(1)), list(stream(examples).epoch(1))
    assert len(first) == stream(examples).steps == 6
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    for other in (stream(examples).epoch(2), stream(examples, seed=4).epoch(1)):
        assert not any(np.array_equal(a[0], b[0]) for a, b in zip(first, other, strict=True))


def test_a_batch_is_what_the_learned_part_takes_and_its_answers(examples: list[Example]) -> None:
    features, answers = next(stream(examples).epoch(0))
    assert features.shape == (4, 64, 64, 1)
    assert 60 < features.max() <= 127.5
    assert answers["cam"].shape == (4, 3)
    assert answers["mask"].shape == (4, 16, 16, 1)
    assert "mask" not in next(stream(examples, mask=False).epoch(0))[1]


def test_a_lesion_that_nobody_outlined_has_an_unknown_mask_and_not_an_empty_one(tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "ours", outlined=False)
    bare = load_examples(load_class_folders("ours", folder), quiet=True)
    for _, answers in stream(bare).epoch(0):
        assert np.all(answers["mask"] == UNKNOWN_MASK)
    assert np.all(fixed_pictures(bare, 64).masks == UNKNOWN_MASK)


def test_teachers_outline_what_nobody_has(tmp_path: Path) -> None:
    bare = load_examples(load_class_folders("ours", make_class_folders(tmp_path / "o", outlined=False)), quiet=True)
    said = SoftTargets(np.full((4, 3), 1 / 3, np.float32), np.full((4, 16, 16, 1), 0.75, np.float32))
    taught = replace(stream(bare), teachers=lambda pictures, features: said, teacher_share=0.5)
    assert np.allclose(next(taught.epoch(0))[1]["mask"], 0.75)


def test_a_file_that_cannot_be_drawn_ends_the_epoch_with_its_error(examples: list[Example]) -> None:
    def fails(
        pictures: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        raise OSError("no features today")

    broken = PictureStream(examples, Augmentation(), fails, 64, 4, 26, True, 0)
    with pytest.raises(OSError, match="no features today"):
        list(broken.epoch(0))


def test_no_class_of_a_set_and_no_set_dominates(examples: list[Example]) -> None:
    other = [replace(e, sample=replace(e.sample, dataset="other")) for e in examples if e.sample.label != 1]
    uneven = examples + [e for e in other for _ in range(7 if e.sample.label == 0 else 1)]
    weights = sampling_weights(uneven)
    shares = {
        (d, c): sum(w for w, e in zip(weights, uneven, strict=True) if (e.sample.dataset, e.sample.label) == (d, c))
        for d in ("busi", "other")
        for c in range(3)
    }
    assert shares["other", 1] == 0
    assert shares["other", 0] / shares["other", 2] == pytest.approx(np.sqrt(7))
    assert shares["busi", 0] == pytest.approx(shares["busi", 1]) == pytest.approx(shares["busi", 2])
    large, small = sum(shares["other", c] for c in range(3)), sum(shares["busi", c] for c in range(3))
    groups = {len({e.sample.group for e in uneven if e.sample.dataset == d}) for d in ("busi", "other")}
    assert groups == {6, 4}
    assert large / small == pytest.approx((16 * 4 / (6 * 6)) ** 0.25)


def test_a_mask_is_learned_as_the_share_of_lesion_in_each_cell() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:4, :2] = 255
    assert shrink_mask(mask)[..., 0].tolist() == [[0.5, 0.0], [0.0, 0.0]]
