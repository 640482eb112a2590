"""nginx before the archive: TLS, and nothing incomplete or oversized gets through.

It takes a whole upload in before it passes any of it on, so a connection that breaks in the middle (the normal case in
the field) never reaches the archive.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

LARGEST_UPLOAD_MIB = 1024
"""A loop of a minute at full HD, compressed without loss, stays below this."""


UPDATE_TARGET = "/updates/mammascope.update"
UPDATE_FILE = "updates/mammascope.update"
"""What handhelds ask for, and where it lies in the state folder."""

USERS_FILE = "gateway-users"
"""Who may have it: in the state folder, made at every start."""


def users_file(users: Mapping[str, str]) -> str:
    """The passwords as nginx reads them; no worse kept than in ``users.json`` beside it.

    Args:
        users: Passwords by user name.
    """
    return "".join(f"{name}:{{PLAIN}}{password}\n" for name, password in users.items())


def configuration(folder: Path, certificate: Path, key: Path, port: int, inner_port: int, *, local: bool) -> str:
    """What goes into ``nginx.conf``: a process of its own that needs no root.

    Args:
        folder: Where it may write: its process number and uploads that are still coming in.
        certificate: PEM file of the server's certificate.
        key: PEM file of its private key.
        port: TCP port of HTTPS.
        inner_port: TCP port of the archive on this machine.
        local: Let nobody but this machine connect.
    """
    address, dual = ("127.0.0.1", "") if local else _everywhere()
    return f"""\
daemon off;
{_user_line()}
worker_processes 1;
pid "{folder}/nginx.pid";
error_log stderr error;
events {{ worker_connections 256; }}
http {{
    access_log off;
    server_tokens off;
    default_type application/octet-stream;
    client_body_temp_path "{folder}/incoming";
    proxy_temp_path "{folder}/outgoing";
    fastcgi_temp_path "{folder}/unused1";
    uwsgi_temp_path "{folder}/unused2";
    scgi_temp_path "{folder}/unused3";
    client_max_body_size {LARGEST_UPLOAD_MIB}m;
    client_header_timeout 30s;
    client_body_timeout 120s;
    send_timeout 120s;
    server {{
        listen {address}:{port} ssl{dual};
        ssl_certificate "{certificate}";
        ssl_certificate_key "{key}";
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_tickets off;
        location = {UPDATE_TARGET} {{
            alias "{folder}/{UPDATE_FILE}";
            auth_basic "Mammascope";
            auth_basic_user_file "{folder}/{USERS_FILE}";
        }}
        location / {{
            proxy_pass http://127.0.0.1:{inner_port};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_request_buffering on;
            proxy_read_timeout 300s;
        }}
    }}
}}
"""


def _user_line() -> str:
    """Started by root (in a container, say), nginx would work as ``nobody``, who may not write to our folder."""
    return "user root root;" if os.geteuid() == 0 else ""


def _everywhere() -> tuple[str, str]:
    """What to listen on for everybody: IPv6 and IPv4 together, or IPv4 where this machine knows no other."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return "0.0.0.0", ""  # noqa: S104 - serving the local network is what it is for
    return "[::]", " ipv6only=off"
