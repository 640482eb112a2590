# SPDX-License-Identifier: Apache-2.0
"""The address of a clinic's archive, checked in one way wherever it is written or read."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")


def checked_clinic_url(url: str) -> str:
    """The address as it is, if a connection can be made to it.

    Args:
        url: HTTPS, or HTTP to this very machine; empty means none.

    Raises:
        ValueError: It is no address that a device may send to; the message says why without repeating it.
    """
    if not url:
        return url
    if not url.isascii() or any(char.isspace() or not char.isprintable() for char in url):
        raise ValueError("an address is made of printable ASCII characters without blanks")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("the host or port of this address is not one; ports are 1 to 65535") from None
    if "@" in parts.netloc:
        raise ValueError("a password does not belong into the address; it has a place of its own")
    if not is_host(host):
        raise ValueError("an address that begins with https:// and a host is needed")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("the host or port of this address is not one; ports are 1 to 65535")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("an address that begins with https:// is needed")
    if parts.query or parts.fragment or "?" in url or "#" in url or not _PATH.fullmatch(parts.path):
        raise ValueError("an address ends with a plain path, for instance /dicom-web")
    return url


def is_host(text: str) -> bool:
    """Whether ``text`` is the name or the IP address of a machine, and nothing beside it."""
    return bool(_NAME.fullmatch(text)) or _is_address(text)


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return "%" not in host
