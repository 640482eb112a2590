# SPDX-License-Identifier: Apache-2.0
"""Places and millimetres that a DICOM header states: all B-mode regions; a scale only where nothing contradicts
it."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from device.capture.dicom.scale import pixel_shape, stated_places
from device.capture.dicom.scale_sources import Scale, agreed
from device.capture.frame import PixelSpacing

WIDTH, HEIGHT = 1024, 768
LEFT, RIGHT = (100, 100, 500, 500), (520, 100, 920, 500)
CM = 0.0148  # of one pixel: 400 of them are 59 mm


def region(corners: tuple[int, int, int, int], delta: float = CM, **values: Any) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = delta
    names = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    for name, value in zip(names, corners, strict=True):
        setattr(item, name, value)
    for name, value in values.items():
        setattr(item, name, value)
    return item


def header(*regions: Dataset, modality: str = "US", **values: Any) -> Dataset:
    data = Dataset()
    data.Modality = modality
    if regions:
        data.SequenceOfUltrasoundRegions = Sequence(regions)
    for name, value in values.items():
        setattr(data, name, value)
    return data


def boxes(data: Dataset) -> list[tuple[int, ...]]:
    return [tuple(one.box) for one in stated_places(data, WIDTH, HEIGHT).regions]


def scale(data: Dataset) -> tuple[float | None, bool]:
    """Millimetres down of the first region or of the picture, and whether something is not believed."""
    places = stated_places(data, WIDTH, HEIGHT)
    spacing, contradicted = places.regions[0][1:] if places.regions else places.scale
    return (None if spacing is None else round(spacing.y_mm, 4)), contradicted


def test_all_b_mode_regions_are_found_from_left_to_right() -> None:
    spectrum = region((100, 520, 920, 700), RegionSpatialFormat=3)
    flow = region((10, 10, 90, 90), RegionDataType=2)
    found = boxes(header(region(RIGHT), spectrum, region(LEFT), flow))
    assert found == [(100, 100, 400, 400), (520, 100, 400, 400)]


def test_each_region_has_its_own_scale() -> None:
    places = stated_places(header(region(LEFT), region(RIGHT, 0.02)), WIDTH, HEIGHT)
    assert [round(one.spacing.x_mm, 4) for one in places.regions if one.spacing] == [0.148, 0.2]


def test_of_two_regions_in_each_other_the_exact_one_counts() -> None:
    screen = (0, 0, WIDTH - 1, HEIGHT - 1)
    assert boxes(header(region(screen), region(LEFT))) == [(100, 100, 400, 400)]
    assert boxes(header(region(LEFT), region(RIGHT), region(screen))) == [(100, 100, 400, 400), (520, 100, 400, 400)]
    overview = region((110, 110, 200, 200))
    assert boxes(header(region(LEFT), overview)) == [(100, 100, 400, 400)]
    assert boxes(header(region(LEFT), region(LEFT))) == [(100, 100, 400, 400)]


@pytest.mark.parametrize(
    ("corners", "wanted"),
    [
        ((500, 500, 100, 100), (100, 100, 400, 400)),  # both swapped
        ((500, 100, 100, 500), (100, 100, 400, 400)),
        ((0, 0, WIDTH, HEIGHT), (0, 0, WIDTH, HEIGHT)),  # the last pixel counted as the first outside
        ((520, 300, WIDTH + 10, HEIGHT), (520, 300, 504, 468)),  # a little outside
    ],
)
def test_corners_in_any_order_and_a_little_outside(corners: tuple[int, int, int, int], wanted: tuple[int, ...]) -> None:
    assert boxes(header(region(corners))) == [wanted]


def test_corners_far_outside_end_belief_in_place_and_scale() -> None:
    data = header(region((0, 0, 2048, 1536)), PixelSpacing=[0.1, 0.1])
    assert boxes(data) == []
    assert scale(data) == (None, True)


@pytest.mark.parametrize("corners", [(0, 0, 639, 479), (0, 0, 800, 600), (1, 1, 512, 384)])
def test_a_whole_smaller_screen_is_that_of_a_picture_that_grew(corners: tuple[int, int, int, int]) -> None:
    data = header(region(corners), PixelSpacing=[0.148, 0.148])
    assert boxes(data) == []
    assert scale(data) == (None, True)
    assert boxes(header(region((0, 0, 639, 400)))) == [(0, 0, 639, 400)]
    assert boxes(header(region((0, 0, 1003, 752)))) == [(0, 0, 1003, 752)]  # without the last rows and columns


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (header(region(LEFT)), (0.148, False)),
        (header(region(LEFT), PixelSpacing=[0.148, 0.148]), (0.148, False)),
        (header(region(LEFT), PixelSpacing=[1, 1]), (0.148, False)),  # 1 by 1 stands for "not filled in"
        (header(region(LEFT, CM * 10), PixelSpacing=[0.148, 0.148]), (0.148, False)),  # mm written as cm
        (header(region(LEFT), PixelSpacing=[1.48, 1.48]), (0.148, False)),  # the other way round
        (header(region(LEFT), PixelSpacing=[0.2, 0.2]), (None, True)),  # both possible, it cannot be known
        (header(region(LEFT), NominalScannedPixelSpacing=[0.2, 0.2]), (None, True)),
        (header(region(LEFT, CM * 10)), (None, True)),  # 59 cm deep
        (header(region(LEFT, CM / 10)), (None, True)),  # 6 mm deep
        (header(region(LEFT, -CM)), (0.148, False)),  # some scanners count upwards
        (header(region(LEFT, 0.0)), (None, False)),
        (header(region(LEFT, PhysicalUnitsXDirection=0, PhysicalUnitsYDirection=0)), (None, False)),
        (header(region(LEFT, PhysicalUnitsXDirection=4)), (None, False)),  # seconds across
        (header(region(LEFT, PhysicalDeltaX=CM * 9)), (None, True)),  # pixels nine times as wide as high
        (header(PixelSpacing=[0.1, 0.1]), (0.1, False)),
        (header(PixelSpacing=[0.1, 0.1], NominalScannedPixelSpacing=[0.1, 0.1]), (0.1, False)),
        (header(PixelSpacing=[0.1, 0.1], NominalScannedPixelSpacing=[0.3, 0.3]), (0.1, False)),  # 23 cm of screen
        (header(PixelSpacing=[0.1, 0.1], NominalScannedPixelSpacing=[0.14, 0.14]), (None, True)),
        (header(PixelSpacing=[1, 1]), (None, True)),
        (header(PixelSpacing=[2, 2]), (None, True)),
        (header(modality="OT", PixelSpacing=[0.1, 0.1]), (None, False)),
        (header(), (None, False)),
    ],
)
def test_a_scale_counts_where_nothing_contradicts_it(data: Dataset, wanted: tuple[float | None, bool]) -> None:
    assert scale(data) == wanted


def test_two_scales_of_one_place_contradict_each_other() -> None:
    assert scale(header(region(LEFT), region(LEFT, CM * 1.5))) == (None, True)


@pytest.mark.parametrize(
    ("ratio", "more", "wanted"),
    [
        ([1, 2], {}, 0.5),
        ([4, 3], {}, 4 / 3),
        ([1, 1], {}, 1.0),
        ([0, 1], {}, 1.0),
        ([1, 0], {}, 1.0),
        ([1, 900], {}, 1.0),
        ([1, 2], {"PixelSpacing": [0.1, 0.2]}, 0.5),
        ([1, 2], {"PixelSpacing": [0.1, 0.1]}, 1.0),  # the scale says square
    ],
)
def test_the_shape_of_a_pixel(ratio: list[int], more: dict[str, Any], wanted: float) -> None:
    data = header(PixelAspectRatio=ratio, **more)
    assert pixel_shape(data, stated_places(data, WIDTH, HEIGHT)) == pytest.approx(wanted)


def test_scales_are_held_against_each_other() -> None:
    one, near, far = PixelSpacing(0.1, 0.1), PixelSpacing(0.103, 0.1), PixelSpacing(0.2, 0.2)
    assert agreed([], (400, 400)) == Scale(None, False)
    assert agreed([one, near], (400, 400)) == Scale(one, False)
    assert agreed([one, far], (400, 400)) == Scale(None, True)
    assert agreed([one, far], (800, 800)) == Scale(one, False)  # the other would be 16 cm deep
    assert agreed([PixelSpacing(float("nan"), 0.1)], (400, 400)) == Scale(None, True)


@pytest.mark.parametrize("mm", [1.0, 0.352778, 0.3528, 0.264583, 0.26458333])
def test_points_of_printers_and_screens_are_no_scale(mm: float) -> None:
    """Converters write 72 or 96 dots an inch as PixelSpacing; a picture of 300 pixels would be 8 cm deep."""
    assert scale(header(PixelSpacing=[mm, mm])) == (None, True)
    assert scale(header(region(LEFT), PixelSpacing=[mm, mm])) == (0.148, False)


def test_the_scale_of_an_enhanced_object_counts_like_any_other() -> None:
    def measured(mm: float) -> Sequence:
        pixels, group = Dataset(), Dataset()
        pixels.PixelSpacing = [mm, mm]
        group.PixelMeasuresSequence = Sequence([pixels])
        return Sequence([group])

    assert scale(header(SharedFunctionalGroupsSequence=measured(0.1))) == (0.1, False)
    assert scale(header(PixelSpacing=[0.1, 0.1], SharedFunctionalGroupsSequence=measured(0.12))) == (None, True)
    assert scale(header(region(LEFT), SharedFunctionalGroupsSequence=measured(0.2))) == (None, True)
    assert scale(header(region(LEFT), SharedFunctionalGroupsSequence=measured(0.148))) == (0.148, False)


@pytest.mark.parametrize("name", ["PixelSpacing", "NominalScannedPixelSpacing"])
@pytest.mark.parametrize("value", ["0.148", ["0.148"] * 3, "-0", "99999999999", "", "1e400"])
def test_a_spacing_of_other_than_two_numbers_does_not_hide_the_picture(name: str, value: Any) -> None:
    assert scale(header(**{name: value}))[0] is None


def test_regions_of_another_kind_of_element_are_none() -> None:
    data = header()
    data.add_new("SequenceOfUltrasoundRegions", "LO", "none")
    assert boxes(data) == []


def test_corners_that_were_never_filled_in_are_no_picture() -> None:
    """One pixel went to the network as the B-mode picture."""
    spot = region((5, 5, 6, 6))
    assert boxes(header(spot)) == []
    assert boxes(header(spot, region(LEFT))) == [(100, 100, 400, 400)]


def test_four_pictures_of_a_screen_are_no_smaller_screens() -> None:
    """The one in the upper left corner was taken for the whole of a screen that grew, and all places were lost."""
    halves = ((0, WIDTH // 2), (0, HEIGHT // 2))
    quarters = [(x, y, x + WIDTH // 2 - 2, y + HEIGHT // 2 - 2) for x in halves[0] for y in halves[1]]
    assert sorted(boxes(header(*map(region, quarters)))) == sorted((x, y, 510, 382) for x, y, _, _ in quarters)
    assert boxes(header(region((0, 0, 639, 479)), region((20, 20, 300, 300)))) == []


@pytest.mark.parametrize(
    ("size", "believed"),
    [
        ((HEIGHT, WIDTH), True),
        ((WIDTH, HEIGHT), True),  # the other way round
        ((HEIGHT - 8, WIDTH - 8), True),  # rows and columns that a compressor filled up
        ((HEIGHT * 2, WIDTH * 2), False),
        ((HEIGHT // 2, WIDTH // 2), False),
        ((HEIGHT, WIDTH * 2), False),
        ((0, 0), True),
    ],
)
def test_a_header_of_another_size_ends_belief_in_place_and_scale(size: tuple[int, int], believed: bool) -> None:
    """The stream was made smaller and the header left as it was: lengths were wrong by the same factor."""
    rows: dict[str, Any] = {"Rows": size[0], "Columns": size[1]}
    assert scale(header(PixelSpacing=[0.1, 0.1], **rows)) == ((0.1, False) if believed else (None, True))
    assert boxes(header(region(LEFT), **rows)) == ([(100, 100, 400, 400)] if believed else [])
    assert scale(header(**rows)) == (None, False)
