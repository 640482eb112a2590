# SPDX-License-Identifier: Apache-2.0
"""The provider of ``oidc_provider`` as a process, behind TLS with an authority of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from clinic.certificates import new_authority, new_server_certificate
from clinic.web.oidc.settings import OidcSettings
from tests.clinic.web.oidc_provider import CLIENT, SECRET
from tests.patience import PATIENT_S
from tests.ports import free_port


@contextlib.contextmanager
def running_provider(folder: Path, redirect: str) -> Iterator[OidcSettings]:
    """Start it, and end it afterwards.

    Args:
        folder: For its certificate.
        redirect: The one address that it sends browsers back to.

    Yields:
        What the pages have to know of it, without any rule.
    """
    authority = new_authority("Example Hospital", datetime.now(UTC))
    server = new_server_certificate(authority, ["localhost"], datetime.now(UTC))
    certificate, key, port = folder / "crt", folder / "key", free_port()
    certificate.write_bytes(server.certificate)
    key.write_bytes(server.key)
    program = Path(__file__).with_name("oidc_provider.py")
    command = [sys.executable, str(program), str(port), str(certificate), str(key), redirect]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        values = {"issuer": f"https://localhost:{port}", "client_id": CLIENT, "client_secret": SECRET}
        yield OidcSettings.model_validate({**values, "authority": authority.certificate.decode(), "name": "Example"})
        running.terminate()
        running.wait(PATIENT_S)
