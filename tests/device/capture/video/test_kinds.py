# SPDX-License-Identifier: Apache-2.0
"""Loops as telephones, recorders and scanners write them: each place gives its own frame, in any order.

Every frame carries its number as a white bar at the bottom, five pixels a frame, over a picture of the phantom.
"""

from __future__ import annotations

import random
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from device.capture.files.frame_file import FrameFile
from device.capture.files.reader import open_frames, read_frames
from device.capture.frame import Frame
from device.capture.phantom.frames import PhantomSource
from device.errors import DamagedFileError
from tests.device.capture.conftest import draw_loop, encoded
from tests.device.capture.test_picture_kinds import unmarked

COUNT = 24
SIZE = (160, 120)


@pytest.fixture(scope="module")
def base() -> np.ndarray:
    source = PhantomSource()
    source.open()
    frame = source.read()
    source.close()
    assert frame is not None
    grey = frame.pixels if frame.pixels.ndim == 2 else cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY)
    small: np.ndarray = cv2.GaussianBlur(cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA), (5, 5), 0)
    return small


@pytest.fixture(scope="module")
def pictures(base: np.ndarray) -> list[np.ndarray]:
    made = []
    for number in range(COUNT):
        picture = base.copy()
        picture[-16:] = 16
        picture[-14:-2, : 5 * number] = 235
        made.append(np.repeat(picture[:, :, None], 3, axis=2))
    return made


def number(pixels: np.ndarray) -> int:
    """Which frame it is."""
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), SIZE, interpolation=cv2.INTER_AREA)
    return round(float((grey[-10:-6].mean(axis=0) > 128).sum()) / 5)


def away(pixels: np.ndarray, base: np.ndarray) -> float:
    """Mean grey levels from the picture that was drawn, above the bar."""
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), SIZE, interpolation=cv2.INTER_AREA)
    return float(np.abs(grey[:100].astype(int) - base[:100]).mean())


def assert_every_place_is_its_own(file: FrameFile, base: np.ndarray, numbers: list[int], most: float = 3.0) -> None:
    assert file.frame_count == len(numbers)
    seen = [file.read_at(place).pixels for place in range(file.frame_count)]
    assert [number(pixels) for pixels in seen] == numbers
    assert max(away(pixels, base) for pixels in seen) < most
    places = list(reversed(range(file.frame_count))) + random.Random(5).sample(range(file.frame_count), len(numbers))
    for place in places:
        assert np.array_equal(file.read_at(place).pixels, seen[place])


KINDS = {
    "b-frames.mp4": {"options": {"bf": "3"}},
    "b-frames.mkv": {"options": {"bf": "3"}},
    "b-frames.avi": {"options": {"bf": "3"}},
    "no-b-frames.avi": {"options": {"bf": "0"}},
    "open-groups.mp4": {"options": {"bf": "3", "x264-params": "open-gop=1:keyint=8:min-keyint=8:scenecut=0"}},
    "one-group.mkv": {"group": 250},
    "refreshed.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=12"}},
    "half-colours.mp4": {"form": "yuv422p"},
    "whole-colours.mkv": {"form": "yuv444p"},
    "ten-bits.mkv": {"form": "yuv422p10le"},
    "full-range.mp4": {"form": "yuvj420p"},
    "grey.avi": {"codec": "ffv1", "form": "gray"},
    "interlaced.mp4": {"interlaced": True},
    "interlaced.mkv": {"interlaced": True},
    "interlaced-mpeg2.avi": {"codec": "mpeg2video", "interlaced": True, "options": {"b": "4000000"}},
    "variable.mkv": {"times": [n * (n + 1) // 2 for n in range(COUNT)]},
    "variable.mp4": {"times": [n * (n + 1) // 2 for n in range(COUNT)]},
    "jpeg.avi": {"codec": "mjpeg", "form": "yuvj422p", "options": {"qmin": "1", "qmax": "3"}},
    "jpeg.mov": {"codec": "mjpeg", "form": "yuvj420p", "options": {"qmin": "1", "qmax": "3"}},
    "lossless.avi": {"codec": "ffv1", "form": "bgr0"},
    "raw.avi": {"codec": "rawvideo", "form": "bgr24"},
    "vp8.webm": {"codec": "libvpx", "options": {"b": "2000000", "auto-alt-ref": "1", "lag-in-frames": "12"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"b": "2000000", "cpu-used": "8"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2", "b": "4000000"}},
}


@pytest.mark.parametrize("name", KINDS)
def test_each_place_gives_its_own_frame(
    name: str, tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    path = draw_loop(tmp_path / name, pictures, **KINDS[name])  # type: ignore[arg-type]
    with open_frames(path) as file:
        assert_every_place_is_its_own(file, base, list(range(COUNT)))
        assert file.missing == ""


def test_fields_that_moved_are_not_torn(tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]) -> None:
    """Two fields of different moments: no comb is left at the end of the bar."""
    woven = []
    for first, second in zip(pictures[::2], pictures[1::2], strict=True):
        picture = first.copy()
        picture[1::2] = second[1::2]
        woven.append(picture)
    with open_frames(draw_loop(tmp_path / "fields.mkv", woven, interlaced=True, options={"crf": "4"})) as file:
        assert file.frame_count == COUNT // 2
        for place in range(2, 11):
            ends = (file.read_at(place).pixels[-13:-3, :, 0] > 128).sum(axis=1)
            assert np.ptp(ends) <= 3  # torn ones differ by 5


@pytest.mark.parametrize("aspect", [Fraction(2), Fraction(1, 2), Fraction(64, 45), Fraction(8, 9)])
@pytest.mark.parametrize("name", ["loop.mp4", "loop.mkv"])
def test_pixels_become_square(
    name: str, aspect: Fraction, tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    width, height = (round(160 / aspect) // 2 * 2, 120) if aspect > 1 else (160, round(120 * aspect) // 2 * 2)
    narrow = [cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures]
    with open_frames(draw_loop(tmp_path / name, narrow, aspect=aspect)) as file:
        shown = file.read_at(9).pixels
    assert abs(shown.shape[1] / shown.shape[0] - 160 / 120) < 0.03
    assert away(shown, base) < 6


def test_proportions_that_no_pixel_has_are_refused(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    path = draw_loop(tmp_path / "thin.mkv", pictures[:2], aspect=Fraction(1, 50))
    with pytest.raises(DamagedFileError, match="proportions"):
        next(read_frames(path))


@pytest.mark.parametrize("stated", [0, 1, 7, 500])
def test_a_wrong_length_in_the_header_hides_nothing(
    stated: int, tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    path = draw_loop(tmp_path / "jpeg.avi", pictures, **KINDS["jpeg.avi"])  # type: ignore[arg-type]
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"avih", 24), (b"strh", 40)):  # dwTotalFrames, dwLength
        at = data.index(mark) + offset
        data[at : at + 4] = struct.pack("<I", stated)
    path.write_bytes(data)
    with open_frames(path) as file:
        assert_every_place_is_its_own(file, base, list(range(COUNT)))


def test_without_its_index_all_frames_are_there(tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]) -> None:
    path = draw_loop(tmp_path / "jpeg.avi", pictures, **KINDS["jpeg.avi"])  # type: ignore[arg-type]
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"idx1")])
    with open_frames(path) as file:
        assert_every_place_is_its_own(file, base, list(range(COUNT)))
    assert len(list(read_frames(path))) == COUNT


def test_one_damaged_picture_is_named_and_the_others_shown(
    tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    path = draw_loop(tmp_path / "jpeg.avi", pictures, **KINDS["jpeg.avi"])  # type: ignore[arg-type]
    data = bytearray(path.read_bytes())
    at = data.index(chunks(bytes(data))[5])
    data[at + 1000 : at + 1400] = b"\xff\xd9" + bytes(398)
    path.write_bytes(data)
    shown: list[Frame] = []
    with pytest.raises(DamagedFileError, match="frame 5 of 24"):
        shown.extend(read_frames(path))
    assert [number(frame.pixels) for frame in shown] == [n for n in range(COUNT) if n != 5]
    assert max(away(frame.pixels, base) for frame in shown) < 3


def test_what_is_predicted_from_a_damaged_frame_is_not_shown(
    tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    noise = np.random.default_rng(3).integers(0, 40, (COUNT, 120, 160, 1), dtype=np.uint8)  # so that frames have a body
    noisy = [np.where(np.arange(120)[:, None, None] < 100, p // 2 + n, p) for p, n in zip(pictures, noise, strict=True)]
    path = draw_loop(tmp_path / "loop.mp4", [n.astype(np.uint8) for n in noisy], options={"bf": "0", "crf": "20"})
    whole = [frame.pixels for frame in read_frames(path)]
    data = bytearray(path.read_bytes())
    body = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    middle = body + (end - body) // 2
    for at in range(middle, middle + 300):
        data[at] ^= 0x5A
    path.write_bytes(data)
    shown: list[Frame] = []
    with pytest.raises(DamagedFileError):
        shown.extend(read_frames(path))
    assert all(np.array_equal(frame.pixels, whole[frame.index]) for frame in shown)
    places = {frame.index for frame in shown}
    assert 12 <= len(places) < COUNT
    assert {0, 1, 2, 3, 4, 5, 6, 7, 22, 23} <= places  # other groups


@pytest.mark.parametrize("name", ["b-frames.mp4", "jpeg.avi", "b-frames.mkv", "vp8.webm"])
def test_a_loop_that_was_cut_off_says_so_behind_its_last_frame(
    name: str, tmp_path: Path, pictures: list[np.ndarray]
) -> None:
    path = draw_loop(tmp_path / name, pictures, **KINDS[name])  # type: ignore[arg-type]
    if name.endswith("mp4"):
        data = path.read_bytes()
        path.write_bytes(fast_start(data))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.8)])
    seen: list[int] = []
    with pytest.raises(DamagedFileError):
        seen.extend(number(frame.pixels) for frame in read_frames(path))
    assert seen == list(range(len(seen)))
    assert len(seen) < COUNT


def fast_start(data: bytes) -> bytes:
    """The table of contents before the pictures, as recorders that stream write it; chunk offsets moved with them."""
    at = data.index(b"moov") - 4
    moov = bytearray(data[at:])
    table = moov.index(b"stco") + 8
    (count,) = struct.unpack(">I", moov[table : table + 4])
    for place in range(table + 4, table + 4 + 4 * count, 4):
        (offset,) = struct.unpack(">I", moov[place : place + 4])
        moov[place : place + 4] = struct.pack(">I", offset + len(moov))
    head = data.index(b"mdat") - 4
    return data[:head] + bytes(moov) + data[head:at]


def test_size_may_change_in_the_middle(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    """Motion JPEG of another size in one AVI: a recorder whose source was switched."""
    small = [cv2.resize(p, (80, 60), interpolation=cv2.INTER_AREA) for p in pictures]
    first = draw_loop(tmp_path / "a.avi", pictures, **KINDS["jpeg.avi"]).read_bytes()  # type: ignore[arg-type]
    second = draw_loop(tmp_path / "b.avi", small, **KINDS["jpeg.avi"]).read_bytes()  # type: ignore[arg-type]
    mixed = chunks(first)[:3] + chunks(second)[3:6]
    movi = b"movi" + b"".join(b"00dc" + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for c in mixed)
    start = first.index(b"movi") - 8
    head = bytearray(first[12:start])
    for mark, offset in ((b"avih", 24), (b"strh", 40)):
        head[(at := head.index(mark) + offset) : at + 4] = struct.pack("<I", len(mixed))
    body = bytes(head) + b"LIST" + struct.pack("<I", len(movi)) + movi
    path = tmp_path / "mixed.avi"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"AVI " + body)
    frames = list(read_frames(path))
    assert [frame.width for frame in frames] == [160, 160, 160, 80, 80, 80]
    assert [number(frame.pixels) for frame in frames] == list(range(6))


def chunks(avi: bytes) -> list[bytes]:
    at, found = avi.index(b"movi") + 4, []
    while avi[at : at + 4] == b"00dc":
        (length,) = struct.unpack("<I", avi[at + 4 : at + 8])
        found.append(avi[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return found


def test_mean_rate_is_that_of_the_frames(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    times = [n * (n + 1) // 2 for n in range(COUNT)]
    with open_frames(draw_loop(tmp_path / "variable.mkv", pictures, times=times)) as file:
        assert file.fps == pytest.approx((COUNT - 1) / (times[-1] / 20), rel=0.01)


def test_jpeg_pictures_in_a_row(tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]) -> None:
    """As capture programs write Motion JPEG without a container; it is no single picture."""
    made = draw_loop(tmp_path / "jpeg.avi", pictures, **KINDS["jpeg.avi"])  # type: ignore[arg-type]
    path = tmp_path / "jpeg.mjpg"
    path.write_bytes(b"".join(chunks(made.read_bytes())))
    with open_frames(path) as file:
        assert_every_place_is_its_own(file, base, list(range(COUNT)))
        assert file.fps is None


@pytest.mark.parametrize("codec", ["ffv1", "libx265"])
def test_grey_of_limited_range_is_not_faint(
    codec: str, tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    """Luma of 16 to 235 without chroma; FFmpeg's scaler takes every grey for 0 to 255."""
    path = tmp_path / ("loop.mkv" if codec == "ffv1" else "loop.mp4")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=20, options={"crf": "8", "x265-params": "log-level=none"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "gray"
        stream.codec_context.color_range = 1  # AVCOL_RANGE_MPEG
        for place, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.rint(16 + picture[..., 0] * (219 / 255)).astype(np.uint8), "gray")
            frame.color_range, frame.pts = 1, place
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_frames(path) as file:
        assert_every_place_is_its_own(file, base, list(range(COUNT)), most=2)


@pytest.mark.parametrize("matrix", [(0, 65536, -65536, 0), (3, 65536, -65536, 2), (-400, 65500, -65500, 400)])
def test_a_matrix_that_is_nearly_a_right_angle_turns(
    matrix: tuple[int, int, int, int], tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    """Telephones compute it from an angle, and what should be 0 is rounded."""
    data = bytearray(draw_loop(tmp_path / "loop.mp4", pictures).read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", matrix[0], matrix[1], 0, matrix[2], matrix[3], 0, 0, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(data)
    with open_frames(tmp_path / "turned.mp4") as file:
        back = np.ascontiguousarray(np.rot90(file.read_at(7).pixels))
    assert number(back) == 7
    assert away(back, base) < 3


def test_a_frame_of_motion_jpeg_with_a_damaged_middle_is_named(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    """FFmpeg decodes on behind a wrong code and calls the picture whole."""
    path = draw_loop(tmp_path / "jpeg.avi", pictures, **KINDS["jpeg.avi"])  # type: ignore[arg-type]
    data = bytearray(path.read_bytes())
    frame = chunks(bytes(data))[9]
    at = data.index(frame) + len(frame) // 2
    data[at : at + 60] = np.random.default_rng(2).bytes(60)
    path.write_bytes(data)
    with open_frames(path) as file:
        assert number(file.read_at(8).pixels) == 8
        with pytest.raises(DamagedFileError, match="frame 9 of 24"):
            file.read_at(9)
        assert number(file.read_at(10).pixels) == 10


@pytest.mark.parametrize("is_rgb", [True, False])
def test_motion_jpeg_of_red_green_and_blue_without_markers(
    is_rgb: bool, tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    path = tmp_path / "row.mjpg"
    options = {"quality": 95, "subsampling": 0, "keep_rgb": is_rgb}
    path.write_bytes(b"".join(unmarked(encoded(Image.fromarray(p), "JPEG", **options), b"\1\2\3") for p in pictures))
    with open_frames(path) as file:
        assert_every_place_is_its_own(file, base, list(range(COUNT)))
        assert np.ptp(file.read_at(5).pixels[60].astype(int), axis=-1).max() < 12


def test_without_its_table_of_presentation_the_pictures_keep_their_order(
    tmp_path: Path, base: np.ndarray, pictures: list[np.ndarray]
) -> None:
    """Cut by a program that knows no B-frames: half of the frames were called damaged."""
    path = draw_loop(tmp_path / "b.mp4", pictures, options={"bf": "3"})
    data = path.read_bytes()
    for left_out in ((b"ctts", b"elst"), (b"ctts",)):
        changed = data
        for name in left_out:
            changed = changed.replace(name, b"free")
        path.write_bytes(changed)
        with open_frames(path) as file:
            if len(left_out) == 2:
                assert_every_place_is_its_own(file, base, list(range(COUNT)))
            else:  # the edit list speaks of times that are no longer there
                numbers = [number(file.read_at(place).pixels) for place in range(file.frame_count)]
                assert numbers == sorted(set(numbers))
                assert file.missing == f"{COUNT - len(numbers)} frames are hidden by times that are not theirs"
