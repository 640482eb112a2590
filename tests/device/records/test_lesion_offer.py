# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from device.capture.frame import PixelSpacing
from device.inference.finding import ModelResult
from device.inference.manifest import Abstention
from device.records.exam import Calliper, View
from device.records.lesion import Axes, BreastLesion, LesionView, Plane
from device.records.lesion_offer import combined_result, measured_axes, offer
from device.records.lexicon import Orientation
from device.words import Translator
from tests.device.records import made_up

SCALE = PixelSpacing(0.1, 0.1)
WRITE = Translator("en").number


def lesion(*planes: Plane | None) -> BreastLesion:
    return BreastLesion("2.25.5", views=tuple(LesionView(f"2.25.7{n}", plane) for n, plane in enumerate(planes, 1)))


def test_two_views_across_each_other_give_three_axes() -> None:
    views = [made_up.view(1, spacing=SCALE), made_up.view(2, spacing=SCALE)]
    offered = offer(lesion(Plane.RADIAL, Plane.ANTIRADIAL), views)
    assert offered is not None
    assert offered.axes is not None
    assert dataclasses.astuple(offered.axes) == pytest.approx((12.8, 8.0, 12.8), abs=0.1)
    assert offered.orientation is Orientation.PARALLEL
    assert offered.taller_than_wide == pytest.approx(80 / 128, rel=0.02)


@pytest.mark.parametrize("planes", [(Plane.RADIAL, Plane.RADIAL), (None, None), (Plane.RADIAL, Plane.TRANSVERSE)])
def test_views_that_do_not_lie_across_each_other_give_no_third_axis(planes: tuple[Plane | None, ...]) -> None:
    offered = offer(lesion(*planes), [made_up.view(1, spacing=SCALE), made_up.view(2, spacing=SCALE)])
    assert offered is not None
    assert offered.axes is not None
    assert offered.axes.third_mm is None


def test_without_a_scale_only_the_shape_is_offered() -> None:
    found = made_up.finding(outlined=made_up.lesion(mm=None))
    offered = offer(lesion(Plane.RADIAL), [made_up.view(1, found)])
    assert offered is not None
    assert (offered.axes, offered.orientation) == (None, Orientation.PARALLEL)


def test_without_an_outline_nothing_is_offered() -> None:
    assert offer(lesion(None), [made_up.view(1, made_up.finding())]) is None
    upright = replace(made_up.lesion(), contour=tuple((y, x) for x, y in made_up.lesion().contour))
    offered = offer(
        lesion(None, None), [made_up.view(1, made_up.finding()), made_up.view(2, made_up.finding(outlined=upright))]
    )
    assert offered is not None
    assert offered.orientation is Orientation.NOT_PARALLEL


def test_the_views_of_a_lesion_are_judged_together() -> None:
    views = [made_up.view(1), made_up.view(2, made_up.finding(ModelResult.BENIGN)), made_up.view(3)]
    together = combined_result(lesion(None, None), views, Abstention(lower=0.1, upper=0.9))
    assert together is not None
    assert (together.used, together.uncertain_band) == (2, (0.1, 0.9))
    first, second = (view.finding.probabilities for view in views[:2])
    assert first is not None
    assert second is not None
    assert together.probabilities is not None
    low, high = sorted([first["malignant"], second["malignant"]])
    assert low < together.probabilities["malignant"] < high


def test_views_of_different_models_and_no_views_give_no_result_together() -> None:
    other = made_up.view(2, replace(made_up.finding(), model="other@1.0.0"))
    assert combined_result(lesion(None, None), [made_up.view(1), other], None) is None
    assert combined_result(lesion(), [made_up.view(1)], None) is None


def test_the_clinicians_callipers_give_the_axes_where_nothing_is_outlined() -> None:
    def measured(number: int, *lengths: float | None) -> View:
        callipers = tuple(Calliper((0.0, 0.0), (9.0, 0.0), 9.0, length) for length in lengths)
        return made_up.view(number, made_up.finding(), callipers=callipers)

    two = lesion(Plane.RADIAL, Plane.ANTIRADIAL)
    assert measured_axes(two, [measured(1, 4.0, 9.0, None), measured(2, 7.0)]) == Axes(9.0, 4.0, 7.0)
    assert measured_axes(two, [measured(1, 7.0), measured(2, 4.0, 9.0)]) == Axes(
        9.0, 4.0, 7.0
    )  # the longest is the first
    assert measured_axes(lesion(Plane.RADIAL, Plane.RADIAL), [measured(1, 7.0), measured(2, 9.0)]) == Axes(9.0)
    assert measured_axes(two, [measured(1), measured(2, None)]) is None


def test_an_axis_that_is_missing_does_not_lend_its_place_to_the_next() -> None:
    assert Axes(9.0, 4.0, 7.0).written(WRITE) == "9.0 × 4.0 × 7.0"
    assert Axes(9.0, None, 7.0).written(WRITE) == "9.0 × – × 7.0"
    assert Axes(9.0, 4.0).written(WRITE) == "9.0 × 4.0"
    assert Axes(9.0).written(WRITE) == "9.0"
