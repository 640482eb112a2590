# SPDX-License-Identifier: Apache-2.0
"""A virtual handheld is updated from a stick: a good update stays, a broken one is gone again by itself.

The machine is that of ``test_kiosk_vm``. The update files are made by ``update make`` of this checkout with a higher
version, as a technician makes them; the broken one is ready and stands still a moment later, which no check before its
start can see. One machine goes through all of it in the order of this file.

    python -m pytest tests/system/test_kiosk_updates.py -s -x       # MAMMASCOPE_SUITE=bookworm for the older Debian
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device import __version__
from device.__main__ import main as device_main
from tests.device.ui.record_world import make_world
from tests.system import kiosk_image, kiosk_machine
from tests.system.debian_root import run_in
from tests.system.kiosk import PROGRAM, Kiosk, say
from tests.system.kiosk_card import Card, entries, make_stick
from tests.system.kiosk_image import ROOT_AT, copy_checkout, make_image
from tests.system.kiosk_machine import Machine

SUITE = os.environ.get("MAMMASCOPE_SUITE", "trixie")
CUTS = 12
PLACE = "/media/mammascope/UPDATES"
GOOD, FROZEN, NEXT = "90.1.0", "90.2.0", "90.3.0"
FROZEN_AFTER_S = 10
"""Long enough for the first word to systemd, after which it is the watchdog's to end what stands still."""

pytestmark = [
    pytest.mark.skipif(bool(kiosk_image.missing()), reason=kiosk_image.missing() or "-"),
    pytest.mark.skipif(bool(kiosk_machine.missing()), reason=kiosk_machine.missing() or "-"),
    pytest.mark.timeout(6 * 3600),
]


@dataclass(frozen=True)
class Version:
    """An update as it was made.

    Attributes:
        source: The checkout that it was made of.
        file: The update file.
    """

    source: Path
    file: Path

    @property
    def release(self) -> str:
        """Name of the release that it becomes."""
        return self.file.name.removeprefix("mammascope-").removesuffix(".update")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kiosk")


@pytest.fixture(scope="module")
def versions(folder: Path) -> dict[str, Version]:
    """A good update, one that stands still, and a further good one; all of one signer."""
    return {name: make_update(folder, name, frozen=name == FROZEN) for name in (GOOD, FROZEN, NEXT)}


@pytest.fixture(scope="module")
def kiosk(folder: Path, versions: dict[str, Version]) -> Iterator[Kiosk]:
    """In its first version, with the updates on a stick."""
    files = folder / "files"
    files.mkdir()
    for version in versions.values():
        (files / version.file.name).write_bytes(version.file.read_bytes())
    damaged = bytearray(versions[NEXT].file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (files / "damaged.update").write_bytes(damaged)
    stick = make_stick(folder / "stick.img", "UPDATES", files, 128)
    with Machine(folder, make_image(SUITE)) as machine:
        (folder / "twin").mkdir()
        kiosk = Kiosk(machine, make_world(folder / "twin"), stick)
        machine.switch_on(stick)
        kiosk.await_app()
        machine.until(lambda: kiosk.mounts() != [], "the stick is mounted")
        yield kiosk
        kiosk.close()


def make_update(folder: Path, name: str, *, frozen: bool) -> Version:
    """Make an update file of this checkout."""
    source = folder / f"source-{name}"
    copy_checkout(source)
    replace(source / "device/__init__.py", f'__version__ = "{__version__}"', f'__version__ = "{name}"')
    if frozen:
        turn = "            self.step()\n            pacer.tick(FRAMES_PER_SECOND)\n"
        still = f"            time.sleep(1e6 if self.clock() > born + {FROZEN_AFTER_S} else 0)\n"
        replace(source / "device/ui/app.py", turn, turn + still)
        replace(source / "device/ui/app.py", "        while not", "        born = self.clock()\n        while not")
    words = ["update", "make", "--source", str(source), "--key", str(folder / "update.key"), "--out", str(folder)]
    assert device_main(words) == 0
    (file,) = folder.glob(f"mammascope-{name}-*.update")
    return Version(source, file)


def replace(path: Path, old: str, new: str) -> None:
    """Change one place of a program."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


# --- what is asked of the handheld ------------------------------------------------------------------------------------


def in_use(kiosk: Kiosk) -> str:
    """The release that `current` points to."""
    return kiosk.shell("readlink /opt/mammascope/current").removeprefix("releases/")


def update(kiosk: Kiosk, *words: str) -> subprocess.CompletedProcess[str]:
    """``update`` on the handheld, as root."""
    return kiosk.machine.agent.run("sh", "-c", f"cd / && {PROGRAM} update {' '.join(words)}", check=False)


def status(kiosk: Kiosk) -> str:
    """What ``update status`` says."""
    return update(kiosk, "status").stdout


def await_good(kiosk: Kiosk, version: Version) -> None:
    """Wait until a release counts as good, and the program says so, too."""
    # The program itself is asked only once: it is a long start for a small processor.
    noted = "cat /var/lib/mammascope-health/good || true"
    kiosk.machine.until(lambda: kiosk.shell(noted) == f"releases/{version.release}", "it is good")
    assert re.search(rf"last good +{re.escape(version.release)}", status(kiosk))


# --- the tests --------------------------------------------------------------------------------------------------------


def test_a_file_of_a_stranger_and_a_damaged_one_change_nothing(kiosk: Kiosk, versions: dict[str, Version]) -> None:
    before = in_use(kiosk), kiosk.show("MainPID")
    assert update(kiosk, "install", f"{PLACE}/{versions[GOOD].file.name}").returncode == 2
    trusting = f"--trust '{fingerprint(kiosk, versions[GOOD])}'"
    refused = update(kiosk, "install", f"{PLACE}/damaged.update", trusting)
    assert refused.returncode == 2
    say(refused.stderr.strip())
    assert (in_use(kiosk), kiosk.show("MainPID")) == before
    assert kiosk.shell("ls /opt/mammascope/releases") == before[0]


def fingerprint(kiosk: Kiosk, version: Version) -> str:
    """Of the signer, as the handheld names it when it does not know it."""
    said = update(kiosk, "verify", f"{PLACE}/{version.file.name}").stderr
    found = re.search(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}", said)
    assert found, said
    return found[0]


def test_a_good_update_is_used_and_called_good(kiosk: Kiosk, versions: dict[str, Version]) -> None:
    version = versions[GOOD]
    first = in_use(kiosk)
    trusting = f"--trust '{fingerprint(kiosk, version)}'"
    done = update(kiosk, "install", f"{PLACE}/{version.file.name}", trusting)
    say(done.stdout.strip().replace("\n", "\n    "))
    assert done.returncode == 0, done.stderr
    assert in_use(kiosk) == version.release
    kiosk.await_app()
    assert GOOD in kiosk.shell(f"{PROGRAM} --version")
    await_good(kiosk, version)
    assert kiosk.shell("systemctl --failed --no-legend --plain") == ""
    assert kiosk.shell(f"ls /opt/mammascope/releases/{first}/complete")  # to go back to


def test_an_update_that_stands_still_is_taken_back_by_itself(kiosk: Kiosk, versions: dict[str, Version]) -> None:
    good, frozen = versions[GOOD].release, versions[FROZEN].release
    done = update(kiosk, "install", f"{PLACE}/{versions[FROZEN].file.name}")
    assert done.returncode == 0, done.stderr
    assert in_use(kiosk) == frozen
    kiosk.machine.until(lambda: in_use(kiosk) == good, "it is taken back")
    kiosk.machine.until(lambda: kiosk.show("ActiveState") == "active", "the old one runs")
    kiosk.await_app()
    say(status(kiosk).replace("\n", "\n    "))
    assert re.search(rf"failed +{re.escape(frozen)}: (watchdog|deadline)", status(kiosk))
    again = update(kiosk, "install", f"{PLACE}/{versions[FROZEN].file.name}")
    assert again.returncode == 2
    assert in_use(kiosk) == good


def test_the_power_goes_while_an_update_is_written(kiosk: Kiosk, versions: dict[str, Version]) -> None:
    good, following = versions[GOOD].release, versions[NEXT].release
    kiosk.machine.agent.run(
        *("systemd-run", "--quiet", "--no-block", "--unit=technician", "sh", "-c"),
        f"{PROGRAM} update {PLACE}/{versions[NEXT].file.name}",
    )
    kiosk.machine.until(
        lambda: kiosk.shell(f"ls /opt/mammascope/releases/{following}/venv 2>/dev/null || true"), "it is being written"
    )
    kiosk.machine.pull_power(kiosk.rng)
    kiosk.machine.switch_on(kiosk.stick)
    kiosk.await_app()
    assert in_use(kiosk) == good
    assert following not in kiosk.shell("ls -A /opt/mammascope/releases")
    assert kiosk.shell("systemctl --failed --no-legend --plain") == ""


def test_whenever_the_power_goes_there_is_a_whole_release(
    kiosk: Kiosk, versions: dict[str, Version], tmp_path: Path
) -> None:
    card = kiosk.machine.card
    kiosk.machine.until(lambda: kiosk.mounts() != [], "the stick is mounted")
    begin = entries(card.log)
    done = update(kiosk, "install", f"{PLACE}/{versions[NEXT].file.name}")
    assert done.returncode == 0, done.stderr
    end = entries(card.log)
    moments = [*sorted(kiosk.rng.randrange(begin, end) for _ in range(CUTS)), end]
    used = [release_after_cut(card, moment, kiosk.rng, tmp_path, versions) for moment in moments]
    say(f"{len(used)} power cuts in {end - begin} writes and flushes; the new one in {used.count(NEXT)} of them")
    assert used[-1] == NEXT
    assert set(used) <= {GOOD, NEXT}
    kiosk.await_app()
    await_good(kiosk, versions[NEXT])


def release_after_cut(card: Card, moment: int, rng: random.Random, folder: Path, versions: dict[str, Version]) -> str:
    """The version in use after a power cut and what the next start does first; every file of it has been compared."""
    copy = card.copy_cut(folder / "cut.img", moment, rng)
    with tempfile.TemporaryDirectory() as mount:
        root = Path(mount)
        subprocess.run(["mount", "-o", f"loop,offset={ROOT_AT}", str(copy), mount], check=True)
        try:
            run_in(root, "/usr/local/lib/mammascope/update-guard", "resume")
            release = root / "opt/mammascope" / (root / "opt/mammascope/current").readlink()
            said = run_in(
                root, "/opt/mammascope/current/venv/bin/python", "-P", "-m", "device", "--version", capture_output=True
            )
            name = said.stdout.split()[-1]
            for path in sorted((versions[name].source / "device").rglob("*.py")):
                assert (release / path.relative_to(versions[name].source)).read_bytes() == path.read_bytes()
        finally:
            subprocess.run(["umount", mount], check=True)
    copy.unlink()
    return name
