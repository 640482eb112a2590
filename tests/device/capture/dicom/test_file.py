# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    MPEG2MPML,
    BasicTextSRStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from device.capture.files.limits import Limits
from device.capture.files.reader import open_frames, read_frames
from device.capture.frame import Box, Frame
from device.errors import (
    ContradictoryDicomError,
    DamagedFileError,
    FrameError,
    FrameTooLargeError,
    NoPictureError,
    UnsupportedDicomError,
)
from tests.device.capture.conftest import MakeDicom, encoded
from tests.device.capture.odd_dicom import frames

PLAIN = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]


def only(path: Path) -> Frame:
    (frame,) = read_frames(path)
    return frame


@pytest.mark.parametrize("syntax", PLAIN)
def test_plain_grey_in_every_byte_order(syntax: str, make_dicom: MakeDicom, grey: np.ndarray) -> None:
    path = make_dicom(syntax=syntax, pixels=grey.tobytes(), Rows=48, Columns=64)
    assert np.array_equal(only(path).pixels, grey)


@pytest.mark.parametrize("syntax", PLAIN)
def test_plain_12_bit_in_every_byte_order(syntax: str, make_dicom: MakeDicom) -> None:
    deep = np.tile(np.linspace(0, 4095, 256).round().astype(np.uint16), (4, 1))
    order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
    path = make_dicom(
        syntax=syntax,
        pixels=deep.astype(order).tobytes(),
        Rows=4,
        Columns=256,
        BitsAllocated=16,
        BitsStored=12,
        HighBit=11,
    )
    assert np.abs(only(path).pixels[0].astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("swapped", [True, False])
def test_big_endian_words_of_8_bits_are_not_torn(swapped: bool, count: int, make_dicom: MakeDicom) -> None:
    """Each word holds the second pixel first; some writers leave the pixels as they are."""
    shown = frames(count)
    stored = np.stack(shown).tobytes()
    if swapped:
        stored = np.frombuffer(stored, "<u2").byteswap().tobytes()
    path = make_dicom(syntax=ExplicitVRBigEndian, pixels=stored, Rows=192, Columns=256)
    data = dcmread(path)
    data["PixelData"].VR = "OW"
    data.save_as(path)
    assert [np.array_equal(frame.pixels, one) for frame, one in zip(read_frames(path), shown, strict=True)] == [
        True
    ] * count


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", PLAIN)
def test_rgb_by_pixel_and_by_plane(syntax: str, planar: int, make_dicom: MakeDicom, rgb: np.ndarray) -> None:
    stored = rgb if planar == 0 else rgb.transpose(2, 0, 1)
    path = make_dicom(
        syntax=syntax, pixels=stored.tobytes(), Rows=48, Columns=64, SamplesPerPixel=3, PhotometricInterpretation="RGB",
        PlanarConfiguration=planar,
    )  # fmt: skip
    assert np.array_equal(only(path).pixels, rgb)


def test_ybr_full_and_its_halved_and_studio_forms_become_rgb(make_dicom: MakeDicom) -> None:
    # By PS3.3 C.7.6.3.1.2 pure red is Y 76, Cb 85, Cr 255; in studio range Y 81, Cb 90, Cr 240.
    common = {"Rows": 2, "Columns": 4, "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    cases = [
        ("YBR_FULL", bytes((76, 85, 255)) * 8),
        ("YBR_FULL_422", bytes((76, 76, 85, 255)) * 4),
        ("YBR_PARTIAL_422", bytes((81, 81, 90, 240)) * 4),
    ]
    for colours, pixels in cases:
        path = make_dicom(pixels=pixels, PhotometricInterpretation=colours, **common)
        red, green, blue = only(path).pixels[1, 2].astype(int)
        assert red > 250, colours
        assert max(green, blue) < 6, colours


def test_monochrome1_is_inverted(make_dicom: MakeDicom, grey: np.ndarray) -> None:
    path = make_dicom(pixels=grey.tobytes(), Rows=48, Columns=64, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(only(path).pixels, 255 - grey)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("depth", [8, 16])
def test_palette_in_every_byte_order(syntax: str, depth: int, make_dicom: MakeDicom) -> None:
    values = np.array([[10, 11, 12, 13, 9, 200]], np.uint8)  # 9 lies before the table, 200 behind it
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 64, 32]], np.uint16)
    order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
    table: dict[str, object] = {}
    for channel, name in enumerate(("Red", "Green", "Blue")):
        table[f"{name}PaletteColorLookupTableDescriptor"] = [4, 10, depth]
        if depth == 16:
            data = (colours[:, channel] * 256 + 17).astype(order).tobytes()
        else:  # 8-bit entries lie in 16-bit words, so their order follows that of the words
            data = colours[:, channel].astype(np.uint8).tobytes()
            data = np.frombuffer(data, "<u2").astype(order).tobytes()
        table[f"{name}PaletteColorLookupTableData"] = data
    path = make_dicom(
        syntax=syntax, pixels=values.tobytes(), Rows=1, Columns=6, PhotometricInterpretation="PALETTE COLOR", **table
    )
    wanted = colours[[0, 1, 2, 3, 0, 3]].tolist()
    assert only(path).pixels[0].tolist() == wanted


def test_window_rescale_and_their_edges(make_dicom: MakeDicom) -> None:
    stored = np.array([[0, 100, 200, 300, 400, 500]], "<u2")
    path = make_dicom(
        pixels=stored.tobytes(), Rows=1, Columns=6, BitsAllocated=16, BitsStored=16, HighBit=15,
        RescaleSlope=2, RescaleIntercept=-100, WindowCenter=[400.5, 1], WindowWidth=[601, 2],
    )  # fmt: skip
    # Rescaled: -100, 100, 300, 500, 700, 900; LINEAR of centre 400.5 and width 601 spans 100 to 700.
    assert only(path).pixels[0].tolist() == [0, 0, 85, 170, 255, 255]


def test_signed_values_and_a_window(make_dicom: MakeDicom) -> None:
    stored = np.array([[-1000, 0, 1000]], "<i2")
    path = make_dicom(
        pixels=stored.tobytes(), Rows=1, Columns=3, BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1,
        WindowCenter=0, WindowWidth=2000, VOILUTFunction="LINEAR_EXACT",
    )  # fmt: skip
    assert only(path).pixels[0].tolist() == [0, 128, 255]


def test_frames_are_decoded_one_by_one(make_dicom: MakeDicom) -> None:
    frames = np.stack([np.full((30, 40), 10 * n, np.uint8) for n in range(12)])
    path = make_dicom(pixels=frames.tobytes(), Rows=30, Columns=40, NumberOfFrames=12, CineRate=25)
    assert [(f.index, int(f.pixels[0, 0])) for f in read_frames(path)] == [(n, 10 * n) for n in range(12)]
    with open_frames(path) as file:
        assert (file.frame_count, file.fps) == (12, 25.0)
        assert file.read_at(11).pixels[3, 3] == 110
        assert file.read_at(2).pixels[3, 3] == 20
        with pytest.raises(IndexError):
            file.read_at(12)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("colours", ["MONOCHROME2", "RGB"])
def test_compressed_without_loss(
    syntax: str, colours: str, make_dicom: MakeDicom, grey: np.ndarray, rgb: np.ndarray
) -> None:
    picture = grey if colours == "MONOCHROME2" else rgb
    extra = {} if picture.ndim == 2 else {"SamplesPerPixel": 3, "PlanarConfiguration": 0}
    path = make_dicom(
        pixels=np.stack([picture, picture[::-1]]).tobytes(), Rows=48, Columns=64, NumberOfFrames=2,
        PhotometricInterpretation=colours, **extra,
    )  # fmt: skip
    data = dcmread(path)
    data.compress(syntax)
    data.save_as(path)
    first, second = read_frames(path)
    assert np.array_equal(first.pixels, picture)
    assert np.array_equal(second.pixels, picture[::-1])


def jpeg(make_dicom: MakeDicom, picture: np.ndarray, count: int = 1, **values: object) -> Path:
    from PIL import Image

    body = encoded(Image.fromarray(picture), "JPEG", quality=97)
    colours = "MONOCHROME2" if picture.ndim == 2 else "YBR_FULL_422"
    extra = {} if picture.ndim == 2 else {"SamplesPerPixel": 3, "PlanarConfiguration": 0}
    settings = {"Rows": picture.shape[0], "Columns": picture.shape[1], "NumberOfFrames": count, **extra, **values}
    settings.setdefault("PhotometricInterpretation", colours)
    path = make_dicom(pixels=None, **settings)
    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = values.get("syntax", JPEGBaseline8Bit)
    data.PixelData = encapsulate([body] * count)
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    return path


def test_jpeg_in_colour(make_dicom: MakeDicom) -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, :16] = (220, 30, 40)
    picture[:, 16:] = (20, 60, 200)
    pixels = only(jpeg(make_dicom, picture)).pixels.astype(int)
    assert np.abs(pixels[16, 4] - (220, 30, 40)).max() < 8
    assert np.abs(pixels[16, 28] - (20, 60, 200)).max() < 8


@pytest.mark.parametrize("stated", [{}, {"NumberOfFrames": 1}, {"NumberOfFrames": ""}])
@pytest.mark.parametrize("side", [1, 3, 5, 7])
@pytest.mark.parametrize("padding", [b"\0", b" "])
def test_the_byte_that_makes_the_length_even_is_no_frame(
    stated: dict[str, object], side: int, padding: bytes, make_dicom: MakeDicom, grey: np.ndarray
) -> None:
    odd = np.ascontiguousarray(grey[:side, 20 : 20 + side])
    path = make_dicom(pixels=odd.tobytes() + padding, Rows=side, Columns=side, **stated)
    assert np.array_equal(only(path).pixels, odd)


def test_one_picture_of_few_bits_is_one_frame(make_dicom: MakeDicom) -> None:
    bits = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}
    path = make_dicom(pixels=b"\x06\0", Rows=2, Columns=2, **bits)
    assert only(path).pixels.tolist() == [[0, 255], [255, 0]]


def test_odd_frames_without_their_number_are_all_there(make_dicom: MakeDicom) -> None:
    path = make_dicom(pixels=bytes(range(27)) + b"\0", Rows=3, Columns=3)
    assert [frame.pixels.size for frame in read_frames(path)] == [9, 9, 9]


def region(
    kind: int = 1, data: int = 1, units: int = 3, delta: float = 0.02, corners: tuple[int, ...] = (4, 2, 60, 40)
) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = kind, data, 0
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta, delta * 2
    names = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    for name, value in zip(names, corners, strict=True):
        setattr(item, name, value)
    return item


def with_regions(make_dicom: MakeDicom, *regions: Dataset, **values: object) -> Frame:
    path = make_dicom(
        pixels=bytes(48 * 64), Rows=48, Columns=64, SequenceOfUltrasoundRegions=Sequence(regions), **values
    )
    return only(path)


def test_millimetres_and_place_from_the_ultrasound_region(make_dicom: MakeDicom) -> None:
    frame = with_regions(make_dicom, region(kind=3, data=3, units=4), region(), region(delta=0.5, corners=(0, 0, 9, 9)))
    assert frame.region == Box(4, 2, 56, 38)
    assert frame.spacing == pytest.approx((0.2, 0.4))  # centimetres in the file


@pytest.mark.parametrize(
    "wrong",
    [
        region(kind=2),  # M-mode: across is time
        region(data=2),  # colour flow
        region(units=4),  # seconds
        region(delta=0.0),
        region(corners=(30, 30, 20, 20)),
    ],
)
def test_regions_that_are_not_tissue_in_centimetres_give_no_millimetres(wrong: Dataset, make_dicom: MakeDicom) -> None:
    assert with_regions(make_dicom, wrong).spacing is None


def test_a_region_of_another_picture_size_is_not_believed(make_dicom: MakeDicom) -> None:
    frame = with_regions(make_dicom, region(corners=(0, 0, 640, 480)), PixelSpacing=[0.2, 0.2])
    assert (frame.region, frame.spacing) == (None, None)


@pytest.mark.parametrize(
    ("modality", "values", "wanted"),
    [
        ("US", {"PixelSpacing": [0.4, 0.2]}, (0.2, 0.4)),  # rows first in the file, across first with us
        ("OT", {"PixelSpacing": [1, 1]}, None),  # a made-up scale of a screen copy
        ("OT", {"PixelSpacing": [0.3, 0.3], "PixelSpacingCalibrationType": "FIDUCIAL"}, (0.3, 0.3)),
        ("MG", {"ImagerPixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 1.25}, (0.08, 0.08)),
        ("US", {"ImagerPixelSpacing": [0.1, 0.1]}, None),
        ("US", {"PixelSpacing": [0, 0]}, None),
    ],
)
def test_the_scale_of_the_whole_picture_where_it_is_valid(
    modality: str, values: dict[str, object], wanted: tuple[float, float] | None, make_dicom: MakeDicom
) -> None:
    frame = only(make_dicom(pixels=bytes(48 * 64), Rows=48, Columns=64, Modality=modality, **values))
    assert frame.spacing == (None if wanted is None else pytest.approx(wanted))


def test_an_object_without_pixels_says_what_it_is(make_dicom: MakeDicom) -> None:
    path = make_dicom(pixels=None, SOPClassUID=BasicTextSRStorage)
    with pytest.raises(NoPictureError, match="Basic Text SR"):
        list(read_frames(path))


def test_an_image_that_lost_its_pixels_is_damaged(make_dicom: MakeDicom) -> None:
    with pytest.raises(DamagedFileError):
        list(read_frames(make_dicom(pixels=None, Rows=48, Columns=64)))


def test_a_transfer_syntax_without_decoder_is_named(make_dicom: MakeDicom, grey: np.ndarray) -> None:
    with pytest.raises(UnsupportedDicomError, match="MPEG2 Main Profile"):
        list(read_frames(jpeg(make_dicom, grey, syntax=MPEG2MPML)))
    path = jpeg(make_dicom, grey, syntax=JPEGExtended12Bit, BitsAllocated=16, BitsStored=12, HighBit=11)
    deep = path.read_bytes().replace(b"\xff\xc0\x00\x0b\x08", b"\xff\xc1\x00\x0b\x0c")  # the frame header: 12 bits
    path.write_bytes(deep)
    with pytest.raises(UnsupportedDicomError, match=r"JPEG Extended.*12 bits"):
        list(read_frames(path))


def test_eight_bit_jpeg_extended_needs_no_special_decoder(make_dicom: MakeDicom, grey: np.ndarray) -> None:
    pixels = only(jpeg(make_dicom, grey, syntax=JPEGExtended12Bit)).pixels
    assert np.abs(pixels.astype(int) - grey).mean() < 3


def test_an_unknown_colour_model_is_named(make_dicom: MakeDicom) -> None:
    path = make_dicom(pixels=bytes(48 * 64), Rows=48, Columns=64, PhotometricInterpretation="HSV")
    with pytest.raises(UnsupportedDicomError, match="HSV"):
        list(read_frames(path))


def test_without_preamble_and_file_meta(make_dicom: MakeDicom, grey: np.ndarray, tmp_path: Path) -> None:
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        data = dcmread(make_dicom(syntax=syntax, pixels=grey.tobytes(), Rows=48, Columns=64))
        meta_length = 132 + 12 + data.file_meta.FileMetaInformationGroupLength
        bare = tmp_path / "bare"
        bare.write_bytes((tmp_path / "us.dcm").read_bytes()[meta_length:])
        assert np.array_equal(only(bare).pixels, grey)


@pytest.mark.parametrize("values", [{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": 2**31 - 1}])
def test_absurd_sizes_are_refused_from_the_header(values: dict[str, int], make_dicom: MakeDicom) -> None:
    with pytest.raises(FrameTooLargeError):
        next(read_frames(make_dicom(pixels=bytes(100), **{"Rows": 10, "Columns": 10, **values})))


@pytest.mark.parametrize("values", [{"Rows": 0}, {"Rows": 11}, {"NumberOfFrames": 50}, {"BitsAllocated": 32}])
def test_headers_that_promise_more_than_there_is_are_refused(values: dict[str, int], make_dicom: MakeDicom) -> None:
    with pytest.raises((DamagedFileError, ContradictoryDicomError)):
        list(read_frames(make_dicom(pixels=bytes(100), **{"Rows": 10, "Columns": 10, **values})))


def test_a_deflated_bomb_is_refused(make_dicom: MakeDicom) -> None:
    path = make_dicom(syntax=DeflatedExplicitVRLittleEndian, pixels=bytes(40_000_000), Rows=4000, Columns=10_000)
    assert path.stat().st_size < 100_000
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path, Limits(memory_bytes=20_000_000, max_pixels=50_000_000)))


@pytest.mark.parametrize("kept", [0.05, 0.3, 0.7, 0.95, 0.999])
@pytest.mark.parametrize("form", ["plain", "deflated", "jpeg"])
def test_truncated_is_refused(form: str, kept: float, make_dicom: MakeDicom, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400), dtype=np.uint8)
    if form == "jpeg":
        path = jpeg(make_dicom, noise, count=3)
    else:
        syntax = DeflatedExplicitVRLittleEndian if form == "deflated" else ExplicitVRLittleEndian
        path = make_dicom(syntax=syntax, pixels=noise.tobytes(), Rows=300, Columns=400)
    whole = path.read_bytes()
    assert len(list(read_frames(path))) >= 1
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(DamagedFileError):
        list(read_frames(path))


# --- real files -------------------------------------------------------------------------------------------------------

EXPECTED = {
    # name: (frames, (h, w) and channels, mm across or None)
    "0020.DCM": (11, (430, 600, 3), None),
    "CT_small.dcm": (1, (128, 128), 0.661468),
    "MR_small.dcm": (1, (64, 64), 0.3125),
    "OBXXXX1A_rle_2frame.dcm": (2, (600, 800, 3), 0.262288),
    "SC_rgb_jpeg_gdcm.dcm": (1, (100, 100, 3), None),
    "SC_rgb_rle_2frame.dcm": (2, (100, 100, 3), None),
    "SC_ybr_full_422_uncompressed.dcm": (1, (100, 100, 3), None),
    "US1_J2KI.dcm": (1, (480, 640, 3), None),
    "US1_J2KR.dcm": (1, (480, 640, 3), None),
    "US1_UNCI.dcm": (1, (480, 640, 3), None),
    "US1_UNCR.dcm": (1, (480, 640, 3), None),
    "examples_jpeg2k.dcm": (1, (480, 640, 3), None),
    "examples_overlay.dcm": (1, (300, 484), 0.723140),
    "examples_palette.dcm": (1, (350, 800, 3), None),  # its region reaches beyond the picture
    "examples_rgb_color.dcm": (1, (240, 320, 3), None),
    "examples_ybr_color.dcm": (30, (240, 320, 3), None),  # likewise
    "gdcm-CR-MONO1-10-chest.dcm": (1, (440, 440), None),
    "gdcm-US-ALOKA-16.dcm": (1, (480, 640, 3), None),  # 15 cm deep, no breast
    "gdcm-US-RGB-8-epicard.dcm": (1, (480, 640, 3), None),
    "gdcm-US-RGB-8-esopecho.dcm": (1, (160, 256, 3), None),  # pixels of 4:3
    "leadtools-8BitsJpegLossyGrayScale.dcm": (1, (535, 800), None),
    "liver_1frame.dcm": (1, (512, 512), 0.810547),  # by its functional groups
    "multiframe-test1.dcm": (16, (256, 256), None),
}


@pytest.mark.real_data
def test_every_public_file_opens_or_says_why_not(shared: Path) -> None:
    folder = shared / "data" / "dicom"
    found, refused = {}, {}
    for path in sorted(folder.iterdir()):
        if path.name == "labels.csv":
            continue
        try:
            frames = list(read_frames(path))
        except FrameError as error:
            refused[path.name] = (type(error), "JPEG Extended" in str(error))
            continue
        spacing = frames[0].spacing
        assert len({f.pixels.shape for f in frames}) == 1
        assert all(np.ptp(f.pixels) > 100 for f in frames), path.name
        found[path.name] = (len(frames), frames[0].pixels.shape, round(spacing.x_mm, 6) if spacing else None)
    assert found == EXPECTED
    assert refused == {"JPEG-lossy.dcm": (UnsupportedDicomError, True)}


@pytest.mark.real_data
def test_colours_of_public_files_are_right(shared: Path) -> None:
    folder = shared / "data" / "dicom"

    def at(name: str, y: int, x: int, index: int = 0) -> list[int]:
        return [int(value) for value in list(read_frames(folder / name))[index].pixels[y, x]]

    bars = [(255, 0, 0), (255, 128, 128), (0, 255, 0), (128, 255, 128), (0, 0, 255), (128, 128, 255)]
    for name in ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle_2frame.dcm", "SC_ybr_full_422_uncompressed.dcm"):
        for number, colour in enumerate(bars):
            assert np.abs(np.subtract(at(name, 5 + 10 * number, 50), colour)).max() <= 6, (name, number)
    assert at("SC_rgb_rle_2frame.dcm", 5, 50, 1) == [0, 255, 255]  # the second frame is the negative
    # The lossless copies of one examination are the same picture, the lossy one nearly.
    plain = next(read_frames(folder / "US1_UNCR.dcm")).pixels
    assert np.array_equal(next(read_frames(folder / "US1_J2KR.dcm")).pixels, plain)
    lossy = next(read_frames(folder / "US1_J2KI.dcm")).pixels
    assert np.abs(lossy.astype(int) - plain).mean() < 3
    # Big-endian colour doppler: warm colours in the box, no blue.
    box = next(read_frames(folder / "gdcm-US-RGB-8-epicard.dcm")).pixels[150:300, 200:440].astype(int)
    assert (box[..., 0] - box[..., 2]).mean() > 60
    # MONOCHROME1: air in the lungs is dark, the frame's corner black.
    chest = next(read_frames(folder / "gdcm-CR-MONO1-10-chest.dcm")).pixels
    assert chest[200:260, 120:160].mean() < chest[200:400, 205:225].mean()


@pytest.mark.real_data
def test_truncated_public_files_are_damaged_not_half_shown(shared: Path, tmp_path: Path) -> None:
    for path in sorted((shared / "data" / "dicom").iterdir()):
        if path.name in ("labels.csv", "JPEG-lossy.dcm"):
            continue
        whole = path.read_bytes()
        for kept in (0.1, 0.5, 0.97):
            cut = tmp_path / "cut"
            cut.write_bytes(whole[: int(len(whole) * kept)])
            with pytest.raises((DamagedFileError, ContradictoryDicomError)):
                list(read_frames(cut))


def test_a_file_that_lost_its_preamble(make_dicom: MakeDicom, grey: np.ndarray, tmp_path: Path) -> None:
    """The mark stands at its beginning."""
    whole = make_dicom(pixels=grey.tobytes(), Rows=grey.shape[0], Columns=grey.shape[1]).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(whole[128:])
    (frame,) = read_frames(path)
    assert np.array_equal(frame.pixels, grey)
