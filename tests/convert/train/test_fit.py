# SPDX-License-Identifier: Apache-2.0
"""A short real training on phantoms: it learns, it goes on after an interruption, and it becomes an int8 network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from convert.data.corpus import Example, load_examples
from convert.data.datasets.busi import load_busi
from convert.evaluate.batch_inference import infer_examples
from convert.quantise import representative_pictures, to_float, to_int8
from convert.train.augment import Augmentation
from convert.train.fit import (
    RunMismatchError,
    TrainingPlan,
    _note_weights,
    mask_loss,
    train,
)
from convert.train.network import NetworkSpec, build_network, class_logits
from convert.train.stream import UNKNOWN_MASK, fixed_pictures
from device.inference.manifest import Preprocessing
from device.inference.runtime import Runtime
from tests.convert.folders import make_busi

PLAN = TrainingPlan(
    network=NetworkSpec(size=64, weights="none", frozen="block_5_add"),
    augment=Augmentation(beside_share=0.0),
    epochs=2,
    pictures=8,
    batch=4,
    average_from=0.0,
)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return load_examples(load_busi(make_busi(tmp_path_factory.mktemp("data") / "busi", each=3)), quiet=True)


@pytest.fixture(scope="module")
def run(examples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    """A run that was interrupted in its second epoch and then finished, and its network."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convert.train.fit._note_weights", _power_cut_after(1))
        with pytest.raises(PowerCutError):
            train(examples, examples[:4], PLAN, folder)
    assert len(history(folder)) == 1
    return folder, train(examples, examples[:4], PLAN, folder)


class PowerCutError(Exception):
    """What the test stops a training with."""


def _power_cut_after(epochs: int) -> Callable[..., None]:

    def note(model: object, folder: Path, past: list[dict[str, float]], *rest: Any) -> None:
        if len(past) >= epochs:
            raise PowerCutError
        _note_weights(model, folder, past, *rest)

    return note


def history(folder: Path) -> list[dict[str, float]]:
    return list(json.loads((folder / "history.json").read_text(encoding="utf-8")))


def test_every_epoch_is_noted_and_the_checkpoint_is_chosen_on_validation(run: tuple[Path, object]) -> None:
    folder, _ = run
    entries = history(folder)
    assert len(entries) == 2
    assert all(np.isfinite(value) for entry in entries for value in entry.values())
    chosen = json.loads((folder / "chosen.json").read_text(encoding="utf-8"))
    assert chosen["best_epoch"]["val_loss"] == pytest.approx(min(entry["val_loss"] for entry in entries), rel=1e-3)


def test_an_interrupted_run_repeats_no_epoch(run: tuple[Path, object], examples: list[Example]) -> None:
    first = history(run[0])
    train(examples, examples[:4], PLAN, run[0])  # finished: there is nothing left to do
    assert history(run[0]) == first


def test_another_plan_in_the_same_folder_is_refused(run: tuple[Path, object], examples: list[Example]) -> None:
    with pytest.raises(RunMismatchError, match=re.escape(str(run[0]))):
        train(examples, examples[:4], replace(PLAN, seed=1), run[0])


def test_int8_and_float_networks_say_what_the_trained_one_says(
    run: tuple[Path, object], examples: list[Example], tmp_path: Path
) -> None:
    network: object = run[1]
    paths = {"int8": tmp_path / "int8.tflite", "float": tmp_path / "float.tflite"}
    pictures = representative_pictures(examples, 64, 12, seed=0)
    paths["int8"].write_bytes(to_int8(network, pictures))
    paths["float"].write_bytes(to_float(network))
    inputs = fixed_pictures(examples, 64).pixels
    wanted = class_logits(network.predict(inputs, verbose=0)["cam"])  # type: ignore[attr-defined]  # Keras has no types
    for name, tolerance in (("float", 1e-3), ("int8", 0.35 * float(np.abs(wanted).max()))):
        runtime = Runtime(paths[name])
        found = np.array([runtime.run(picture[..., 0].astype(np.uint8)).logits for picture in inputs])
        assert np.abs(found - wanted).max() < tolerance, name
    assert paths["int8"].stat().st_size < 0.4 * paths["float"].stat().st_size
    how = Preprocessing(input_size=64, margin=1.8, smallest_window=16)
    table = infer_examples(paths["int8"], examples, how, quiet=True)
    assert table.first.shape == table.second.shape == (len(examples), 3)
    assert np.isnan(table.dice).sum() == sum(e.lesion is None for e in examples)


def test_a_backbone_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="mobilenet_v2"):
        build_network(NetworkSpec(backbone="alexnet"))
    with pytest.raises(ValueError, match=r"nowhere\.h5"):
        build_network(NetworkSpec(weights="nowhere.h5"))


def test_a_training_that_learns_nothing_leaves_a_pretrained_backbone_as_it_was(
    examples: list[Example], tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    pretrained = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(64, 64, 3))
    for layer in pretrained.layers:
        layer.momentum = 0.0  # one step, and the statistics are those of the "photographs"
    pretrained(np.random.default_rng(0).uniform(-1, 1, (8, 64, 64, 3)).astype(np.float32), training=True)
    pretrained.save_weights(tmp_path / "backbone.weights.h5")
    spec = replace(PLAN.network, weights=str(tmp_path / "backbone.weights.h5"))
    still = replace(PLAN, network=spec, rate=0.0, decay=0.0, epochs=1, pictures=80, batch=8)
    pictures = fixed_pictures(examples, 64).pixels
    before = build_network(spec).predict(pictures, verbose=0)["embedding"]
    after = train(examples, examples[:4], still, tmp_path / "run").predict(pictures, verbose=0)["embedding"]
    assert np.abs(after - before).mean() < 0.05 * np.abs(before).mean()


def test_a_single_epoch_is_a_training_too(examples: list[Example], tmp_path: Path) -> None:
    train(examples, examples[:4], replace(PLAN, epochs=1), tmp_path)
    assert not tf.config.functions_run_eagerly()
    assert len(history(tmp_path)) == 1


def test_a_lesion_that_nobody_outlined_teaches_the_mask_nothing() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 8, 8, 1)).astype(np.float32)
    wanted = np.stack([np.full((8, 8, 1), UNKNOWN_MASK), np.ones((8, 8, 1))]).astype(np.float32)
    unknown, known = np.asarray(mask_loss(wanted, logits))
    assert unknown == 0
    assert known > 0.1
