# SPDX-License-Identifier: Apache-2.0
"""Site files from the technician's desk to the device: signed, trusted, applied whole, refused in words."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clinic.__main__ import main as clinic_main
from device.__main__ import main
from device.capture.codes import find_codes
from device.config import Settings, load_settings
from device.errors import (
    EnrolmentError,
    SiteCodeError,
    SiteExpiredError,
    SiteFileError,
    SiteOlderError,
    SiteSignatureError,
    SiteSignerError,
)
from device.operations.enrolment import codes as enrol_codes
from device.operations.enrolment import joining
from device.operations.enrolment.code_sheet import code_sheet
from device.records.keys.pin import PinCost
from device.records.keys.vault import Vault
from device.signed import fingerprint
from device.site import enrolment
from device.site.access import access_path, load_access
from device.site.enrolment import FileChange, apply, finish, read_enrolled, require_trust, wifi_change, with_site
from device.site.site_code import SiteCodes, site_codes
from device.site.site_file import MAX_BYTES, WifiSection, open_site, sign_site
from device.update.releases import InstallPaths
from device.update.trust import trusted_keys
from device.upload.destination import destination
from device.upload.stored_access import stored_access

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RECOVERY = "ab" * 32


def content(issued: datetime = NOW, days: int = 30, extra: str = "", name: str = "Asha clinic") -> str:
    return f"""
[site]
name = "{name}"
language = "hi"
rotation = 90

[clinic]
url = "https://archive.example:8443/dicom-web"
user = "device-one"
password = "not a real one"

[records]
recovery_key = "{RECOVERY}"

[enrolment]
issued = {issued.isoformat()}
expires = {(issued + timedelta(days=days)).isoformat()}
{extra}
"""


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def signer(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_signed_file_says_what_was_put_in_and_who_signed_it(key: Ed25519PrivateKey) -> None:
    site = open_site(sign_site(content(), key, "x"), "x", NOW)
    assert site.content.site.name == "Asha clinic"
    assert site.signer == signer(key)
    assert site.content.clinic is not None
    assert site.content.clinic.access == {"user": "device-one", "password": "not a real one"}


def test_any_changed_byte_is_noticed(key: Ed25519PrivateKey) -> None:
    raw = sign_site(content(), key, "x")
    body = raw.index(b"\n") + 1
    for place in range(body, len(raw), 7):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(SiteSignatureError):
            open_site(bytes(changed), "x", NOW)


def test_another_key_in_the_head_does_not_make_the_signature_good(key: Ed25519PrivateKey) -> None:
    raw = sign_site(content(), key, "x")
    other = signer(Ed25519PrivateKey.generate()).hex().encode()
    with pytest.raises(SiteSignatureError):
        open_site(raw.replace(signer(key).hex().encode(), other), "x", NOW)


def test_a_signature_for_something_else_is_none_here(key: Ed25519PrivateKey) -> None:
    body = content().encode()
    bare = base64.b64encode(key.sign(body)).decode()
    raw = f"#mammascope-site-1 {signer(key).hex()} {bare}\n".encode() + body
    with pytest.raises(SiteSignatureError):
        open_site(raw, "x", NOW)


@pytest.mark.parametrize(
    "raw", [b"", b"[site]\nname = 'unsigned'\n", b"#mammascope-site-1 00 00\n", b"\xff" * 300, b"#" * (MAX_BYTES + 1)]
)
def test_what_is_no_site_file_is_refused(raw: bytes) -> None:
    with pytest.raises(SiteFileError):
        open_site(raw, "x", NOW)


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ("[surprise]\nkey = 1", "surprise"),
        ("[[wifi]]\nssid = 'a'\npassword = 'short'", "wifi.0.password"),
        ('[[wifi]]\nssid = "a\\nb"', "wifi.0.ssid"),
        ('[[wifi]]\nssid = "ok"\npassword = "12345678\\n[x]"', "wifi.0"),
        ("[[presets]]\nname = 'no region'", "presets.0"),
    ],
)
def test_what_does_not_belong_in_is_named_without_its_value(extra: str, named: str, key: Ed25519PrivateKey) -> None:
    with pytest.raises(SiteFileError) as refused:
        sign_site(content(extra=extra), key, "x")
    assert named in refused.value.detail
    assert "short" not in refused.value.detail.replace("shorter", "")


def test_an_expired_file_says_until_when_it_was_valid(key: Ed25519PrivateKey) -> None:
    raw = sign_site(content(days=1), key, "x")
    with pytest.raises(SiteExpiredError, match="2026-11-22"):
        open_site(raw, "x", NOW + timedelta(days=1))


def test_a_clock_that_is_far_behind_does_not_keep_a_device_from_its_site(key: Ed25519PrivateKey) -> None:
    assert open_site(sign_site(content(), key, "x"), "x", datetime(2020, 1, 1, tzinfo=UTC))


# --- trust ------------------------------------------------------------------------------------------------------------


def test_a_stranger_is_refused_with_his_fingerprint_and_accepted_when_it_is_named(key: Ed25519PrivateKey) -> None:
    site = open_site(sign_site(content(), key, "x"), "x", NOW)
    with pytest.raises(SiteSignerError, match=fingerprint(signer(key))):
        require_trust(site, None, None, "x")
    require_trust(site, None, fingerprint(signer(key)).upper().replace(" ", ":"), "x")
    with pytest.raises(SiteSignerError):
        require_trust(site, None, fingerprint(signer(key))[:-1], "x")


def test_an_older_file_of_the_same_signer_is_refused_and_the_same_one_is_not(key: Ed25519PrivateKey) -> None:
    newer = open_site(sign_site(content(), key, "x"), "x", NOW)
    older = open_site(sign_site(content(NOW - timedelta(days=1)), key, "x"), "x", NOW)
    followed = enrolment.Enrolled(signer(key), newer.content.enrolment.issued)
    require_trust(newer, followed, None, "x")
    with pytest.raises(SiteOlderError):
        require_trust(older, followed, None, "x")


# --- applying ---------------------------------------------------------------------------------------------------------


def test_a_site_replaces_what_it_names_and_leaves_the_rest(key: Ed25519PrivateKey) -> None:
    preset = "[[presets]]\nname = 'Sonix'\nbox = [1, 2, 300, 200]"
    site = open_site(sign_site(content(extra=preset), key, "x"), "x", NOW)
    before = Settings().with_values("lock", timeout_s=60).with_values("display", theme="light")
    after = with_site(before, site.content)
    assert (after.lock.timeout_s, after.display.theme) == (60, "light")
    assert (after.display.language, after.display.rotation) == ("hi", 90)
    assert after.site.recovery_key == RECOVERY
    assert [p.name for p in after.presets] == ["Sonix"]
    assert with_site(after, site.content) == after


def test_a_power_cut_between_two_files_is_finished_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    changes = [FileChange(data / name, name.encode()) for name in ("one", "two", "three")]
    written = enrolment._write

    def cut(change: FileChange, data_dir: Path) -> None:
        if change.path.name == "two":
            raise KeyboardInterrupt
        written(change, data_dir)

    monkeypatch.setattr(enrolment, "_write", cut)
    with pytest.raises(KeyboardInterrupt):
        apply(changes, data)
    monkeypatch.setattr(enrolment, "_write", written)
    assert not (data / "two").exists()
    assert finish(data)
    assert [(data / name).read_text() for name in ("one", "two", "three")] == ["one", "two", "three"]
    assert not finish(data)
    assert sorted(path.name for path in data.iterdir()) == ["one", "three", "two"]


def test_work_left_behind_is_not_followed_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('[["/nowhere", ""]]')
    (tmp_path / enrolment.PENDING).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EnrolmentError):
        finish(tmp_path)


def test_a_hostile_network_name_or_password_stays_one_value(tmp_path: Path) -> None:
    import configparser

    wifi = WifiSection.model_validate({"ssid": "a;b=[x] ñ", "password": r"p\ss #;= word"})
    text = (wifi_change(wifi, tmp_path).content or b"").decode()
    parsed = configparser.RawConfigParser()
    parsed.read_string(text)
    assert bytes(int(number) for number in parsed["wifi"]["ssid"].strip(";").split(";")).decode() == "a;b=[x] ñ"
    assert parsed["wifi-security"]["psk"] == r"p\\ss\s#;=\sword"
    assert set(parsed.sections()) == {"connection", "wifi", "wifi-security", "ipv4", "ipv6"}


# --- codes ------------------------------------------------------------------------------------------------------------


def test_the_sheet_of_codes_is_read_back_by_the_camera_path(key: Ed25519PrivateKey) -> None:
    raw = sign_site(content(), key, "x")
    texts = site_codes(raw)
    assert len(texts) > 1
    sheet = cv2.imdecode(np.frombuffer(code_sheet(texts), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    codes = SiteCodes()
    half = sheet.shape[0] // 2
    assert codes.add(find_codes(sheet[:half, : sheet.shape[1] // 2].astype(np.uint8))) is None
    assert codes.add(find_codes(sheet.astype(np.uint8))) == raw


def test_codes_are_collected_in_any_order_and_strangers_passed_over(key: Ed25519PrivateKey) -> None:
    raw = sign_site(content(), key, "x")
    codes = SiteCodes()
    texts = site_codes(raw)
    for text in reversed(texts[1:]):
        assert codes.add(["P-0042", text, "MAMMASITE/0/1/2/x"]) is None
    assert codes.missing == [1]
    assert codes.add(texts[:1]) == raw


def test_codes_of_two_files_are_never_mixed(key: Ed25519PrivateKey) -> None:
    one, two = (site_codes(sign_site(content(name=name), key, "x")) for name in ("One", "Two"))
    codes = SiteCodes()
    codes.add(one[:-1])
    assert codes.add(two[-1:]) is None
    assert codes.seen == 1


def test_codes_that_unpack_without_end_are_stopped() -> None:
    texts = site_codes(bytes(20 * MAX_BYTES))
    with pytest.raises(SiteCodeError):
        SiteCodes().add(texts)


# --- the command ------------------------------------------------------------------------------------------------------


class Desk:
    """A technician's desk and a device, both in temporary folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "device"
        self.settings = self.data / "settings.toml"
        self.wifi = folder / "connections"
        self.wifi.mkdir()
        (folder / "clinic.toml").write_text(content().split("[enrolment]")[0])
        (folder / "wifi.toml").write_text("[[wifi]]\nssid = 'Asha'\npassword = 'made for a test'\n")

    def make(self, *options: str, name: str = "out", key: str = "site.key") -> Path:
        parts = [str(self.folder / part) for part in ("clinic.toml", "wifi.toml")]
        out = self.folder / name
        made = main(["enrol", "make", *parts, "--key", str(self.folder / key), "--out", str(out), *options])
        assert made == 0
        return out / "mammascope-site.toml"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path)
    monkeypatch.setenv("MAMMASCOPE_DATA", str(desk.data))
    monkeypatch.setenv("MAMMASCOPE_CONFIG", str(desk.settings))
    monkeypatch.setattr(joining, "WIFI_FOLDER", desk.wifi)
    monkeypatch.setattr(joining, "wifi_change", lambda wifi: wifi_change(wifi, desk.wifi))
    return desk


def test_a_device_is_enrolled_by_file_and_its_secrets_are_its_own(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    file = desk.make()
    said = capsys.readouterr().out
    printed = said.split("fingerprint")[1].split("\n")[0].strip()
    assert main(["enrol", "file", str(file), "--trust", printed, "--remove"]) == 0
    assert not file.exists()
    settings = load_settings(desk.settings)
    assert settings.site.clinic_url == "https://archive.example:8443/dicom-web"
    access = load_access(access_path(desk.data))
    assert access.password is not None
    assert access.password.get_secret_value() == "not a real one"
    (connection,) = desk.wifi.iterdir()
    for path in (desk.settings, access_path(desk.data), connection, desk.folder / "site.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert "not a real one" not in said + "".join(capsys.readouterr())


def test_a_device_says_which_site_it_belongs_to(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enrol", "show"]) == 1
    assert "no site yet" in capsys.readouterr().out
    file = desk.make()
    printed = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("fingerprint"))
    assert main(["enrol", "file", str(file), "--trust-first"]) == 0
    capsys.readouterr()
    assert main(["enrol", "show"]) == 0
    assert printed in capsys.readouterr().out.splitlines()


def test_the_site_says_whose_updates_are_taken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    places = InstallPaths(desk.folder / "root")
    monkeypatch.setenv("MAMMASCOPE_ROOT", str(places.root))
    with (desk.folder / "wifi.toml").open("a") as part:
        part.write(f'[updates]\nsigner = "{RECOVERY}"\n')
    file = str(desk.make())
    assert main(["enrol", "file", file, "--trust-first"]) == 0
    assert trusted_keys(places) == frozenset()  # not an installed device: there is no folder of keys
    places.keys.mkdir(parents=True)
    assert main(["enrol", "file", file]) == 0
    assert trusted_keys(places) == {bytes.fromhex(RECOVERY)}


def test_a_device_is_enrolled_by_a_picture_of_the_codes(desk: Desk) -> None:
    file = desk.make()
    assert main(["enrol", "scan", str(file.with_suffix(".png")), "--trust-first"]) == 0
    assert load_settings(desk.settings).site.name == "Asha clinic"


def test_nobody_is_trusted_unasked_and_nothing_is_touched(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    file = desk.make()
    assert main(["enrol", "file", str(file)]) == 2
    assert "signed by" in capsys.readouterr().err
    assert not desk.data.exists()
    assert list(desk.wifi.iterdir()) == []


def test_a_second_signer_is_refused_even_at_the_boot_partition(desk: Desk) -> None:
    assert main(["enrol", "file", str(desk.make()), "--trust-first"]) == 0
    before = desk.settings.read_bytes()
    stranger = desk.make(name="other", key="other.key")
    assert main(["enrol", "file", str(stranger), "--trust-first"]) == 2
    assert desk.settings.read_bytes() == before
    enrolled = read_enrolled(desk.data)
    assert enrolled is not None


def test_credentials_that_do_not_fit_are_refused_before_anything_is_touched(
    desk: Desk, key: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = sign_site(content().replace('user = "device-one"\n', ""), key, "x")
    file = desk.folder / "half.toml"
    file.write_bytes(raw.replace(b"2026-11-21", b"2026-11-21"))
    assert main(["enrol", "file", str(file), "--trust-first"]) == 2
    assert "user and password belong together" in capsys.readouterr().err
    assert not desk.data.exists()


def test_an_unprotected_address_is_refused(desk: Desk, key: Ed25519PrivateKey) -> None:
    file = desk.folder / "plain.toml"
    body = content().replace("https://", "http://").encode()
    signature = base64.b64encode(key.sign(b"mammascope site file 1\n" + body))  # by a maker that did not look
    public = key.public_key().public_bytes_raw().hex().encode()
    file.write_bytes(b"#mammascope-site-1 %s %s\n%s" % (public, signature, body))
    assert main(["enrol", "file", str(file), "--trust-first"]) == 2
    assert not desk.data.exists()


def test_a_pipe_in_the_place_of_a_file_hangs_nobody(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(desk.folder / "pipe.toml")
    assert main(["enrol", "file", str(desk.folder / "pipe.toml"), "--trust-first"]) == 2
    assert main(["enrol", "make", str(desk.folder / "pipe.toml"), "--key", str(desk.folder / "k")]) == 2
    assert capsys.readouterr().err.count("not a regular file") == 2


def test_a_device_with_records_gets_its_access_sealed(desk: Desk, key: Ed25519PrivateKey) -> None:
    file = desk.folder / "site.toml"
    file.write_bytes(sign_site(content(), key, "x"))
    assert main(["enrol", "file", str(file), "--trust-first"]) == 0
    assert b"not a real one" in access_path(desk.data).read_bytes()  # there is no key to seal it to yet
    vault = Vault.create(desk.data / "records", "493817", "Asha", cost=PinCost(iterations=1, memory_kib=64))
    assert main(["enrol", "file", str(file), "--trust-first"]) == 0
    assert not access_path(desk.data).exists()
    for path in desk.data.rglob("*"):
        assert path.is_dir() or b"not a real one" not in path.read_bytes(), path
    assert stored_access(desk.data, vault.opener()).password is not None


def test_parts_that_contradict_are_named(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    (desk.folder / "wifi.toml").write_text("[site]\nname = 'Another'\n")
    parts = [str(desk.folder / part) for part in ("clinic.toml", "wifi.toml")]
    assert main(["enrol", "make", *parts, "--key", str(desk.folder / "k"), "--out", str(desk.folder)]) == 2
    assert "site.name" in capsys.readouterr().err


def test_what_the_clinic_prints_reaches_the_uploader(desk: Desk) -> None:
    state = desk.folder / "clinic"
    printed = ["--state", str(state), "--name", "Real clinic", "--host", "archive.example", "--add-device", "one"]
    assert clinic_main(printed) == 0
    (desk.folder / "clinic.toml").write_bytes((state / "enrolment" / "one.toml").read_bytes())
    assert main(["enrol", "scan", str(desk.make().with_suffix(".png")), "--trust-first"]) == 0
    where = destination(load_settings(desk.settings))
    assert where.url == "https://archive.example:8443/dicom-web"
    assert where.access.authority == (state / "authority.crt").read_text()
    assert where.access.user == "device-one"
    assert len(load_settings(desk.settings).site.recovery_key) == 64


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_root_reads_no_picture_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = desk.make().with_suffix(".png")
    sheet.chmod(0o600)  # only root may read it

    def never(*_: object) -> list[str]:
        raise AssertionError("decoded by root")

    monkeypatch.setattr(enrol_codes, "find_codes", never)
    monkeypatch.setattr(enrol_codes, "SandboxedReader", never)
    assert main(["enrol", "scan", str(sheet), "--trust-first"]) == 0
    assert load_settings(desk.settings).site.name == "Asha clinic"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_what_root_has_given_up_does_not_come_back(tmp_path: Path) -> None:
    (tmp_path / "private").write_text("root's")
    (tmp_path / "private").chmod(0o600)
    look = "import os; print(os.getresuid(), os.getresgid(), os.getgroups())\nos.setuid(0)"
    program = f"from device.operations.enrolment.codes import give_up_root; give_up_root(65534, 65534)\n{look}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(65534, 65534, 65534) (65534, 65534, 65534) [65534]"
    assert "PermissionError" in done.stderr
