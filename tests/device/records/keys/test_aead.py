# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from device.records.keys.aead import NONCE_BYTES, SALT_BYTES, NotForThisKeyError, derive, seal, unseal

KEY = bytes(range(32))


def test_what_is_sealed_comes_back_and_is_not_readable_in_between() -> None:
    text = b"Wanjiru Mueller " * 40
    blob = seal(KEY, "exam", "1", text)
    assert unseal(KEY, "exam", "1", blob) == text
    assert b"Wanjiru" not in blob


@pytest.mark.parametrize(
    ("key", "purpose", "context"),
    [(os.urandom(32), "exam", "1"), (KEY, "view", "1"), (KEY, "exam", "2"), (KEY, "exam1", "")],
    ids=["key", "purpose", "context", "border between them"],
)
def test_another_key_purpose_or_place_opens_nothing(key: bytes, purpose: str, context: str) -> None:
    with pytest.raises(NotForThisKeyError):
        unseal(key, purpose, context, seal(KEY, "exam", "1", b"text"))


def test_every_changed_or_missing_byte_is_noticed() -> None:
    blob = seal(KEY, "exam", "1", b"text")
    for place in range(len(blob)):
        changed = bytes(byte ^ (place == i) for i, byte in enumerate(blob))
        with pytest.raises(NotForThisKeyError):
            unseal(KEY, "exam", "1", changed)
        with pytest.raises(NotForThisKeyError):
            unseal(KEY, "exam", "1", blob[:place])


def test_no_two_blobs_share_salt_or_nonce() -> None:
    heads = [seal(KEY, "exam", "1", b"same")[1:] for _ in range(500)]
    assert len({head[:SALT_BYTES] for head in heads}) == 500
    assert len({head[SALT_BYTES : SALT_BYTES + NONCE_BYTES] for head in heads}) == 500


def test_keys_of_different_purposes_are_unrelated() -> None:
    assert derive(KEY, "a") != derive(KEY, "b") != derive(KEY, "b", b"salt")
    assert derive(KEY, "a") == derive(bytearray(KEY), "a")
