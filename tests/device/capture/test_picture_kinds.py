# SPDX-License-Identifier: Apache-2.0
"""Pictures as other programs write them: the picture, or the reason why not; never another picture."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from device.capture.files.limits import Limits
from device.capture.files.reader import open_frames, read_frames
from device.capture.frame import Frame
from device.capture.sandbox.reader import SandboxedReader
from device.errors import DamagedFileError, FrameTooLargeError, UnsupportedPictureError
from tests.device.capture.odd_dicom import jls, truth

from .conftest import encoded, png_chunk

Order = Literal["<", ">"]
WHITE_ZERO, BLACK_ZERO = 0, 1
UNSIGNED, SIGNED, FLOAT = 1, 2, 3


def tiff(values: np.ndarray, order: Order, photometric: int, packed: bool = False, **more: int) -> bytes:
    """A TIFF of one strip by hand, in the byte order of ``struct``: ``<`` or ``>``; samples last."""
    kind = {"u": UNSIGNED, "i": SIGNED, "f": FLOAT}[values.dtype.kind]
    samples = 1 if values.ndim == 2 else values.shape[-1]
    height, width = (values.shape[0], values.shape[1]) if more.get("planar", 1) == 1 else values.shape[1:]
    samples = values.shape[0] if more.get("planar", 1) == 2 else samples
    body = values.astype(values.dtype.newbyteorder(order)).tobytes()
    body = zlib.compress(body) if packed else body
    bits = values.dtype.itemsize * 8
    tags = [
        (256, [width]), (257, [height]), (258, [bits] * samples), (259, [8 if packed else 1]), (262, [photometric]),
        (273, [8]), (277, [samples]), (278, [height]), (279, [len(body)]), (284, [more.get("planar", 1)]),
        (339, [kind] * samples),
    ]  # fmt: skip
    if more.get("planar", 1) == 2:
        part = len(body) // samples
        tags[5], tags[8] = (273, [8 + n * part for n in range(samples)]), (279, [part] * samples)
    directory = 8 + len(body) + len(body) % 2
    beyond = directory + 2 + 12 * len(tags) + 4
    head, tail = struct.pack(order + "H", len(tags)), b""
    for tag, numbers in tags:
        packed_numbers = struct.pack(f"{order}{len(numbers)}I", *numbers)
        held = packed_numbers if len(numbers) == 1 else struct.pack(order + "I", beyond + len(tail))
        tail += packed_numbers if len(numbers) > 1 else b""
        head += struct.pack(order + "HHI", tag, 4, len(numbers)) + held
    mark = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, directory)
    return mark + body + b"\0" * (len(body) % 2) + head + bytes(4) + tail


@pytest.fixture
def picture() -> np.ndarray:
    """Without symmetry, from black to white."""
    down, across = np.mgrid[0:40, 0:64]
    return np.asarray(np.clip(across * 4 + down - 20, 0, 255), np.uint8)


DEPTHS = ["u1", "u2", "u4", "i1", "i2", "i4", "f4"]


def deepened(picture: np.ndarray, depth: str) -> np.ndarray:
    """The same picture in the whole range of another type."""
    if depth == "f4":
        return (picture / 255).astype(np.float32)
    bits = 8 * int(depth[1])
    full = np.round(picture.astype(np.float64) * ((2**bits - 1) / 255)).astype(np.int64)
    deep: np.ndarray = (full if depth[0] == "u" else full - (1 << bits - 1)).astype(depth)
    return deep


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("photometric", [WHITE_ZERO, BLACK_ZERO])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_grey_tiff_of_every_depth(
    depth: str, order: Order, photometric: int, packed: bool, tmp_path: Path, picture: np.ndarray
) -> None:
    values = deepened(255 - picture if photometric == WHITE_ZERO else picture, depth)
    path = tmp_path / "grey.tif"
    path.write_bytes(tiff(values, order, photometric, packed))
    (frame,) = read_frames(path)
    assert np.abs(frame.pixels.astype(int) - picture).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_kinds_that_no_decoder_shows_rightly_are_named(order: Order, tmp_path: Path, picture: np.ndarray) -> None:
    deep = picture.astype(np.uint16) * 257
    kinds = {
        "1 samples of 16 bits of floating point": tiff((picture / 255).astype(np.float16), order, BLACK_ZERO),
        "1 samples of 64 bits of floating point": tiff(picture / 255.0, order, BLACK_ZERO),
        "3 samples of 32 bits of floating point": tiff(np.dstack([picture / 255] * 3).astype(np.float32), order, 2),
        "2 samples of 8 bits, PhotometricInterpretation 2": tiff(np.dstack([picture] * 2), order, 2),
        "planes of 16 bits": tiff(np.stack([deep] * 3), order, 2, planar=2),
    }
    for name, data in kinds.items():
        path = tmp_path / "kind.tif"
        path.write_bytes(data)
        with pytest.raises(UnsupportedPictureError, match=f"TIFF.* {name}"):
            next(read_frames(path))


def test_planes_of_8_bits(tmp_path: Path, picture: np.ndarray) -> None:
    path = tmp_path / "planes.tif"
    path.write_bytes(tiff(np.stack([picture, 255 - picture, picture // 2]), "<", 2, planar=2))
    (frame,) = read_frames(path)
    assert np.array_equal(frame.pixels, np.stack([picture, 255 - picture, picture // 2], axis=-1))


def bitmap(picture: np.ndarray, header: int, alpha: int) -> bytes:
    """A BMP of 32 bits with colour masks, version 4 (108 bytes) or 5 (124)."""
    height, width = picture.shape
    pixels = np.stack([picture, picture, picture, np.full_like(picture, alpha)], axis=-1)[::-1].tobytes()
    masks = struct.pack("<IIII", 0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", header, width, height, 1, 32, 3, len(pixels), 2835, 2835, 0, 0) + masks
    info += b"BGRs" + bytes(header - len(info) - 4)
    return b"BM" + struct.pack("<IHHI", 14 + header + len(pixels), 0, 0, 14 + header) + info + pixels


@pytest.mark.parametrize("header", [108, 124])
@pytest.mark.parametrize("alpha", [0, 255])
def test_a_bitmap_whose_fourth_byte_nobody_filled_in(
    header: int, alpha: int, tmp_path: Path, picture: np.ndarray
) -> None:
    path = tmp_path / "x.bmp"
    path.write_bytes(bitmap(picture, header, alpha))
    (frame,) = read_frames(path)
    assert np.array_equal(frame.pixels, np.repeat(picture[:, :, None], 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_all_pictures_of_an_animated_file(kind: str, tmp_path: Path, picture: np.ndarray) -> None:
    shown = [np.roll(picture, 9 * n, axis=1) for n in range(5)]
    first, *others = [Image.fromarray(p).convert("RGB") for p in shown]
    path = tmp_path / "animated"
    options = {"lossless": True} if kind == "WEBP" else {}
    path.write_bytes(encoded(first, kind, save_all=True, append_images=others, duration=50, **options))
    assert [
        int(np.abs(f.pixels[..., 0].astype(int) - p).max()) for f, p in zip(read_frames(path), shown, strict=True)
    ] == [0] * 5
    with open_frames(path) as file:
        assert file.frame_count == 5
        for place in (4, 1, 3, 0):
            assert np.array_equal(file.read_at(place).pixels[..., 0], shown[place])


def test_a_telephone_photograph_is_reduced_while_it_is_decoded(tmp_path: Path) -> None:
    """12 million pixels: within the limit of a small board only because JPEG can be decoded at half its size."""
    path = tmp_path / "photo.jpg"
    down, across = np.mgrid[0:3000, 0:4000]
    path.write_bytes(encoded(Image.fromarray(((across // 16 + down // 24) % 256).astype(np.uint8)), "JPEG"))
    with SandboxedReader(Limits(max_pixels=9_000_000, timeout_s=240.0)) as reader:
        frame = next(reader.read_frames(path))
    assert (frame.width, frame.height) == (2000, 1500)
    wanted = (np.mgrid[0:3000:2, 0:4000:2][1] // 16 + np.mgrid[0:3000:2, 0:4000:2][0] // 24) % 256
    assert np.median(np.abs(frame.pixels.astype(int) - wanted)) <= 1


@pytest.mark.parametrize("size", [(1, 24_000_000), (24_000_000, 1), (30_000, 3)])
def test_a_picture_of_one_line_is_refused(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "line.png"
    path.write_bytes(encoded(Image.new("L", size), "PNG"))
    with pytest.raises(FrameTooLargeError, match=f"{size[0]} x {size[1]}"):
        next(read_frames(path))


def pages(path: Path, *parts: tuple[np.ndarray, dict[int, object]]) -> Path:
    """A TIFF of pages, each with tags of its own."""
    with TiffImagePlugin.AppendingTiffWriter(str(path), True) as file:
        for pixels, tags in parts:
            directory = TiffImagePlugin.ImageFileDirectory_v2()
            for tag, value in tags.items():
                directory[tag] = value
            Image.fromarray(pixels).save(file, "TIFF", tiffinfo=directory)
            file.newFrame()
    return path


def test_smaller_copies_and_masks_are_no_frames(tmp_path: Path, picture: np.ndarray) -> None:
    """Viewers and archives keep thumbnails as pages; judged as frames they would be further findings."""
    small = np.ascontiguousarray(picture[::4, ::4])
    other = np.ascontiguousarray(picture[::-1])
    path = pages(
        tmp_path / "pages.tif", (small, {254: 1}), (picture, {}), (small, {255: 2}), (picture, {254: 4}),
        (other, {254: 2}), (small, {254: 3}),
    )  # fmt: skip
    assert [frame.pixels.tolist() for frame in read_frames(path)] == [picture.tolist(), other.tolist()]
    with open_frames(pages(tmp_path / "only.tif", (small, {254: 1}), (small, {254: 1}))) as file:
        assert file.frame_count == 2


def test_pages_of_deep_grey_keep_their_brightness(tmp_path: Path, picture: np.ndarray) -> None:
    dim, bright = (picture // 4).astype(np.uint16), picture.astype(np.uint16) * 16
    for order in ((dim, bright), (bright, dim), (dim, dim, bright, dim)):
        path = pages(tmp_path / "pages.tif", *((one, {}) for one in order))
        shown = [frame.pixels.astype(int) for frame in read_frames(path)]
        wanted = [one / 16 * 255 / 255.9 for one in order]
        assert max(float(np.abs(s - w).max()) for s, w in zip(shown, wanted, strict=True)) <= 1


def test_a_stack_of_which_only_one_page_is_there_says_so(tmp_path: Path, picture: np.ndarray) -> None:
    path = pages(tmp_path / "stack.tif", (picture, {270: "ImageJ=1.54f\nimages=24\nslices=24\n"}))
    shown: list[Frame] = []
    with pytest.raises(DamagedFileError, match="24 pictures stated, 1 there"):
        shown.extend(read_frames(path))
    assert len(shown) == 1
    whole = pages(tmp_path / "whole.tif", (picture, {270: "ImageJ=1.54f\nimages=2\n"}), (picture, {}))
    assert len(list(read_frames(whole))) == 2


def test_kinds_that_no_decoder_here_knows_are_not_called_damaged(tmp_path: Path, picture: np.ndarray) -> None:
    tall = bytearray(encoded(Image.fromarray(picture), "JPEG"))
    at = tall.index(b"\xff\xc0") + 5
    tall[at : at + 2] = b"\0\0"
    large = b"MM\0+\0\x08\0\0" + bytes(200)
    bits = bitmap(picture, 108, 255)
    masks = struct.pack("<III", 0x3FF00000, 0x000FFC00, 0x000003FF)
    kinds = {
        "no height": bytes(tall),
        "JPEG-LS": jls(picture),
        "big-endian": large,
        "BMP": bits[:54] + masks + bits[66:],
    }
    for name, data in kinds.items():
        path = tmp_path / "kind"
        path.write_bytes(data)
        with pytest.raises(UnsupportedPictureError, match=name):
            next(read_frames(path))


@pytest.mark.parametrize("repaired", [True, False])
def test_a_photograph_that_was_cut_off_is_refused(repaired: bool, tmp_path: Path, picture: np.ndarray) -> None:
    """Closed again by a repair tool, its lower half was shown grey."""
    whole = encoded(Image.fromarray(picture), "JPEG", quality=95)
    path = tmp_path / "photo.jpg"
    path.write_bytes(whole[: len(whole) * 3 // 4] + (b"\xff\xd9" if repaired else b""))
    with pytest.raises(DamagedFileError):
        next(read_frames(path))


def test_one_picture_with_others_inside_or_behind_is_one_frame(tmp_path: Path, picture: np.ndarray) -> None:
    """Telephones write the same view again for another screen, and small previews behind it."""
    one, other = (Image.fromarray(p) for p in (picture, picture[::-1]))
    small = encoded(Image.fromarray(np.ascontiguousarray(picture[::2, ::2])), "JPEG")
    whole = encoded(one, "JPEG", quality=95)
    kinds = {
        "several": encoded(one, "MPO", save_all=True, append_images=[other], quality=95),
        "preview behind": whole + small,
        "notes behind": whole + b"telephone" * 99,
        "cut off behind": whole + whole[:300],
    }
    for name, data in kinds.items():
        path = tmp_path / "photo.jpg"
        path.write_bytes(data)
        (frame,) = read_frames(path)
        assert np.abs(frame.pixels.astype(int) - picture).mean() < 3, name


def deep_png(values: np.ndarray) -> bytes:
    """16 bits a sample, of two (grey and opacity), three or four samples."""
    height, width, samples = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[samples], 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in values))
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize(
    "kind", ["rgb.png", "rgba.png", "la.png", "rgb.tif", "packed.tif", "big.tif", "big packed.tif"]
)
def test_colours_of_16_bits_of_which_fewer_are_used_are_not_dark(
    kind: str, bits: int, tmp_path: Path, picture: np.ndarray
) -> None:
    """Scanners store 8 to 12 bits in 16 without saying so, and Pillow keeps the upper byte of each."""
    picture[0, 0] = 255
    full = np.round(picture.astype(np.float64) * ((2**bits - 1) / 255)).astype(np.uint16)
    samples = {"la.png": 1}.get(kind, 3)
    values = np.repeat(full[..., None], samples, axis=2)
    if kind in ("rgba.png", "la.png"):
        values = np.dstack([values, np.full_like(full, 65535)])
    path = tmp_path / "deep"
    big: Order = ">" if "big" in kind else "<"
    path.write_bytes(deep_png(values) if kind.endswith("png") else tiff(values, big, 2, "pack" in kind))
    (frame,) = read_frames(path)
    shown = frame.pixels if frame.pixels.ndim == 2 else frame.pixels[..., 1]
    assert np.abs(shown.astype(int) - picture).max() <= 1


def test_deep_colours_are_turned_and_seen_through_as_others_are(tmp_path: Path, picture: np.ndarray) -> None:
    picture[0, 0] = 255
    values = np.repeat(picture[..., None].astype(np.uint16) * 16, 4, axis=2)
    values[..., 3] = 4095
    values[:, 32:, 3] = 0
    path = tmp_path / "deep.png"
    data = deep_png(values)
    turned = png_chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0")
    path.write_bytes(data[:33] + turned + data[33:])
    (frame,) = read_frames(path)
    seen = np.rot90(frame.pixels[..., 0]).astype(int)
    assert np.abs(seen[:, :32] - picture[:, :32]).max() <= 1
    assert not seen[:, 32:].any()


@pytest.mark.parametrize("bits", [12, 16])
def test_an_animated_png_of_deep_colours_is_bright_or_refused(bits: int, tmp_path: Path, picture: np.ndarray) -> None:
    picture[0, 0] = 255
    values = np.repeat((picture.astype(np.uint16) * ((1 << bits) // 256))[..., None], 3, axis=2)
    still = deep_png(values)
    height, width = picture.shape
    control = struct.pack(">IIIIHHBB", width, height, 0, 0, 1, 20, 0, 0)
    at = still.index(b"IDAT") - 4
    body = still[at + 8 : at + 8 + int.from_bytes(still[at : at + 4], "big")]
    head = still[:33] + png_chunk(b"acTL", struct.pack(">II", 2, 0)) + png_chunk(b"fcTL", bytes(4) + control)
    second = png_chunk(b"fcTL", b"\0\0\0\1" + control) + png_chunk(b"fdAT", b"\0\0\0\2" + body)
    path = tmp_path / "animated.png"
    path.write_bytes(head + png_chunk(b"IDAT", body) + second + png_chunk(b"IEND", b""))
    if bits == 12:
        with pytest.raises(UnsupportedPictureError, match="16 bits"):
            next(read_frames(path))
        return
    assert [int(np.abs(frame.pixels[..., 0].astype(int) - picture).max()) for frame in read_frames(path)] == [0, 0]


def test_pages_of_deep_colours_keep_their_brightness(tmp_path: Path, picture: np.ndarray) -> None:
    picture[0, 0] = 255
    path = tmp_path / "pages.tif"
    levels = [np.repeat((picture.astype(np.uint16) * factor)[..., None], 3, axis=2) for factor in (1, 16)]
    for number, values in enumerate((*levels, levels[0])):
        (tmp_path / f"{number}.tif").write_bytes(tiff(values, "<", 2))
    with TiffImagePlugin.AppendingTiffWriter(str(path), True) as file:
        for number in range(3):
            file.write((tmp_path / f"{number}.tif").read_bytes())
            file.newFrame()
    shown = [frame.pixels[..., 0].astype(int) for frame in read_frames(path)]
    assert [round(float(page.max())) for page in shown] == [16, 254, 16]


def unmarked(jpeg: bytes, names: bytes) -> bytes:
    """A JPEG of three components without its markers of colour, and with other names of the components."""
    kept, here = bytearray(jpeg[:2]), 2
    while jpeg[here + 1] != 0xDA:
        end = here + 2 + int.from_bytes(jpeg[here + 2 : here + 4], "big")
        segment = bytearray(jpeg[here:end])
        if segment[1] in (0xC0, 0xC1, 0xC2):
            old, segment[10::3] = bytes(segment[10::3]), names
        if not 0xE0 <= segment[1] <= 0xEF:
            kept += segment
        here = end
    scan = bytearray(jpeg[here:])
    scan[5:11:2] = bytes(names[old.index(name)] for name in scan[5:11:2])
    return bytes(kept + scan)


@pytest.mark.parametrize("names", [b"\1\2\3", b"\0\1\2", b"RGB", b"rgb"])
@pytest.mark.parametrize("is_rgb", [True, False])
@pytest.mark.parametrize("size", [(256, 192), (4001, 3001)])
def test_a_jpeg_without_markers_has_the_colours_that_make_it_grey(
    size: tuple[int, int], is_rgb: bool, names: bytes, tmp_path: Path
) -> None:
    """Without one libjpeg decides by the names of the components, and luma is no red, green and blue."""
    if size[0] > 256 and (names != b"\1\2\3" or not is_rgb):
        return  # one large picture, which is decoded at half its size, is enough
    grey = Image.fromarray(truth()).resize(size)
    marked = np.asarray(grey.convert("RGB")).copy()
    marked[:8, :40] = (255, 200, 0)
    whole = encoded(Image.fromarray(marked), "JPEG", quality=95, subsampling=0, keep_rgb=is_rgb)
    path = tmp_path / "unmarked.jpg"
    path.write_bytes(unmarked(whole, names))
    (frame,) = read_frames(path)
    wanted = np.asarray(Image.fromarray(marked).resize((frame.width, frame.height), Image.Resampling.BOX), int)
    assert np.abs(frame.pixels.astype(int) - wanted).mean() < 2


def test_a_photograph_keeps_its_colours(tmp_path: Path) -> None:
    """What is grey in no reading is what its markers say."""
    down, across = np.mgrid[0:120, 0:160]
    coloured = np.stack([across + 60, 200 - down, np.full_like(down, 40)], axis=-1).astype(np.uint8)
    for is_rgb in (True, False):
        path = tmp_path / "photo.jpg"
        path.write_bytes(encoded(Image.fromarray(coloured), "JPEG", quality=95, subsampling=0, keep_rgb=is_rgb))
        (frame,) = read_frames(path)
        assert np.abs(frame.pixels.astype(int) - coloured).mean() < 3


def test_a_palette_of_8_bits_is_not_black(tmp_path: Path, picture: np.ndarray) -> None:
    """Written so by old programs; libtiff takes it for what it is."""
    turned = Image.fromarray(255 - picture)
    turned.putpalette(bytes(level for entry in range(256) for level in [255 - entry] * 3))
    data = encoded(turned, "TIFF")
    entries = struct.pack("<256H", *(256 * (255 - entry) for entry in range(256)))
    small = struct.pack("<256H", *range(255, -1, -1))
    path = tmp_path / "palette.tif"
    for name, written in (("16 bits", data), ("8 bits", data.replace(entries * 3, small * 3))):
        assert name == "16 bits" or written != data
        path.write_bytes(written)
        (frame,) = read_frames(path)
        assert np.array_equal(frame.pixels[..., 1], picture), name


def test_numbers_without_a_colour_are_damage(tmp_path: Path, picture: np.ndarray) -> None:
    header = struct.pack(">IIBBBBB", picture.shape[1], picture.shape[0], 8, 3, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in picture)))
    path = tmp_path / "palette.png"
    for entries in (256, 200):
        colours = png_chunk(b"PLTE", bytes(level for entry in range(entries) for level in [entry] * 3))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + colours + body + png_chunk(b"IEND", b""))
        if entries == 256:
            (frame,) = read_frames(path)
            assert np.array_equal(frame.pixels[..., 1], picture)
        else:
            with pytest.raises(DamagedFileError, match="palette"):
                next(read_frames(path))


def test_a_compression_that_is_unknown_here_is_named(tmp_path: Path, picture: np.ndarray) -> None:
    data = tiff(picture, "<", BLACK_ZERO)
    tag = struct.pack("<HHI", 259, 4, 1)
    path = tmp_path / "kind.tif"
    path.write_bytes(data.replace(tag + struct.pack("<I", 1), tag + struct.pack("<I", 34712)))
    with pytest.raises(UnsupportedPictureError, match="34712"):
        next(read_frames(path))
