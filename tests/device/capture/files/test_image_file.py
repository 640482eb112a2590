# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.files.limits import Limits
from device.capture.files.reader import open_frames, read_frames
from device.errors import DamagedFileError, FrameTooLargeError
from tests.device.capture.conftest import encoded, png_bomb, png_chunk


def only(path: Path) -> np.ndarray:
    (frame,) = read_frames(path)
    assert frame.origin == path.name
    return frame.pixels


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_pictures_come_back_exactly(kind: str, tmp_path: Path, rgb: np.ndarray) -> None:
    path = tmp_path / "whatever.bin"  # the name says nothing
    path.write_bytes(encoded(Image.fromarray(rgb), kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert np.array_equal(only(path), rgb)


def test_jpeg_comes_back_nearly(tmp_path: Path, grey: np.ndarray) -> None:
    path = tmp_path / "x.png"  # a wrong name
    path.write_bytes(encoded(Image.fromarray(grey), "JPEG", quality=95))
    assert only(path).shape == grey.shape
    assert np.abs(only(path).astype(int) - grey).mean() < 3


@pytest.mark.parametrize(
    ("kind", "top"), [("PNG", 65535), ("TIFF", 65535), ("TIFF", 4095), ("PNG", 1023), ("TIFF", 255)]
)
def test_16_bit_is_scaled_by_the_depth_it_uses(kind: str, top: int, tmp_path: Path) -> None:
    deep = np.tile(np.linspace(0, top, 256).round().astype(np.uint16), (40, 1))
    path = tmp_path / "deep"
    path.write_bytes(encoded(Image.fromarray(deep), kind))
    assert np.abs(only(path)[0].astype(int) - np.arange(256)).max() <= 1


def test_big_endian_16_bit_tiff(tmp_path: Path) -> None:
    deep = np.tile(np.linspace(0, 65535, 256).round().astype(np.uint16), (10, 1))
    # A minimal "MM" TIFF by hand: one strip, 16 bits, grey.
    tags = [(256, 3, 256), (257, 3, 10), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 10)]
    tags.append((279, 4, deep.nbytes))
    body = b"MM\0*" + (8 + deep.nbytes).to_bytes(4, "big") + deep.astype(">u2").tobytes() + len(tags).to_bytes(2, "big")
    for tag, kind, value in tags:
        held = value.to_bytes(2, "big") + b"\0\0" if kind == 3 else value.to_bytes(4, "big")
        body += tag.to_bytes(2, "big") + kind.to_bytes(2, "big") + (1).to_bytes(4, "big") + held
    (tmp_path / "mm.tif").write_bytes(body + b"\0\0\0\0")
    assert np.abs(only(tmp_path / "mm.tif")[0].astype(int) - np.arange(256)).max() <= 1


def test_palette_becomes_its_colours(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 2))
    picture.putpalette([0, 0, 0, 250, 10, 20, 30, 240, 50])
    picture.putdata([0, 1, 2, 1, 2, 2, 1, 0])
    path = tmp_path / "palette"
    path.write_bytes(encoded(picture, "PNG"))
    assert only(path)[0].tolist() == [[0, 0, 0], [250, 10, 20], [30, 240, 50], [250, 10, 20]]


def test_transparent_is_black(tmp_path: Path) -> None:
    for mode, value, wanted in (
        ("RGBA", (200, 100, 50, 0), [0, 0, 0]),
        ("RGBA", (200, 100, 50, 255), [200, 100, 50]),
        ("RGBA", (200, 100, 50, 128), [100, 50, 25]),
        ("LA", (200, 0), 0),
        ("LA", (200, 255), 200),
    ):
        path = tmp_path / "alpha"
        path.write_bytes(encoded(Image.new(mode, (3, 3), value), "PNG"))
        assert only(path)[1, 1].tolist() == wanted


def test_colour_marked_as_transparent_is_black(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([9, 9, 9, 200, 210, 220])
    picture.putdata([0, 1])
    path = tmp_path / "key"
    path.write_bytes(encoded(picture, "PNG", transparency=1))
    assert only(path).tolist() == [[[9, 9, 9], [0, 0, 0]]]


def test_cmyk_jpeg_and_tiff(tmp_path: Path) -> None:
    for kind in ("JPEG", "TIFF"):
        path = tmp_path / kind
        path.write_bytes(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), kind))
        red, green, blue = only(path)[8, 8].tolist()
        assert red > 240
        assert max(green, blue) < 15


def test_black_and_white_fax_page(tmp_path: Path) -> None:
    picture = Image.new("1", (16, 2))
    picture.putpixel((3, 1), 1)
    path = tmp_path / "fax.tif"
    path.write_bytes(encoded(picture, "TIFF", compression="group4"))
    pixels = only(path)
    assert pixels.ndim == 2
    assert pixels[1, 3] == 255
    assert pixels.sum() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_stands_upright(orientation: int, tmp_path: Path) -> None:
    wanted = np.zeros((40, 60, 3), np.uint8)
    wanted[:20, :30] = 255
    turned = {
        1: wanted,
        2: wanted[:, ::-1],
        3: wanted[::-1, ::-1],
        4: wanted[::-1],
        5: wanted.transpose(1, 0, 2),
        6: np.rot90(wanted, 1),
        7: wanted[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(wanted, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(Image.fromarray(np.ascontiguousarray(turned)), "JPEG", exif=exif, quality=95))
    assert only(path).shape == wanted.shape
    assert np.abs(only(path).astype(int) - wanted).mean() < 4


def test_every_page_of_a_tiff_in_order_and_at_random(tmp_path: Path, grey: np.ndarray) -> None:
    pages = [Image.fromarray(np.full((10 + n, 12), 20 * n, np.uint8)) for n in range(6)]
    path = tmp_path / "pages"
    path.write_bytes(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    frames = list(read_frames(path))
    assert [(f.index, f.height, int(f.pixels[0, 0])) for f in frames] == [(n, 10 + n, 20 * n) for n in range(6)]
    with open_frames(path) as file:
        assert file.frame_count == 6
        assert file.read_at(4).pixels[0, 0] == 80
        assert file.read_at(0).pixels[0, 0] == 0
        with pytest.raises(IndexError):
            file.read_at(6)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("kept", [0.2, 0.6, 0.9, 0.995])
def test_truncated_is_refused(kind: str, kept: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = encoded(Image.fromarray(rng.integers(0, 255, (200, 300, 3), dtype=np.uint8)), kind)
    path = tmp_path / "cut"
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(DamagedFileError):
        list(read_frames(path))


def test_a_png_without_its_end_is_refused(tmp_path: Path, grey: np.ndarray) -> None:
    path = tmp_path / "cut"
    path.write_bytes(encoded(Image.fromarray(grey), "PNG")[:-12])
    with pytest.raises(DamagedFileError):
        list(read_frames(path))


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(png_bomb(30_000, 1_000))
    with pytest.raises(FrameTooLargeError, match="30000 x 1000"):
        next(read_frames(path))
    # The header alone is enough: these 3.6 billion pixels are nowhere in the file.
    header = (60_000).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"x") + png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    with pytest.raises(FrameTooLargeError, match="60000"):
        next(read_frames(path))


def test_limits_are_obeyed(tmp_path: Path, grey: np.ndarray) -> None:
    path = tmp_path / "pages"
    pages = [Image.fromarray(grey)] * 5
    path.write_bytes(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path, Limits(max_frames=4)))
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path, Limits(max_pixels=grey.size - 1)))
    with pytest.raises(FrameTooLargeError):
        next(read_frames(path, Limits(max_file_bytes=100)))
    assert next(read_frames(path, Limits(max_pixels=grey.size, max_frames=5))).pixels.shape == grey.shape
