# SPDX-License-Identifier: Apache-2.0
"""Is this picture something that can be looked at, before any network is asked?

Cheap checks that name their reason. What looks like a picture but not like breast ultrasound is recognised by the
network's own OOD score instead, under the reason ``NOT_BREAST_ULTRASOUND``. ``NO_MODEL`` is not about the
picture: the model could not look at it, but it can be kept all the same.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from device.imaging.sonogram import Sonogram


class Reason(StrEnum):
    """Why a frame is not evaluable; the key under which the screens hold the sentence."""

    TOO_SMALL = "too_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    NO_TEXTURE = "no_texture"
    COLOUR = "colour"
    NOT_BREAST_ULTRASOUND = "not_breast_ultrasound"
    NO_MODEL = "no_model"


_SMALLEST_SIDE = 64
"""Pixels: under this a lesion of a tenth of the picture is six pixels wide."""

_DARK_PERCENTILE = 32.0
"""A frame whose 98th percentile stays under this is a black screen or a probe in the air."""

_BRIGHT_SHARE = 0.35
"""Share of saturated pixels (250 or more) from which the gain has burnt the picture out."""

_SMALLEST_DEVIATION = 6.0
"""Standard deviation in grey levels under which there is nothing to see."""

COLOUR_SHARE = 0.01
"""Share of coloured pixels from which a frame counts as doppler, elastography or a photograph."""


def judge_quality(sonogram: Sonogram) -> Reason | None:
    """The first reason why a sonogram cannot be evaluated, ``None`` when there is none."""
    pixels = sonogram.pixels
    if min(pixels.shape) < _SMALLEST_SIDE:
        return Reason.TOO_SMALL
    if sonogram.coloured > COLOUR_SHARE:
        return Reason.COLOUR
    if float(np.percentile(pixels, 98)) < _DARK_PERCENTILE:
        return Reason.TOO_DARK
    if float(np.mean(pixels >= 250)) > _BRIGHT_SHARE:
        return Reason.TOO_BRIGHT
    if float(pixels.std()) < _SMALLEST_DEVIATION:
        return Reason.NO_TEXTURE
    return None
