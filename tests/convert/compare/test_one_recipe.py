# SPDX-License-Identifier: Apache-2.0
"""``train --recipe``: a recipe of one's own becomes a network, its figures and curves; started again, it goes on."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.__main__ import main
from convert.compare.one_recipe import train_recipe
from convert.compare.phantom_sets import make_phantom_sets
from convert.data.folders import DataFolders
from convert.evaluate.grad_cam import class_logits, grad_cam
from convert.recipes.library import RecipeError
from convert.train.heads import split
from convert.train.network import NetworkSpec, build_network
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.imaging.encoded import png
from device.imaging.sonogram import find_sonogram

RECIPE = """name: mine
kind: network
title: mine
source: a test
picture: {size: 32}
network: {architecture: simple_cnn, weights: random, frozen: true}
head: {dense: [8]}
training: {epochs: 3}
"""
CHAIN = """name: chain
kind: cadx
title: chain
source: a test
picture: {size: 32, colour: pseudocolour}
network: {architecture: simple_cnn, weights: random}
components: 6
folds: 2
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFolders:
    made = make_phantom_sets(tmp_path_factory.mktemp("phantoms"))
    return DataFolders(busi=made.busi)


@pytest.mark.parametrize("text", [RECIPE, CHAIN])
def test_a_file_of_ones_own_becomes_a_network_with_its_figures(data: DataFolders, tmp_path: Path, text: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    run = tmp_path / "run"
    found = train_recipe(str(file), run, data, 0, None, None, 0)
    assert 0 <= found["accuracy"].value <= 1
    written = {path.name for path in run.iterdir()}
    assert {"recipe.yaml", "result.zip", "figures.json", "network.tflite", "network.keras"} <= written
    assert ("training.png" in written) == (text == RECIPE)
    written_value = json.loads((run / "figures.json").read_text())["accuracy"]["value"]
    assert written_value == pytest.approx(found["accuracy"].value, abs=1e-6)  # six places are written
    interpreter = Interpreter(model_path=str(run / "network.tflite"))
    interpreter.allocate_tensors()
    shape = interpreter.get_input_details()[0]["shape"]
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.full(shape, 90, np.float32))
    interpreter.invoke()
    said = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert said.shape == (1, 3)
    assert said.sum() == pytest.approx(1.0, abs=1e-3)
    check_heat_map(run, tmp_path / "heat")
    first = (run / "result.zip").read_bytes()
    train_recipe(str(file), run, data, 0, None, None, 0)
    assert (run / "result.zip").read_bytes() == first


def check_heat_map(run: Path, out: Path) -> None:
    """``grad-cam`` colours places of an image for the class that is asked about."""
    image = out.parent / "scan.png"
    frame = phantom_frame(IN_DISTRIBUTION_SEED, "malignant")
    image.write_bytes(png(frame.pixels, 1))
    assert main(["grad-cam", str(image), "--run", str(run), "--class", "malignant", "--out", str(out)]) == 0
    drawn = cv2.imread(str(out / "scan-malignant.png"))
    assert drawn is not None
    assert drawn.shape[:2] == find_sonogram(frame).pixels.shape
    assert np.any(drawn.max(axis=2) != drawn.min(axis=2))  # speckle alone has no colour


def test_a_heat_map_of_a_run_without_a_network_names_the_command_that_makes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grad-cam", "scan.png", "--run", str(tmp_path)]) == 2
    assert "train --recipe" in capsys.readouterr().err


def test_our_own_network_is_split_where_its_class_maps_are_made() -> None:
    network = build_network(NetworkSpec(size=64, weights="none", frozen=""))
    base, head = split(network)
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 1)).astype(np.uint8)
    found = network(picture[None].astype(np.float32), training=False)["cam"]
    assert class_logits(base, head, picture) == pytest.approx(np.mean(found, axis=(1, 2))[0], abs=1e-4)
    assert grad_cam(base, head, picture, 2).shape == tuple(found.shape[1:3])


def test_what_cannot_be_trained_says_so(data: DataFolders, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="compare"):
        train_recipe("classical_outline", tmp_path, data, 0, None, None, 0)
    with pytest.raises(ValueError, match="--fold"):
        train_recipe("vgg16", tmp_path, data, 7, None, None, 0)
