# SPDX-License-Identifier: Apache-2.0
"""``grad-cam``: heat maps of the network that ``train --recipe`` left in a run, over images of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.compare.one_recipe import NETWORK_NAME
from convert.data.pictures import squeezed
from convert.errors import StageMissingError
from convert.evaluate.grad_cam import Heat, class_logits, grad_cam
from convert.recipes.library import RecipeError, load_recipe
from convert.recipes.recipe import CadxRecipe, NetworkRecipe, OwnRecipe, Recipe
from convert.train.heads import split
from device.capture.files.reader import read_frames
from device.capture.frame import Box, Pixels
from device.files import write_atomically
from device.imaging.encoded import png
from device.imaging.marks.annotations import blend_heat
from device.imaging.preprocess import cut_window, whole_window
from device.imaging.sonogram import Sonogram, find_sonogram
from device.inference.finding import CLASSES


def draw_heat_maps(run: Path, images: Sequence[Path], name: str | None, out: Path) -> Iterator[tuple[Path, str, bool]]:
    """Draw the Grad-CAM of the first frame of each image.

    Args:
        run: Folder of a finished ``train --recipe``.
        images: Image, video or DICOM files.
        name: The class that is asked about; by default the one that the network finds most probable.
        out: Folder for the pictures; made if it does not exist.

    Yields:
        Each picture that was written, ``IMAGE-CLASS.png``, its class, and whether anything speaks for the class.

    Raises:
        StageMissingError: The run holds no network.
        FrameError: An image cannot be read.
    """
    import keras

    import convert.train.batch_norm  # noqa: F401 - lets Keras read networks with its layers

    if not (run / NETWORK_NAME).exists():
        raise StageMissingError(f"{run}: no {NETWORK_NAME} here; run `python -m convert train --recipe` first")
    recipe = load_recipe(str(run / "recipe.yaml"))
    base, head = split(keras.saving.load_model(run / NETWORK_NAME, compile=False))
    out.mkdir(parents=True, exist_ok=True)
    for path in images:
        sonogram = find_sonogram(next(iter(read_frames(path))))
        picture = network_picture(recipe, sonogram)
        label = int(class_logits(base, head, picture).argmax()) if name is None else CLASSES.index(name)
        heat = over_sonogram(recipe, grad_cam(base, head, picture, label), sonogram)
        height, width = sonogram.pixels.shape
        drawn = blend_heat(sonogram.pixels, heat, Box(0, 0, width, height))
        file = out / f"{path.stem}-{CLASSES[label]}.png"
        write_atomically(file, png(drawn, 6), 0o644)
        yield file, CLASSES[label], bool(heat.any())


def network_picture(recipe: Recipe, sonogram: Sonogram) -> NDArray[np.uint8]:
    """What the network of a recipe sees of a sonogram: uint8 (size, size, 1 or 3).

    Raises:
        RecipeError: The recipe has no network.
    """
    match recipe:
        case NetworkRecipe() | CadxRecipe():
            return squeezed(sonogram.pixels, recipe.picture.size, recipe.picture.colour)
        case OwnRecipe():
            height, width = sonogram.pixels.shape
            return cut_window(sonogram.pixels, whole_window(width, height), recipe.size)[..., None]
    raise RecipeError(f"{recipe.name}: this recipe has no network")


def over_sonogram(recipe: Recipe, heat: Heat, sonogram: Sonogram) -> Pixels:
    """A heat map (a, b), 0..1, as uint8 (h, w) where it lies on the sonogram.

    Our own network sees a square with margins, the others the sonogram squeezed to one.
    """
    height, width = sonogram.pixels.shape
    window = whole_window(width, height)
    size = (window.side, window.side) if isinstance(recipe, OwnRecipe) else (width, height)
    levels = cv2.resize(np.asarray(heat * 255, np.uint8), size, interpolation=cv2.INTER_LINEAR)
    if isinstance(recipe, OwnRecipe):
        levels = levels[-window.y : -window.y + height, -window.x : -window.x + width]
    return np.asarray(levels, np.uint8)
