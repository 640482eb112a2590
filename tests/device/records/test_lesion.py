# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import pytest

from device.inference.finding import ModelResult
from device.inference.views import Combined
from device.records.lesion import Axes, BreastLesion, LesionView, Plane

COMBINED = Combined(
    ModelResult.BENIGN, None, {"normal": 0.1, "benign": 0.8, "malignant": 0.1}, (0.2, 0.4), None, 2, "m"
)


@pytest.mark.parametrize(
    ("planes", "wanted"),
    [
        ((), None),
        ((None,), None),
        ((Plane.RADIAL,), Plane.ANTIRADIAL),
        ((None, Plane.LONGITUDINAL), Plane.TRANSVERSE),
        ((Plane.RADIAL, Plane.ANTIRADIAL), None),
        ((Plane.RADIAL, Plane.RADIAL), Plane.ANTIRADIAL),
        ((Plane.RADIAL, Plane.TRANSVERSE), Plane.ANTIRADIAL),
        ((Plane.RADIAL, Plane.TRANSVERSE, Plane.LONGITUDINAL), None),
    ],
)
def test_the_second_plane_is_asked_for_until_there_is_a_pair(
    planes: tuple[Plane | None, ...], wanted: Plane | None
) -> None:
    views = tuple(LesionView(str(number), plane) for number, plane in enumerate(planes))
    assert BreastLesion("2.25.1", views=views).wanted_plane is wanted


def test_what_the_model_said_of_other_views_goes_with_them() -> None:
    lesion = BreastLesion("2.25.1", views=(LesionView("a"), LesionView("b")), combined=COMBINED)
    assert lesion.with_view(LesionView("a", Plane.RADIAL)).combined is COMBINED
    assert lesion.with_view(LesionView("a", Plane.RADIAL)).view_uids == ("a", "b")
    assert lesion.with_view(LesionView("c")).view_uids == ("a", "b", "c")
    assert lesion.with_view(LesionView("c")).combined is None
    assert lesion.without_view("a") == replace(lesion, views=(LesionView("b"),), combined=None)
    assert lesion.without_view("x") is lesion


@pytest.mark.parametrize(
    "values",
    [
        {"clock_position": 0},
        {"clock_position": 13},
        {"distance_from_nipple_cm": -0.1},
        {"distance_from_nipple_cm": 55.0},
        {"depth_cm": 0.0},
        {"depth_cm": math.nan},
        {"views": (LesionView("a"), LesionView("a", Plane.RADIAL))},
    ],
)
def test_slips_of_the_finger_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"clock|cannot be|once"):
        BreastLesion("2.25.1", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("lengths", [(0.0,), (math.inf,), (12.0, -1.0), (12.0, 8.0, 2000.0)])
def test_impossible_sizes_are_refused(lengths: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="an axis"):
        Axes(*lengths)
