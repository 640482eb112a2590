# SPDX-License-Identifier: Apache-2.0
"""Whatever the archive answers passes as it is; only the whole file, unchanged, counts as read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress

import pytest

from clinic.gateway.read_back import watched

FILE = b"\r\n--b0 is no boundary\r\n--b" * 3000
KIND = 'multipart/related; type="application/dicom"; boundary=b0b0'
BODY = b"--b0b0\r\nContent-Type: application/dicom\r\n\r\n" + FILE + b"\r\n--b0b0--\r\n"


def passed(kind: str, body: bytes, size: int) -> tuple[bytes, bool]:
    """What comes out of an answer that comes in pieces of this size, and whether it was a proof."""
    proofs: list[bool] = []
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    answer = watched(kind, pieces, hashlib.sha256(FILE).hexdigest(), lambda: proofs.append(True))
    return b"".join(answer), proofs == [True]


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_the_whole_file_is_a_proof_and_passes_as_it_is(size: int) -> None:
    assert passed(KIND, BODY, size) == (BODY, True)
    assert passed("application/dicom", FILE, size) == (FILE, True)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (KIND, BODY.replace(b"is no", b"is an", 1)),
        (KIND, BODY[:-20]),
        (KIND, BODY[:30]),
        (KIND, b""),
        (KIND.replace("b0b0", "other"), BODY),
        ("text/html", b"<html>" * 5000),
        ("", FILE),
    ],
)
@pytest.mark.parametrize("size", [7, 1000])
def test_anything_else_is_none_and_passes_as_it_is(kind: str, body: bytes, size: int) -> None:
    assert passed(kind, body, size) == (body, False)


def test_whoever_hangs_up_has_proved_nothing() -> None:
    proofs: list[bool] = []

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(BODY), 1000):
            yield BODY[at : at + 1000]

    answer = watched(KIND, pieces(), hashlib.sha256(FILE).hexdigest(), lambda: proofs.append(True))
    next(answer)
    with suppress(AttributeError):
        answer.close()  # type: ignore[attr-defined]  # as gunicorn does it
    assert proofs == []


def test_no_more_is_held_than_two_pieces() -> None:
    made = 0

    def pieces() -> Iterator[bytes]:
        nonlocal made
        for at in range(0, len(BODY), 1000):
            made += 1
            yield BODY[at : at + 1000]

    for given, _ in enumerate(watched(KIND, pieces(), "", lambda: None)):
        assert made - given <= 3
