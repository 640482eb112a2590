# SPDX-License-Identifier: Apache-2.0
"""nginx before the archive: TLS, passwords, limits, and nothing incomplete or oversized gets through.

It asks for the password before it takes in a body, so no one without one can fill the disk. It takes a whole upload in
before it passes any of it on, so a connection that breaks in the middle (the normal case in the field) never reaches
the archive. Handhelds are passed to the gate (``clinic.gateway.gate``), all others to the archive. A browser that
another
site makes send something (its ``Origin`` or ``Sec-Fetch-Site`` says so) is refused, whatever password it has.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LARGEST_UPLOAD_MIB = 1024
"""A loop of a minute at full HD, compressed without loss, stays below this."""


UPDATE_TARGET = "/updates/mammascope.update"
UPDATE_FILE = "updates/mammascope.update"
"""What handhelds ask for, and where it lies in the state folder."""

USERS_FILE = "gateway-users"
"""Who may connect: in the state folder, read again for every request, so a removed handheld is shut out at once."""

LARGEST_PAGES_MIB = 65
"""An upload of the page has 64 MiB at most, and a form around it."""

CONNECTIONS = 1024
CONNECTIONS_A_CLIENT = 32
"""A handheld uses one, a browser up to six; behind one address there may be several of each."""

REQUESTS_A_SECOND = 100
"""From one address; what is beyond waits for its turn, and 400 beyond that are told to come back later (429)."""

_CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"
"""Of TLS 1.2 for the archive's elliptic-curve key: forward secret and authenticated, nothing with CBC."""


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports.

    Attributes:
        public: HTTPS.
        archive: Orthanc, on this machine only.
        gate: ``clinic.gateway.gate``, on this machine only.
        pages_public: HTTPS of the readers' pages; 0 where there are none.
        pages: ``clinic.web``, on this machine only.
    """

    public: int
    archive: int
    gate: int
    pages_public: int = 0
    pages: int = 0


def users_file(users: Mapping[str, str]) -> str:
    """The passwords as nginx reads them; no worse kept than in ``users.json`` beside it.

    Args:
        users: Passwords by user name.
    """
    return "".join(f"{name}:{{PLAIN}}{password}\n" for name, password in users.items())


def configuration(folder: Path, certificate: Path, key: Path, ports: Ports, *, local: bool) -> str:
    """What goes into ``nginx.conf``: a process of its own that needs no root.

    Args:
        folder: Where it may write: its process number and uploads that are still coming in.
        certificate: PEM file of the server's certificate.
        key: PEM file of its private key.
        ports: Where it listens, and what is behind it.
        local: Let only this machine connect.
    """
    address, dual = ("127.0.0.1", "") if local else _everywhere()
    return f"""\
daemon off;
{_user_line()}
worker_processes 1;
worker_rlimit_nofile {4 * CONNECTIONS};
pid "{folder}/nginx.pid";
error_log stderr error;
events {{ worker_connections {CONNECTIONS}; }}
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
    {_LIMITS}
    upstream archive {{ server 127.0.0.1:{ports.archive}; }}
    upstream gate {{ server 127.0.0.1:{ports.gate}; }}
    {_MAPS}
    server {{
        listen {address}:{ports.public} ssl{dual};
        ssl_certificate "{certificate}";
        ssl_certificate_key "{key}";
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers {_CIPHERS};
        ssl_session_tickets off;
        auth_basic "Mammascope";
        auth_basic_user_file "{folder}/{USERS_FILE}";
        {_HEADERS}
        if ($foreign) {{ return 403; }}
        location = {UPDATE_TARGET} {{ alias "{folder}/{UPDATE_FILE}"; }}
        location ~ ^/+tools/+(shutdown|reset) {{ return 403; }}
        {_handhelds_pages(ports)}
        location / {{
            proxy_pass http://$behind;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_request_buffering on;
            proxy_read_timeout 300s;
        }}
    }}
    {_pages(certificate, key, ports, f"{address}:{ports.pages_public} ssl{dual}")}
}}
"""


def _handhelds_pages(ports: Ports) -> str:
    """What handhelds ask the readers' pages for, behind the same password as the archive."""
    if not ports.pages_public:
        return ""
    return f"""location ^~ /device/v1/ {{
            if ($behind != gate) {{ return 403; }}
            proxy_pass http://127.0.0.1:{ports.pages};
            {_FORWARDED}
        }}"""


def _pages(certificate: Path, key: Path, ports: Ports, listen: str) -> str:
    """The readers' pages on a port of their own, so that no script of theirs is of the archive's origin."""
    if not ports.pages_public:
        return ""
    return f"""server {{
        listen {listen};
        ssl_certificate "{certificate}";
        ssl_certificate_key "{key}";
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers {_CIPHERS};
        ssl_session_tickets off;
        client_max_body_size {LARGEST_PAGES_MIB}m;
        location / {{
            proxy_pass http://127.0.0.1:{ports.pages};
            {_FORWARDED}
        }}
    }}"""


_FORWARDED = """proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_read_timeout 300s;"""

_LIMITS = f"""client_header_timeout 10s;
    client_body_timeout 30s;
    send_timeout 60s;
    keepalive_timeout 30s;
    lingering_time 5s;
    lingering_timeout 2s;
    reset_timedout_connection on;
    limit_conn_zone $binary_remote_addr zone=connections:1m;
    limit_conn connections {CONNECTIONS_A_CLIENT};
    limit_conn_status 429;
    limit_req_zone $binary_remote_addr zone=requests:1m rate={REQUESTS_A_SECOND}r/s;
    limit_req zone=requests burst=400 delay=200;
    limit_req_status 429;"""

_MAPS = r"""map $remote_user $behind { default archive; "~^device-" gate; }
    map "$http_origin https://$http_host" $own_origin { default 0; "~^ " 1; "~^(?<origin>[^ ]+) \k<origin>$" 1; }
    map $http_sec_fetch_site $own_site { default 0; "" 1; same-origin 1; none 1; }
    map "$request_method $own_origin$own_site" $foreign { default 1; "~^(GET|HEAD|OPTIONS) " ""; "~ 11$" ""; }"""

_HEADERS = """add_header X-Content-Type-Options nosniff always;
        add_header X-Frame-Options SAMEORIGIN always;
        add_header Content-Security-Policy "frame-ancestors 'self'; base-uri 'self'; form-action 'self'" always;
        add_header Referrer-Policy no-referrer always;
        add_header Cross-Origin-Resource-Policy same-origin always;
        add_header Cache-Control "no-store" always;"""


def _user_line() -> str:
    """Started by root (in a container, say), nginx would work as ``nobody``, who may not write to our folder."""
    return "user root root;" if os.geteuid() == 0 else ""


def _everywhere() -> tuple[str, str]:
    """What to listen on for all addresses: IPv6 and IPv4 together, or IPv4 where this machine knows no other."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return "0.0.0.0", ""  # noqa: S104 - serving the local network is what it is for
    return "[::]", " ipv6only=off"
