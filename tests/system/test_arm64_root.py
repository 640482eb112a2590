# SPDX-License-Identifier: Apache-2.0
"""The README followed to the letter on an arm64 card, in emulation: installed, run, installed offline, taken away.

Debian's arm64 packages and the aarch64 wheels of the lock are the real ones, and so are apt, pip, systemctl, sudo and
cloud-init; the processor is emulated, nothing is booted, and ``python3-picamera2`` is a stand-in (see ``pi_card``).
What the technician types is taken out of the documents. Findings are compared with those of this machine, on the
processors of three boards.

    python -m pytest tests/system/test_arm64_root.py -s      # -k bookworm or -k trixie for one of them
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import shared_folder
from tests.system import emulation
from tests.system.emulated_findings import BOARDS, compare, frames_to_classify, lines_of
from tests.system.emulation import arm64_programs
from tests.system.pi_card import (
    CMDLINE,
    CONFIG,
    HOME,
    PACKAGES,
    PiCard,
    archive_checkout,
    copied_card,
    fresh_card,
    kept_card,
)

pytestmark = [
    pytest.mark.skipif(bool(emulation.missing()), reason=emulation.missing() or "-"),
    pytest.mark.timeout(4 * 3600),
]
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
ENVIRONMENT = "env MAMMASCOPE_DATA=/var/lib/mammascope MAMMASCOPE_CONFIG=/var/lib/mammascope/settings.toml"
PYTHON = f"sudo -u mammascope {ENVIRONMENT} /opt/mammascope/current/venv/bin/python -P"
PIN = "482913"

Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def tell(request: pytest.FixtureRequest) -> Tell:
    """Prints a line of progress."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def print_line(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)

    return print_line


@pytest.fixture(scope="module", params=list(PACKAGES))
def fresh(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, checkout: Path, tell: Tell
) -> Iterator[PiCard]:
    """An unchanged flashed card; not to be changed."""
    with (
        arm64_programs() as emulator,
        fresh_card(tmp_path_factory.mktemp(request.param), request.param, checkout) as card,
    ):
        tell(f"{request.param}: a fresh card, run by {emulator}")
        yield card


@pytest.fixture(scope="module")
def installed(fresh: PiCard, checkout: Path, tell: Tell) -> PiCard:
    """What the README's line makes of it, with a network; kept until what is installed changes. Not to be changed."""

    def install(card: PiCard) -> None:
        card.technician(typed(checkout / "README.md", "sudo ./setup.sh install"))
        more = card.megabytes() - fresh.megabytes()
        tell(f"{card.suite}: installed in {card.minutes:.1f} minutes, {more} MB more")

    return kept_card(fresh, checkout, install)


@pytest.fixture
def handheld(installed: PiCard, tmp_path: Path) -> Iterator[PiCard]:
    """An installed one of the test's own."""
    with copied_card(installed, tmp_path / "handheld") as card:
        yield card


def typed(document: Path, beginning: str) -> str:
    """The line of a document's code block that begins so, without its comment."""
    for line in document.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"    {beginning}"):
            return re.sub(r"\s+#.*", "", line).strip()
    raise AssertionError(f"{document.name} has no line that begins with {beginning}")


@pytest.fixture(scope="module")
def wheels(fresh: PiCard, tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """The folder ``wheels`` of the stick, filled on this machine as the document says."""
    stick = tmp_path_factory.mktemp("stick")
    line = typed(checkout / "docs/provisioning.md", "requirements/wheels")
    assert line.endswith(" 3.13")
    line = line.replace("STICK", str(stick)).replace(" 3.13", f" {PYTHONS[fresh.suite]}")
    subprocess.run(line.split(), cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    return stick


# --- installed with a network -----------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(fresh: PiCard, checkout: Path) -> None:
    before = fresh.content()
    fresh.technician(f"{typed(checkout / 'README.md', 'sudo ./setup.sh install')} --dry-run")
    for word in ("python3-venv", "the release", "mammascope.service", "making the user", "cmdline.txt", "turning on"):
        assert word in fresh.told
    assert changed(before, fresh.content()) == set()


def test_what_the_readme_promises_is_there(installed: PiCard, checkout: Path) -> None:
    asked = installed.as_root("systemctl", "is-enabled", "mammascope.service", "mammascope-healthy.timer")
    assert asked.split() == ["enabled", "enabled"]
    assert "consoleblank=0 logo.nologo" in (installed.boot / "cmdline.txt").read_text()
    assert "cfg80211.ieee80211_regdom=IN" in (installed.boot / "cmdline.txt").read_text()
    wifi = installed.root / "var/lib/NetworkManager/NetworkManager.state"
    assert "WirelessEnabled=true" in wifi.read_text()
    assert "dtparam=watchdog=on" in (installed.boot / "config.txt").read_text()
    log = (installed.root / "var/log/mammascope-install.log").read_text()
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ==> done: \d+ changes$", log, re.MULTILINE)
    versions = json.loads(installed.technician(f"{PYTHON} -c '{_VERSIONS}'"))
    locked = dict(re.findall(r"^(\S+)==(\S+)", (checkout / "requirements/device.lock").read_text(), re.MULTILINE))
    assert {name: versions[name] for name in ("ai-edge-litert", "numpy", "pygame-ce", "pydicom")} == {
        name: locked[name] for name in ("ai-edge-litert", "numpy", "pygame-ce", "pydicom")
    }
    assert versions["machine"] == "aarch64"
    assert versions["python"].startswith(PYTHONS[installed.suite])
    assert versions["camera"] == "/usr/lib/python3/dist-packages/picamera2.py"


_VERSIONS = """
import json, platform, importlib.metadata as found, picamera2
names = ["ai-edge-litert", "numpy", "pygame-ce", "pydicom"]
facts = {"machine": platform.machine(), "python": platform.python_version(), "camera": picamera2.__file__}
print(json.dumps(facts | {name: found.version(name) for name in names}))
""".replace("'", '"')


def test_a_second_run_changes_nothing(handheld: PiCard, checkout: Path) -> None:
    before = handheld.content()
    handheld.technician(typed(checkout / "README.md", "sudo ./setup.sh install"))
    assert "done: 0 changes" in handheld.told
    assert changed(before, handheld.content()) == {"root/var/log/mammascope-install.log"}


def test_doctor_finds_the_runtime_the_model_and_the_fonts_in_order(handheld: PiCard, checkout: Path) -> None:
    line = typed(checkout / "README.md", "./setup.sh doctor")
    handheld.technician(f"{line} --json || true")
    answer = json.loads(next(line for line in handheld.told.splitlines() if line.startswith("{")))
    found = {check["name"]: check for check in answer["checks"]}
    for name in ("Settings", "Python", "Storage", "Model", "Fonts", "Camera"):
        assert found[name]["status"] == "ok", found[name]
    assert "gives its golden results with ai_edge_litert" in found["Model"]["sentence"]
    assert not (handheld.root / HOME / "mammascope/.venv").exists()


@pytest.mark.parametrize("board", BOARDS)
def test_findings_are_those_of_this_machine(
    installed: PiCard, board: str, tmp_path: Path, tell: Tell, checkout: Path
) -> None:
    frames = frames_to_classify(shared_folder(), tmp_path)
    command = [sys.executable, "-P", "-m", "device", "classify", str(frames), "--json"]
    here = lines_of(subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout)
    line = f"sudo QEMU_CPU={board} mammascope classify /frames --json"
    there = lines_of(installed.technician(line, binds={frames: "/frames"}))
    tell(f"{installed.suite}, {board}: {compare(here, there)}; {installed.minutes:.1f} minutes")


# --- taken away, and installed without a network ----------------------------------------------------------------------


def test_exams_survive_an_uninstall_and_an_install_without_a_network(
    handheld: PiCard, wheels: Path, tmp_path: Path, tell: Tell, checkout: Path
) -> None:
    shutil.copy(Path(__file__).with_name("make_exam.py"), handheld.root / "srv/make_exam.py")
    frames = frames_to_classify(None, tmp_path)
    frame = next(frames.iterdir()).name
    handheld.technician(f"{PYTHON} /srv/make_exam.py /frames/{frame} {PIN}", binds={frames: "/frames"})

    handheld.technician("sudo ./setup.sh uninstall")
    left = {path for path in handheld.content() if "mammascope" in path and HOME.name not in path}
    assert left
    assert all(path.startswith("root/var/lib/mammascope/") for path in left), left
    assert (handheld.boot / "cmdline.txt").read_text() == CMDLINE
    assert (handheld.boot / "config.txt").read_text() == CONFIG

    line = typed(checkout / "docs/provisioning.md", "sudo ./setup.sh install --wheels")
    stick = {wheels: "/media/STICK"}
    handheld.technician(line, network=False, binds=stick)
    tell(f"{handheld.suite}: installed without a network in {handheld.minutes:.1f} minutes")
    folder = "out=/tmp/out && mkdir --mode=777 $out"
    handheld.technician(f"{folder} && echo {PIN} | sudo mammascope export --all $out --pin-stdin && find $out")
    assert ".pdf" in handheld.told


# --- the first start with user-data -----------------------------------------------------------------------------------


def test_a_card_with_user_data_installs_and_enrols_itself(
    handheld: PiCard, wheels: Path, tmp_path: Path, tell: Tell, checkout: Path
) -> None:
    if "cloud-init" not in PACKAGES[handheld.suite]:
        pytest.skip("Raspberry Pi OS Bookworm does not read user-data")
    handheld.technician("sudo ./setup.sh uninstall")  # Debian's packages stay, so this can be done without a network
    shutil.rmtree(handheld.root / HOME / "mammascope")
    put_on_boot_partition(handheld, wheels, checkout, tmp_path)
    # As a start does: without `dsmode: local` in meta-data the second stage reads user-data, not the first.
    stages = ("init --local", "init", "single --name runcmd", "single --name scripts_user")
    first_start = " && ".join(f"cloud-init {stage}" for stage in stages)
    handheld.as_root("unshare", "--uts", "sh", "-c", first_start, network=False)
    tell(f"{handheld.suite}: installed by user-data in {handheld.minutes:.1f} minutes")
    assert "done:" in (handheld.root / "var/log/mammascope-install.log").read_text()
    assert handheld.as_root("systemctl", "is-enabled", "mammascope-enrol.service").strip() == "enabled"

    unit = (handheld.root / "etc/systemd/system/mammascope-enrol.service").read_text()
    environment = [pair for line in re.findall(r"^Environment=(.*)", unit, re.MULTILINE) for pair in line.split()]
    (program,) = re.findall(r"^ExecStart=(.*)", unit, re.MULTILINE)
    handheld.as_root("env", *environment, program, network=False)
    settings = tomllib.loads((handheld.root / "var/lib/mammascope/settings.toml").read_text())
    assert settings["display"]["language"] == "hi"
    assert [preset["name"] for preset in settings["presets"]] == ["SonoSite"]
    assert not (handheld.boot / "mammascope-site.toml").exists()
    # cloud-init puts one of its own there, for this machine's network card.
    connections = handheld.root / "etc/NetworkManager/system-connections"
    assert [path.stat().st_mode & 0o777 for path in connections.glob("mammascope-*")] == [0o600]


def put_on_boot_partition(card: PiCard, wheels: Path, checkout: Path, folder: Path) -> None:
    """What the document says, beside what Imager 2 writes and where Raspberry Pi OS looks for it."""
    shutil.copy(checkout / "systemd/user-data", card.boot)
    archive_checkout(checkout, card.boot / "mammascope.tar.gz")
    shutil.copytree(wheels / "wheels", card.boot / "wheels")
    shutil.copy(make_site_file(checkout, folder), card.boot)
    (card.boot / "meta-data").write_text("instance-id: handheld\n")
    (card.root / "etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg").write_text(
        "datasource_list: [NoCloud]\ndatasource: {NoCloud: {seedfrom: file:///boot/firmware/}}\n"
    )
    synchronized = card.root / "run/systemd/timesync/synchronized"  # systemd-timesyncd's word for a right clock
    synchronized.parent.mkdir(parents=True)
    synchronized.touch()


def make_site_file(checkout: Path, folder: Path) -> Path:
    """The site file, made as the document says: the clinic's part and the technician's put together."""
    clinic = [str(checkout / "clinic/run"), "--state", str(folder / "clinic"), "--host", "clinic.invalid"]
    told = subprocess.run([*clinic, "--add-device", "asha"], check=True, capture_output=True, text=True).stdout
    (name,) = re.findall(r"^file +(.*)", told, re.MULTILINE)
    ours = folder / "ours.toml"
    ours.write_text(indented_block(checkout / "docs/provisioning.md", "[site]"))
    line = typed(checkout / "docs/provisioning.md", "python -m device enrol make").removeprefix("python ")
    places = {"NAME.toml": name, "ours.toml": str(ours), "site.key": str(folder / "site.key"), "OUT": str(folder)}
    words = [places.get(word, word) for word in line.split()]
    subprocess.run([sys.executable, *words], cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    return folder / "mammascope-site.toml"


def indented_block(document: Path, first_line: str) -> str:
    """The code block of a document that begins with this line."""
    lines = document.read_text(encoding="utf-8").splitlines()
    block = takewhile(lambda line: not line or line.startswith("    "), lines[lines.index(f"    {first_line}") :])
    return "".join(f"{line[4:]}\n" for line in block)


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Paths that are new, gone or different, apt's own cache left out."""
    different = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return {path for path in different if not path.startswith("root/var/cache/apt/")}
