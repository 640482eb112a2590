# SPDX-License-Identifier: Apache-2.0
"""DICOM files as scanners and converters really write them: each with something missing, wrong or contradictory.

All show the phantom. ``KINDS`` gives for each the file and what must come out of it: the picture (within the tolerance
of its compression), or an error that names the element.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import jpeg_ls
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    JPEG2000,
    MPEG4HP41,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    UltrasoundImageStorage,
)

from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame

Picture = NDArray[np.uint8]
ITEM = b"\xfe\xff\x00\xe0"


@dataclass(frozen=True)
class Kind:
    """One odd file.

    Attributes:
        name: What is odd about it.
        pixels: Value of the pixel data element.
        syntax: Transfer syntax.
        values: Elements beside the usual ones.
        drop: Elements that are left out.
        wanted: The pictures that must come out; or a part of the error's sentence.
        tolerance: Mean difference in grey levels that the compression may cause.
    """

    name: str
    pixels: bytes
    wanted: tuple[Picture, ...] | str
    syntax: str = ExplicitVRLittleEndian
    values: dict[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    tolerance: float = 0.0

    def write(self, path: Path) -> Path:
        """Write the file."""
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = self.syntax
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "2.25.11"
        data.Modality = "US"
        data.Rows, data.Columns = truth().shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit, data.PixelRepresentation = 7, 0
        for name, value in self.values.items():
            setattr(data, name, value)
        for name in self.drop:
            if name in data:
                delattr(data, name)
        data.add_new("PixelData", "OW" if data.get("BitsAllocated") == 16 else "OB", self.pixels)
        if self.pixels[:4] == ITEM and self.syntax not in (ExplicitVRLittleEndian, "1.2.3.4.5"):
            data["PixelData"].VR = "OB"
            data["PixelData"].is_undefined_length = True
        known = data.file_meta.TransferSyntaxUID.is_transfer_syntax
        if (self.pixels[:4] == ITEM and known) or self.syntax == ExplicitVRLittleEndian:
            data.save_as(path, enforce_file_format=True)
            return path
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian  # pydicom writes no such thing
        data.save_as(path, enforce_file_format=True)
        whole, plain = path.read_bytes(), ExplicitVRLittleEndian.encode() + b"\0"
        stated = self.syntax.encode() + b"\0" * (len(self.syntax) % 2)
        at = whole.index(b"UI" + struct.pack("<H", len(plain)) + plain)
        group = whole.index(b"\2\0\0\0UL\4\0") + 8
        length = struct.pack("<L", struct.unpack_from("<L", whole, group)[0] + len(stated) - len(plain))
        whole = whole[:group] + length + whole[group + 4 :]
        path.write_bytes(whole[:at] + b"UI" + struct.pack("<H", len(stated)) + stated + whole[at + 4 + len(plain) :])
        return path


@cache
def truth() -> Picture:
    """The phantom, 256 x 192, grey."""
    pixels = phantom_frame(IN_DISTRIBUTION_SEED, "benign").pixels
    grey = pixels if pixels.ndim == 2 else pixels[..., 0]
    small = np.asarray(cv2.resize(grey, (256, 192), interpolation=cv2.INTER_AREA), np.uint8)
    small.flags.writeable = False
    return small


def frames(count: int) -> tuple[Picture, ...]:
    """Pictures that differ: the phantom moved to the side."""
    return tuple(np.roll(truth(), 8 * n, axis=1) for n in range(count))


def rgb(grey: Picture) -> Picture:
    """Grey as red, green and blue."""
    return np.repeat(grey[..., None], 3, axis=2)


def ybr(grey: Picture) -> Picture:
    """Grey as luma and chroma."""
    return np.asarray(convert_color_space(rgb(grey), "RGB", "YBR_FULL"), np.uint8)


def halved(grey: Picture) -> bytes:
    """Y Y Cb Cr."""
    whole = ybr(grey)
    quads = np.stack([whole[:, 0::2, 0], whole[:, 1::2, 0], whole[:, 0::2, 1], whole[:, 0::2, 2]], axis=-1)
    return quads.tobytes()


# --- streams ----------------------------------------------------------------------------------------------------------


def jpeg(picture: Picture, **options: Any) -> bytes:
    """A JPEG as Pillow writes it: JFIF, luma and chroma."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def without_jfif(stream: bytes) -> bytes:
    """The same without its JFIF marker."""
    assert stream[2:4] == b"\xff\xe0"
    return stream[:2] + stream[4 + int.from_bytes(stream[4:6], "big") :]


def with_adobe(stream: bytes, transform: int) -> bytes:
    """With Adobe's marker, which says whether components were transformed."""
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    return stream[:2] + marker + stream[2:]


def renamed(stream: bytes, names: bytes) -> bytes:
    """Components of a JPEG called otherwise, in the frame and in the scan."""
    out = bytearray(stream)
    frame, scan = out.find(b"\xff\xc0"), out.find(b"\xff\xda")
    for n, name in enumerate(names):
        out[frame + 10 + 3 * n] = name
        out[scan + 5 + 2 * n] = name
    return bytes(out)


def j2k(picture: Picture, transform: bool = False) -> bytes:
    """A lossless JPEG 2000 code stream."""
    buffer = BytesIO()
    options: dict[str, Any] = {"mct": int(transform)} if picture.ndim == 3 else {}
    Image.fromarray(picture).save(buffer, "JPEG2000", irreversible=False, no_jp2=True, **options)
    return buffer.getvalue()


def jls(picture: Picture) -> bytes:
    """A lossless JPEG-LS stream."""
    return bytes(jpeg_ls.encode_array(picture, interleave_mode=2 if picture.ndim == 3 else 0))


def rle(pictures: tuple[Picture, ...], tmp: Path) -> bytes:
    """Pixel data compressed by pydicom's own RLE."""
    shape = pictures[0].shape
    values: dict[str, Any] = {"NumberOfFrames": len(pictures)}
    if len(shape) == 3:
        values |= COLOUR
    plain = Kind("", np.stack(pictures).tobytes(), "", values=values).write(tmp)
    data = dcmread(plain)
    data.compress(RLELossless)
    return bytes(data.PixelData)


def jpeg_lossless(picture: NDArray[Any], folder: Path) -> bytes:
    """A stream of JPEG lossless, first-order prediction, which only GDCM reads and writes here."""
    import gdcm

    deep = picture.dtype.itemsize > 1
    values: dict[str, Any] = dict(COLOUR) if picture.ndim == 3 else {}
    if deep:
        values = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    reader = gdcm.ImageReader()
    reader.SetFileName(str(Kind("", picture.tobytes(), "", values=values).write(folder / "plain.dcm")))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(folder / "packed.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    data = dcmread(folder / "packed.dcm")
    return bytes(next(generate_frames(data.PixelData, number_of_frames=1)))


COLOUR = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}


def colour(label: str, **more: Any) -> dict[str, Any]:
    """Elements of a colour picture."""
    return {**COLOUR, "PhotometricInterpretation": label, **more}


# --- the kinds --------------------------------------------------------------------------------------------------------


def native_greys() -> Iterator[Kind]:
    """Uncompressed, one sample a pixel."""
    t = truth()
    one, plain = (t,), t.tobytes()
    deep = (t.astype(np.uint16) << 4 | t >> 4).astype("<u2")  # 12 bits
    bits12 = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    yield Kind("plain", plain, one)
    yield Kind(
        "high bit 15, twelve bits at the low end", deep.tobytes(), one, values={**bits12, "HighBit": 15}, tolerance=1
    )
    yield Kind(
        "high bit 15, twelve bits at the high end",
        (deep << 4).tobytes(),
        one,
        values={**bits12, "HighBit": 15},
        tolerance=1,
    )
    yield Kind("rows and columns swapped", plain, one, values={"Rows": t.shape[1], "Columns": t.shape[0]})
    yield Kind("high bit missing", deep.tobytes(), one, values=bits12, drop=("HighBit",), tolerance=1)
    yield Kind(
        "eight bits stated, twelve stored",
        deep.tobytes(),
        one,
        values={**bits12, "BitsStored": 8, "HighBit": 7},
        tolerance=1,
    )
    yield Kind(
        "eight bits allocated, twelve stored", deep.tobytes(), one, values={**bits12, "BitsAllocated": 8}, tolerance=1
    )
    yield Kind("sixteen bits allocated, eight there", plain, one, values={"BitsAllocated": 16})
    yield Kind("bits allocated missing", plain, one, drop=("BitsAllocated",))
    yield Kind("bits stored missing", plain, one, drop=("BitsStored", "HighBit"))
    yield Kind("pixel representation missing", plain, one, drop=("PixelRepresentation",))
    yield Kind("signed stated, unsigned stored", plain, one, values={"PixelRepresentation": 1})
    yield Kind("samples per pixel missing", plain, one, drop=("SamplesPerPixel",))
    yield Kind("photometric interpretation missing", plain, one, drop=("PhotometricInterpretation",))
    yield Kind("three samples stated, one there", plain, one, values={"SamplesPerPixel": 3})
    yield Kind(
        "red, green and blue stated, grey there",
        plain,
        one,
        values={"SamplesPerPixel": 1, "PhotometricInterpretation": "RGB"},
    )
    yield Kind("rescale slope 0", plain, one, values={"RescaleSlope": 0, "RescaleIntercept": 0})
    yield Kind("rescale slope without intercept", plain, one, values={"RescaleSlope": 1})
    yield Kind("empty window", plain, one, values={"WindowCenter": "", "WindowWidth": ""})
    yield Kind("window beside all values", plain, one, values={"WindowCenter": 5000, "WindowWidth": 10})
    yield Kind("MONOCHROME1", (255 - t).tobytes(), one, values={"PhotometricInterpretation": "MONOCHROME1"})
    inverse = {"PresentationLUTShape": "INVERSE"}
    yield Kind("MONOCHROME2 and INVERSE", (255 - t).tobytes(), one, values=inverse)
    yield Kind(
        "MONOCHROME1 and INVERSE",
        (255 - t).tobytes(),
        one,
        values={**inverse, "PhotometricInterpretation": "MONOCHROME1"},
    )
    yield Kind("MONOCHROME2 and IDENTITY", plain, one, values={"PresentationLUTShape": "IDENTITY"})
    yield Kind("padding behind", plain + bytes(1000), one, values={"NumberOfFrames": 1})
    yield Kind("a further empty frame behind", plain + bytes(len(plain) + 7), one, values={"NumberOfFrames": 1})
    yield Kind("rows 0", plain, "Rows", values={"Rows": 0})
    yield Kind("bits allocated 12", plain, "BitsAllocated", values={"BitsAllocated": 12})


def native_colours() -> Iterator[Kind]:
    """Uncompressed, three samples a pixel."""
    t = truth()
    one, red, luma = (rgb(t),), rgb(t), ybr(t)
    planes = {"red": red.transpose(2, 0, 1).tobytes(), "luma": luma.transpose(2, 0, 1).tobytes()}
    yield Kind("RGB", red.tobytes(), one, values=COLOUR)
    yield Kind("RGB by plane", planes["red"], one, values=colour("RGB", PlanarConfiguration=1))
    yield Kind("RGB, signed stated", red.tobytes(), one, values=colour("RGB", PixelRepresentation=1))
    deep = (red.astype("<u2") << 4 | red >> 4).tobytes()  # 12 bits
    bits = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    yield Kind("RGB of twelve bits, signed stated", deep, one, values=colour("RGB", **bits), tolerance=1)
    yield Kind("planar configuration missing", red.tobytes(), one, values=COLOUR, drop=("PlanarConfiguration",))
    yield Kind(
        "planar configuration missing, by plane", planes["red"], one, values=COLOUR, drop=("PlanarConfiguration",)
    )
    yield Kind("planes stated, pixels there", red.tobytes(), one, values=colour("RGB", PlanarConfiguration=1))
    yield Kind("pixels stated, planes there", planes["red"], one, values=COLOUR)
    yield Kind("YBR_FULL", luma.tobytes(), one, values=colour("YBR_FULL"), tolerance=1)
    yield Kind("YBR_FULL by plane", planes["luma"], one, values=colour("YBR_FULL", PlanarConfiguration=1), tolerance=1)
    yield Kind("YBR_FULL stated, RGB there", red.tobytes(), one, values=colour("YBR_FULL"))
    yield Kind("RGB stated, YBR there", luma.tobytes(), one, values=COLOUR, tolerance=1)
    yield Kind("YBR_FULL_422", halved(t), one, values=colour("YBR_FULL_422"), tolerance=1)
    yield Kind(
        "YBR_FULL_422 and planes", halved(t), one, values=colour("YBR_FULL_422", PlanarConfiguration=1), tolerance=1
    )
    yield Kind("YBR_FULL_422 stated, whole RGB there", red.tobytes(), one, values=colour("YBR_FULL_422"))
    yield Kind("YBR_FULL_422 stated, whole YBR there", luma.tobytes(), one, values=colour("YBR_FULL_422"), tolerance=1)
    yield Kind("YBR_FULL stated, halved chroma there", halved(t), one, values=colour("YBR_FULL"), tolerance=1)
    yield Kind("grey stated, RGB there", red.tobytes(), one)
    yield Kind("grey stated with three samples, RGB there", red.tobytes(), one, values={"SamplesPerPixel": 3})
    yield Kind("samples missing, RGB there", red.tobytes(), one, values=COLOUR, drop=("SamplesPerPixel",))
    yield Kind("colours missing, RGB there", red.tobytes(), one, values=COLOUR, drop=("PhotometricInterpretation",))
    two = tuple(rgb(one) for one in frames(2))
    yield Kind("two frames of RGB under a label of halved chroma", np.stack(two).tobytes(), two,
               values=colour("YBR_FULL_422", NumberOfFrames=2))  # fmt: skip
    yield Kind("an unknown colour model", red.tobytes(), "HSV", values=colour("HSV"))


def numbers_of_frames() -> Iterator[Kind]:
    """The number of frames missing or wrong, and offset tables that are."""
    three, four = frames(3), frames(4)
    plain = np.stack(three).tobytes()
    yield Kind("3 frames, number missing", plain, three)
    yield Kind("3 frames, number empty", plain, three, values={"NumberOfFrames": ""})
    yield Kind("3 frames, 0 stated", plain, three, values={"NumberOfFrames": 0})
    yield Kind("3 frames, 1 stated", plain, three, values={"NumberOfFrames": 1})
    yield Kind("3 frames, 2 stated", plain, three, values={"NumberOfFrames": 2})
    yield Kind("3 frames, 4 stated", plain, "NumberOfFrames 4", values={"NumberOfFrames": 4})
    yield Kind(
        "2 and a half frames, 1 stated", plain[: len(plain) * 5 // 6], "NumberOfFrames 1", values={"NumberOfFrames": 1}
    )
    for name, encode, syntax, tolerance in (
        ("JPEG", jpeg, JPEGBaseline8Bit, 3.0),
        ("JPEG 2000", j2k, JPEG2000Lossless, 0.0),
        ("JPEG-LS", jls, JPEGLSLossless, 0.0),
    ):
        streams = [encode(one) for one in four]
        yield from _encapsulated(name, streams, four, syntax, tolerance)


def _encapsulated(
    name: str, streams: list[bytes], wanted: tuple[Picture, ...], syntax: str, tolerance: float
) -> Iterator[Kind]:
    def kind(what: str, data: bytes, came: tuple[Picture, ...] | str = wanted, **values: Any) -> Kind:
        return Kind(f"{name}: {what}", data, came, syntax, values, tolerance=tolerance)

    right = bytes(encapsulate(streams))
    body = right[8 + 4 * len(streams) :]

    def table(*offsets: int) -> bytes:
        return b"\xfe\xff\x00\xe0" + struct.pack(f"<L{len(offsets)}L", 4 * len(offsets), *offsets) + body

    truly = struct.unpack_from(f"<{len(streams)}L", right, 8)
    yield kind("number missing", right)
    yield kind("1 of 4 stated", right, NumberOfFrames=1)
    yield kind("3 of 4 stated", right, NumberOfFrames=3)
    yield kind("5 of 4 stated", right, "NumberOfFrames 5", NumberOfFrames=5)
    yield kind("offset table empty", encapsulate(streams, has_bot=False), NumberOfFrames=4)
    yield kind("offset table of zeros", table(0, 0, 0, 0), NumberOfFrames=4)
    yield kind("offset table from the start of the file", table(*(1500 + at for at in truly)), NumberOfFrames=4)
    yield kind("offset table 8 too far", table(*(8 + at for at in truly)), NumberOfFrames=4)
    yield kind("offset table backwards", table(*reversed(truly)), NumberOfFrames=4)
    yield kind("offset table too short", table(*truly[:2]), NumberOfFrames=4)
    yield kind("offset table too long", table(*truly, truly[-1] * 2), NumberOfFrames=4)
    yield kind("offset table beyond the file", table(*(2**31 + at for at in truly)), NumberOfFrames=4)
    yield kind("offset table left out", body, NumberOfFrames=4)
    yield kind("frames in several fragments", encapsulate(streams, fragments_per_frame=3), NumberOfFrames=4)
    yield kind(
        "several fragments, no table, number missing", encapsulate(streams, fragments_per_frame=3, has_bot=False)
    )
    data, offsets, lengths = encapsulate_extended(streams)
    yield kind(
        "extended offset table", data, ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths, NumberOfFrames=4
    )
    zeros = bytes(len(offsets))
    yield kind("extended offset table of zeros", data, ExtendedOffsetTable=zeros, ExtendedOffsetTableLengths=zeros)
    if name == "JPEG":
        yield kind("all frames in one fragment", encapsulate([b"".join(streams)]), NumberOfFrames=4)


def compressed() -> Iterator[Kind]:
    """Streams that are not what the header says."""
    t = truth()
    one, grey = (rgb(t),), (t,)

    def kind(
        name: str, stream: bytes, syntax: str, wanted: tuple[Picture, ...] | str, tolerance: float = 0.0, **values: Any
    ) -> Kind:
        return Kind(name, encapsulate([stream]), wanted, syntax, values, tolerance=tolerance)

    ycc = jpeg(rgb(t), subsampling=0)
    true_rgb = renamed(without_rgb_marks(jpeg(rgb(t), subsampling=0, keep_rgb=True)), b"\x01\x02\x03")
    for label in ("YBR_FULL", "YBR_FULL_422", "RGB", "YBR_ICT", "MONOCHROME2"):
        more = colour(label) if label != "MONOCHROME2" else {}
        yield kind(f"JPEG with JFIF labelled {label}", ycc, JPEGBaseline8Bit, one, 3, **more)
        yield kind(f"JPEG without JFIF labelled {label}", without_jfif(ycc), JPEGBaseline8Bit, one, 3, **more)
        yield kind(
            f"JPEG by Adobe labelled {label}", with_adobe(without_jfif(ycc), 1), JPEGBaseline8Bit, one, 3, **more
        )
        yield kind(f"JPEG of true RGB labelled {label}", true_rgb, JPEGBaseline8Bit, one, 3, **more)
        yield kind(
            f"JPEG of true RGB by Adobe labelled {label}", with_adobe(true_rgb, 0), JPEGBaseline8Bit, one, 3, **more
        )
        named = renamed(true_rgb, b"RGB")
        yield kind(f"JPEG of true RGB by name labelled {label}", named, JPEGBaseline8Bit, one, 3, **more)
    yield kind("JPEG, progressive", jpeg(rgb(t), progressive=True), JPEGBaseline8Bit, one, 3, **colour("YBR_FULL_422"))
    yield kind(
        "JPEG, sixteen bits allocated", jpeg(t), JPEGBaseline8Bit, grey, 3, BitsAllocated=16, BitsStored=16, HighBit=15
    )
    yield kind("grey JPEG labelled RGB", jpeg(t), JPEGBaseline8Bit, grey, 3, **COLOUR)
    yield kind("JPEG, rows and columns swapped", jpeg(t), JPEGBaseline8Bit, grey, 3, Rows=256, Columns=192)
    yield kind("JPEG, rows too small", jpeg(t), JPEGBaseline8Bit, grey, 3, Rows=100)
    yield kind("JPEG 2000 under the syntax of JPEG", j2k(t), JPEGBaseline8Bit, grey)
    yield kind("JPEG-LS under the syntax of JPEG 2000", jls(t), JPEG2000, grey)
    yield kind("JPEG under the syntax of JPEG-LS", jpeg(t), JPEGLSLossless, grey, 3)
    for label in ("RGB", "YBR_RCT", "YBR_ICT", "YBR_FULL", "YBR_FULL_422", "MONOCHROME2"):
        more = colour(label) if label != "MONOCHROME2" else {}
        yield kind(f"JPEG 2000, transformed, labelled {label}", j2k(rgb(t), True), JPEG2000Lossless, one, **more)
        yield kind(f"JPEG 2000, RGB, labelled {label}", j2k(rgb(t)), JPEG2000Lossless, one, **more)
        yield kind(f"JPEG 2000, YBR, labelled {label}", j2k(ybr(t)), JPEG2000Lossless, one, 1, **more)
        yield kind(f"JPEG-LS, RGB, labelled {label}", jls(rgb(t)), JPEGLSLossless, one, **more)
    yield kind("JPEG 2000, signed stated", j2k(t), JPEG2000Lossless, grey, PixelRepresentation=1)
    signed = colour("RGB", PixelRepresentation=1)
    yield kind("JPEG 2000, colours, signed stated", j2k(rgb(t)), JPEG2000Lossless, one, **signed)
    yield kind("JPEG-LS, signed stated", jls(t), JPEGLSLossless, grey, PixelRepresentation=1)
    yield kind("JPEG-LS, colours, signed stated", jls(rgb(t)), JPEGLSLossless, one, **signed)
    yield kind("JPEG, colours, signed stated", ycc, JPEGBaseline8Bit, one, 3, **signed)
    yield kind(
        "JPEG 2000, sixteen bits allocated", j2k(t), JPEG2000Lossless, grey, BitsAllocated=16, BitsStored=12, HighBit=11
    )
    yield kind("JPEG 2000, rows and columns swapped", j2k(t), JPEG2000Lossless, grey, Rows=256, Columns=192)
    yield kind("JPEG 2000, representation missing", j2k(t), JPEG2000Lossless, grey)
    yield kind(
        "JPEG-LS, sixteen bits allocated", jls(t), JPEGLSLossless, grey, BitsAllocated=16, BitsStored=16, HighBit=15
    )
    yield kind("JPEG-LS, planes stated", jls(rgb(t)), JPEGLSLossless, one, **colour("RGB", PlanarConfiguration=1))
    yield kind("JPEG-LS, rows and columns swapped", jls(t), JPEGLSLossless, grey, Rows=256, Columns=192)
    yield Kind("JPEG under a syntax without compression", encapsulate([jpeg(t)]), grey, tolerance=3)
    yield Kind("pixels without compression under the syntax of JPEG", t.tobytes(), grey, JPEGBaseline8Bit)
    yield Kind("an unknown transfer syntax", encapsulate([jpeg(t)]), "1.2.3.4.5", "1.2.3.4.5")
    yield kind("MPEG-4", b"\0\0\0\1" + bytes(200), MPEG4HP41, "MPEG-4", **colour("YBR_PARTIAL_420"))
    other = t[:100, :200]
    yield Kind("a later frame of another size", encapsulate([jpeg(t), jpeg(np.ascontiguousarray(other))]), "200 x 100",
               JPEGBaseline8Bit, {"NumberOfFrames": 2})  # fmt: skip


def without_rgb_marks(stream: bytes) -> bytes:
    """A JPEG without any marker of an application."""
    while stream[2] == 0xFF and 0xE0 <= stream[3] <= 0xEF:
        stream = stream[:2] + stream[4 + int.from_bytes(stream[4:6], "big") :]
    return stream


def run_lengths(tmp: Path) -> Iterator[Kind]:
    """RLE: no markers, but one fragment a frame."""
    three = frames(3)
    packed = rle(three, tmp)
    yield Kind("RLE, number missing", packed, three, RLELossless)
    yield Kind("RLE, 1 of 3 stated", packed, three, RLELossless, {"NumberOfFrames": 1})
    yield Kind("RLE, 4 of 3 stated", packed, "NumberOfFrames 4", RLELossless, {"NumberOfFrames": 4})
    coloured = tuple(rgb(one) for one in three)
    yield Kind("RLE, signed stated", rle(coloured, tmp), coloured, RLELossless, colour("RGB", PixelRepresentation=1))
    yield Kind("RLE, planes stated", rle(coloured, tmp), coloured, RLELossless, colour("RGB", PlanarConfiguration=1))


def lossless_jpegs(folder: Path) -> Iterator[Kind]:
    """JPEG lossless under labels that do not fit."""
    t = truth()
    grey, red, luma = (jpeg_lossless(one, folder) for one in (t, rgb(t), ybr(t)))
    syntax = JPEGLosslessSV1
    yield Kind("JPEG lossless", encapsulate([grey]), (t,), syntax)
    swapped = {"Rows": 256, "Columns": 192}
    yield Kind("JPEG lossless, rows and columns swapped", encapsulate([grey]), (t,), syntax, swapped)
    wide = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
    yield Kind("JPEG lossless, sixteen bits allocated", encapsulate([grey]), (t,), syntax, wide)
    for label in ("RGB", "YBR_FULL", "YBR_FULL_422"):
        yield Kind(f"JPEG lossless, RGB, labelled {label}", encapsulate([red]), (rgb(t),), syntax, colour(label))
        yield Kind(
            f"JPEG lossless, YBR, labelled {label}", encapsulate([luma]), (rgb(t),), syntax, colour(label), tolerance=1
        )
    yield Kind("JPEG lossless, RGB, labelled MONOCHROME2", encapsulate([red]), (rgb(t),), syntax)
    deep = jpeg_lossless(t.astype(np.uint16) << 4 | t >> 4, folder)
    twelve = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    yield Kind("JPEG lossless of 12 bits", encapsulate([deep]), (t,), syntax, twelve, tolerance=1)
    yield Kind("JPEG lossless of 12 bits, 8 stated", encapsulate([deep]), (t,), syntax, tolerance=1)


KINDS: tuple[Callable[[], Iterator[Kind]], ...] = (native_greys, native_colours, numbers_of_frames, compressed)
