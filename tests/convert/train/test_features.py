# SPDX-License-Identifier: Apache-2.0
"""A frozen network is run once an image: what was made is found again, and never taken for another network's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from convert.train.architectures.base import build_base
from convert.train.architectures.weights import Weights
from convert.train.features import FeatureCache

RANDOM = Weights("random")


@pytest.fixture(autouse=True, scope="module")
def _built_once() -> Iterator[None]:
    """A network follows from what is asked for; building and tracing one takes seconds, and ten tests ask for two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convert.train.features.build_base", functools.cache(build_base))
        yield


def cache(folder: Path, **changed: object) -> FeatureCache:
    given: dict[str, object] = {
        "architecture": "simple_cnn", "size": 32, "channels": 1, "weights": RANDOM, "pooled": True, "seed": 0,
    }  # fmt: skip
    return FeatureCache(folder, **(given | changed))  # type: ignore[arg-type]


def pictures(n: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 1), dtype=np.uint8)


def test_a_second_run_needs_no_network_and_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cache(tmp_path).of(pictures())
    assert first.shape == (20, 128)
    again = cache(tmp_path)
    monkeypatch.setattr(again, "_make", lambda: pytest.fail("the network was built again"))
    np.testing.assert_array_equal(again.of(pictures()), first)
    np.testing.assert_array_equal(again.of(pictures()[[3, 1, 3]]), first[[3, 1, 3]])


def test_only_new_pictures_are_run(tmp_path: Path) -> None:
    cache(tmp_path).of(pictures(4))
    told: list[tuple[int, int]] = []
    more = np.concatenate([pictures(4), pictures(3, seed=9)])
    cache(tmp_path).of(more, lambda done, all_of_them: told.append((done, all_of_them)))
    assert told[-1] == (3, 3)


@pytest.mark.parametrize("changed", [{"weights": Weights("file", "x", "d1")}, {"pooled": False}, {"seed": 1}])
def test_another_network_has_other_features(tmp_path: Path, changed: dict[str, object]) -> None:
    assert cache(tmp_path, **changed).folder != cache(tmp_path).folder


def test_weights_that_are_not_random_have_the_same_features_for_every_seed(tmp_path: Path) -> None:
    one, other = (cache(tmp_path, weights=Weights("file", "x", "d1"), seed=seed) for seed in (0, 1))
    assert one.folder == other.folder


def test_a_picture_has_the_same_features_alone_and_among_others(tmp_path: Path) -> None:
    together = cache(tmp_path / "a", architecture="mobilenet_v2").of(pictures())
    alone = [cache(tmp_path / "b", architecture="mobilenet_v2").of(pictures()[index : index + 1]) for index in (2, 17)]
    np.testing.assert_array_equal(np.concatenate(alone), together[[2, 17]])


def test_maps_keep_their_places(tmp_path: Path) -> None:
    maps = cache(tmp_path, pooled=False).of(pictures(2))
    assert maps.shape == (2, 2, 2, 128)
    # Maps are kept in half precision: eleven bits of a value.
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), cache(tmp_path).of(pictures(2)), rtol=2**-10, atol=2e-3)


def test_an_interrupted_file_is_not_taken_for_a_feature(tmp_path: Path) -> None:
    one = cache(tmp_path)
    whole = one.of(pictures(1))
    (path,) = one.folder.glob("*.npy")
    path.rename(path.with_suffix(".123.part.npy"))
    np.testing.assert_array_equal(cache(tmp_path).of(pictures(1)), whole)


def test_a_random_network_still_tells_pictures_apart(tmp_path: Path) -> None:
    features = cache(tmp_path, architecture="mobilenet_v2", size=32).of(pictures(6))
    assert features.std(axis=0).max() > 0.01
    assert np.isfinite(features).all()


def test_maps_beyond_half_precision_are_kept_whole(tmp_path: Path) -> None:
    made = cache(tmp_path, pooled=False, seed=9)  # of its own, for its weights are changed
    *others, gamma, beta, mean, variance = made.base.get_weights()
    made.base.set_weights([*others, gamma * 1e5, beta, mean, variance])
    first = made.of(pictures(2))
    assert np.isfinite(first).all()
    assert np.abs(first).max() > np.finfo(np.float16).max
    np.testing.assert_array_equal(made.of(pictures(2)), first)
