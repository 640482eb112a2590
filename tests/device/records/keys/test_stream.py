# SPDX-License-Identifier: Apache-2.0
"""A file sealed in chunks comes back whole, or not at all, whatever was done to its chunks."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import SealError
from device.records.keys.hpke import HpkeOpener, HpkeSealer, new_private_key
from device.records.keys.stream import CHUNK, MAGIC, TAG, is_stream, open_stream, seal_stream

OPENER = HpkeOpener(new_private_key())
SEALER = HpkeSealer(OPENER.public_key)
HEAD = len(MAGIC) + 80
FULL = CHUNK + TAG
LABEL = "mammascope/v1/instance/2.25.7"


def sealed(content: bytes, *, label: str = LABEL) -> bytes:
    return b"".join(seal_stream(SEALER, label, (content,)))


def opened(blob: bytes, *, label: str = LABEL, opener: HpkeOpener = OPENER) -> bytes:
    return b"".join(open_stream(opener, label, io.BytesIO(blob)))


def content_of(chunks: float) -> bytes:
    return bytes(n * 31 % 251 for n in range(int(chunks * CHUNK)))


def chunks_of(blob: bytes) -> list[bytes]:
    return [blob[at : at + FULL] for at in range(HEAD, len(blob), FULL)]


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK + 77]
)
def test_every_length_comes_back_and_nothing_is_longer_than_it_must_be(size: int) -> None:
    content = bytes(n * 31 % 251 for n in range(size))
    blob = sealed(content)
    assert is_stream(blob)
    assert opened(blob) == content
    assert len(blob) == HEAD + size + TAG * max(1, -(-size // CHUNK))


@given(pieces=st.lists(st.binary(max_size=3 * CHUNK), max_size=6))
@settings(max_examples=60, deadline=None)
def test_how_the_content_is_cut_into_pieces_does_not_matter(pieces: list[bytes]) -> None:
    blob = b"".join(seal_stream(SEALER, LABEL, pieces))
    assert opened(blob) == b"".join(pieces)


def test_the_same_content_is_sealed_under_another_key_each_time() -> None:
    first, second = sealed(b"same" * 1000), sealed(b"same" * 1000)
    assert first[HEAD:] != second[HEAD:]


def cut_at_a_chunk(blob: bytes) -> bytes:
    return blob[: HEAD + 2 * FULL]


def without_the_last(blob: bytes) -> bytes:
    return blob[: HEAD + 3 * FULL]


def only_the_head(blob: bytes) -> bytes:
    return blob[:HEAD]


def cut_inside(blob: bytes) -> bytes:
    return blob[:-1]


def in_another_order(blob: bytes) -> bytes:
    first, second, *rest = chunks_of(blob)
    return blob[:HEAD] + second + first + b"".join(rest)


def one_twice(blob: bytes) -> bytes:
    first, *rest = chunks_of(blob)
    return blob[:HEAD] + first + first + b"".join(rest)


def one_left_out(blob: bytes) -> bytes:
    first, _, *rest = chunks_of(blob)
    return blob[:HEAD] + first + b"".join(rest)


def the_last_twice(blob: bytes) -> bytes:
    return blob + chunks_of(blob)[-1]


def lengthened(blob: bytes) -> bytes:
    return blob + b"\0"


def with_one_of_another_file(blob: bytes) -> bytes:
    other = sealed(content_of(3.5))
    return blob[: HEAD + FULL] + other[HEAD + FULL : HEAD + 2 * FULL] + blob[HEAD + 2 * FULL :]


def under_another_files_head(blob: bytes) -> bytes:
    return sealed(content_of(3.5))[:HEAD] + blob[HEAD:]


def flipped_in_the_magic(blob: bytes) -> bytes:
    return bytes([blob[0] ^ 1]) + blob[1:]


@pytest.mark.parametrize(
    "damage",
    [
        cut_at_a_chunk,
        without_the_last,
        only_the_head,
        cut_inside,
        in_another_order,
        one_twice,
        one_left_out,
        the_last_twice,
        lengthened,
        with_one_of_another_file,
        under_another_files_head,
        flipped_in_the_magic,
    ],
)
@pytest.mark.parametrize("chunks", [3.5, 4.0])
def test_what_was_done_to_the_chunks_is_refused(damage: Callable[[bytes], bytes], chunks: float) -> None:
    blob = damage(sealed(content_of(chunks)))
    with pytest.raises(SealError):
        opened(blob)


@given(place=st.integers(0, HEAD + 2 * FULL), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_no_bit_can_be_changed(place: int, bit: int) -> None:
    blob = bytearray(_THREE)
    blob[place % len(blob)] ^= 1 << bit
    with pytest.raises(SealError):
        opened(bytes(blob))


_THREE = sealed(content_of(2.5))


@given(length=st.integers(0, len(_THREE) - 1))
@settings(max_examples=150, deadline=None)
def test_no_beginning_passes_for_the_whole(length: int) -> None:
    with pytest.raises(SealError):
        opened(_THREE[:length])


def test_another_key_or_another_name_opens_nothing() -> None:
    blob = sealed(b"a report")
    with pytest.raises(SealError):
        opened(blob, opener=HpkeOpener(new_private_key()))
    with pytest.raises(SealError):
        opened(blob, label="mammascope/v1/instance/2.25.8")


def test_a_key_that_was_sealed_in_one_piece_is_no_stream_key() -> None:
    """Whoever can have something sealed under this very label in one piece cannot make a stream of it."""
    blob = sealed(b"a report")
    with pytest.raises(SealError):
        opened(MAGIC + SEALER.seal(LABEL, bytes(32)) + blob[HEAD:])
