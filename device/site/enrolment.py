# SPDX-License-Identifier: Apache-2.0
"""Carries out an enrolment: all files of it change together, also when the power is cut in between.

What shall be written is first kept whole in one file, then written to its places, then that file is removed. A device
that finds it at start finishes the work (``python -m device enrol finish``). Everything that holds a secret is
readable by its owner only. The command ``enrol`` checks the site file before anything here is called.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from device.config import Settings
from device.errors import EnrolmentError, SiteOlderError, SiteSignerError
from device.files import read_bounded, sync_folder, wipe, write_atomically
from device.signed import same_fingerprint
from device.site.site_file import SiteContent, SiteFile, UpdatesSection, WifiSection
from device.structured import parse_json

PENDING = "enrolment.pending"
STATE = "enrolment.json"
WIFI_FOLDER = Path("/etc/NetworkManager/system-connections")
_WIFI_PREFIX = "mammascope-"
_WIFI_SPACE = uuid.UUID("6b5f7d1e-6a53-4d1f-9d0a-2c7d5a0f3b11")
"""Names of networks become identifiers in this space, so the same network is the same connection again."""

_MAX_BYTES = 4 << 20
_PRIVATE = 0o600
_PUBLIC = 0o644


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of an enrolment.

    Attributes:
        path: Where it is.
        content: What shall be in it; ``None``: it shall not be there, and what it held is overwritten.
        public: Whether others than its owner may read it.
    """

    path: Path
    content: bytes | None
    public: bool = False


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What this device follows now.

    Attributes:
        signer: Public key of who may enrol it.
        issued: When the site file was made that it follows.
    """

    signer: bytes
    issued: datetime


def read_enrolled(data_dir: Path) -> Enrolled | None:
    """Whom this device follows, ``None`` before its first enrolment.

    Raises:
        EnrolmentError: That cannot be read; then no signer is trusted.
    """
    path = data_dir / STATE
    try:
        state = parse_json(read_bounded(path, _MAX_BYTES))
        return Enrolled(bytes.fromhex(state["signer"]), datetime.fromisoformat(state["issued"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnrolmentError(path, error.strerror or "") from error
    except (ValueError, KeyError, TypeError):
        raise EnrolmentError(path, "it is damaged; remove it to enrol again") from None


def require_trust(site: SiteFile, enrolled: Enrolled | None, named: str | None, where: object) -> None:
    """Make sure that this device may follow a site file.

    Args:
        site: The file, its signature checked.
        enrolled: Whom the device follows now.
        named: Fingerprint of a signer whom a person trusts; ``None`` when none was named.
        where: What an error names.

    Raises:
        SiteSignerError: The signer is neither the one of before nor the one that was named.
        SiteOlderError: A newer file of this signer is followed already.
    """
    if named is not None:
        if not same_fingerprint(site.signer, named):
            raise SiteSignerError(where, f"signed by {site.fingerprint}")
    elif enrolled is None or enrolled.signer != site.signer:
        raise SiteSignerError(where, f"signed by {site.fingerprint}")
    if enrolled is not None and enrolled.signer == site.signer and site.content.enrolment.issued < enrolled.issued:
        raise SiteOlderError(where, f"made {site.content.enrolment.issued:%Y-%m-%d %H:%M}")


def with_site(settings: Settings, content: SiteContent) -> Settings:
    """The settings as a site file wants them; what it does not name stays.

    Raises:
        ConfigError: A value is not allowed, for instance an address that is not HTTPS.
    """
    site: dict[str, object] = {"name": content.site.name}
    site["clinic_url"] = content.clinic.url if content.clinic is not None else ""
    site["recovery_key"] = content.records.recovery_key if content.records is not None else ""
    if content.site.policy is not None:
        site["policy"] = content.site.policy.model_dump(exclude_unset=True)
    changed = settings.with_values("site", **site)
    look = {"language": content.site.language, "rotation": content.site.rotation}
    changed = changed.with_values("display", **{key: value for key, value in look.items() if value is not None})
    named = {preset.name for preset in content.presets}
    return changed.with_presets([*(old for old in changed.presets if old.name not in named), *content.presets])


def wifi_change(wifi: WifiSection, folder: Path = WIFI_FOLDER) -> FileChange:
    """The connection file of NetworkManager (nm-settings-keyfile(5)) for one network.

    The name goes in as numbers of bytes and the password with its backslashes doubled, so that neither can become
    another line or another key of the file.
    """
    name = uuid.uuid5(_WIFI_SPACE, wifi.ssid)
    ssid = "".join(f"{byte};" for byte in wifi.ssid.encode())
    lines = ["[connection]", f"id={_WIFI_PREFIX}{name}", f"uuid={name}", "type=wifi", "[wifi]", "mode=infrastructure"]
    lines += [f"ssid={ssid}", *(["hidden=true"] if wifi.hidden else [])]
    if wifi.password is not None:
        secret = wifi.password.get_secret_value().replace("\\", "\\\\").replace(" ", "\\s")
        lines += ["[wifi-security]", "key-mgmt=wpa-psk", f"psk={secret}"]
    content = "\n".join([*lines, "[ipv4]", "method=auto", "[ipv6]", "method=auto", ""])
    return FileChange(folder / f"{_WIFI_PREFIX}{name}.nmconnection", content.encode())


def signer_change(updates: UpdatesSection, folder: Path) -> FileChange:
    """The key of whose updates the site wants its devices to take (``device.update.trust`` reads it).

    Args:
        updates: Of the site file.
        folder: Of the keys; only root can write there.
    """
    return FileChange(folder / "site.pub", f"{updates.signer}\n".encode(), public=True)


def state_change(site: SiteFile, data_dir: Path) -> FileChange:
    """What is remembered of the signer."""
    state = {"signer": site.signer.hex(), "issued": site.content.enrolment.issued.isoformat()}
    return FileChange(data_dir / STATE, json.dumps(state).encode())


def apply(changes: Sequence[FileChange], data_dir: Path) -> None:
    """Change all files or, until the next :func:`finish`, none that cannot be finished.

    Args:
        changes: The files with their new content.
        data_dir: The device's data folder; its owner will own what is written into it and below.

    Raises:
        EnrolmentError: Something cannot be written; :func:`finish` goes on where it stopped.
    """
    listed = [[str(each.path), _coded(each.content), each.public] for each in changes]
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(data_dir / PENDING, json.dumps(listed).encode(), _PRIVATE)
    except OSError as error:
        raise EnrolmentError(data_dir, error.strerror or "") from error
    finish(data_dir)


def finish(data_dir: Path) -> bool:
    """Write what an interrupted enrolment has left to do.

    Returns:
        Whether there was anything to do.

    Raises:
        EnrolmentError: It cannot be read or written; it is kept for another attempt.
    """
    pending = data_dir / PENDING
    try:
        changes = [_listed(*each) for each in parse_json(_read_own(pending))]
    except FileNotFoundError:
        return False
    except OSError as error:
        raise EnrolmentError(pending, error.strerror or "") from error
    except (ValueError, TypeError, binascii.Error):
        raise EnrolmentError(pending, "it is damaged; remove it and enrol again") from None
    for change in changes:
        _write(change, data_dir)
    try:
        pending.unlink()
        sync_folder(data_dir)
    except OSError as error:
        raise EnrolmentError(pending, error.strerror or "") from error
    return True


def _read_own(path: Path) -> bytes:
    """The content of a file that this user or root has made: no other user may have root write files."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if os.fstat(handle).st_uid not in (os.geteuid(), 0):
            raise EnrolmentError(path, "it belongs to another user")
        content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise EnrolmentError(path, "it is too large")
    return content


def _coded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _listed(path: object, content: object, public: object = False) -> FileChange:
    """One change as :func:`apply` has written it.

    Raises:
        ValueError: It is not one.
    """
    if not isinstance(path, str) or not isinstance(content, str | None) or not isinstance(public, bool):
        raise ValueError("not a change of a file")
    return FileChange(Path(path), None if content is None else base64.b64decode(content), public)


def _write(change: FileChange, data_dir: Path) -> None:
    try:
        if change.content is None:
            with contextlib.suppress(FileNotFoundError):
                wipe(change.path)
            return
        change.path.parent.mkdir(mode=0o755 if change.public else 0o700, parents=True, exist_ok=True)
        write_atomically(change.path, change.content, _PUBLIC if change.public else _PRIVATE)
        # The command runs as root at first boot; the app, which is not, has to read what belongs to it.
        owner = data_dir.stat()
        if os.geteuid() == 0 and change.path.is_relative_to(data_dir):
            os.chown(change.path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    except OSError as error:
        raise EnrolmentError(change.path, error.strerror or "") from error
