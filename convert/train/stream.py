# SPDX-License-Identifier: Apache-2.0
"""What training sees: random pictures of an epoch, drawn ahead, and the unvaried ones that it is validated on."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.data.corpus import Example
from convert.train.augment import Augmentation, draw_picture
from device.imaging.preprocess import cut_window, whole_window, window_around

UNKNOWN_MASK = -1.0
"""Value of the whole mask of a lesion without an outline: nothing is learned from it (``fit.mask_loss``)."""

MASK_STRIDE = 4
"""The mask is learned at a quarter of the input's resolution."""

_AHEAD = 3
"""Batches that wait while the processor trains."""

_CLASSES = 3

Floats = NDArray[np.float32]
Batch = tuple[Floats, dict[str, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class SoftTargets:
    """What teachers say of n pictures (``convert.train.distil``).

    Attributes:
        classes: float32 (n, 3), probabilities.
        masks: float32 (n, size / 4, size / 4, 1), probability of lesion; ``None`` if no teacher outlines.
    """

    classes: Floats
    masks: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class PictureStream:
    """Random pictures, drawn so that no class of a data set and no data set dominates.

    Every picture depends on the seed, the epoch and its place in it alone, so that a run that was interrupted sees the
    same ones.

    Attributes:
        examples: What pictures are drawn from.
        augment: How they are varied.
        features: From pictures, float32 (n, size, size, 1), to what the learned part of the network takes.
        size: Side of a picture.
        batch: Pictures a batch.
        pictures: Pictures an epoch.
        mask: Whether the lesion mask is wanted.
        seed: Of everything drawn.
        smoothing: Label smoothing: what of a class's probability is spread over all classes.
        teachers: From pictures and features to what teachers say of them; ``None`` to learn from labels alone.
        teacher_share: How far the answers are those of the teachers, 0 to 1.
    """

    examples: Sequence[Example]
    augment: Augmentation
    features: Callable[[Floats], Floats]
    size: int
    batch: int
    pictures: int
    mask: bool
    seed: int
    smoothing: float = 0.0
    teachers: Callable[[Floats, Floats], SoftTargets] | None = None
    teacher_share: float = 0.0

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return max(1, self.pictures // self.batch)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch: features, and the answers ``cam`` (n, 3) and, if wanted, ``mask`` (n, h, w, 1)."""
        rng = np.random.default_rng([self.seed, number])
        order = rng.choice(len(self.examples), size=self.steps * self.batch, p=sampling_weights(self.examples))
        with ThreadPoolExecutor(1) as pool:
            waiting: deque[Future[Batch]] = deque()
            for step in range(self.steps):
                chosen = order[step * self.batch : (step + 1) * self.batch]
                waiting.append(pool.submit(self._draw, chosen, np.random.default_rng([self.seed, number, step])))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _draw(self, chosen: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        drawn = [draw_picture(self.examples[i], self.size, self.augment, rng) for i in chosen]
        pictures = np.stack([p.pixels for p in drawn]).astype(np.float32)[..., None]
        features = self.features(pictures)
        classes = np.eye(_CLASSES, dtype=np.float32)[[p.label for p in drawn]]
        answers = {"cam": classes * np.float32(1 - self.smoothing) + np.float32(self.smoothing / _CLASSES)}
        if self.mask:
            answers["mask"] = np.stack([_wanted_mask(p.mask, p.outlined) for p in drawn])
        if self.teachers is not None:
            said = self.teachers(pictures, features)
            answers["cam"] = self._mixed(answers["cam"], said.classes)
            if self.mask and said.masks is not None:
                unknown = answers["mask"] == UNKNOWN_MASK
                answers["mask"] = np.where(unknown, said.masks, self._mixed(answers["mask"], said.masks))
        return features, answers

    def _mixed(self, true: Floats, said: Floats) -> Floats:
        share = np.float32(self.teacher_share)
        return np.asarray((1 - share) * true + share * said, np.float32)


def _wanted_mask(mask: NDArray[np.uint8], outlined: bool) -> NDArray[np.float32]:
    shares = shrink_mask(mask)
    return shares if outlined else np.full_like(shares, UNKNOWN_MASK)


def shrink_mask(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A mask uint8 (size, size) as shares 0..1 at the network's mask resolution: (size / 4, size / 4, 1)."""
    side = mask.shape[0] // MASK_STRIDE
    cells = mask.reshape(side, MASK_STRIDE, side, MASK_STRIDE).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(cells / 255.0, dtype=np.float32)[..., None]


def sampling_weights(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Probability of each of n examples, (n,), their sum 1.

    A set counts by the fourth root of its images times its groups: hundreds of frames of two dozen patients hold less
    than their number says, and shown too often they are learned by heart. Within a set classes count by the root of
    their size. Balanced over all sets together instead, a set that is mostly normal would be shown as normal mostly,
    and the network would learn its scanner: lesions of BUS-UCLM as wide as a third of the picture went unseen.
    """
    strata = [(e.sample.dataset, e.sample.label) for e in examples]
    images, of_stratum = Counter(dataset for dataset, _ in strata), Counter(strata)
    groups = Counter(dataset for dataset, _ in {(e.sample.dataset, e.sample.group) for e in examples})
    roots = {d: sum(np.sqrt(n) for (of, _), n in of_stratum.items() if of == d) for d in images}
    of_set = {d: (images[d] * groups[d]) ** 0.25 / roots[d] for d in images}
    weights = np.array([of_set[s[0]] / np.sqrt(of_stratum[s]) for s in strata])
    return np.asarray(weights / weights.sum(), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class FixedPictures:
    """The unvaried windows of examples for validation: the whole sonogram, and the lesion where there is one.

    Attributes:
        pixels: float32 (n, size, size, 1).
        labels: int64 (n,).
        masks: float32 (n, size / 4, size / 4, 1), shares of lesion, ``UNKNOWN_MASK`` where it is not outlined.
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]
    masks: NDArray[np.float32]


def fixed_pictures(examples: Sequence[Example], size: int) -> FixedPictures:
    """The validation pictures of examples."""
    pictures, labels, masks = [], [], []
    for example in examples:
        pixels = example.sonogram.pixels
        windows = [whole_window(pixels.shape[1], pixels.shape[0])]
        if example.lesion is not None:
            windows.append(window_around(example.lesion, 1.8, smallest=32))
        pictures += [cut_window(pixels, window, size) for window in windows]
        masks += [_wanted_mask(cut_window(example.mask * 255, window, size), example.outlined) for window in windows]
        labels += [example.sample.label] * len(windows)
    return FixedPictures(np.stack(pictures).astype(np.float32)[..., None], np.array(labels), np.stack(masks))
