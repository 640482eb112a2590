# SPDX-License-Identifier: Apache-2.0
"""Settings: what a technician writes is used as written, or named by its key while the default applies."""

from __future__ import annotations

import multiprocessing
import stat
import tomllib
from pathlib import Path

import pytest

from device.config import ScannerPreset, Settings, load_settings, save_settings, settings_path
from device.errors import ConfigError

WRITTEN_BY_HAND = """
[display]
rotation = 90
theme = "light"
size = [1280, 720]

[site]
name = "Namakkal PHC"
clinic_url = "https://clinic.example.org/dicom-web"

[site.policy]
retention_days = 30

[[presets]]
name = "Portable A"
box = [120, 40, 520, 400]
spacing_mm = [0.08, 0.08]

[[presets]]
name = "Cart B by camera"
corners = [[10.0, 12.5], [600, 20], [590, 440], [15, 430]]
"""


def test_presets_are_replaced_and_their_names_have_to_differ() -> None:
    first = ScannerPreset(name="A", box=(0, 0, 10, 10))
    kept = Settings().with_values("display", theme="light").with_presets([first])
    assert kept.presets == (first,)
    assert kept.display.theme == "light"
    with pytest.raises(ConfigError, match="name of its own"):
        kept.with_presets([first, first])


def refusal(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def problem(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    said = load_settings(path).problem
    assert "\n" not in said
    return said


def test_what_was_written_is_what_applies(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN_BY_HAND, encoding="utf-8")
    settings = load_settings(path)
    assert settings.display.rotation == 90
    assert settings.display.size == (1280, 720)
    assert settings.display.language == "en"
    assert settings.site.policy.retention_days == 30
    assert settings.presets[0].box == (120, 40, 520, 400)
    assert settings.presets[1].corners is not None
    assert settings.presets[1].corners[0] == (10.0, 12.5)


def test_a_missing_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[display]\nrotaton = 90\n", ["display.rotaton", "did you mean rotation", "theme"]),
        ("[site.policy]\nretention = 3\n", ["site.policy.retention", "retention_days"]),
        ('[[presets]]\nname = "a"\nbox = [0, 0, 9, 9]\nspacing = 1\n', ["presets.0.spacing", "spacing_mm"]),
    ],
)
def test_an_unknown_key_is_named_with_what_is_allowed(tmp_path: Path, text: str, named: list[str]) -> None:
    message = problem(tmp_path, text)
    assert all(part in message for part in named), message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[display]\nrotation = 45\n", ["display.rotation", "45", "0, 90, 180 or 270"]),
        ('[display]\nlanguage = "de"\n', ["display.language", "'en', 'hi', 'ta', 'es' or 'fr'"]),
        ('[lock]\ntimeout_s = "300"\n', ["lock.timeout_s", "'300'", "integer"]),
        ("[lock]\ntimeout_s = 5\n", ["lock.timeout_s", "30"]),
        ("[display]\nsize = [800]\n", ["display.size"]),
        ('[[presets]]\nname = "a"\n', ["presets.0", "exactly one of corners and box"]),
        ('[[presets]]\nname = "a"\nbox = [0, 0, 0, 9]\n', ["presets.0", "not empty"]),
        ('[[presets]]\nname="a"\nbox=[0,0,9,9]\n[[presets]]\nname="a"\nbox=[0,0,9,9]\n', ["name of its own"]),
        ('[[presets]]\nname = "a"\nbox = [0, 0, 9, 70000]\n', ["presets.0.box", "65535"]),
        ("[site.policy]\nupload_kib_per_s = 1000000000\n", ["upload_kib_per_s", "1000000"]),
        (f"[model]\nbundle = '{'x' * 5000}'\n", ["model.bundle", "longer than the system allows"]),
        ('[model]\nbundle = ""\n', ["model.bundle", "a path is needed"]),
        ("display = 5\n", ["display", "5"]),
        ("[display]\nsize = []\n", ["display.size"]),
        ("[display]\nsize = [{a = 1}, {b = 2}]\n", ["display.size"]),
    ],
)
def test_a_value_that_is_not_allowed_is_named_and_the_default_applies(
    tmp_path: Path, text: str, named: list[str]
) -> None:
    message = problem(tmp_path, text)
    assert all(part in message for part in named), message
    settings = load_settings(tmp_path / "settings.toml")
    assert (settings.display, settings.lock, settings.presets) == (
        Settings().display,
        Settings().lock,
        Settings().presets,
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[dispaly]\n", ["dispaly", "did you mean display", "Allowed here: paths"]),
        ("[path]\ndata_dir = '/srv/exams'\n", ["path", "did you mean paths"]),
        ("[paths]\ndata_dir = 5\n", ["paths.data_dir"]),
        ("paths = '/srv/exams'\n", ["paths"]),
        ("[paths]\ndata_dir = ''\n", ["paths.data_dir", "a path is needed"]),
        ('[paths]\ndata_dir = "/srv/\\u0000"\n', ["paths.data_dir", "zero character"]),
        (f"[paths]\ndata_dir = '{'x' * 5000}'\n", ["paths.data_dir", "longer than the system allows"]),
        ("[display\n", ["not valid TOML", "line 1"]),
        (f"[display]\nbrightness = 0x{'f' * 4000}\n", ["out of all bounds"]),
        ("[display]\n" + "".join(f"no_{n} = 1\n" for n in range(9)), ["display.no_0"]),
    ],
)
def test_what_may_say_where_the_exams_are_is_never_left_out(tmp_path: Path, text: str, named: list[str]) -> None:
    """With another folder the device would look as if it had no exams."""
    message = refusal(tmp_path, text)
    assert all(part in message for part in named), message


SPOILT = """
[display]
rotation = 90
brightness = 500

[lock]
pin_digits = 3

[site]
name = "Namakkal PHC"

[site.policy]
retention_days = 36500
upload_kib_per_s = 64

[[presets]]
name = "Portable A"
box = [120, 40, 520, 400]

[[presets]]
name = "Cart B"
box = [120, 40]
"""


def test_one_wrong_value_costs_that_value_only_and_stays_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(SPOILT, encoding="utf-8")
    settings = load_settings(path)
    assert settings.unusable == ("display.brightness", "lock.pin_digits", "site.policy.retention_days", "presets.1")
    assert (settings.display.rotation, settings.display.brightness) == (90, 80)
    assert (settings.site.name, settings.site.policy.upload_kib_per_s) == ("Namakkal PHC", 64)
    assert [preset.name for preset in settings.presets] == ["Portable A"]
    assert not settings.policy_known
    assert path.read_text(encoding="utf-8") == SPOILT
    # Another setting is changed on the screen, and what is wrong stays as it was typed.
    save_settings(settings.with_values("display", theme="light").with_values("lock", timeout_s=60), path)
    again = load_settings(path)
    assert (again.unusable, again.problem) == (settings.unusable, settings.problem)
    assert (again.display.theme, again.lock.timeout_s) == ("light", 60)
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert written["display"]["brightness"] == 500
    assert written["presets"][1] == {"name": "Cart B", "box": [120, 40]}
    # Setting it anew mends it, and nothing else.
    mended = again.with_values("display", brightness=30).with_values("site", policy={"retention_days": 30})
    save_settings(mended, path)
    assert load_settings(path).unusable == ("lock.pin_digits", "presets.1")
    assert load_settings(path).policy_known
    assert load_settings(path).display.brightness == 30


def test_a_key_that_steers_the_terminal_is_written_out(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[display]\n"a\\u001b[2J\\u202eb\\nc" = 1\n', encoding="utf-8")
    settings = load_settings(path)
    for said in (settings.problem, *settings.unusable):
        assert said.isprintable()
        assert "a" in said
    save_settings(settings, path)
    assert load_settings(path) == settings


def test_a_section_of_another_kind_is_replaced_by_what_is_set_in_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("display = 5\npresets = 'none'\n", encoding="utf-8")
    settings = load_settings(path)
    assert settings.unusable == ("display", "presets")
    changed = settings.with_values("display", theme="light").with_presets([ScannerPreset(name="A", box=(0, 0, 9, 9))])
    save_settings(changed, path)
    assert load_settings(path) == changed
    assert changed.problem == ""


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    message = problem(tmp_path, "[display]\nrotation = 45\n[lock]\ntimeout_s = 1\n")
    assert "display.rotation" in message
    assert "lock.timeout_s" in message


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(ConfigError, match="password does not belong") as caught:
        Settings().with_values("site", clinic_url="https://bob:hunter2@localhost/")
    assert "hunter2" not in str(caught.value)


def test_bytes_that_are_not_text_and_endless_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_settings(path)
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(ConfigError, match="too large"):
        load_settings(path)
    with pytest.raises(ConfigError):
        load_settings(tmp_path)  # a folder


@pytest.mark.parametrize(
    "url", ["", "https://a.example", "http://127.0.0.1:8042/x", "http://localhost:1", "http://[::1]:2"]
)
def test_addresses_that_protect_the_patient_are_accepted(url: str) -> None:
    assert Settings().with_values("site", clinic_url=url).site.clinic_url == url


def test_saving_and_loading_gives_the_same_settings(tmp_path: Path) -> None:
    source = tmp_path / "by-hand.toml"
    source.write_text(WRITTEN_BY_HAND, encoding="utf-8")
    settings = load_settings(source).with_values("display", theme="dark", brightness=30)
    target = tmp_path / "new folder" / "settings.toml"
    save_settings(settings, target)
    again = load_settings(target)
    assert again == settings
    assert again.display.theme == "dark"
    assert again.display.rotation == 90
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [entry.name for entry in target.parent.iterdir()] == ["settings.toml"]


def test_only_what_somebody_has_set_is_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(Settings().with_values("display", language="ta"), path)
    assert path.read_text(encoding="utf-8").split() == ["[display]", "language", "=", '"ta"']


def test_a_change_is_checked_like_the_file() -> None:
    with pytest.raises(ConfigError, match=r"display\.rotation"):
        Settings().with_values("display", rotation=1)
    with pytest.raises(ConfigError, match="dsplay"):
        Settings().with_values("dsplay", rotation=90)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.mkdir()  # a folder cannot be replaced by a file: the rename fails after the content was written
    (path / "old").write_text("kept")
    with pytest.raises(ConfigError):
        save_settings(Settings().with_values("lock", timeout_s=60), path)
    assert (path / "old").read_text() == "kept"
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]


def _save_for_ever(path: Path) -> None:
    settings = [Settings().with_values("site", name=letter * 64) for letter in "ab"]
    while True:
        for one in settings:
            save_settings(one, path)


def test_a_writer_that_is_killed_never_leaves_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=_save_for_ever, args=(path,), daemon=True)
    writer.start()
    try:
        while not path.exists():
            writer.join(0.01)
            assert writer.is_alive()
        names = {load_settings(path).site.name for _ in range(300)}
    finally:
        writer.kill()
        writer.join()
    names.add(load_settings(path).site.name)
    assert names <= {"a" * 64, "b" * 64}


def test_the_environment_moves_data_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured = Settings().with_values("paths", data_dir=str(tmp_path / "file"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/is/ignored")
    assert Settings().data_dir == tmp_path / "xdg" / "mammascope"
    assert configured.data_dir == tmp_path / "file"
    assert settings_path() == Path.home() / ".config" / "mammascope" / "settings.toml"
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path / "env"))
    monkeypatch.setenv("MAMMASCOPE_CONFIG", str(tmp_path / "own.toml"))
    assert configured.data_dir == tmp_path / "env"
    assert settings_path() == tmp_path / "own.toml"
