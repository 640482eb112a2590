# SPDX-License-Identifier: Apache-2.0
"""The first line of a signed file, and what a person compares of its signer's key.

Site files and updates begin alike: a line that names the format, the signer's public key (Ed25519) and the signature,
and below it what is signed, byte for byte. So nothing of a file is looked at before its signature was found good.

    #mammascope-site-1 <public key, hexadecimal> <signature, base64>
    #mammascope-update-1 <public key, hexadecimal> <signature, base64> <bytes that are signed>
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LONGEST_LINE: Final = 256
"""Bytes of a first line, its end included."""

_LINE: Final = re.compile(rb"([!-~]+) ([0-9a-f]{64}) ([A-Za-z0-9+/]{86}==)(?: ([1-9][0-9]{0,6}))?\r?\n?")
_FINGERPRINT_DIGITS: Final = 32
"""128 bits: enough that no second key can be made for the same, and still possible to compare by eye."""


@dataclass(frozen=True, slots=True)
class SignedForm:
    """One kind of signed file.

    Attributes:
        mark: How its first line begins.
        context: Signed in front of the content, so that a signature given for anything else is none here.
        has_length: Whether the first line says how many bytes are signed; else everything below it is.
    """

    mark: bytes
    context: bytes
    has_length: bool = False

    def line(self, key: Ed25519PrivateKey, content: bytes) -> bytes:
        """The first line of a file, its end included."""
        signer = key.public_key().public_bytes_raw().hex().encode()
        words = [self.mark, signer, base64.b64encode(key.sign(self.context + content))]
        if self.has_length:
            words.append(b"%d" % len(content))
        return b" ".join(words) + b"\n"

    def parse(self, line: bytes) -> SignedLine | None:
        """What a first line says; ``None`` when it is not one of this form.

        Args:
            line: With its end or without.
        """
        found = _LINE.fullmatch(line)
        if found is None or found[1] != self.mark or (found[4] is not None) is not self.has_length:
            return None
        return SignedLine(self, bytes.fromhex(found[2].decode()), found[3], int(found[4] or 0))


@dataclass(frozen=True, slots=True)
class SignedLine:
    """A first line; nothing of it is proved before :meth:`fits` has said so.

    Attributes:
        form: Of the file.
        signer: Public key (Ed25519, 32 bytes).
        signature: As written, base64.
        length: Bytes that are signed, 0 where the form does not say it.
    """

    form: SignedForm
    signer: bytes
    signature: bytes
    length: int

    def fits(self, content: bytes) -> bool:
        """Whether the signature is the signer's own, for exactly this content."""
        try:
            signature = base64.b64decode(self.signature, validate=True)
            Ed25519PublicKey.from_public_bytes(self.signer).verify(signature, self.form.context + content)
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return True


def fingerprint(signer: bytes) -> str:
    """The first 128 bits of the SHA-256 of a public key, in groups of four digits."""
    digits = hashlib.sha256(signer).hexdigest()[:_FINGERPRINT_DIGITS]
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def same_fingerprint(signer: bytes, written: str) -> bool:
    """Whether a person has written the fingerprint of this key; blanks, colons, hyphens and case do not matter."""
    return re.sub(r"[\s:-]", "", written).lower() == fingerprint(signer).replace(" ", "")
