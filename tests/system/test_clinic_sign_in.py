# SPDX-License-Identifier: Apache-2.0
"""Signing in by the hospital's provider in a real browser, whose own rules on cookies and forms hold.

python -m pytest tests/system/test_clinic_sign_in.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from tests.clinic.web.oidc_process import running_provider
from tests.clinic.web.oidc_provider import SECRET
from tests.clinic.whole_clinic import Running
from tests.device.upload.real_archive import installation
from tests.system.clinic_browser import Person

pytestmark = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are missing")


@pytest.fixture
def pages(checkout: Path, tmp_path: Path) -> Iterator[str]:
    settings = tmp_path / "oidc.toml"
    running = Running(checkout, tmp_path / "state", "--oidc", str(settings))
    base = f"https://localhost:{running.ports[2]}"
    with running_provider(tmp_path, f"{base}/sign-in/outside/back") as provider:
        rule = {"claim": "realm_access.roles", "roles": {"readers": ["reader"]}, "create": True}
        known = provider.model_dump(exclude={"client_secret"}, exclude_defaults=True, mode="json")
        settings.write_text(tomli_w.dumps({**known, **rule, "client_secret": SECRET}))
        with running:
            yield base


def test_somebody_of_the_hospital_signs_in_without_a_password_of_the_pages(pages: str) -> None:
    person = Person(pages)
    try:
        person.open("/sign-in")
        person.press("Sign in with Example")
        assert person.driver.current_url.startswith("https://localhost:")
        assert not person.driver.current_url.startswith(pages), "at the provider"
        person.press("wanja")
        assert person.path == "/"
        assert "Dr Wanja Kamau" in person.find("header").text
        person.open("/account")
        assert "You can sign in with Example." in person.text
        assert not person.has("#old"), "there is no password to change"
        person.open("/sign-in/outside")
        assert person.path == "/", "who is signed in already stays so"
    finally:
        person.close()
