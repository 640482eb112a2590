# SPDX-License-Identifier: Apache-2.0
"""From echo strengths to a B-mode picture: interference, beam width, attenuation and log compression.

Fully developed speckle is the magnitude of a complex Gaussian field, which makes its amplitude Rayleigh distributed
(Wagner, Smith, Sandrik, Lopez, "Statistics of speckle in ultrasound B-scans", IEEE Trans. Sonics Ultrason. 30, 1983).
Used by ``frames.py``.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from device.capture.frame import Pixels
from device.capture.phantom.tissue import Map, Tissue

_DYNAMIC_RANGE_DB: Final = 58.0
_GREY_CURVE: Final = 1.25  # the post-processing map of a usual preset: darker shadows
_AXIAL_MM: Final = 0.085  # standard deviation of the pulse's envelope
_BEAMS_MM: Final = (0.21, 0.35, 0.58, 0.88)  # standard deviations across, from the focus outwards
_LOOKS: Final = 2  # directions that the scanner compounds, each with its own speckle
_FOCUS: Final = 0.38  # fraction of the depth
_LOSS_DB: Final = 9.0  # attenuation that the gain curve leaves uncompensated at the bottom
_NOISE_DB: Final = -66.0  # electronic noise at the top; the gain curve lifts it with depth
_NOISE_GAIN_DB: Final = 16.0


def b_mode(rng: np.random.Generator, tissue: Tissue, mm: float) -> Pixels:
    """The log-compressed picture of a slice.

    Args:
        rng: Source of the scatterers.
        tissue: Maps, (h, w).
        mm: Millimetres a pixel.

    Returns:
        uint8 (h, w).
    """
    height, width = tissue.scatter.shape
    amplitude = _from_db(tissue.scatter + tissue.shade)
    coherent = cv2.GaussianBlur(_from_db(tissue.mirror + tissue.shade), (0, 0), 0.18 / mm, sigmaY=0.05 / mm)
    power = np.zeros((height, width), np.float32)
    for _ in range(_LOOKS):
        real = _beam(rng.standard_normal((height, width), dtype=np.float32) * amplitude, mm)
        imaginary = _beam(rng.standard_normal((height, width), dtype=np.float32) * amplitude, mm)
        power += (real + coherent) ** 2 + imaginary**2
    depth = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    noise = _from_db(_NOISE_DB + _NOISE_GAIN_DB * depth)
    echo = np.sqrt(power / _LOOKS) + noise * rng.rayleigh(1.0, (height, width)).astype(np.float32)
    decibels = 20.0 * np.log10(np.maximum(echo, 1e-6)) - _LOSS_DB * depth**2
    shade = np.clip((decibels + _DYNAMIC_RANGE_DB) / _DYNAMIC_RANGE_DB, 0.0, 1.0) ** _GREY_CURVE
    smooth = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), 0.5)
    return np.asarray(np.rint(255.0 * smooth), dtype=np.uint8)


def _from_db(decibels: Map) -> Map:
    return np.asarray(10.0 ** (decibels / 20.0), dtype=np.float32)


def _beam(scatter: Map, mm: float) -> Map:
    """Blur by the pulse down and by the beam across, which is narrowest at the focus; unit power is kept."""
    height = scatter.shape[0]
    depth = np.linspace(0.0, 1.0, height, dtype=np.float32)
    position = np.clip(np.abs(depth - _FOCUS) / (1.0 - _FOCUS) * (len(_BEAMS_MM) - 1), 0, len(_BEAMS_MM) - 1.001)
    blurred = np.zeros_like(scatter)
    for step, across in enumerate(_BEAMS_MM):
        weight = np.clip(1.0 - np.abs(position - step), 0.0, 1.0).astype(np.float32)
        if not weight.any():
            continue
        sx, sy = max(across / mm, 0.6), max(_AXIAL_MM / mm, 0.6)
        layer = cv2.GaussianBlur(scatter, (0, 0), sx, sigmaY=sy)
        layer *= np.sqrt(4.0 * np.pi * sx * sy)  # a Gaussian of these widths divides the power of white noise by that
        blurred += weight[:, None] * layer
    return blurred
