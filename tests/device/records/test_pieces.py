# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from collections.abc import Iterator

from device.records.pieces import PIECE, Pieces

LONG = bytes(range(256)) * 1024


def test_what_is_whole_comes_in_pieces_and_as_often_as_wanted() -> None:
    content = Pieces.of(LONG)
    assert content.size == len(LONG)
    assert max(map(len, content)) == PIECE
    assert content.whole() == content.whole() == LONG
    assert list(Pieces.of(b"")) == []


def test_the_digest_is_that_of_a_whole_pass_and_costs_no_second_one() -> None:
    passes = 0

    def make() -> Iterator[bytes]:
        nonlocal passes
        passes += 1
        yield from (LONG[:7], LONG[7:])

    content = Pieces(len(LONG), make)
    next(iter(content))  # one that is broken off says nothing
    assert content.whole() == LONG
    assert content.sha256 == hashlib.sha256(LONG).hexdigest()
    assert passes == 2
    assert Pieces(len(LONG), make).sha256 == content.sha256
