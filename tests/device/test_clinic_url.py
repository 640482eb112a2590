# SPDX-License-Identifier: Apache-2.0
"""An address that is none is refused where it is written; typed into the settings it is said, and never used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from device.clinic_url import checked_clinic_url
from device.config import Settings, load_settings, save_settings
from device.errors import ClinicAddressError, ConfigError, SiteFileError
from device.site.access import ClinicAccess
from device.site.site_file import sign_site
from device.upload.clinic_file import ClinicFile
from device.upload.destination import Destination, destination

GOOD = [
    "https://archive.example/dicom-web",
    "https://192.168.1.20:8443/dicom-web",
    "https://[fe80::1]:8443/",
    "https://kisumu-clinic.local:1",
    "https://h:65535/a/b-c_d.e~f",
    "http://127.0.0.1:8042/dicom-web",
    "http://localhost/dicom-web",
    "http://[::1]:8042/",
]
BAD = [
    "https://localhost:94433/dicom-web",
    "https://h:abc/",
    "https://h:0/",
    "https://h:-1/",
    "https://h:/",
    "https://h:1 2/",
    "https://:8443/",
    "https:///dicom-web",
    "https:/h/dicom-web",
    "https://",
    "https:h",
    "https://user:pw@h/",
    "https://user@h/",
    "https://@h/",
    "https://h/?q=1",
    "https://h/#x",
    "https://h/ x",
    "https://h/\u202e",
    "https://h/a\nb",
    "https://h/a\tb",
    "https://ho st/",
    "https://[::1/",
    "https://[zz]/",
    "https://[fe80::1%25eth0]/",
    "https://-h/",
    "https://a..b/",
    "https://" + "a" * 300 + "/",
    "https://clínica.example/",
    "http://archive.example/",
    "ftp://h/",
    "h",
    "//h/",
    "https:\\\\h\\",
    "https://h\\@evil/",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_good_address_is_taken_everywhere(url: str) -> None:
    assert Settings().with_values("site", clinic_url=url).site.clinic_url == url
    sign(url)


@pytest.mark.parametrize("url", BAD)
def test_a_bad_address_is_refused_where_it_is_written(url: str) -> None:
    with pytest.raises(SiteFileError, match=r"clinic\.url") as caught:
        sign(url)
    assert "pw" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"site\.clinic_url") as refused:
        Settings().with_values("site", clinic_url=url)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("typed", [*BAD, 5, 1.5, True, ["https://a.example"], {"url": "https://a.example"}, "h" * 9000])
def test_a_bad_address_typed_into_the_file_stops_nothing_and_is_said(typed: object, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(tomli_w.dumps({"site": {"name": "Kisumu", "clinic_url": typed}, "display": {"brightness": 30}}))
    settings = load_settings(path)
    assert (settings.site.name, settings.display.brightness) == ("Kisumu", 30)
    assert settings.site.address_problem
    assert "site.clinic_url" in settings.problem
    assert "pw" not in settings.problem
    with pytest.raises(ClinicAddressError) as caught:
        destination(settings)
    assert "pw" not in str(caught.value)
    # Whoever changes something else on the screen neither stumbles over it nor mends it unasked.
    changed = settings.with_values("display", brightness=50).with_presets([])
    save_settings(changed, path)
    again = load_settings(path)
    assert (again.display.brightness, again.site) == (50, settings.site)
    mended = again.with_values("site", clinic_url="https://clinic.example/dicom-web")
    assert (mended.problem, mended.site.address_problem) == ("", "")
    with pytest.raises(ConfigError, match=r"site\.clinic_url"):
        mended.with_values("site", clinic_url="https://localhost:94433/")


def test_an_address_of_absurd_length_never_becomes_a_good_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(tomli_w.dumps({"site": {"clinic_url": "https://clinic.example/" + "a" * 600}}))
    assert load_settings(path).site.address_problem


def sign(url: str) -> bytes:
    now = datetime.now(UTC).replace(microsecond=0)
    content = {
        "site": {"name": "Kisumu"},
        "clinic": {"url": url},
        "enrolment": {"issued": now, "expires": now + timedelta(days=3)},
    }
    return sign_site(tomli_w.dumps(content), Ed25519PrivateKey.generate(), "here")


parts = st.sampled_from(
    ["https", "http", ":", "/", "//", "@", "h", "a.b", "[", "]", "::1", "%", "8443", "99999", "-", "\\"]
)


@settings(max_examples=3000, deadline=None)
@given(st.lists(parts | st.text(max_size=3), max_size=10).map("".join) | st.text(max_size=40).map("https://".__add__))
def test_what_is_taken_can_be_connected_to(url: str) -> None:
    try:
        checked_clinic_url(url)
    except ValueError:
        return
    if url:
        ClinicFile(Destination(url, ClinicAccess()), "/x").close()


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\u202eb", "a\nb", "a\x00b", "a\u2066b", "\ufeffa", "a\u2028b"])
def test_a_name_that_steers_the_terminal_is_refused(name: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    content = {"site": {"name": name}, "enrolment": {"issued": now, "expires": now + timedelta(days=3)}}
    with pytest.raises(SiteFileError, match=r"site\.name"):
        sign_site(tomli_w.dumps(content), Ed25519PrivateKey.generate(), "here")
    with pytest.raises(ConfigError, match=r"site\.name"):
        Settings().with_values("site", name=name)


@pytest.mark.parametrize("name", ["Kisumu", "மருத்துவமனை", "क्लिनिक‍", "Clínica «Ñandú»", "Hôpital d’Orsay", "عيادة"])
def test_a_name_of_any_language_is_taken(name: str) -> None:
    assert Settings().with_values("site", name=name).site.name == name
