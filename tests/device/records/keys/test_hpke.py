# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.errors import SealError
from device.records.keys.hpke import HpkeOpener, HpkeSealer, new_private_key


def test_only_the_private_key_opens() -> None:
    mine, other = HpkeOpener(new_private_key()), HpkeOpener(new_private_key())
    sealed = HpkeSealer(mine.public_key).seal("instance/1", b"file" * 1000)
    assert mine.open("instance/1", sealed) == b"file" * 1000
    assert b"filefile" not in sealed
    with pytest.raises(SealError):
        other.open("instance/1", sealed)


def test_label_and_every_byte_count() -> None:
    mine = HpkeOpener(new_private_key())
    sealed = HpkeSealer(mine.public_key).seal("instance/1", b"file")
    with pytest.raises(SealError):
        mine.open("instance/2", sealed)
    for place in range(len(sealed)):
        with pytest.raises(SealError):
            mine.open("instance/1", bytes(b ^ (i == place) for i, b in enumerate(sealed)))
        with pytest.raises(SealError):
            mine.open("instance/1", sealed[:place])


def test_the_same_file_sealed_twice_looks_different() -> None:
    sealer = HpkeSealer(HpkeOpener(new_private_key()).public_key)
    assert sealer.seal("a", b"file") != sealer.seal("a", b"file")
