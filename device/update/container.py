# SPDX-License-Identifier: Apache-2.0
"""The update file: a signed line, the manifest, and then nothing but the contents of the files one after the other.

    #mammascope-update-1 <public key, hexadecimal> <signature, base64> <length of the manifest>
    <manifest, JSON>
    <content of the first file><content of the second file>...

It is no archive on purpose: where one file ends and the next begins, and what each is called, is said by the signed
manifest alone, so there are no headers that could lie, no links, and nothing is packed that could unfold into more than
it says. What is large in it (packages, networks) is compressed by itself. Reading takes constant memory.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.errors import UpdateFileError
from device.files import Progress
from device.signed import LONGEST_LINE, SignedForm, SignedLine
from device.update.manifest import Entry, UpdateManifest, parse_manifest

SUFFIX = ".update"
MAX_MANIFEST_BYTES = 4 * 2**20
PIECE = 256 * 1024

_FORM = SignedForm(b"#mammascope-update-1", b"mammascope update 1\n", has_length=True)

Trusted = Callable[[bytes], None]
"""Raises when a public key is not one to be followed."""


@dataclass(frozen=True, slots=True)
class UpdateHead:
    """The beginning of an update, its signature found good.

    Attributes:
        manifest: What it says.
        signer: Public key (Ed25519, 32 bytes) of who signed it.
        digest: SHA-256 of the signed manifest: names this update.
        start: Where the contents begin, in bytes.
    """

    manifest: UpdateManifest
    signer: bytes
    digest: str
    start: int

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.start + self.manifest.total

    @property
    def release(self) -> str:
        """Name of the release that it becomes."""
        return f"{self.manifest.version}-{self.digest[:12]}"


def head_bytes(raw: bytes, where: object) -> int:
    """How many bytes the beginning of an update has, signed line and manifest together.

    Args:
        raw: At least its first line.
        where: What an error names.

    Raises:
        UpdateFileError: It is no update.
    """
    line = raw[: raw.find(b"\n") + 1]
    return len(line) + _first_line(line, where).length


def read_head(stream: BinaryIO, where: object, trusted: Trusted) -> UpdateHead:
    """Check the beginning of an update: form, signer, signature, manifest, in this order.

    Args:
        stream: At its beginning; not more is read than belongs to the head.
        where: What an error names.
        trusted: Asked before anything of the manifest is looked at.

    Raises:
        UpdateFileError: It is no update, or was changed.
        UpdateSignerError: From ``trusted``.
    """
    line = stream.readline(LONGEST_LINE)
    first = _first_line(line, where)
    trusted(first.signer)
    raw = stream.read(first.length)
    if not first.fits(raw):
        raise UpdateFileError(where, "the signature does not fit")
    digest = hashlib.sha256(raw).hexdigest()
    return UpdateHead(parse_manifest(raw, where), first.signer, digest, len(line) + first.length)


def _first_line(line: bytes, where: object) -> SignedLine:
    first = _FORM.parse(line) if line.endswith(b"\n") else None
    if first is None or first.length > MAX_MANIFEST_BYTES:
        raise UpdateFileError(where, "it does not begin like an update")
    return first


@contextmanager
def opened(path: Path, trusted: Trusted) -> Iterator[tuple[UpdateHead, BinaryIO]]:
    """Open an update file and check its beginning; the stream stands at the first content.

    Raises:
        UpdateFileError: It cannot be read, is no update, or has not exactly the length that it says.
        UpdateSignerError: From ``trusted``.
    """
    try:
        # Neither a link nor a pipe that never ends: what a stick offers is opened by root.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UpdateFileError(path, error.strerror or "") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UpdateFileError(path, "it is no file")
    with os.fdopen(handle, "rb") as stream:
        try:
            head = read_head(stream, path, trusted)
            length = os.fstat(handle).st_size
        except OSError as error:
            raise UpdateFileError(path, error.strerror or "") from error
        if length != head.size:
            raise UpdateFileError(path, f"{length} bytes instead of {head.size}")
        yield head, stream


def contents(
    head: UpdateHead, stream: BinaryIO, where: object, progress: Progress | None = None
) -> Iterator[tuple[Entry, Iterator[bytes]]]:
    """Every file with its content in pieces; a content is proved only when its last piece was taken.

    Args:
        head: From :func:`opened`.
        stream: As left there; it is set to the first content.
        where: What an error names.
        progress: Told how far it is.

    Raises:
        UpdateFileError: A content is not what was signed, or the medium fails.
    """
    done = 0
    try:
        stream.seek(head.start)
    except OSError as error:
        raise UpdateFileError(where, error.strerror or "") from error

    def pieces(entry: Entry) -> Iterator[bytes]:
        nonlocal done
        digest, left = hashlib.sha256(), entry.size
        while left:
            try:
                piece = stream.read(min(PIECE, left))
            except OSError as error:
                raise UpdateFileError(where, error.strerror or "") from error
            if not piece:
                raise UpdateFileError(where, f"it ends within {entry.path}")
            digest.update(piece)
            left -= len(piece)
            done += len(piece)
            yield piece
        if digest.hexdigest() != entry.sha256:
            raise UpdateFileError(where, f"{entry.path} is not what was signed")
        if progress is not None:
            progress(done, head.manifest.total)

    for entry in head.manifest.files:
        yield entry, pieces(entry)


def verify(head: UpdateHead, stream: BinaryIO, where: object, progress: Progress | None = None) -> None:
    """Read everything once and keep nothing.

    Raises:
        UpdateFileError: Something is not what was signed.
    """
    for _, pieces in contents(head, stream, where, progress):
        for _ in pieces:
            pass


def write_update(
    out: BinaryIO, manifest: UpdateManifest, files: Iterable[Path], key: Ed25519PrivateKey, progress: Progress
) -> UpdateHead:
    """Sign and write an update.

    Args:
        out: Where to.
        manifest: With the entries of ``files``, in the same order.
        files: Where the contents are.
        key: Of the signer.
        progress: Told how far it is.

    Raises:
        UpdateFileError: A file is not (any more) what the manifest says.
        OSError: Something cannot be read or written.
    """
    raw = manifest.model_dump_json(exclude_defaults=False).encode()
    if len(raw) > MAX_MANIFEST_BYTES:
        raise UpdateFileError("manifest", "too many files")
    signer = key.public_key().public_bytes_raw()
    line = _FORM.line(key, raw)
    out.write(line + raw)
    done = 0
    for entry, path in zip(manifest.files, files, strict=True):
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
                out.write(piece)
                done += len(piece)
        if digest.hexdigest() != entry.sha256:
            raise UpdateFileError(path, "it was changed meanwhile")
        progress(done, manifest.total)
    return UpdateHead(manifest, signer, hashlib.sha256(raw).hexdigest(), len(line) + len(raw))
