# SPDX-License-Identifier: Apache-2.0
"""The one training path: it learns, keeps its best epoch, and goes on after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.recipes.library import parse_recipe
from convert.recipes.recipe import NetworkRecipe
from convert.train import recipe_fit
from convert.train.architectures.base import build_base
from convert.train.architectures.weights import Weights, WeightsError, wanted_weights
from convert.train.recipe_fit import Labelled, fit_network, load_fitted

RANDOM = Weights("random")


def recipe(**changed: Any) -> NetworkRecipe:
    content: dict[str, Any] = {
        "kind": "network", "name": "tiny", "title": "t", "source": "s", "picture": {"size": 32},
        "network": {"architecture": "simple_cnn", "weights": "random", "frozen": True},
        "head": {"dense": [16]}, "training": {"epochs": 6, "batch": 8, "rate": 0.01},
    }  # fmt: skip
    made = parse_recipe(content | changed)
    assert isinstance(made, NetworkRecipe)
    return made


def stripes(n: int, seed: int) -> Labelled:
    """Plain, level stripes, upright stripes: three classes that any network tells apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    pictures = rng.integers(90, 130, (n, 32, 32, 1))
    pictures[labels == 1, ::4] = 255
    pictures[labels == 2, :, ::4] = 255
    return Labelled(pictures.astype(np.uint8), labels.astype(np.int64))


def test_a_head_on_a_frozen_network_learns_and_is_found_again(tmp_path: Path) -> None:
    train, held = stripes(48, 1), stripes(18, 2)
    fitted = fit_network(recipe(), RANDOM, train, held, tmp_path / "run", tmp_path / "cache")
    assert len(fitted.history) == 6
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]
    found = fitted.predict(held.pictures)
    assert (found.argmax(1) == held.labels).mean() > 0.9
    again = load_fitted(recipe(), RANDOM, tmp_path / "run", tmp_path / "cache")
    np.testing.assert_allclose(again.predict(held.pictures), found, atol=1e-6)
    whole = fitted.whole().predict(held.pictures.astype(np.float32), verbose=0)
    np.testing.assert_allclose(whole, found, atol=2e-3)


def test_the_seed_chooses_the_random_weights_of_a_frozen_network_too(tmp_path: Path) -> None:
    train, held = stripes(9, 1), stripes(6, 2)
    short = recipe(training={"epochs": 1, "batch": 8})
    features = {}
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        fitted = fit_network(short, RANDOM, train, held, folder, tmp_path / "cache", seed)
        assert fitted.features is not None
        features[seed] = fitted.features.of(held.pictures)
        again = load_fitted(short, RANDOM, folder, tmp_path / "cache", seed)
        np.testing.assert_allclose(again.predict(held.pictures), fitted.predict(held.pictures), atol=1e-6)
    assert not np.array_equal(features[0], features[1])


class PowerCutError(Exception):
    pass


@pytest.mark.parametrize("frozen", [True, False])
def test_an_interrupted_training_ends_in_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frozen: bool
) -> None:
    train, held = stripes(24, 1), stripes(9, 2)
    what = recipe(
        network={"architecture": "simple_cnn", "weights": "random", "frozen": frozen},
        head={"dense": [16], "dropout": 0.3},
        training={"epochs": 4, "batch": 8, "augment": not frozen},
    )
    whole = fit_network(what, RANDOM, train, held, tmp_path / "whole", tmp_path / "cache")
    real = recipe_fit._save_state

    def fall_out(model: Any, folder: Path, history: list[dict[str, float]]) -> None:
        real(model, folder, history)
        if len(history) == 2:
            raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(recipe_fit, "_save_state", fall_out)
        with pytest.raises(PowerCutError):
            fit_network(what, RANDOM, train, held, tmp_path / "cut", tmp_path / "cache")
    fitted = fit_network(what, RANDOM, train, held, tmp_path / "cut", tmp_path / "cache")
    assert fitted.history == whole.history
    np.testing.assert_array_equal(fitted.predict(held.pictures), whole.predict(held.pictures))
    # A finished one is not trained again.
    again = fit_network(what, RANDOM, train, held, tmp_path / "cut", tmp_path / "cache")
    assert again.history == whole.history


def test_a_network_that_is_trained_sees_varied_pictures_and_learns(tmp_path: Path) -> None:
    what = recipe(
        network={"architecture": "simple_cnn", "weights": "random", "frozen": False},
        training={"epochs": 4, "batch": 8, "rate": 0.003, "augment": True},
    )
    fitted = fit_network(what, RANDOM, stripes(48, 1), stripes(18, 2), tmp_path / "run", tmp_path / "cache")
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]
    np.testing.assert_allclose(fitted.predict(stripes(6, 3).pictures).sum(1), 1.0, atol=1e-6)


def test_the_best_epoch_is_kept_and_not_the_last(tmp_path: Path) -> None:
    train, held = stripes(24, 1), stripes(9, 2)
    wild = recipe(training={"epochs": 5, "batch": 4, "rate": 0.9})  # jumps from epoch to epoch
    fitted = fit_network(wild, RANDOM, train, held, tmp_path / "run", tmp_path / "cache")
    best = max(entry["val_accuracy"] for entry in fitted.history)
    found = fitted.predict(held.pictures).argmax(1) == held.labels
    assert found.mean() == pytest.approx(best, abs=1e-6)


def test_weights_are_those_that_were_asked_for_or_a_sentence(tmp_path: Path) -> None:
    assert wanted_weights("mobilenet_v2", "random").label == "random"
    assert wanted_weights("mobilenet_v2", "imagenet").label == "ImageNet"
    with pytest.raises(WeightsError, match=r"none\.h5"):
        wanted_weights("mobilenet_v2", str(tmp_path / "none.h5"))
    (tmp_path / "mobilenet_v2_x.weights.h5").write_bytes(b"weights")
    found = wanted_weights("mobilenet_v2", "imagenet", tmp_path)
    assert found.label == "ImageNet (file mobilenet_v2_x.weights.h5)"
    with pytest.raises(WeightsError, match="not weights of MobileNetV2"):
        build_base("mobilenet_v2", 32, 1, found, frozen=True)
