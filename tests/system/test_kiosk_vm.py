# SPDX-License-Identifier: Apache-2.0
"""A virtual handheld from its card to its day: booted under systemd into the kiosk, seen, touched, and ill-treated.

The card is a Debian on which ``setup.sh install`` has been run (``kiosk_image``); the machine is emulated, has a panel,
a touch panel, USB and a hardware watchdog, and its power can be pulled (``kiosk_machine``, ``kiosk_card``). What the
panel shows is compared pixel by pixel with the same program on this machine (``kiosk_twin``). One machine goes through
all of it in the order of this file, so a test may build on those before it.

    python -m pytest tests/system/test_kiosk_vm.py -s -x       # MAMMASCOPE_SUITE=bookworm for the older Debian

Root, debootstrap, qemu-system-x86, qemu-utils, dosfstools, mtools and a network for Debian's packages are needed;
making the card takes some minutes once, the rest less than half an hour on two busy cores.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from device.__main__ import main as device_main
from device.records.exam import BiRads, Exam, ExamState
from device.ui.flow import exam as exam_flow
from device.ui.session.services import Services
from tests.device.ui.record_world import PIN, fill_stick, make_world
from tests.device.ui.waits import to_panel
from tests.system import kiosk_image, kiosk_machine
from tests.system.kiosk import PROGRAM, Kiosk, say
from tests.system.kiosk_card import Card, entries, make_stick, write_boot_file
from tests.system.kiosk_image import BOOT_AT, ROOT_AT, make_image
from tests.system.kiosk_machine import Machine, Picture
from tests.system.kiosk_twin import Twin

SUITE = os.environ.get("MAMMASCOPE_SUITE", "trixie")
CUTS = 12
PATIENT = ("Wanjiru", "KB-7")
NOTE = "lump at ten"
SITE, SSID, SECRET = "Asha clinic", "Clinic upstairs", "not a real password"
CLINIC = "https://archive.invalid:8443/dicom-web"  # reached by nobody, also where there is a network (RFC 6761)

pytestmark = [
    pytest.mark.skipif(bool(kiosk_image.missing()), reason=kiosk_image.missing() or "-"),
    pytest.mark.skipif(bool(kiosk_machine.missing()), reason=kiosk_machine.missing() or "-"),
    pytest.mark.timeout(6 * 3600),
]


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kiosk]:
    """Made of the card as installed, with a site file on its boot partition and a stick in its socket; then started."""
    folder = tmp_path_factory.mktemp("kiosk")
    say(f"making the card ({SUITE})")
    with Machine(folder, make_image(SUITE)) as machine, pytest.MonkeyPatch.context() as patch:
        # The virtual handheld's clock has a battery; that of the machine below it may not be set.
        patch.setattr(exam_flow, "clock_trusted", lambda: True)
        write_boot_file(machine.card.path, BOOT_AT, site_file(folder))
        (folder / "twin").mkdir()
        world = make_world(folder / "twin")
        fill_stick(world.plug(), bad=False)
        stick = make_stick(folder / "stick.img", "KINGSTON", world.folder / "media/KINGSTON")
        kiosk = Kiosk(machine, world, stick, SITE, CLINIC)
        began = time.monotonic()
        machine.switch_on(stick)
        kiosk.await_app()
        say(f"from power-on to the first screen: {time.monotonic() - began:.0f} s, emulated")
        yield kiosk
        kiosk.close()


@pytest.fixture(autouse=True)
def _picture(kiosk: Kiosk, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what the panel shows after each test."""
    yield
    folder = Path(os.environ.get("MAMMASCOPE_PICTURES", kiosk.machine.folder))
    if kiosk.machine.is_on:
        kiosk.machine.save_picture(folder / f"{request.node.name}.png")


def site_file(folder: Path) -> Path:
    """As a technician makes it at the desk."""
    key = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    (folder / "ours.toml").write_text(
        f'[site]\nname = "{SITE}"\nlanguage = "en"\n[records]\nrecovery_key = "{key}"\n'
        f'[clinic]\nurl = "{CLINIC}"\nuser = "device-one"\n'
        f'password = "{SECRET}"\n[[wifi]]\nssid = "{SSID}"\npassword = "{SECRET}"\n'
    )
    words = ["enrol", "make", str(folder / "ours.toml"), "--key", str(folder / "site.key"), "--out", str(folder)]
    assert device_main(words) == 0
    return folder / "mammascope-site.toml"


# --- started ----------------------------------------------------------------------------------------------------------


def test_the_kiosk_is_on_the_panel_and_nothing_has_failed(kiosk: Kiosk) -> None:
    kiosk.machine.until(lambda: kiosk.shell("systemctl is-system-running || true") != "starting", "started")
    assert kiosk.shell("systemctl --failed --no-legend --plain") == ""
    assert kiosk.shell("systemctl is-system-running") == "running"
    assert kiosk.show("NRestarts") == "0"
    assert len(np.unique(kiosk.machine.look().reshape(-1, 3), axis=0)) > 20
    assert kiosk.twin.app.screen is not None
    assert kiosk.twin.app.screen.name == "first_start"


def test_the_site_file_on_the_boot_partition_was_followed_and_is_gone(kiosk: Kiosk) -> None:
    assert "mammascope-site.toml" not in kiosk.shell("ls /boot/firmware")
    settings = kiosk.shell("cat /var/lib/mammascope/settings.toml")
    assert f'name = "{SITE}"' in settings
    assert CLINIC in settings
    assert kiosk.shell("stat -c '%U %a' /var/lib/mammascope/settings.toml") == "mammascope 600"
    assert kiosk.shell("stat -c '%U %a' /var/lib/mammascope/clinic-access.toml") == "mammascope 600"
    connections = kiosk.shell("nmcli --terse --fields NAME,TYPE connection show")
    assert re.search(r"^mammascope-.*:802-11-wireless$", connections, re.MULTILINE)
    assert SECRET not in kiosk.shell("journalctl --boot --output=export --all | cat")


def test_a_finger_and_a_mouse_both_set_it_up(kiosk: Kiosk) -> None:
    # The emulator's own tablet opens the keyboard, the touch panel does the rest.
    field_at = kiosk.twin.find("operator").rect.center
    x, y = to_panel(kiosk.twin.app.display.reader, field_at)
    kiosk.machine.click(x, y)
    kiosk.twin.tap_here("operator")  # the one on this machine follows
    kiosk.twin.same()
    kiosk.twin.write("Asha")
    kiosk.twin.tap("next")
    kiosk.enter_pin()
    kiosk.unlock()


def test_doctor_finds_nothing_broken(kiosk: Kiosk) -> None:
    said = kiosk.shell(f"sudo -u mammascope {PROGRAM} doctor --json || true")
    checks = {check["name"]: check for check in json.loads(said)["checks"]}
    say("\n    ".join(f"{check['status']:7} {name}: {check['sentence']}" for name, check in checks.items()))
    assert [name for name, check in checks.items() if check["status"] == "fail"] == []
    assert checks["Model"]["status"] == "ok"
    assert checks["Screen"]["status"] == "ok"
    assert checks["Touch"]["status"] == "ok"


# --- sticks -----------------------------------------------------------------------------------------------------------


def test_a_stick_that_was_in_it_from_the_start_is_mounted_so_that_nothing_on_it_can_change(kiosk: Kiosk) -> None:
    (options,) = kiosk.mounts()
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options.split(","))


def test_a_stick_that_is_pulled_and_plugged_in_goes_and_comes_on_the_screen(kiosk: Kiosk) -> None:
    kiosk.twin.tap("import")
    kiosk.twin.until_text("KINGSTON")
    kiosk.twin.same()
    kiosk.machine.pull()
    kiosk.world.pull()
    kiosk.twin.until(lambda: not kiosk.twin.shows("KINGSTON"))
    kiosk.twin.same()
    kiosk.machine.until(lambda: kiosk.mounts() == [], "the stick is unmounted")
    kiosk.machine.plug(kiosk.stick)
    kiosk.world.plug_again()
    kiosk.twin.until_text("KINGSTON")
    kiosk.twin.same()
    kiosk.twin.tap("KINGSTON")
    kiosk.twin.until_text("good.png")
    kiosk.twin.same()
    kiosk.twin.tap("back")
    kiosk.twin.tap("back")
    kiosk.twin.until_screen("home")


# --- an exam ----------------------------------------------------------------------------------------------------------


def test_an_exam_is_begun_with_a_live_picture(kiosk: Kiosk) -> None:
    twin = kiosk.twin
    twin.tap("new_exam")
    for name, words in (("code", PATIENT[1]), ("name", PATIENT[0]), ("age", "45")):
        twin.tap(name)
        twin.write(words)
    twin.tap("gender.female")
    twin.tap("next")
    twin.until_screen("sources")
    twin.until_text("Phantom")
    twin.tap("Phantom")
    twin.until_screen("live")
    twin.until(lambda: twin.screen.ready)
    kiosk.machine.until(lambda: moves(kiosk.machine), "the live picture moves")
    twin.tap_moving("back")
    twin.until_screen("sources")
    twin.tap("back")
    twin.until_screen("exam_summary")
    kiosk.exam_shown()


def moves(machine: Machine) -> bool:
    """Whether the grey picture in the middle of the panel changes."""
    before: Picture = machine.look()[100:400, 100:500]
    machine.until(lambda: (machine.look()[100:400, 100:500] != before).any(), "another picture")
    return len(np.unique(before)) > 100  # a sonogram, and not a message


def test_a_picture_of_the_stick_becomes_a_view_with_its_finding(kiosk: Kiosk) -> None:
    twin = kiosk.twin
    twin.tap("import")
    twin.until_text("KINGSTON")
    twin.tap("KINGSTON")
    twin.until_text("good.png")
    twin.tap("good.png")
    twin.until_screen("view")
    twin.same()
    twin.tap("place")
    twin.tap("side.left")
    twin.tap("done")
    twin.until_screen("view")
    twin.tap("save")
    twin.until_screen("exam_summary")
    kiosk.exam_shown()


# --- ill-treated ------------------------------------------------------------------------------------------------------


def test_the_app_is_killed_and_comes_back(kiosk: Kiosk) -> None:
    before = kiosk.show("MainPID")
    began = time.monotonic()
    kiosk.shell(f"kill -KILL {before}")
    kiosk.machine.until(lambda: kiosk.show("MainPID") not in (before, "0"), "another process")
    twin = kiosk.await_app()
    say(f"from kill -9 to the lock screen: {time.monotonic() - began:.0f} s")
    assert twin.app.screen is not None
    assert twin.app.screen.name == "lock"
    assert kiosk.show("NRestarts") == "1"
    kiosk.unlock()


def test_a_screen_loop_that_stands_still_is_bitten_by_the_watchdog(kiosk: Kiosk) -> None:
    before = kiosk.show("MainPID")
    kiosk.shell(f"kill -STOP {before}")
    kiosk.machine.until(lambda: kiosk.show("MainPID") not in (before, "0"), "another process")
    assert "Watchdog timeout" in kiosk.shell("journalctl --boot --unit=mammascope.service --output=cat")
    assert kiosk.show("NRestarts") == "2"
    kiosk.await_app()
    kiosk.unlock()


def test_the_power_goes_while_an_exam_is_open_and_nothing_is_lost(kiosk: Kiosk) -> None:
    twin = open_exam(kiosk)
    twin.tap("birads.4A")
    twin.same()
    kiosk.machine.pull_power(kiosk.rng)
    kiosk.machine.switch_on(kiosk.stick)
    kiosk.await_app()
    assert kiosk.shell("systemctl --failed --no-legend --plain") == ""
    kiosk.unlock()
    open_exam(kiosk)


def open_exam(kiosk: Kiosk) -> Twin:
    """From the main menu to the draft, which both show alike: views, category and note."""
    twin = kiosk.twin
    twin.tap("exams")
    twin.until_text(PATIENT[1])
    twin.tap(PATIENT[1])
    twin.until_screen("exam_summary")
    kiosk.exam_shown()
    return twin


def test_the_power_goes_at_any_moment_of_making_it_final(kiosk: Kiosk, tmp_path: Path) -> None:
    twin, card = kiosk.twin, kiosk.machine.card
    kept = entries(card.log)
    twin.tap("note")
    twin.write(NOTE)
    twin.same()
    noted = entries(card.log)
    twin.tap("finalise")
    twin.tap("Make final")
    twin.until_screen("exam_detail")
    kiosk.exam_shown()
    final = entries(card.log)
    moments = [*sorted(kiosk.rng.randrange(kept, final) for _ in range(CUTS)), final]
    exams = [exam_after_cut(card, moment, kiosk.rng, tmp_path) for moment in moments]
    finals = sum(exam.state is ExamState.FINAL for exam in exams)
    say(f"{len(exams)} power cuts in {final - kept} writes and flushes; final in {finals} of them")
    for moment, exam in zip(moments, exams, strict=True):
        assert exam.birads is BiRads.SUSPICIOUS_LOW
        assert len(exam.views) == 1
        assert exam.note in ({NOTE} if moment >= noted else {"", NOTE}), moment
        assert exam.state is ExamState.FINAL or moment < final


def exam_after_cut(card: Card, moment: int, rng: random.Random, folder: Path) -> Exam:
    """The one exam on a copy of the card whose power went after so many writes; its picture has been read."""
    copy = card.copy_cut(folder / "cut.img", moment, rng)
    with tempfile.TemporaryDirectory() as mount:
        subprocess.run(["mount", "-o", f"loop,offset={ROOT_AT}", str(copy), mount], check=True)
        try:
            services = Services(Path(mount) / "var/lib/mammascope")
            services.unlocked(services.open_vault(PIN))
            (summary,) = services.store.search()
            exam = services.store.get(summary.uid)
            assert exam.views[0].frame.pixels.std() > 0
            services.close()
        finally:
            subprocess.run(["umount", mount], check=True)
    copy.unlink()
    return exam


def test_it_is_written_to_a_stick_that_was_mounted_read_only(kiosk: Kiosk) -> None:
    twin = kiosk.twin
    twin.tap("export")
    twin.until_text("KINGSTON")
    twin.tap("begin")
    twin.until_text("read back and compared")
    twin.same()
    twin.tap("done")
    (options,) = kiosk.mounts()
    assert "rw" in options.split(",")
    kiosk.machine.pull()
    kiosk.world.pull()
    words = ["mdir", "-i", str(kiosk.stick), "-/", "-b", "::"]
    assert "report.pdf" in subprocess.run(words, capture_output=True, text=True, check=True).stdout
    kiosk.machine.plug(kiosk.stick)
    kiosk.world.plug_again()
    kiosk.machine.until(lambda: [("ro" in each.split(",")) for each in kiosk.mounts()] == [True], "read-only again")


def test_the_app_may_ask_for_nothing_else(kiosk: Kiosk) -> None:
    for words in ("systemctl stop NetworkManager.service", "systemctl start mammascope-update-resume.service"):
        refused = kiosk.machine.agent.run("sudo", "-u", "mammascope", *words.split(), "--no-ask-password", check=False)
        assert refused.returncode != 0, words
    kiosk.shell("sudo -u mammascope timedatectl --no-ask-password set-timezone Asia/Kolkata")
    assert kiosk.shell("readlink /etc/localtime").endswith("Asia/Kolkata")
    kiosk.shell("sudo -u mammascope timedatectl --no-ask-password set-timezone Etc/UTC")


# --- what cannot start ------------------------------------------------------------------------------------------------


def test_an_app_that_cannot_start_says_why_on_the_panel_and_comes_back_when_it_is_mended(kiosk: Kiosk) -> None:
    kiosk.shell("cd /var/lib/mammascope && cp -p settings.toml good && echo '[displai]' >>settings.toml")
    kiosk.shell("systemctl reset-failed mammascope.service")  # the starts before do not count
    kiosk.shell("systemctl restart --no-block mammascope.service")
    kiosk.machine.until(lambda: "Code:" in kiosk.shell("cat /dev/vcs1"), "the failure screen")
    text = kiosk.shell("fold -w $(stty -F /dev/tty1 size | cut -d' ' -f2) /dev/vcs1")
    say("\n    ".join(line.rstrip() for line in text.splitlines() if line.strip()))
    assert "Code: M-REFUSED" in text
    assert "displai" in text
    picture = kiosk.machine.look()
    assert 0.01 < (picture.max(axis=2) > 100).mean() < 0.3  # letters on black
    kiosk.machine.save_picture(kiosk.machine.folder / "failure-screen.png")
    log = kiosk.shell("journalctl --boot --unit=mammascope.service --output=cat | cat")
    assert log.count("Main process exited, code=exited, status=2") == 4
    assert kiosk.shell("systemctl is-active mammascope-failure.service") == "active"
    kiosk.shell("cd /var/lib/mammascope && mv good settings.toml")
    kiosk.await_app()
    kiosk.unlock()


def test_a_kernel_that_hangs_is_started_again_by_the_hardware(kiosk: Kiosk) -> None:
    kiosk.machine.monitor.forget()
    kiosk.shell("echo 0 >/proc/sys/kernel/panic; sync")
    hang = "sleep 1; echo c >/proc/sysrq-trigger"
    kiosk.machine.agent.run("systemd-run", "--quiet", "sh", "-c", hang)
    kiosk.machine.await_reset()
    assert "WATCHDOG" in kiosk.machine.monitor.events
    kiosk.await_app()
    kiosk.unlock()


# --- afterwards -------------------------------------------------------------------------------------------------------


def test_no_log_and_no_byte_of_the_card_names_the_patient(kiosk: Kiosk) -> None:
    log = kiosk.shell("journalctl --output=export --all | cat; cat /var/log/mammascope-install.log")
    assert "mammascope.service" in log
    assert [word for word in (*PATIENT, NOTE, PIN) if word in log] == []
    assert int(kiosk.shell("journalctl --list-boots --no-pager | wc -l")) >= 3  # the log outlives a restart
    kiosk.shell("sync")
    kiosk.machine.switch_off()
    card = kiosk.machine.card.path
    assert written(card, "Mammascope touchscreen app")  # it is searched indeed
    assert [word for word in (PATIENT[0], NOTE, PIN) if written(card, word)] == []


def written(card: Path, words: str) -> bool:
    """Whether the raw card holds these words, in UTF-8 or UTF-16, also in blocks of deleted files."""
    with card.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        parts = list(used_parts(stream.fileno(), len(content)))
        codes = [words.encode(coding) for coding in ("utf-8", "utf-16-le")]
        return any(content.find(code, *part) >= 0 for code in codes for part in parts)


def used_parts(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Begin and end of what is no hole in a sparse file: holes hold nothing, and are most of it."""
    end = 0
    while end < size:
        try:
            begin = os.lseek(file, end, os.SEEK_DATA)
        except OSError:
            return  # only a hole is left
        end = os.lseek(file, begin, os.SEEK_HOLE)
        yield begin, end
