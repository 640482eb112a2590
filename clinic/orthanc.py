# SPDX-License-Identifier: Apache-2.0
"""Orthanc's settings, as a clinic of this project runs it.

The settings are made at every start from the state folder, so that a clinic never edits them by hand and an update of
this software reaches them. What is not said here is as Orthanc's authors ship it.

Orthanc listens on this machine only, without TLS; ``clinic.gateway.nginx`` stands before it. Its own TLS cannot be
used:
Debian 12's Orthanc 1.10.1 ends with a segmentation fault at the first TLS connection (its web server library loads
OpenSSL 3 by the interface of OpenSSL 1.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Scanner:
    """Who may ask for the day's patients by DICOM.

    Attributes:
        title: Its application entity title.
        host: Its address; the same title from elsewhere is refused.
    """

    title: str
    host: str


@dataclass(frozen=True, slots=True)
class Worklists:
    """A DICOM port that answers Modality Worklist queries and nothing else.

    Attributes:
        port: TCP port; DICOM as scanners speak it has no encryption.
        folder: Where the files are that it answers from.
        scanners: Who may ask.
    """

    port: int
    folder: Path
    scanners: tuple[Scanner, ...]


TITLE = "MAMMASCOPE"
"""What scanners call the clinic."""

FILTER = Path(__file__).parent / "gateway" / "filter.lua"
DICOM_WEB_ROOT = "/dicom-web/"


def configuration(
    name: str,
    plugins: Sequence[Path],
    database: Path,
    users: Mapping[str, str],
    inner_port: int,
    public: str,
    index: str = "",
    worklists: Worklists | None = None,
) -> dict[str, Any]:
    """What goes into ``orthanc.json``.

    Args:
        name: Name of the clinic, shown in Orthanc's own pages.
        plugins: The DICOMweb plug-in, and that of PostgreSQL where the index is there.
        database: Folder of the index and the files.
        users: Passwords by user name.
        inner_port: TCP port for HTTP from this machine.
        public: ``host:port`` of HTTPS, for the links that Orthanc gives out.
        index: ``postgresql://...`` of the index; empty for SQLite beside the files.
        worklists: A port for worklist queries; ``None`` for no DICOM port at all.
    """
    made = {
        "Name": name,
        "StorageDirectory": str(database),
        "IndexDirectory": str(database),
        "SyncStorageArea": True,
        "Plugins": [str(plugin) for plugin in plugins],
        "LuaScripts": [str(FILTER)],
        "HttpPort": inner_port,
        "RemoteAccessAllowed": False,
        "SslEnabled": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": dict(users),
        # Nothing but HTTP with a password: no DICOM port, no WebDAV, no scripts sent by request.
        "DicomServerEnabled": False,
        "WebDavEnabled": False,
        "ExecuteLuaEnabled": False,
        # On purpose. What a reader has seen must not change under the same name. Handhelds read back what they sent,
        # so a second content under a known UID is found by them and reported, not taken over in silence.
        "OverwriteInstances": False,
        "DefaultEncoding": "Utf8",
        "DicomWeb": {"Enable": True, "Root": DICOM_WEB_ROOT, "EnableWado": False, "Host": public, "Ssl": True},
    }
    if index:
        # The pictures stay files; several machines share them by a file system or by object storage.
        made["PostgreSQL"] = {
            "EnableIndex": True,
            "EnableStorage": False,
            "ConnectionUri": index,
            "EnableSsl": False,
            "Lock": True,
        }
    if worklists is not None:
        made |= _worklist_port(worklists)
    return made


def _worklist_port(worklists: Worklists) -> dict[str, Any]:
    """Settings of the DICOM port: named scanners at their own addresses, worklist queries, no images in or out."""
    rights = ("AllowEcho", "AllowFind", "AllowFindWorklist", "AllowGet", "AllowMove", "AllowStore")
    allowed = dict.fromkeys(rights, False) | {"AllowEcho": True, "AllowFindWorklist": True}
    return {
        "DicomServerEnabled": True,
        "DicomPort": worklists.port,
        "DicomAet": TITLE,
        "DicomCheckCalledAet": True,
        "DicomCheckModalityHost": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowFind": False,
        "DicomAlwaysAllowFindWorklist": False,
        "DicomAlwaysAllowGet": False,
        "DicomAlwaysAllowMove": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": {
            f"scanner-{number}": {"AET": one.title, "Host": one.host, "Port": 104, **allowed}
            for number, one in enumerate(worklists.scanners, start=1)
        },
        "Worklists": {"Enable": True, "Database": str(worklists.folder), "FilterIssuerAet": False, "LimitAnswers": 0},
    }
