# SPDX-License-Identifier: Apache-2.0
"""Sealing a file to a public key in chunks, so that neither who seals nor who opens holds all of it.

The construction is STREAM (V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", CRYPTO 2015) in the form that age's payloads have: a fresh key for each file, and for
each chunk of 64 KiB AES-256-GCM under the nonce ``chunk number (11 bytes, big-endian) | is this the last (1 byte)``.
The fresh key is sealed by HPKE to the reader's key, under the label of the file. So a chunk fits nowhere but in its
place of its file: what is cut short, lengthened, put into another order or mixed from two files is refused.

A reader gets each chunk when it is proved to be right, and learns at the end only that nothing is missing: a caller
that acts on what was read does so after the last piece.

Layout: magic (8 bytes) | sealed key (80) | chunks, each ciphertext and tag (16). All chunks are full but the last, and
the last holds a byte at least unless the file is empty.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from device.errors import SealError
from device.records.keys.aead import KEY_BYTES
from device.records.keys.hpke import HpkeOpener, HpkeSealer

MAGIC: Final = b"MSCHUNK\x01"
"""A file that was sealed in one piece begins with a random X25519 public key instead."""

CHUNK: Final = 64 * 1024
TAG: Final = 16
_SEALED_KEY: Final = 32 + KEY_BYTES + TAG  # the sender's X25519 key, then the ciphertext: RFC 9180, section 5
_COUNTER: Final = 11


class Readable(Protocol):
    """An open file, or what reads like one: as many bytes as are asked for, fewer only at its end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""


def seal_stream(sealer: HpkeSealer, label: str, content: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed file, in pieces of a chunk each.

    Args:
        sealer: To whose key.
        label: What and which one it is; opening needs the same.
        content: In pieces of any length.
    """
    key = os.urandom(KEY_BYTES)
    cipher = AESGCM(key)
    yield MAGIC + sealer.seal(_key_label(label), key)
    number, held = 0, bytearray()
    for piece in content:
        held += piece
        while len(held) > CHUNK:  # not at exactly a chunk: it may be the last
            yield cipher.encrypt(_nonce(number, last=False), bytes(held[:CHUNK]), None)
            del held[:CHUNK]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(held), None)


def is_stream(head: bytes) -> bool:
    """Whether a file that begins so was sealed in chunks."""
    return head[: len(MAGIC)] == MAGIC


def open_stream(opener: HpkeOpener, label: str, sealed: Readable) -> Iterator[bytes]:
    """The content of :func:`seal_stream`, in pieces.

    Args:
        opener: Holds the private key.
        label: As it was sealed under.
        sealed: At the beginning of the file.

    Raises:
        SealError: It was sealed to another key or under another label, or was changed, cut short, lengthened, put into
            another order or mixed with another.
    """
    head = sealed.read(len(MAGIC) + _SEALED_KEY)
    if not is_stream(head):
        raise SealError(label)
    cipher = AESGCM(opener.open(_key_label(label), head[len(MAGIC) :]))
    number, chunk = 0, sealed.read(CHUNK + TAG)
    while True:
        following = sealed.read(CHUNK + TAG) if len(chunk) == CHUNK + TAG else b""
        try:
            content = cipher.decrypt(_nonce(number, last=not following), chunk, None)
        except (InvalidTag, ValueError):
            raise SealError(label) from None
        if number and not content:
            raise SealError(label)  # no writer of ours makes one, so there is one form of every content
        yield content
        if not following:
            return
        number, chunk = number + 1, following


def _key_label(label: str) -> str:
    return f"{label}/stream"


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER, "big") + bytes([last])
