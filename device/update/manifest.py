# SPDX-License-Identifier: Apache-2.0
"""What an update says of itself: version, what it fits, and every file in it with its size and hash.

The manifest is what is signed. Names of files come from here and from nowhere else, and only plain names below known
folders are allowed: no file can be written outside of its release, and there are no links.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from device.errors import UpdateFileError
from device.problems import in_words

FORMAT: Literal[1] = 1
PARTS = (
    "device",
    "models",
    "systemd",
    "setup.d",
    "requirements",
    "setup.sh",
    "pyproject.toml",
    "LICENSE",
    "NOTICE",
    "README.md",
)
"""What a release is made of, as in ``setup.d/install.sh``."""

WHEELS = "wheels"
KEYS = "update-keys"
"""Folders that a file may hold besides: Python's packages, and keys that the release trusts with the next update."""

LOCK = "requirements/device.lock"
MAX_FILES = 20_000
MAX_FILE_BYTES = 512 * 2**20
MAX_TOTAL_BYTES = 2 * 2**30
"""A release has 700 files and 30 MB; with the packages of two versions of Python about 320 MB."""

_PATH = re.compile(r"[A-Za-z0-9_.@+-]+(?:/[A-Za-z0-9_.@+-]+)*")
_MAX_PATH = 240
_VERSION = r"^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$"

Version = Annotated[str, Field(pattern=_VERSION)]
Loose = Field(strict=False)  # JSON has lists only


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Entry(_Part):
    """One file.

    Attributes:
        path: Below the release, with slashes.
        size: Bytes.
        sha256: Of the content, hexadecimal.
        program: Whether it may be executed.
    """

    path: str = Field(max_length=_MAX_PATH)
    size: int = Field(ge=0, le=MAX_FILE_BYTES)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    program: bool = False

    @field_validator("path")
    @classmethod
    def _is_plain(cls, path: str) -> str:
        parts = path.split("/")
        if not _PATH.fullmatch(path) or not {".", ".."}.isdisjoint(parts) or parts[0] not in (*PARTS, WHEELS, KEYS):
            raise ValueError("not a plain name below a folder of a release")
        return path


class UpdateManifest(_Part):
    """Everything about an update.

    Attributes:
        format: Of this file.
        version: Of the software in it.
        made: When it was put together.
        minimum: The oldest version that it may be installed over.
        machines: Kinds of machine that it is for (``uname -m``); empty for any.
        packages: What its packages are for, for instance ``cp313-aarch64``; empty when they fit anything.
        records_schema: Version of the records' database that it writes.
        units: Level of the units and scripts outside of a release that it needs (``systemd/level``).
        notes: What is new, in a few lines for the technician.
        files: All files, in the order of their contents.
    """

    format: Literal[1]
    version: Version
    made: AwareDatetime = Field(strict=False)
    minimum: Version
    machines: Annotated[tuple[str, ...], Loose] = Field(default=(), max_length=8)
    packages: Annotated[tuple[str, ...], Loose] = Field(default=(), max_length=16)
    records_schema: int = Field(ge=0, le=10_000)
    units: int = Field(ge=0, le=10_000)
    notes: str = Field(default="", max_length=4000)
    files: Annotated[tuple[Entry, ...], Loose] = Field(min_length=1, max_length=MAX_FILES)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        paths = {entry.path for entry in self.files}
        if len(paths) != len(self.files):
            raise ValueError("a file is there twice")
        above = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
        if paths & above:
            raise ValueError("a file is a folder as well")
        if LOCK not in paths or "device/__init__.py" not in paths:
            raise ValueError("no release: program or lock is missing")
        if self.total > MAX_TOTAL_BYTES:
            raise ValueError("far too large")
        return self

    @property
    def total(self) -> int:
        """Bytes of all contents."""
        return sum(entry.size for entry in self.files)

    @property
    def has_wheels(self) -> bool:
        """Whether it brings Python's packages along."""
        return any(entry.path.startswith(f"{WHEELS}/") for entry in self.files)

    def digest(self, path: str) -> str:
        """The hash of one file, empty when it is not there."""
        return next((entry.sha256 for entry in self.files if entry.path == path), "")


def parse_manifest(raw: bytes, where: object) -> UpdateManifest:
    """Read a manifest whose signature was found good.

    Raises:
        UpdateFileError: It is not one that this software understands.
    """
    try:
        return UpdateManifest.model_validate(json.loads(raw))
    except ValidationError as error:
        raise UpdateFileError(where, in_words(error, "the manifest")) from None
    except (ValueError, RecursionError) as error:
        raise UpdateFileError(where, f"the manifest is not readable: {type(error).__name__}") from None


def version_key(version: str) -> tuple[int, ...]:
    """Versions in their order."""
    return tuple(int(part) for part in version.split("."))
