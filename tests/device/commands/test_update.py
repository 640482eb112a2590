# SPDX-License-Identifier: Apache-2.0
"""``python -m device update`` as a technician types it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from device.__main__ import main
from device.config import settings_path
from device.ui.first_frame import draw_first_frame
from tests.device.update.conftest import OLD, Desk, Handheld, checkout_of, desk, handheld, shelf, update_file

__all__ = ["desk", "handheld", "shelf", "update_file"]  # fixtures


@pytest.fixture
def here(handheld: Handheld, monkeypatch: pytest.MonkeyPatch) -> Handheld:
    """The handheld that the command works on."""
    monkeypatch.setenv("MAMMASCOPE_ROOT", str(handheld.places.root))
    monkeypatch.setenv("PATH", f"{handheld.places.root / 'tools'}:{os.environ['PATH']}")
    return handheld


def test_make_says_what_a_technician_needs_and_keeps_the_key_to_its_owner(
    tmp_path: Path, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    source, key, out = checkout_of(tmp_path / "source", "2.3.4", desk.wheel), tmp_path / "my.key", tmp_path / "out"
    words = ["update", "make", "--source", str(source), "--key", str(key), "--out", str(out)]
    assert main(words) == 0
    said = capsys.readouterr().out
    (made,) = out.iterdir()
    assert re.fullmatch(r"mammascope-2\.3\.4-[0-9a-f]{12}\.update", made.name)
    assert str(made) in said
    assert re.search(r"fingerprint  ([0-9a-f]{4} ){7}[0-9a-f]{4}", said)
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes()[28:60] not in made.read_bytes()


@pytest.mark.parametrize(
    ("fault", "word"),
    [("link", "link"), ("version", "version"), ("foreign wheel", "lock"), ("no wheels", "requirements/wheels")],
)
def test_what_is_no_version_of_this_software_is_not_signed(
    tmp_path: Path, desk: Desk, capsys: pytest.CaptureFixture[str], fault: str, word: str
) -> None:
    source = checkout_of(tmp_path / "source", "2.3.4", desk.wheel)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    more = []
    if fault == "link":
        (source / "device/link").symlink_to("/etc/passwd")
    elif fault == "version":
        (source / "device/__init__.py").write_text("")
    else:
        more = ["--wheels", str(wheels)]
        if fault == "foreign wheel":
            (wheels / "greeting-1.0-py3-none-any.whl").write_text("evil")
    words = ["update", "make", "--source", str(source), "--key", str(tmp_path / "k"), "--out", str(tmp_path / "out")]
    assert main([*words, *more]) == 2
    assert word in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*.update"))


def test_installed_looked_at_and_taken_back(
    here: Handheld, update_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["update", "install", str(update_file)]) == 0
    assert "restart mammascope.service" in (here.places.root / "tools/asked").read_text()
    used = here.places.current
    assert main(["update", "status"]) == 0
    assert f"on trial    {used}" in capsys.readouterr().out
    assert main(["update", "back"]) == 0
    assert here.places.current == OLD
    assert main(["update", "status"]) == 0
    assert f"failed      {used}: by-hand" in capsys.readouterr().out
    assert main(["update", "install", str(update_file)]) == 2
    assert main(["update", "install", str(update_file), "--retry"]) == 0


def test_an_unknown_signer_is_followed_only_when_named(
    here: Handheld, desk: Desk, update_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in here.places.keys.iterdir():
        key.unlink()
    assert main(["update", "install", str(update_file)]) == 2
    assert desk.fingerprint in capsys.readouterr().err
    assert main(["update", "install", str(update_file), "--trust", "0000"]) == 2
    assert here.places.current == OLD
    assert not list(here.places.keys.iterdir())
    assert main(["update", "install", str(update_file), "--trust", desk.fingerprint]) == 0
    assert [key.read_text().strip() for key in here.places.keys.iterdir()] == [desk.signer.hex()]


def test_checking_changes_nothing(here: Handheld, update_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", "verify", str(update_file)]) == 0
    assert "The file is whole." in capsys.readouterr().out
    assert here.releases == {OLD}


def test_the_screen_is_told_how_far_it_is(here: Handheld, update_file: Path) -> None:
    here.places.progress.parent.mkdir(parents=True)
    assert main(["update", "install", str(update_file)]) == 0
    assert '"step": "switch"' in here.places.progress.read_text()


def test_this_very_version_passes_its_self_test(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", "self-test"]) == 0
    assert "golden" in capsys.readouterr().out


def test_settings_that_the_new_version_cannot_read_fail_the_self_test(capsys: pytest.CaptureFixture[str]) -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text("[display]\nfrom_the_future = true\n")
    assert main(["update", "self-test"]) == 2
    assert "from_the_future" in capsys.readouterr().err


def test_a_first_frame_that_stays_empty_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from device.config import Settings
    from device.errors import DisplayError
    from device.ui.app import App

    draw_first_frame(Settings())
    monkeypatch.setattr(App, "draw", lambda self: None)
    with pytest.raises(DisplayError):
        draw_first_frame(Settings())
