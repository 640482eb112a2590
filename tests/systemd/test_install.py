# SPDX-License-Identifier: Apache-2.0
"""`setup.sh install` on a bare system in a folder: done, done again, cut off, refused, and taken away."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from tests.systemd.conftest import Card

RESUME = "mammascope-update-resume.service"


def test_the_installed_program_runs_from_its_own_release(handheld: Card) -> None:
    python = handheld.root / "opt/mammascope/current/venv/bin/python"
    shown = subprocess.run([python, "-P", "-m", "device", "run"], capture_output=True, text=True, check=True, cwd="/")
    assert shown.stdout == "hello run\n"
    assert (handheld.root / "opt/mammascope/current").readlink().parts[1].startswith("1.2.3-")


def test_the_app_gets_a_user_of_its_own_that_alone_reads_the_exams(handheld: Card) -> None:
    entry = next(line for line in (handheld.root / "etc/passwd").read_text().splitlines() if "mammascope" in line)
    fields = entry.split(":")
    assert fields[6] == "/usr/sbin/nologin"
    data = handheld.root / "var/lib/mammascope"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert (data.stat().st_uid, (data / "settings.toml").stat().st_uid) == (int(fields[2]), int(fields[2]))
    groups = {line.split(":")[0]: line.split(":")[3] for line in (handheld.root / "etc/group").read_text().splitlines()}
    assert [groups[name] for name in ("video", "render", "input")] == ["mammascope"] * 3


def test_no_file_of_the_program_can_be_changed_by_the_app(handheld: Card) -> None:
    loose = [
        path
        for path in (handheld.root / "opt/mammascope").rglob("*")
        if not path.is_symlink() and (path.stat().st_uid != 0 or path.stat().st_mode & 0o022)
    ]
    assert loose == []


def test_what_starts_with_the_device_is_turned_on(handheld: Card) -> None:
    for unit in ("mammascope.service", "mammascope-enrol.service", "mammascope-healthy.timer", RESUME):
        asked = ["systemctl", f"--root={handheld.root}", "is-enabled", unit]
        assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "enabled\n"


def test_the_boot_partition_keeps_what_was_there(handheld: Card) -> None:
    config = (handheld.root / "boot/firmware/config.txt").read_text()
    assert config.startswith("dtparam=audio=on\n# mammascope begin")
    assert "dtoverlay=vc4-kms-v3d\n" in config
    line = (handheld.root / "boot/firmware/cmdline.txt").read_text()
    assert line.startswith("console=tty1 root=PARTUUID=1-2 rootwait consoleblank=0 ")
    assert line.count("\n") == 1


def test_a_second_run_changes_nothing(installed: Card) -> None:
    before = installed.content()
    again = installed.install()
    assert "done: 0 changes" in again.stdout, again.stdout
    assert installed.content() == before


def test_a_dry_run_says_everything_and_changes_nothing(card: Card) -> None:
    before = card.content()
    said = card.install("--dry-run")
    assert said.returncode == 0, said.stderr
    for word in ("installing release", "mammascope.service", "making the user", "cmdline.txt", "turning on"):
        assert word in said.stderr
    assert card.content() == before


def test_an_install_that_was_cut_off_is_gone_on_with(card: Card) -> None:
    (wheel,) = card.wheels.iterdir()
    wheel.rename(card.folder / "gone.whl")
    cut = card.install()
    assert cut.returncode != 0
    assert "does not hold what" in cut.stdout + cut.stderr
    assert not (card.root / "opt/mammascope/current").exists()
    (card.folder / "gone.whl").rename(wheel)
    assert card.install().returncode == 0
    assert (card.root / "opt/mammascope/current/complete").exists()


def test_a_package_that_was_changed_on_the_stick_is_refused(card: Card) -> None:
    lock = (card.source / "requirements/device.lock").read_text()
    card.offer("evil")
    (card.source / "requirements/device.lock").write_text(lock)
    done = card.install()
    assert done.returncode != 0
    assert "HASH" in (done.stdout + done.stderr).upper()


def test_a_new_version_is_put_beside_the_old_one_and_older_ones_go(card: Card) -> None:
    used = []
    for number in range(3):
        (card.source / "device/extra.py").write_text(f"NUMBER = {number}\n")
        assert card.install().returncode == 0
        used.append((card.root / "opt/mammascope/current").readlink().name)
    kept = {path.name for path in (card.root / "opt/mammascope/releases").iterdir()}
    assert len(set(used)) == 3
    assert kept == set(used[1:])


def test_settings_of_the_device_survive_another_install(installed: Card) -> None:
    settings = installed.root / "var/lib/mammascope/settings.toml"
    settings.unlink()
    installed.install("--display", "touch2")
    assert "rotation = 90" in settings.read_text()
    settings.write_text('[site]\nname = "Asha"\n')
    installed.install()
    assert settings.read_text() == '[site]\nname = "Asha"\n'


def test_whose_updates_are_taken_can_be_said_at_once(installed: Card, tmp_path: Path) -> None:
    key = tmp_path / "update.pub"
    key.write_text("ab" * 32 + "\n")
    assert installed.install("--update-key", str(key)).returncode == 0
    kept = installed.root / "etc/mammascope/update-keys/installed.pub"
    assert kept.read_text() == key.read_text()
    assert (kept.stat().st_uid, stat.S_IMODE(kept.stat().st_mode)) == (0, 0o644)
    key.write_text("no key\n")
    refused = installed.install("--update-key", str(key))
    assert refused.returncode == 1
    assert "update make" in refused.stderr


def test_the_way_back_is_outside_of_every_release(handheld: Card) -> None:
    guard = handheld.root / "usr/local/lib/mammascope/update-guard"
    assert stat.S_IMODE(guard.stat().st_mode) == 0o755
    assert guard.read_bytes() == (handheld.source / "systemd/update-guard").read_bytes()
    for unit in ("mammascope-healthy.service", RESUME):
        text = (handheld.root / "etc/systemd/system" / unit).read_text()
        assert "ExecStart=/usr/local/lib/mammascope/update-guard " in text
        assert "/current/" not in text


def test_a_service_that_nobody_needs_is_turned_off_and_on_again(installed: Card) -> None:
    unit = installed.root / "usr/lib/systemd/system/bluetooth.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")
    subprocess.run(["systemctl", f"--root={installed.root}", "--quiet", "enable", "bluetooth.service"], check=True)
    wanted = installed.root / "etc/systemd/system/multi-user.target.wants/bluetooth.service"
    assert wanted.is_symlink()
    installed.install()
    assert not wanted.is_symlink()
    installed.setup("uninstall")
    assert wanted.is_symlink()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("32 bit", "64 bit image"),
        ("memory", "512 MiB"),
        ("disk", "larger card"),
        ("no Debian", "Raspberry Pi OS 64 bit"),
    ],
)
def test_what_cannot_carry_it_is_refused_in_words_before_anything_is_changed(
    card: Card, fault: str, sentence: str
) -> None:
    if fault == "32 bit":
        card.tool("getconf", "echo 32")
    elif fault == "memory":
        card.memory(240)
    elif fault == "disk":
        card.tool("df", "echo Avail; echo 200000")
    else:
        (card.root / "etc/debian_version").unlink()
    before = card.content()
    refused = card.install()
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert card.content() == before


def test_packages_that_are_missing_are_asked_for_and_those_that_are_nowhere_are_not(installed: Card) -> None:
    installed.tool("dpkg-query", "exit 1")
    assert installed.install().returncode == 0
    asked = (installed.folder / "apt.log").read_text()
    assert "libgbm1" in asked
    assert "fonts-noto-core" in asked
    assert "picamera2" not in asked
    installed.tool("apt-cache", "exit 0")
    installed.install()
    assert "python3-picamera2" in (installed.folder / "apt.log").read_text()


def test_a_fresh_card_gets_its_package_lists_before_it_is_asked_what_it_offers(card: Card) -> None:
    lists = card.folder / "lists"
    card.tool("apt-get", f'echo "apt-get $*" >>"{card.folder}/apt.log"; [ "$1" != update ] || touch "{lists}"')
    card.tool("apt-cache", f'[ -e "{lists}" ]')
    card.tool("dpkg-query", "exit 1")
    assert card.install().returncode == 0
    update, install = (card.folder / "apt.log").read_text().splitlines()
    assert update.startswith("apt-get update")
    assert "python3-picamera2" in install


def test_without_a_network_and_with_nothing_missing_it_goes_on(card: Card) -> None:
    card.tool("apt-get", "echo no network >&2; exit 100")
    done = card.install()
    assert done.returncode == 0, done.stdout
    assert "the package lists could not be renewed" in done.stdout


def test_a_dry_run_where_even_python_is_missing_says_so_and_goes_on(card: Card) -> None:
    card.tool("dpkg-query", "exit 1")
    card.tool("python3-missing", "exit 1")
    said = card.install("--dry-run", python=card.tools / "python3-missing")
    assert said.returncode == 0, said.stderr
    assert "python3-venv" in said.stderr
    assert "with the Python that is among these packages" in said.stderr
    assert "turning on" in said.stderr


def test_wifi_is_switched_on_together_with_its_country(installed: Card) -> None:
    state = installed.root / "var/lib/NetworkManager/NetworkManager.state"
    state.parent.mkdir(parents=True)
    state.write_text("[main]\nWirelessEnabled=false\n")
    assert "done: 0 changes" in installed.install().stdout
    installed.install("--wifi-country", "IN")
    assert state.read_text() == "[main]\nWirelessEnabled=true\n"
    assert "cfg80211.ieee80211_regdom=IN" in (installed.root / "boot/firmware/cmdline.txt").read_text()
    assert "done: 0 changes" in installed.install("--wifi-country", "IN").stdout


def exam(card: Card) -> Path:
    path = card.root / "var/lib/mammascope/records/exam"
    path.parent.mkdir()
    path.write_text("a patient's")
    return path


def test_uninstall_leaves_nothing_but_the_exams_and_their_owner(card: Card) -> None:
    before = {path for path in card.root.rglob("*") if not path.is_dir() or path.is_symlink()}
    texts = {path: path.read_bytes() for path in before if path.is_file()}
    card.install()
    kept = exam(card)
    done = card.setup("uninstall")
    assert done.returncode == 0, done.stderr
    after = {path for path in card.root.rglob("*") if not path.is_dir() or path.is_symlink()}
    left = {str(path.relative_to(card.root)) for path in after - before}
    accounts = {f"etc/{name}" for name in ("passwd", "group", "shadow", "gshadow", ".pwd.lock")}
    timesync = {name for name in left if "timesync" in name}  # the clock stays right
    assert left - accounts - timesync == {"var/lib/mammascope/records/exam", "var/lib/mammascope/settings.toml"}
    assert before <= after
    assert {path: path.read_bytes() for path in texts} == texts
    assert kept.read_text() == "a patient's"


def test_exams_are_deleted_only_when_the_words_are_typed(installed: Card) -> None:
    kept = exam(installed)
    assert installed.setup("uninstall", "--purge", given="yes\n").returncode == 1
    assert kept.exists()
    assert (installed.root / "opt/mammascope/current").exists()
    assert installed.setup("uninstall", "--purge", given="delete all exams\n").returncode == 0
    assert not kept.exists()
    assert "mammascope" not in (installed.root / "etc/passwd").read_text()
