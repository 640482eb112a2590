# SPDX-License-Identifier: Apache-2.0
"""A site profile: what a clinic has fitted to its own scanner and its own proven cases, and nothing else.

A bundle is never changed. The profile lies beside the settings, is signed with the site's key, names the bundle that it
was made for, and is named in every finding; taking the file away takes all of it back. It holds either or both of

* the site's **source**: mean and spread of the embeddings of at least 50 of its frames, so that its scanner counts as
  in-distribution (the class answer does not change);
* the site's **limits**: threshold and uncertain band chosen again on at least 100 of its proven cases.

``python -m convert adapt-site`` and ``calibrate-site`` write it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from device.config import settings_path
from device.errors import SiteProfileError
from device.files import read_bounded
from device.inference.bundle import read_trusted_keys
from device.inference.manifest import Abstention, OperatingPoint
from device.inference.ood.source import BreastHead

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

PROFILE_NAME, SIGNATURE_SUFFIX = "site-profile.json", ".sig"
SITE_NAME = r"^[a-z0-9][a-z0-9-]{0,23}$"
LEAST_FRAMES, LEAST_CASES = 50, 100
"""With fewer frames mean and spread are noise; with 10 to 30 cases a threshold chosen again is a lottery."""

_LARGEST = 2**20
_WIDEST = 2.0
"""By how much a feature's spread may be stretched or shrunk: frames that are all alike must not put others out of
distribution."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSource(_Part):
    """Embeddings of the site's own frames.

    Attributes:
        frames: How many.
        mean: (n,).
        spread: (n,), standard deviation.
    """

    frames: int = Field(ge=LEAST_FRAMES)
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> SiteSource:
        if len(self.mean) != len(self.spread) or not np.all(np.isfinite([*self.mean, *self.spread])):
            raise ValueError("mean and spread do not fit together")
        return self


class SiteLimits(_Part):
    """Limits chosen on the site's own proven cases.

    Attributes:
        cases: How many.
        careful: Whether they were chosen for careful consideration.
        operating_point: Threshold and what it gave on these cases.
        abstention: The uncertain band.
    """

    cases: int = Field(ge=LEAST_CASES)
    careful: bool
    operating_point: OperatingPoint
    abstention: Abstention


class SiteProfile(_Part):
    """The whole profile.

    Attributes:
        site: Name of the clinic, in small letters.
        version: Counts up with every profile of the site.
        created: When it was made.
        model: ``name@version`` of the bundle that it is for.
        source: The site's scanner.
        limits: The site's cases.
    """

    profile_version: Literal[1] = 1
    site: str = Field(pattern=SITE_NAME)
    version: int = Field(ge=1)
    created: str
    model: str
    source: SiteSource | None = None
    limits: SiteLimits | None = None

    @property
    def label(self) -> str:
        """How findings name it: ``site.version``."""
        return f"{self.site}.{self.version}"

    def standardised(self, embedding: Floats, head: BreastHead | None) -> Floats:
        """An embedding (n,) of the site as if it came from the training scanners; unchanged where nothing is known."""
        if self.source is None or head is None:
            return embedding
        mean, spread = np.array(self.source.mean, np.float32), np.array(self.source.spread, np.float32)
        stretch = np.clip(head.spread / np.maximum(spread, 1e-6), 1 / _WIDEST, _WIDEST)
        return np.asarray((embedding - mean) * stretch + head.mean, np.float32)


def site_keys() -> Path:
    """Folder of the public keys that may sign this device's site profile, beside the settings file."""
    return settings_path().with_name("site_keys")


def profile_path() -> Path:
    """Where this device's site profile lies, if it has one: beside the settings file."""
    return settings_path().with_name(PROFILE_NAME)


def installed_profile(model: str) -> SiteProfile | None:
    """The profile beside the settings file, if there is one; one that cannot be used is logged and left alone.

    Args:
        model: ``name@version`` of the bundle in use.
    """
    path = profile_path()
    if not path.exists():
        return None
    try:
        return read_site_profile(path, model)
    except SiteProfileError as error:
        log.error("site profile refused: %s", error)
        return None


def read_site_profile(path: Path, model: str, trusted_keys: Path | None = None) -> SiteProfile:
    """Read a profile and check that it may be used with a bundle.

    Args:
        path: The profile; its signature lies beside it.
        model: ``name@version`` of the bundle.
        trusted_keys: Folder of the public keys that may sign it; the site's own beside the settings if not given.

    Raises:
        SiteProfileError: It cannot be read, no trusted key has signed it, or it is for another bundle.
    """
    try:
        content = read_bounded(path, _LARGEST)
        signature = read_bounded(path.with_name(path.name + SIGNATURE_SUFFIX), _LARGEST)
    except OSError as error:
        raise SiteProfileError(path, str(error.strerror)) from error
    if not any(_signed(key, signature, content) for key in read_trusted_keys(trusted_keys or site_keys())):
        raise SiteProfileError(path, "no trusted key has signed it")
    try:
        profile = SiteProfile.model_validate_json(content)
    except ValidationError as error:
        raise SiteProfileError(path, str(error.errors()[0]["msg"])) from error
    if profile.model != model:
        raise SiteProfileError(path, f"it was made for {profile.model}, not for {model}")
    return profile


def _signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
