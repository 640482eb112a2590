# SPDX-License-Identifier: Apache-2.0
"""Where a view or a lesion lies, in words and on the body map: the same on paper and on every screen."""

from __future__ import annotations

from device.imaging.body_map import MapPlace
from device.records.exam import Laterality, View
from device.records.lesion import BreastLesion
from device.words import Translator


def place_words(view: View, text: Translator) -> str:
    """Side and clock position of a view."""
    return _side_and_clock(view.laterality, view.clock_position, text)


def lesion_place(lesion: BreastLesion, text: Translator) -> str:
    """Side, clock position, region and distance from the nipple, as far as they are known."""
    parts = [_side_and_clock(lesion.laterality, lesion.clock_position, text)]
    if lesion.region is not None:
        parts.append(text(f"lesions.region_{lesion.region.value}"))
    if lesion.distance_from_nipple_cm is not None:
        parts.append(text("lesions.from_nipple", cm=text.number(lesion.distance_from_nipple_cm)))
    return ", ".join(parts)


def map_place(lesion: BreastLesion) -> MapPlace:
    """Where a lesion lies on the body map."""
    side = None if lesion.laterality is None else lesion.laterality.value
    region = None if lesion.region is None else lesion.region.value
    return MapPlace(side, lesion.clock_position, lesion.distance_from_nipple_cm, region)


def _side_and_clock(laterality: Laterality | None, clock_position: int | None, text: Translator) -> str:
    side = text(f"report.place_{'unknown' if laterality is None else laterality.value}")
    return side if clock_position is None else text("report.place_with_clock", side=side, hour=clock_position)
