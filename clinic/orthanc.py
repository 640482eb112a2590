"""Orthanc's settings, as a clinic of this project runs it.

The settings are made at every start from the state folder, so that a clinic never edits them by hand and an update of
this software reaches them. What is not said here is as Orthanc's authors ship it.

Orthanc listens on this machine only, without TLS; ``clinic.gateway`` stands before it. Its own TLS cannot be used:
Debian 12's Orthanc 1.10.1 ends with a segmentation fault at the first TLS connection (its web server library loads
OpenSSL 3 by the interface of OpenSSL 1.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILTER = Path(__file__).with_name("filter.lua")
DICOM_WEB_ROOT = "/dicom-web/"


def configuration(
    name: str, plugin: Path, database: Path, users: Mapping[str, str], inner_port: int, public: str
) -> dict[str, Any]:
    """What goes into ``orthanc.json``.

    Args:
        name: Name of the clinic, shown in Orthanc's own pages.
        plugin: The DICOMweb plug-in.
        database: Folder of the index and the files.
        users: Passwords by user name.
        inner_port: TCP port for HTTP from this machine.
        public: ``host:port`` of HTTPS, for the links that Orthanc gives out.
    """
    return {
        "Name": name,
        "StorageDirectory": str(database),
        "IndexDirectory": str(database),
        "SyncStorageArea": True,
        "Plugins": [str(plugin)],
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
