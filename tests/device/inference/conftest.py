# SPDX-License-Identifier: Apache-2.0
"""The shipped bundle, and copies of it that can be broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from device.inference.bundle import Bundle, find_bundles, load_bundle


@pytest.fixture(scope="session")
def shipped_folder(checkout: Path) -> Path:
    folders = find_bundles(checkout / "models")
    assert folders, "models/ ships no bundle"
    return folders[0]


@pytest.fixture(scope="session")
def shipped(shipped_folder: Path) -> Bundle:
    return load_bundle(shipped_folder)


class Signer:
    """A key of the test's own, with a folder that trusts it."""

    def __init__(self, folder: Path) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.trusted = folder
        folder.mkdir()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        (folder / "test.pub").write_text(public.hex() + "\n", encoding="ascii")

    def sign(self, bundle: Path, change: Callable[[dict[str, Any]], None] | None = None) -> None:
        """Write hashes anew, change the manifest and sign it: what a releaser of a faulty bundle would have done."""
        path = bundle / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["files"] = {name: sha256((bundle / name).read_bytes()).hexdigest() for name in manifest["files"]}
        if change is not None:
            change(manifest)
        path.write_text(json.dumps(manifest), encoding="utf-8")
        (bundle / "manifest.sig").write_bytes(self._key.sign(path.read_bytes()))


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "trusted")


@pytest.fixture
def copied(shipped_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_folder, tmp_path / "models" / shipped_folder.name))
