# SPDX-License-Identifier: Apache-2.0
"""A lesion of one breast, as the clinician describes it: where it lies, which views show it, its size and its look.

Not to be taken for ``inference.finding.Lesion``, the outline that the model draws in one view. One lesion of the breast
may be seen in several views and outlined in each; this is what ties them together. It says nothing of pixels, so it
can be made, changed and sent without loading a picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from device.inference.views import Combined
from device.records.lexicon import BiRads, BiRadsEdition, Descriptors, Management

MOST_FROM_NIPPLE_CM = 20.0
MOST_DEPTH_CM = 10.0
MOST_AXIS_MM = 200.0
"""Beyond these a number is a slip of the finger."""


class Laterality(StrEnum):
    """Which breast."""

    LEFT = "left"
    RIGHT = "right"


class BreastRegion(StrEnum):
    """A place that has no clock position, or a closer name for it."""

    AXILLA = "axilla"
    AXILLARY_TAIL = "axillary_tail"
    SUBAREOLAR = "subareolar"
    CENTRAL = "central"


class Plane(StrEnum):
    """How the transducer was held."""

    RADIAL = "radial"
    ANTIRADIAL = "antiradial"
    TRANSVERSE = "transverse"
    LONGITUDINAL = "longitudinal"

    @property
    def orthogonal(self) -> Plane:
        """The plane across this one."""
        return _ACROSS[self]


_ACROSS = {
    Plane.RADIAL: Plane.ANTIRADIAL,
    Plane.ANTIRADIAL: Plane.RADIAL,
    Plane.TRANSVERSE: Plane.LONGITUDINAL,
    Plane.LONGITUDINAL: Plane.TRANSVERSE,
}


@dataclass(frozen=True, slots=True)
class LesionView:
    """A view that shows the lesion.

    Attributes:
        uid: The view's.
        plane: ``None`` when not said.
        callipers_in_picture: Whether the scanner's own callipers are in the picture; ``None`` when not said.
    """

    uid: str
    plane: Plane | None = None
    callipers_in_picture: bool | None = None


@dataclass(frozen=True, slots=True)
class Axes:
    """Size in the order in which BI-RADS reports it, millimetres.

    Attributes:
        long_mm: The longest axis.
        short_mm: Across the first, in the same view.
        third_mm: Horizontal, in the orthogonal view.

    Raises:
        ValueError: A length is none, see ``MOST_AXIS_MM``.
    """

    long_mm: float
    short_mm: float | None = None
    third_mm: float | None = None

    def __post_init__(self) -> None:
        for length in (self.long_mm, self.short_mm, self.third_mm):
            _require("an axis", length, MOST_AXIS_MM)

    def written(self, number: Callable[[float, int], str]) -> str:
        """Those that are known, in order; with a dash for the short one where only the third is known.

        Args:
            number: Writes a number with so many decimals, see ``Translator.number``.
        """
        lengths = (
            [self.long_mm, self.short_mm] if self.third_mm is None else [self.long_mm, self.short_mm, self.third_mm]
        )
        if lengths[-1] is None:
            del lengths[-1]
        return " × ".join("–" if length is None else number(length, 1) for length in lengths)


@dataclass(frozen=True, slots=True)
class BreastLesion:
    """One lesion of one breast.

    Attributes:
        uid: Made once, see ``records.uids.new_lesion_uid``.
        laterality: ``None`` until said.
        clock_position: 1 to 12, ``None`` when not given.
        region: Axilla and other places beside the clock, ``None`` when not given.
        distance_from_nipple_cm: Along the skin.
        depth_cm: From the skin to the middle of the lesion.
        views: Those that show it, the first one first.
        axes: ``None`` until measured.
        category: The clinician's.
        edition: Of the category.
        advice: What the clinician advises.
        combined: What the model says of all its views together, ``None`` where nothing was combined.

    Raises:
        ValueError: A number is out of its range, or a view is named twice.
    """

    uid: str
    laterality: Laterality | None = None
    clock_position: int | None = None
    region: BreastRegion | None = None
    distance_from_nipple_cm: float | None = None
    depth_cm: float | None = None
    views: tuple[LesionView, ...] = ()
    axes: Axes | None = None
    descriptors: Descriptors = field(default=Descriptors())
    category: BiRads | None = None
    edition: BiRadsEdition = BiRadsEdition.E2013
    advice: tuple[Management, ...] = ()
    note: str = field(default="", repr=False)
    combined: Combined | None = None

    def __post_init__(self) -> None:
        if self.clock_position is not None and self.clock_position not in range(1, 13):
            raise ValueError(f"a clock has no {self.clock_position}")
        _require("the distance from the nipple", self.distance_from_nipple_cm, MOST_FROM_NIPPLE_CM, zero=True)
        _require("the depth", self.depth_cm, MOST_DEPTH_CM)
        if len({view.uid for view in self.views}) != len(self.views):
            raise ValueError("a lesion names a view once")

    @property
    def view_uids(self) -> tuple[str, ...]:
        """UIDs of the views that show it."""
        return tuple(view.uid for view in self.views)

    @property
    def wanted_plane(self) -> Plane | None:
        """The plane still to be taken so that two views lie across each other.

        ``None`` where there is such a pair, or where no view says how it was taken.
        """
        planes = [view.plane for view in self.views if view.plane is not None]
        if not planes or any(plane.orthogonal in planes for plane in planes):
            return None
        return planes[0].orthogonal

    def with_view(self, view: LesionView) -> BreastLesion:
        """With a view added, or with what is said of it changed; what the model said of fewer views goes."""
        kept = tuple(view if known.uid == view.uid else known for known in self.views)
        if view.uid in self.view_uids:
            return replace(self, views=kept)
        return replace(self, views=(*kept, view), combined=None)

    def without_view(self, uid: str) -> BreastLesion:
        """Without a view, and without what the model said of them together; unchanged where it has no such view."""
        if uid not in self.view_uids:
            return self
        return replace(self, views=tuple(view for view in self.views if view.uid != uid), combined=None)


def _require(what: str, value: float | None, most: float, zero: bool = False) -> None:
    if value is None:
        return
    if not math.isfinite(value) or value > most or value < 0 or (value == 0 and not zero):
        raise ValueError(f"{what} cannot be {value}")
