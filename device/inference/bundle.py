# SPDX-License-Identifier: Apache-2.0
"""A bundle: a network ready for use, and the proof that it is the one that was released and that it runs right here.

A bundle is refused, by a name that says why, when a file is missing or changed, when the signature is not by a trusted
key, when the manifest is of another schema, or when the runtime of this very device does not reproduce the golden
vectors. ``newest_bundle`` then goes on with the last good one of the same name.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.errors import (
    BundleError,
    BundleGoldenError,
    BundleHashError,
    BundleMissingError,
    BundleSignatureError,
)
from device.files import read_bounded
from device.inference.manifest import MANIFEST_NAME, Manifest, manifest_content, parse_manifest
from device.inference.ood.distance import InDistribution, read_in_distribution
from device.inference.ood.source import BreastHead, read_breast_head
from device.inference.runtime import Runtime

log = logging.getLogger(__name__)

SIGNATURE_NAME = "manifest.sig"
GOLDEN_NAME = "golden.npz"
TRUSTED_KEYS = Path(__file__).parent / "trusted_keys"
"""One ``.pub`` file a key: 64 hexadecimal digits of an Ed25519 public key."""

SHIPPED_NAME = "mammascope"
"""Of the bundles that are released with this software. Bundles of other names are used only where they are named."""

_LARGEST_FILE = 64 * 2**20
"""Bytes; a bundle comes from a stick or the network, and hashing must not fill the memory."""

_LARGEST_KEY = 4096
"""Bytes of a key or a signature."""

_GOLDEN_SLACK = 0.005
_GOLDEN_LIMIT = 4
"""Runtimes round differently by one step of int8 in a layer now and then; of the outputs at most this share may be off
by more than one step, and none by more than this many steps. A broken kernel is off by tens of steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A verified bundle with its running network.

    Attributes:
        folder: Where it lies.
        manifest: What it says of itself.
        runtime: The loaded network.
        in_distribution: Distribution of the embeddings of breast ultrasound.
        head: Layers that tell breast from everything else; ``None`` for bundles with one limit only.
        further: The networks of careful consideration beside it, in the order of the manifest.
    """

    folder: Path
    manifest: Manifest
    runtime: Runtime
    in_distribution: InDistribution
    head: BreastHead | None = None
    further: tuple[Runtime, ...] = ()


def load_bundle(folder: Path, threads: int = 1, trusted_keys: Path = TRUSTED_KEYS) -> Bundle:
    """Verify a bundle and load its network.

    Args:
        folder: ``models/<name>-<version>``.
        threads: Threads that an inference may use.
        trusted_keys: Folder of the public keys that may sign a bundle.

    Raises:
        BundleMissingError: There is no bundle in ``folder``.
        BundleSchemaError: The manifest or the network is not of the form that this software knows.
        BundleSignatureError: No trusted key has signed the manifest.
        BundleHashError: A file is missing or not the one that the manifest names.
        BundleGoldenError: The runtime does not reproduce the golden vectors.
        RuntimeMissingError: There is no working runtime.
    """
    content = manifest_content(folder)
    manifest = parse_manifest(folder, content)
    _check_signature(folder, content, trusted_keys)
    for name, digest in manifest.files.items():
        if _sha256(folder / name) != digest:
            raise BundleHashError(folder / name)
    runtime = Runtime(folder / manifest.network, threads)
    _check_golden(folder / GOLDEN_NAME, runtime)
    further = []
    for network in manifest.careful.further if manifest.careful else ():
        further.append(Runtime(folder / network.file, threads))
        _check_golden(folder / network.golden, further[-1])
    head = None if manifest.source is None else read_breast_head(folder / manifest.source.file)
    return Bundle(
        folder, manifest, runtime, read_in_distribution(folder / manifest.rejection.file), head, tuple(further)
    )


def find_bundles(models: Path) -> list[Path]:
    """The shipped bundles of a folder, newest version first; or the folder itself, if it is a bundle."""
    if (models / MANIFEST_NAME).exists():
        return [models]
    found = []
    for manifest in models.glob(f"{SHIPPED_NAME}-*/{MANIFEST_NAME}"):
        version = manifest.parent.name.removeprefix(f"{SHIPPED_NAME}-").split(".")
        if all(part.isdecimal() for part in version):
            found.append(([int(part) for part in version], manifest.parent))
    return [folder for _, folder in sorted(found, reverse=True)]


def newest_bundle(models: Path, threads: int = 1) -> Bundle:
    """The newest usable shipped bundle in a folder, or the bundle that the folder itself is.

    A bundle built elsewhere lies in the same folder under another name: it never takes the place of the shipped one
    by being newer, but is used where its folder is named. A bundle that is refused is logged with its reason, and the
    next older one is taken.

    Raises:
        BundleMissingError: There is none.
        BundleError: All were refused; the error is that of the newest.
    """
    if (models / MANIFEST_NAME).exists():
        return load_bundle(models, threads)
    refused: list[BundleError] = []
    for folder in find_bundles(models):
        try:
            return load_bundle(folder, threads)
        except BundleError as error:
            log.error("bundle refused: %s", error)
            refused.append(error)
    raise refused[0] if refused else BundleMissingError(models)


def read_trusted_keys(folder: Path) -> Sequence[Ed25519PublicKey]:
    """The public keys of a folder; files that hold none are skipped and logged."""
    keys = []
    for path in sorted(folder.glob("*.pub")):
        try:
            keys.append(
                Ed25519PublicKey.from_public_bytes(
                    bytes.fromhex(read_bounded(path, _LARGEST_KEY).decode("ascii").strip())
                )
            )
        except (ValueError, OSError) as error:
            log.warning("%s: not a public key: %s", path.name, error)
    return keys


def _check_signature(folder: Path, signed: bytes, trusted_keys: Path) -> None:
    try:
        signature = read_bounded(folder / SIGNATURE_NAME, _LARGEST_KEY)
    except OSError as error:
        raise BundleSignatureError(folder / SIGNATURE_NAME, "there is no signature") from error
    for key in read_trusted_keys(trusted_keys):
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            continue
        return
    raise BundleSignatureError(folder / SIGNATURE_NAME)


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(read_bounded(path, _LARGEST_FILE)).hexdigest()
    except OSError as error:
        raise BundleHashError(path, str(error.strerror)) from error


def _check_golden(path: Path, runtime: Runtime) -> None:
    """Run the golden pictures and compare the int8 outputs."""
    try:
        with np.load(path, allow_pickle=False) as held:
            golden = {name: held[name] for name in held.files}
        pictures = golden.pop("pictures")
    except (OSError, ValueError, KeyError) as error:
        raise BundleGoldenError(path, str(error)) from error
    for number, picture in enumerate(pictures):
        raw = runtime.run_raw(picture)
        for name, wanted in golden.items():
            off = np.abs(raw[name].astype(np.int32) - wanted[number].astype(np.int32))
            if float(np.mean(off > 1)) > _GOLDEN_SLACK or int(off.max()) > _GOLDEN_LIMIT:
                where = f"{path.name}, picture {number}, output {name}"
                raise BundleGoldenError(path.parent, f"{where}: off by up to {int(off.max())} steps")
