"""From stored DICOM values to the grey or RGB picture that a viewer shows.

Palette, YBR, modality rescale, window, inversion and depth, after PS3.3 C.7.6.3 and C.11. Used by ``dicom_file.py``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi

from device.capture.depth import scale_to_8_bit, to_uint8
from device.capture.frame import Pixels

_PALETTES: Final = [
    f"{segmented}{colour}PaletteColorLookupTable{what}"
    for segmented, what in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
    for colour in ("Red", "Green", "Blue")
]
PIXEL_TAGS: Final = [
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    *_PALETTES,
]
"""Elements that must have been read from the file."""

_RGB_LIKE: Final = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})  # pydicom delivers RGB
STUDIO: Final = "YBR_PARTIAL_422"
"""Luma 16..235 with halved chroma; pydicom neither unfolds nor converts it."""

COLOURS: Final = _RGB_LIKE | {STUDIO} | {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"}
"""Photometric interpretations that can be shown."""


def mend_tables(dataset: Dataset, little_endian: bool) -> None:
    """Forget tables and rescale values that hold nothing, as some converters write them; put palettes in our order.

    Palette data are 16-bit words even where the entries have 8 bits, and pydicom takes them in this machine's order.
    """
    for name in _PALETTES:
        if not little_endian and not name.startswith("Segmented") and isinstance(dataset.get(name), bytes):
            setattr(dataset, name, np.frombuffer(dataset[name].value, ">u2").astype("<u2").tobytes())
    for name in ("ModalityLUTSequence", "VOILUTSequence"):
        items = dataset.get(name)
        if name in dataset and not (items and items[0].get("LUTDescriptor") and items[0].get("LUTData")):
            del dataset[name]
    if None in (dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")):
        for name in ("RescaleSlope", "RescaleIntercept"):
            if name in dataset:
                del dataset[name]


def to_8_bit(values: NDArray[Any], dataset: Dataset) -> Pixels:
    """One decoded frame as it is meant to be seen.

    Args:
        values: (h, w) or (h, w, 3), as pydicom decodes it.
        dataset: Header with ``PIXEL_TAGS``.

    Returns:
        uint8 of the same height and width, grey or RGB.

    Raises:
        ValueError: Header and pixels contradict each other.
    """
    colours = str(dataset.PhotometricInterpretation)
    if values.ndim == 3:
        depth = int(dataset.BitsStored)
        deep = values if values.dtype == np.uint8 else _to_depth(values, depth)
        return _from_studio_ybr(deep) if colours == STUDIO else np.ascontiguousarray(deep)
    if colours == "PALETTE COLOR":
        return _palette(values, dataset)
    grey = _grey(values, dataset)
    return np.asarray(255 - grey, dtype=np.uint8) if colours == "MONOCHROME1" else grey


def _to_depth(values: NDArray[Any], bits: int) -> Pixels:
    scaled = values.astype(np.float32) * (255.0 / (2.0**bits - 1.0))
    return to_uint8(scaled)


def _from_studio_ybr(ybr: Pixels) -> Pixels:
    """PS3.3 C.7.6.3.1.2, YBR_PARTIAL_422 (ITU-R BT.601): luma 16..235, chroma 16..240, to RGB 0..255."""
    y, b, r = (ybr[..., channel].astype(np.float32) for channel in range(3))
    y, b, r = (y - 16.0) * (255.0 / 219.0), (b - 128.0) * (255.0 / 224.0), (r - 128.0) * (255.0 / 224.0)
    rgb = np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], axis=-1)
    return to_uint8(rgb)


def _palette(values: NDArray[Any], dataset: Dataset) -> Pixels:
    """RGB by the file's own table, expanded once so that values beyond it take its ends (PS3.3 C.7.6.3.1.5)."""
    first = int(dataset.RedPaletteColorLookupTableDescriptor[1])
    entries = int(dataset.RedPaletteColorLookupTableDescriptor[0]) or 2**16
    index = np.arange(entries, dtype=np.int32)
    table = apply_color_lut((index + first).astype(np.int32), dataset)[..., :3]
    if table.dtype != np.uint8:
        # Tables of 8-bit colours in 16-bit entries exist in both byte positions; the largest entry tells.
        table = table if int(table.max()) > 255 else table * 257
        table = (table >> 8).astype(np.uint8)
    return np.ascontiguousarray(table[np.clip(values.astype(np.int32) - first, 0, entries - 1)])


def _grey(values: NDArray[Any], dataset: Dataset) -> Pixels:
    if int(dataset.get("BitsAllocated") or 0) == 1:
        return np.asarray(values * 255, dtype=np.uint8)
    modality = apply_modality_lut(values, dataset)
    if dataset.get("VOILUTSequence") and np.issubdtype(modality.dtype, np.integer):
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        return _to_depth(apply_voi(modality, dataset), bits)
    if (window := _window(dataset)) is not None:
        return _windowed(modality, *window)
    if modality.dtype == np.uint8:
        return np.ascontiguousarray(modality)
    whole = modality if float(np.mod(modality, 1.0).max()) else modality.astype(np.int64)
    return scale_to_8_bit(whole)


def _window(dataset: Dataset) -> tuple[float, float, str] | None:
    """Centre, width and function of the first window, or ``None`` where there is no usable one."""
    centre, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or width < 1.0:
        return None
    return centre, width, str(dataset.get("VOILUTFunction") or "LINEAR")


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value[0] if hasattr(value, "__getitem__") and not isinstance(value, str) else value)
    except (TypeError, ValueError, IndexError):
        return None


def _windowed(values: NDArray[Any], centre: float, width: float, function: str) -> Pixels:
    """PS3.3 C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID, LINEAR_EXACT), with an output of 0..255."""
    x = values.astype(np.float32)
    if function == "SIGMOID":
        shade = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (x - centre) / width, -60.0, 60.0)))
    elif function == "LINEAR_EXACT":
        shade = (x - centre) / width + 0.5
    else:
        shade = (x - (centre - 0.5)) / max(width - 1.0, 1e-6) + 0.5
    return to_uint8(shade * 255.0)
