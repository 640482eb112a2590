# SPDX-License-Identifier: Apache-2.0
"""Whose updates are taken: only keys that root put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.errors import UpdateSignerError
from device.signed import fingerprint
from device.update.releases import InstallPaths
from device.update.trust import require_trust, trust, trusted_keys
from tests.device.update.conftest import OLD, Desk, Handheld

STRANGER = bytes(range(32))


def test_without_any_key_nobody_is_trusted(tmp_path: Path) -> None:
    assert trusted_keys(InstallPaths(tmp_path)) == frozenset()


def test_a_stranger_is_told_by_the_fingerprint(handheld: Handheld) -> None:
    with pytest.raises(UpdateSignerError, match=fingerprint(STRANGER)):
        require_trust(handheld.places, "stick")(STRANGER)


def test_a_person_who_compared_the_fingerprint_may_name_it(handheld: Handheld, desk: Desk) -> None:
    check = require_trust(handheld.places, "stick", fingerprint(STRANGER).replace(" ", ":").upper())
    check(STRANGER)
    check(desk.signer)
    with pytest.raises(UpdateSignerError):
        check(bytes(32))


def test_a_signer_stays_trusted(handheld: Handheld, desk: Desk) -> None:
    trust(handheld.places, STRANGER)
    assert trusted_keys(handheld.places) == {desk.signer, STRANGER}


def test_the_release_in_use_brings_keys_along_and_takes_them_with_it(handheld: Handheld, desk: Desk) -> None:
    carried = handheld.places.release(OLD) / "update-keys/next.pub"
    carried.parent.mkdir()
    carried.write_text(STRANGER.hex())
    assert STRANGER in trusted_keys(handheld.places)
    (handheld.places.base / "current").unlink()
    assert trusted_keys(handheld.places) == {desk.signer}


@pytest.mark.parametrize("fault", ["others may write the file", "others may write the folder", "link", "foreign owner"])
def test_a_key_that_others_could_have_written_is_none(handheld: Handheld, desk: Desk, fault: str) -> None:
    folder = handheld.places.keys
    path = folder / "evil.pub"
    path.write_text(STRANGER.hex())
    if fault == "others may write the file":
        path.chmod(0o666)
    elif fault == "others may write the folder":
        folder.chmod(0o777)
    elif fault == "link":
        path.rename(folder.parent / "elsewhere")
        path.symlink_to(folder.parent / "elsewhere")
    else:
        if os.geteuid() != 0:
            pytest.skip("files of other users can be made by root only")
        os.chown(path, 12345, 12345)
    assert STRANGER not in trusted_keys(handheld.places)


@pytest.mark.parametrize("text", ["", "zz", "ab" * 31, "AB" * 32, "\0" * 64, "ä" * 64])
def test_what_is_no_key_is_skipped(handheld: Handheld, desk: Desk, text: str) -> None:
    (handheld.places.keys / "other.pub").write_text(text)
    assert trusted_keys(handheld.places) == {desk.signer}
