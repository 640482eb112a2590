# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.signed import SignedForm, fingerprint, same_fingerprint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SITE = SignedForm(b"#a-site-1", b"a site\n")
UPDATE = SignedForm(b"#an-update-1", b"an update\n", has_length=True)


@pytest.mark.parametrize("form", [SITE, UPDATE], ids=["whole", "length"])
def test_a_line_says_who_signed_what(form: SignedForm) -> None:
    first = form.parse(form.line(KEY, b"content"))
    assert first is not None
    assert first.signer == KEY.public_key().public_bytes_raw()
    assert first.length == (7 if form.has_length else 0)
    assert (first.fits(b"content"), first.fits(b"c0ntent"), first.fits(b"")) == (True, False, False)


def test_a_signature_for_one_kind_of_file_is_none_for_another() -> None:
    twin = SignedForm(b"#a-site-1", b"something else\n")
    first = SITE.parse(twin.line(KEY, b"content"))
    assert first is not None
    assert not first.fits(b"content")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"#a-site-1",
        UPDATE.line(KEY, b"content"),
        SITE.line(KEY, b"content") + b"x",
        SITE.line(KEY, b"content").replace(b"==", b"=!"),
        SITE.line(KEY, b"content").replace(b" ", b"  ", 1),
        SITE.line(KEY, b"content").rstrip() + b" 7\n",
    ],
)
def test_anything_else_is_no_first_line(line: bytes) -> None:
    assert SITE.parse(line) is None


def test_a_file_saved_by_a_windows_editor_keeps_its_first_line() -> None:
    assert SITE.parse(SITE.line(KEY, b"content").rstrip(b"\n") + b"\r") is not None


def test_a_fingerprint_is_compared_as_people_write_it() -> None:
    signer = KEY.public_key().public_bytes_raw()
    written = fingerprint(signer)
    assert len(written.split()) == 8
    assert same_fingerprint(signer, written.upper().replace(" ", ":"))
    assert not same_fingerprint(signer, written[:-1])
