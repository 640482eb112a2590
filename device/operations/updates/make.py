# SPDX-License-Identifier: Apache-2.0
"""Makes update files: what ``python -m device update make`` does, at the maintainer's desk.

It takes what ``setup.sh install`` would copy, of the shipped bundles the newest, and on request the packages for the
handhelds' Python (``requirements/wheels`` fetches them), and signs the list of it all.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from device.errors import UpdateError, UpdateFileError
from device.files import sync_folder, write_atomically
from device.inference.bundle import find_bundles
from device.operations.enrolment.signing_key import signing_key
from device.signed import fingerprint
from device.update.container import SUFFIX, UpdateHead, write_update
from device.update.manifest import KEYS, LOCK, PARTS, WHEELS, UpdateManifest, parse_manifest

CHECKOUT = Path(__file__).resolve().parents[3]
MODELS = 2
"""Shipped bundles that an update carries: the newest, and the one that takes its place where it is refused."""

_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_TAGS = re.compile(r"-(?P<python>cp3\d+)-cp3\d+-\S*?(?P<machine>aarch64|x86_64)\.whl$")


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be in an update.

    Attributes:
        source: Checkout of the version.
        key: PEM file of the signer's key; made when it is not there.
        out: Folder for the result.
        wheels: Folder of packages; ``None`` for an update that needs the same packages as the version before.
        minimum: The oldest version that it may be installed over.
        machines: Kinds of machine that it is for; empty for any.
        notes: What is new.
    """

    source: Path
    key: Path
    out: Path
    wheels: Path | None = None
    minimum: str = "0.0.0"
    machines: tuple[str, ...] = ()
    notes: str = ""


def make(order: Order, now: datetime | None = None) -> Path:
    """Put an update together, sign it and write it.

    Args:
        order: What shall be in it.
        now: The time; by default, the clock's.

    Returns:
        The file.

    Raises:
        UpdateFileError: The source is not one of this software, or the packages are not those of its lock.
        UpdateError: The key cannot be used, or the result cannot be written.
    """
    key = signing_key(order.key, UpdateError)
    try:
        with tempfile.TemporaryDirectory(prefix="mammascope-make-") as work:
            own_key = Path(work) / "signer.pub"
            own_key.write_text(f"{key.public_key().public_bytes_raw().hex()}\n", "ascii")
            files = {**_files(order), f"{KEYS}/signer.pub": own_key}
            manifest = _manifest(order, files, now or datetime.now(UTC))
            order.out.mkdir(parents=True, exist_ok=True)
            unfinished = order.out / f".{manifest.version}.part"
            with unfinished.open("wb") as stream:
                head = write_update(stream, manifest, files.values(), key, _silent)
            path = order.out / f"mammascope-{head.release}{SUFFIX}"
            write_atomically(order.key.with_suffix(".pub"), own_key.read_bytes(), 0o644)
            unfinished.replace(path)
            sync_folder(order.out)
    except OSError as error:
        raise UpdateError(error.filename or order.out, error.strerror or "") from error
    _say(order, head, path)
    return path


def _say(order: Order, head: UpdateHead, path: Path) -> None:
    manifest = head.manifest
    packages = ", ".join(manifest.packages) or ("for any machine" if manifest.has_wheels else "none: as before")
    print(f"file         {path}")
    print(f"release      {head.release} ({len(manifest.files)} files, {head.size / 1e6:.1f} MB)")
    print(f"packages     {packages}")
    print(f"public key   {order.key.with_suffix('.pub')} (for setup.sh install --update-key)")
    print(f"fingerprint  {fingerprint(head.signer)}")


def _silent(done: int, total: int) -> None:
    del done, total


def _files(order: Order) -> dict[str, Path]:
    """Every file by its name in the update."""
    found: dict[str, Path] = {}
    older = set(find_bundles(order.source / "models")[MODELS:])
    for part in (*PARTS, KEYS):
        for path in _below(order.source / part):
            if older.isdisjoint(path.parents):
                found[path.relative_to(order.source).as_posix()] = path
    if order.wheels is not None:
        lock = (order.source / LOCK).read_text("utf-8")
        for path in sorted(order.wheels.glob("*.whl")):
            if _digest(path) not in lock:
                raise UpdateFileError(path, "it is not of this version's lock; use requirements/wheels")
            found[f"{WHEELS}/{path.name}"] = path
        if not any(name.startswith(f"{WHEELS}/") for name in found):
            raise UpdateFileError(order.wheels, "there are no packages in it; use requirements/wheels")
    return found


def _below(path: Path) -> Iterator[Path]:
    if path.is_symlink():
        raise UpdateFileError(path, "it is a link, and an update holds none")
    if path.is_dir():
        for child in sorted(path.iterdir()):
            if child.name != "__pycache__":
                yield from _below(child)
    elif path.exists():
        yield path


def _manifest(order: Order, files: dict[str, Path], made: datetime) -> UpdateManifest:
    entries = [
        {
            "path": name,
            "size": path.stat().st_size,
            "sha256": _digest(path),
            "program": not name.startswith(WHEELS) and bool(path.stat().st_mode & 0o100),
        }
        for name, path in files.items()
    ]
    tags = {f"{tag['python']}-{tag['machine']}" for name in files if (tag := _TAGS.search(name))}
    draft = {
        "format": 1,
        "version": _version(order.source),
        "made": made.replace(microsecond=0).isoformat(),
        "minimum": order.minimum,
        "machines": order.machines,
        "packages": tuple(sorted(tags)),
        "records_schema": _records_schema(order.source),
        "units": _units(order.source),
        "notes": order.notes,
        "files": entries,
    }
    # Read back as a device would, so that nothing is signed that none would take.
    return parse_manifest(json.dumps(draft).encode(), order.source)


def _version(source: Path) -> str:
    found = _VERSION.search((source / "device/__init__.py").read_text("utf-8"))
    if found is None:
        raise UpdateFileError(source, "device/__init__.py names no version")
    return found[1]


def _units(source: Path) -> int:
    path = source / "systemd/level"
    try:
        return int(path.read_text("ascii"))
    except ValueError:
        raise UpdateFileError(path, "not a number") from None


def _records_schema(source: Path) -> int:
    """How many migrations the version has; read, not run: the source may be of another version than this program."""
    path = source / "device/records/store/schema.py"
    for node in ast.parse(path.read_text("utf-8")).body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if node.target.id == "MIGRATIONS" and isinstance(node.value, ast.Tuple):
            return len(node.value.elts)
    raise UpdateFileError(path, "it lists no MIGRATIONS")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
