# SPDX-License-Identifier: Apache-2.0
"""Loops whose tables, headers and tracks do not fit together: what is missing is said, and nothing else."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from device.capture.files.reader import open_frames, read_frames
from device.capture.frame import Frame
from device.errors import DamagedFileError, SecondVideoError, UnsupportedPictureError
from tests.device.capture.conftest import draw_loop

COUNT = 24


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Noise, so that frames have a body, each with a level of its own at the bottom."""
    rng = np.random.default_rng(6)
    made = [rng.integers(40, 90, (96, 128, 3), dtype=np.uint8) for _ in range(COUNT)]
    for number, picture in enumerate(made):
        picture[-24:] = 40 + 8 * number
    return made


@pytest.fixture
def whole(tmp_path: Path, pictures: list[np.ndarray]) -> bytes:
    return draw_loop(tmp_path / "whole.mp4", pictures, options={"bf": "0"}).read_bytes()


def number(frame: Frame) -> int:
    return round((float(frame.pixels[-12:].mean()) - 40) / 8)


def altered(data: bytes, *changes: tuple[bytes, int, int]) -> bytes:
    """With numbers of 32 bits behind the names of boxes changed."""
    made = bytearray(data)
    for name, offset, value in changes:
        at = data.index(name) + offset
        made[at : at + 4] = struct.pack(">I", value)
    return bytes(made)


def test_an_edit_list_that_shows_nothing_is_told(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "hidden.mp4"
    path.write_bytes(altered(whole, (b"elst", 16, 10**6)))
    with pytest.raises(DamagedFileError, match="hides all frames"):
        open_frames(path)


SIZES, TIMES, CHUNKS, STEP, STATED = (b"stsz", 12), (b"stts", 12), (b"stsc", 16), (b"stts", 16), (b"mdhd", 20)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([(*SIZES, 10)], "10 and 24"),
        ([(*TIMES, 10)], "10 and 24"),
        ([(*CHUNKS, 10)], "10 and 24"),
        ([(*SIZES, 10), (*TIMES, 10), (*CHUNKS, 10)], "42 % of what is stated"),
        ([(*SIZES, 10), (*TIMES, 10), (*CHUNKS, 10), (*STATED, 5120)], "in no table"),
        ([(*SIZES, 23), (*TIMES, 23), (*CHUNKS, 23), (*STATED, 23 * 512)], "of frames are in no table"),
        ([(*STEP, 10**9)], "24 frames listed, 1 shown"),
    ],
)
def test_tables_that_hide_frames_are_told(
    changes: list[tuple[bytes, int, int]], words: str, tmp_path: Path, whole: bytes
) -> None:
    path = tmp_path / "short.mp4"
    path.write_bytes(altered(whole, *changes))
    shown: list[Frame] = []
    with pytest.raises(DamagedFileError, match=words):
        shown.extend(read_frames(path))
    assert [number(frame) for frame in shown] == list(range(len(shown)))
    assert shown


UNLISTED = {
    "avc.mov": {"options": {"bf": "0"}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none:bframes=0"}},
    "mpeg4.mp4": {"codec": "mpeg4", "options": {"b": "3000000"}},
    "jpeg.mov": {"codec": "mjpeg", "form": "yuvj420p"},
}


@pytest.mark.parametrize("name", UNLISTED)
def test_the_last_frame_that_no_table_lists(name: str, tmp_path: Path, pictures: list[np.ndarray]) -> None:
    """All tables and the stated length agree on one frame less than the media data hold."""
    path = draw_loop(tmp_path / name, pictures, **UNLISTED[name])  # type: ignore[arg-type]
    data = path.read_bytes()
    with open_frames(path) as file:
        assert (file.frame_count, file.missing) == (COUNT, "")
    step = int.from_bytes(data[data.index(b"stts") + 16 :][:4], "big")
    shorter = [(*SIZES, 23), (*TIMES, 23), (*CHUNKS, 23), (*STATED, 23 * step)]
    path.write_bytes(altered(data, *shorter))
    with open_frames(path) as file:
        assert file.frame_count == 23
        assert "of frames are in no table" in file.missing


@pytest.mark.parametrize("changes", [[(*STATED, 100)], [(*STATED, 0)], [(*STATED, 0xFFFFFFFF)], [(*STEP, 0)]])
def test_headers_that_hide_nothing_are_no_fault(
    changes: list[tuple[bytes, int, int]], tmp_path: Path, whole: bytes
) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(altered(whole, *changes))
    assert [number(frame) for frame in read_frames(path)] == list(range(COUNT))


@pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.avi", "fragments.mp4", "slow.mkv", "slow.mp4"])
def test_whole_loops_lack_nothing(name: str, tmp_path: Path, pictures: list[np.ndarray]) -> None:
    times = [0, *range(60, 60 + 5 * COUNT, 5)][:COUNT] if "slow" in name else None
    path = draw_loop(tmp_path / name, pictures, times=times, options={"bf": "0"})
    if name.startswith("fragments"):
        path = tmp_path / "made.mp4"
        written(path, [pictures], {"movflags": "frag_keyframe+empty_moov"})
    with open_frames(path) as file:
        assert (file.frame_count, file.missing) == (COUNT, "")


def test_an_avi_that_states_more_frames_than_it_has(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    path = draw_loop(tmp_path / "a.avi", pictures, codec="mjpeg", form="yuvj420p")
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"avih", 24), (b"strh", 40)):
        data[(at := data.index(mark) + offset) : at + 4] = struct.pack("<I", 500)
    path.write_bytes(data)
    shown: list[Frame] = []
    with pytest.raises(DamagedFileError, match="500 frames stated, 24 there"):
        shown.extend(read_frames(path))
    assert len(shown) == COUNT


def test_a_matroska_file_that_lost_its_second_half(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    """Closed again by a repair tool that set the length of the segment, and not the duration."""
    path = tmp_path / "half.mkv"
    long = [*pictures, *pictures]
    with av.open(str(path), "w", options={"cluster_time_limit": "300"}) as container:
        stream = container.add_stream("mjpeg", rate=20)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        for place, picture in enumerate(long):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = place, Fraction(1, 20)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    clusters = [at for at in range(len(data)) if data.startswith(b"\x1f\x43\xb6\x75", at)]
    cut = bytearray(data[: clusters[len(clusters) // 2]])
    at = cut.index(b"\x18\x53\x80\x67") + 4
    assert cut[at] == 1  # a length of eight bytes
    cut[at : at + 8] = (1 << 56 | len(cut) - at - 8).to_bytes(8, "big")
    path.write_bytes(cut)
    shown: list[Frame] = []
    with pytest.raises(DamagedFileError, match=r"2\.4 s stated"):
        shown.extend(read_frames(path))
    assert 10 < len(shown) < 40


def written(path: Path, tracks: list[list[np.ndarray]], options: dict[str, str] | None = None) -> bytes:
    """A file of video tracks, one behind the other in each chunk."""
    with av.open(str(path), "w", options=options or {}) as container:
        streams = []
        for pictures in tracks:
            stream = container.add_stream("libx264", rate=20, options={"crf": "12", "bf": "0"})
            assert isinstance(stream, av.VideoStream)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            streams.append(stream)
        for place in range(COUNT):
            for stream, pictures in zip(streams, tracks, strict=True):
                frame = av.VideoFrame.from_ndarray(pictures[place], "rgb24")
                frame.pts, frame.time_base = place, Fraction(1, 20)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path.read_bytes()


def with_tracks(data: bytes, *enabled: bool, group: int = 0) -> bytes:
    """The tracks enabled or not, and alternatives of each other or not."""
    made, at = bytearray(data), 0
    for is_enabled in enabled:
        at = data.index(b"tkhd", at) + 4
        made[at + 3] = is_enabled
        made[at + 34 : at + 36] = struct.pack(">H", group)
    return bytes(made)


def test_of_two_videos_the_enabled_one_is_shown(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    path = tmp_path / "two.mp4"
    dark = [np.full_like(picture, 20) for picture in pictures]
    for tracks, enabled in (([dark, pictures], (False, True)), ([pictures, dark], (True, False))):
        path.write_bytes(with_tracks(written(path, tracks), *enabled))
        assert [number(frame) for frame in read_frames(path)] == list(range(COUNT))


def test_a_second_video_that_is_not_shown_is_told(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    path = tmp_path / "two.mp4"
    data = written(path, [pictures, [picture[::-1].copy() for picture in pictures]])
    path.write_bytes(with_tracks(data, True, True))
    with pytest.raises(SecondVideoError, match="another video"):
        list(read_frames(path))
    path.write_bytes(with_tracks(data, True, True, group=1))  # the same in another quality
    assert len(list(read_frames(path))) == COUNT


def test_a_second_video_of_a_matroska_file(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    path = tmp_path / "two.mkv"
    written(path, [pictures, pictures], {"default_mode": "passthrough"})
    assert len(list(read_frames(path))) == COUNT  # neither is marked as meant to be seen
    data = path.read_bytes()
    head = data.index(b"\x1f\x43\xb6\x75")  # the first cluster
    path.write_bytes(data[:head].replace(b"\x88\x81\x00", b"\x88\x81\x01") + data[head:])  # FlagDefault
    with pytest.raises(SecondVideoError, match="another video"):
        list(read_frames(path))


def test_an_encrypted_loop_is_not_called_damaged(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "0" * 32, "encryption_kid": "1" * 32}
    path = tmp_path / "locked.mp4"
    written(path, [pictures], key)
    with pytest.raises(UnsupportedPictureError, match="encrypted"):
        next(read_frames(path))


def grown(data: bytes, identifier: bytes, extra: int) -> bytes:
    """A Matroska file with a longer size in its first element of an identifier."""
    at = data.index(identifier) + len(identifier)
    width = 9 - data[at].bit_length()
    size = int.from_bytes(data[at : at + width], "big") + extra
    return data[:at] + size.to_bytes(width, "big") + data[at + width :]


def test_an_encrypted_matroska_file_is_not_called_damaged(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    data = written(tmp_path / "open.mkv", [pictures], {"write_crc32": "0"})
    scheme = b"\x50\x35\x88\x47\xe1\x81\x05\x47\xe2\x81\x07"  # AES, with key 7
    encoding = b"\x50\x33\x81\x01" + scheme
    added = b"\x62\x40" + bytes([0x80 + len(encoding)]) + encoding
    added = b"\x6d\x80" + bytes([0x80 + len(added)]) + added
    codec = data.index(b"\x86\x8fV_MPEG4/ISO/AVC")
    made = data[:codec] + added + data[codec:]
    tracks = made.rindex(b"\x16\x54\xae\x6b", 0, codec)  # behind the list of places, which names it too
    for begin, identifier in ((0, b"\x18\x53\x80\x67"), (tracks, b"\x16\x54\xae\x6b"), (tracks + 4, b"\xae")):
        made = made[:begin] + grown(made[begin:], identifier, len(added))
    path = tmp_path / "locked.mkv"
    path.write_bytes(made)
    with pytest.raises(UnsupportedPictureError, match="encrypted"):
        next(read_frames(path))


def test_a_container_that_gives_other_packets_each_time_is_damaged(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    path = tmp_path / "fragments.mp4"
    written(path, [pictures], {"movflags": "frag_keyframe+empty_moov"})
    path.write_bytes(altered(path.read_bytes(), (b"stsd", 12, 0x9A8A)))
    with pytest.raises(DamagedFileError):
        list(read_frames(path))
