# SPDX-License-Identifier: Apache-2.0
"""The state folder of one clinic: keys, passwords, the archive's database. Made at first start, private to its owner.

Everything secret is made here and nowhere else; the folder is what a clinic backs up, and what it must not lose.

    authority.crt authority.key    whom the handhelds trust
    verdict.key                    signs readers' verdicts; handhelds know its public half
    clinic.sqlite                  accounts, readings, follow-up, audit (without --database)
    recovery.key                   opens the records of handhelds whose PIN is lost
    server.crt server.key          the archive's certificate, renewed by itself before it expires (the key stays)
    place.json                     name, hosts and port, as last started
    users.json                     passwords of admin, reader and device-<name>
    enrolment/<name>.toml          what the handheld <name> needs, password included
    updates/mammascope.update      the update that handhelds are offered
    database/                      the images
    handhelds.sqlite3              which handheld has sent what (clinic/gateway/sent_list.py)
    orthanc.json nginx.conf gateway-users *.log    made at every start
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from clinic.certificates import KeyPair, needs_renewal, new_authority, new_server_certificate
from clinic.errors import StateError
from clinic.gateway.nginx import UPDATE_FILE, USERS_FILE, users_file
from clinic.gateway.sent_list import LIST_FILE, SentList

ADMIN = "admin"
READER = "reader"
DEVICE_PREFIX = "device-"
VERDICT_FILE = "verdict.key"
DATABASE_FILE = "clinic.sqlite"

PLACE_FILE = "place.json"

_UPDATE_MARK = b"#mammascope-update-1 "
_DEVICE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_PASSWORD_BYTES = 24


class ClinicState:
    """The folder and what is in it.

    Args:
        folder: Made, private to its owner, when it is not there.

    Raises:
        StateError: It cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self.database.mkdir(mode=0o700, exist_ok=True)
            self.enrolment.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StateError(f"{folder}: this folder cannot be used ({error.strerror})") from error

    @property
    def database(self) -> Path:
        """Where Orthanc keeps its index and the files."""
        return self.folder / "database"

    @property
    def enrolment(self) -> Path:
        """Where the enrolment files of the handhelds are."""
        return self.folder / "enrolment"

    def offer_update(self, source: Path) -> None:
        """Offer an update file to the handhelds, in place of the one before; takes effect at once.

        Raises:
            StateError: It is no update, or cannot be copied.
        """
        target = self.folder / UPDATE_FILE
        unfinished = target.with_suffix(".part")
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            with source.open("rb") as original, unfinished.open("wb") as copy:
                if original.read(len(_UPDATE_MARK)) != _UPDATE_MARK:
                    raise StateError(f"{source}: this is no update file")
                original.seek(0)
                shutil.copyfileobj(original, copy)
                copy.flush()
                os.fsync(copy.fileno())
            unfinished.replace(target)
        except OSError as error:
            raise StateError(f"{source}: cannot be offered ({error.strerror})") from error

    def authority(self, clinic: str, now: datetime | None = None) -> KeyPair:
        """The clinic's certificate authority, made when there is none yet."""
        stored = self._pair("authority")
        if stored is None:
            stored = new_authority(clinic, now or datetime.now(UTC))
            self._keep("authority", stored)
        return stored

    def server(self, clinic: str, names: Sequence[str], now: datetime | None = None) -> KeyPair:
        """The archive's certificate: the stored one, or a new one for the same key where that is due.

        Args:
            clinic: Name for the authority, if that has to be made.
            names: What handhelds reach the archive by.
            now: The time; by default, the clock's.
        """
        moment = now or datetime.now(UTC)
        authority = self.authority(clinic, moment)
        stored = self._pair("server")
        if stored is None or needs_renewal(stored.certificate, names, moment):
            stored = new_server_certificate(authority, names, moment, key=None if stored is None else stored.key)
            self._keep("server", stored)
        return stored

    def recovery_key(self) -> bytes:
        """Private key, X25519, 32 bytes, that the records of this clinic's handhelds can be recovered with.

        Made when there is none yet. Handhelds get its public half with their enrolment.
        """
        path = self.folder / "recovery.key"
        if not path.exists():
            write_private(path, X25519PrivateKey.generate().private_bytes_raw().hex().encode())
        return bytes.fromhex(path.read_text())

    def verdict_key(self) -> Ed25519PrivateKey:
        """What the clinic's verdicts are signed with; made when there is none yet."""
        path = self.folder / VERDICT_FILE
        if not path.exists():
            write_private(path, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode())
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii").strip()))

    def users(self) -> dict[str, str]:
        """Passwords by user name; ``admin`` and ``reader`` are made when there are none yet."""
        path = self.folder / "users.json"
        users: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        missing = [name for name in (ADMIN, READER) if name not in users]
        if missing:
            users |= {name: new_password() for name in missing}
            self._keep_users(users)
        return users

    def add_device(self, name: str) -> str:
        """The password of a handheld, made when it is new.

        Args:
            name: Lower-case letters, digits and hyphens.

        Raises:
            StateError: The name has other characters in it.
        """
        if not _DEVICE_NAME.fullmatch(name):
            raise StateError(f"{name!r}: a handheld's name is made of lower-case letters, digits and hyphens")
        users = self.users()
        user = DEVICE_PREFIX + name
        if user not in users:
            users[user] = new_password()
            self._keep_users(users)
        return users[user]

    def remove_device(self, name: str) -> None:
        """Shut a handheld out, for instance a stolen one; takes effect at once, also while the archive is running.

        Raises:
            StateError: There is no such handheld.
        """
        users = self.users()
        if users.pop(DEVICE_PREFIX + name, None) is None:
            raise StateError(f"{name!r}: there is no handheld of this name")
        self._keep_users(users)
        (self.enrolment / f"{name}.toml").unlink(missing_ok=True)

    def replace_device(self, before: str, after: str) -> None:
        """Let one handheld take the place of another: it may do with what that has sent what that might, which is out.

        Raises:
            StateError: There is no such handheld, now or before, or the new one's name cannot be one.
        """
        sent = SentList(self.folder / LIST_FILE)
        try:
            known = before in self.devices()
            if before == after or not (known or sent.has_sent(before)):
                raise StateError(f"{before!r}: there is no other handheld of this name")
            self.add_device(after)
            sent.hand_over(before, after)
        finally:
            sent.close()
        if known:
            self.remove_device(before)

    def devices(self) -> tuple[str, ...]:
        """Names of the handhelds that may send."""
        return tuple(
            sorted(user.removeprefix(DEVICE_PREFIX) for user in self.users() if user.startswith(DEVICE_PREFIX))
        )

    def place(self) -> dict[str, Any]:
        """What the archive was last started as (``name``, ``hosts``, ``port``), empty before its first start.

        Raises:
            StateError: That cannot be read.
        """
        path = self.folder / PLACE_FILE
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not _is_place(found):
            raise StateError(f"{path}: this file is damaged; remove it and start the archive with --name and --host")
        return found

    def remember_place(self, name: str, hosts: Sequence[str], port: int) -> None:
        """Keep what the archive is started as, for the next start and for the enrolment of handhelds."""
        content = {"name": name, "hosts": list(hosts), "port": port}
        write_private(self.folder / PLACE_FILE, json.dumps(content, indent=2).encode())

    def people(self) -> dict[str, str]:
        """Passwords of all but the handhelds."""
        return {name: password for name, password in self.users().items() if not name.startswith(DEVICE_PREFIX)}

    def keep_gateway_users(self) -> None:
        """Write what nginx lets in; it looks there for every request."""
        write_private(self.folder / USERS_FILE, users_file(self.users()).encode())

    def _keep_users(self, users: dict[str, str]) -> None:
        write_private(self.folder / "users.json", json.dumps(users, indent=2).encode())
        write_private(self.folder / USERS_FILE, users_file(users).encode())

    def _pair(self, name: str) -> KeyPair | None:
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        return KeyPair(certificate.read_bytes(), key.read_bytes()) if certificate.exists() and key.exists() else None

    def _keep(self, name: str, pair: KeyPair) -> None:
        write_private(self.folder / f"{name}.key", pair.key)
        write_private(self.folder / f"{name}.crt", pair.certificate)


def _is_place(found: dict[str, Any]) -> bool:
    name, hosts, port = found.get("name"), found.get("hosts"), found.get("port")
    if not isinstance(name, str) or not isinstance(hosts, list) or not isinstance(port, int):
        return False
    return bool(hosts) and all(isinstance(host, str) for host in hosts) and 0 < port < 65536


def new_password() -> str:
    """192 random bits, in characters that survive being typed into a settings file."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step; only its owner may read it.

    Raises:
        StateError: It cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror})") from error
