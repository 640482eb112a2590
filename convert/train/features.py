# SPDX-License-Identifier: Apache-2.0
"""What a frozen network makes of pictures, kept on disk: each picture is run once, for all that is trained on it later.

A feature belongs to the network (architecture, weights, size, seed) and to the picture's bytes, and is found again by
a hash of both: the same image in another split, another recipe with the same base, or a comparison that was interrupted
costs nothing. Files are small, one per picture, and appear whole or not at all, so several workers may share a folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.data.pictures import Pictures
from convert.train.architectures.base import build_base
from convert.train.architectures.weights import Weights

Features = NDArray[np.float32]

_AT_ONCE = 16
"""Pictures a step: a step's results are on disk before the next one begins."""


class FeatureCache:
    """Features of one frozen network, from disk where they are there.

    Attributes:
        folder: Of this network's features; its name is the network's digest.
    """

    def __init__(
        self, cache: Path, architecture: str, size: int, channels: int, weights: Weights, pooled: bool, seed: int
    ) -> None:
        """Nothing is built before a feature is missing.

        Args:
            cache: Folder for the features of all networks.
            architecture: Which network.
            size: Side of the pictures.
            channels: Of the pictures, 1 or 3.
            weights: Its weights.
            pooled: Whether maps are averaged over their places.
            seed: Of random weights; other weights have the same features for every seed.
        """
        parts = (
            "1" if weights.kind != "random" else "3" if pooled else "4",
            architecture,
            size,
            channels,
            weights.kind,
            weights.digest,
            pooled,
            seed if weights.kind == "random" else 0,
        )
        self._name = hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
        self.folder = cache / f"{architecture}-{self._name}"
        self._make: Callable[[], Any] = lambda: build_base(architecture, size, channels, weights, True, seed)
        self._base: Any = None
        self._pooled = pooled

    @property
    def base(self) -> Any:
        """The network itself, built when first asked for."""
        if self._base is None:
            self._base = self._make()
        return self._base

    def of(self, pictures: Pictures, tell: Callable[[int, int], None] | None = None) -> Features:
        """Features of pictures, float32 (n, c), or (n, h, w, c) where they are not pooled.

        Args:
            pictures: uint8 (n, size, size, channels).
            tell: Hears how many of how many missing ones are done.
        """
        paths = [self.folder / f"{hashlib.sha256(picture.tobytes()).hexdigest()[:32]}.npy" for picture in pictures]
        missing = [i for i, path in enumerate(paths) if not path.exists()]
        for start in range(0, len(missing), _AT_ONCE):
            chosen = missing[start : start + _AT_ONCE]
            for index, feature in zip(chosen, self._run(pictures[chosen]), strict=True):
                _keep(paths[index], feature)
            if tell is not None:
                tell(start + len(chosen), len(missing))
        return np.stack([np.load(path, allow_pickle=False) for path in paths]).astype(np.float32)

    def _run(self, pictures: Pictures) -> Features:
        # Always as many: kernels of another batch size round otherwise, and which pictures are missing depends on what
        # an interrupted run has left.
        full = np.zeros((_AT_ONCE, *pictures.shape[1:]), np.float32)
        full[: len(pictures)] = pictures
        maps = np.asarray(self.base.predict_on_batch(full), np.float32)[: len(pictures)]
        return maps.mean(axis=(1, 2)) if self._pooled else maps


def _keep(path: Path, feature: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part.npy")
    np.save(unfinished, _as_short_as_it_may_be(feature), allow_pickle=False)
    unfinished.replace(path)


def _as_short_as_it_may_be(feature: NDArray[Any]) -> NDArray[Any]:
    """Maps in half precision, which is finer than what they mean: they are a hundred times larger than their averages.

    Signals of a deep network with random weights can be beyond what half precision holds; such maps stay as they are.
    """
    if feature.ndim == 1 or np.abs(feature).max() > np.finfo(np.float16).max:
        return feature
    return feature.astype(np.float16)
