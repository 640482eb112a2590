# SPDX-License-Identifier: Apache-2.0
"""The watchdog protocol against a real socket, spoken by the real app."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.system.watchdog import Watchdog
from tests.patience import PATIENT_S


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """The end of the socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENT_S)
        yield listening


def test_the_first_beat_says_ready_the_others_only_that_it_lives(systemd: socket.socket) -> None:
    watchdog = Watchdog.from_environment({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "20000000"})
    watchdog.beat()
    watchdog.beat()
    watchdog.stopping()
    assert [systemd.recv(100) for _ in range(3)] == [b"READY=1\nWATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_socket_without_a_file_is_reached(tmp_path: Path) -> None:
    name = f"mammascope-{tmp_path.name}-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(PATIENT_S)
        Watchdog(f"@{name}").beat()
        assert listening.recv(100).startswith(b"READY=1")


def test_it_is_fed_several_times_within_the_limit_and_at_least_every_second() -> None:
    assert Watchdog.from_environment({"WATCHDOG_USEC": "2000000"}).interval_s <= 1.0
    assert Watchdog.from_environment({"WATCHDOG_USEC": "1000000"}).interval_s <= 0.5
    assert Watchdog.from_environment({"WATCHDOG_USEC": "20000000"}).interval_s == 1.0


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}],
)
def test_without_systemd_or_for_another_process_nothing_is_watched(environment: dict[str, str]) -> None:
    watchdog = Watchdog.from_environment(environment, pid=77)
    assert watchdog.limit_s is None
    watchdog.beat()  # nothing listens, and nothing happens


def test_a_systemd_that_is_away_does_no_harm(tmp_path: Path) -> None:
    Watchdog(str(tmp_path / "gone")).beat()


def test_the_app_says_ready_lives_and_says_that_it_stops(systemd: socket.socket, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "2000000",
        "SDL_VIDEODRIVER": "dummy",
        "MAMMASCOPE_DATA": str(tmp_path / "data"),
    }
    app = subprocess.Popen([sys.executable, "-m", "device", "run"], env=environment, stderr=subprocess.PIPE)
    try:
        assert systemd.recv(100) == b"READY=1\nWATCHDOG=1"
        assert systemd.recv(100) == b"WATCHDOG=1"
        app.send_signal(signal.SIGTERM)
        said = systemd.recv(100)
        while said == b"WATCHDOG=1":
            said = systemd.recv(100)
        assert said == b"STOPPING=1"
        assert app.wait(PATIENT_S) == 0, app.stderr and app.stderr.read()
    finally:
        app.kill()
        app.communicate()


def test_an_app_whose_loop_hangs_is_silent(systemd: socket.socket, tmp_path: Path) -> None:
    """Only the loop feeds it: when the loop stands still, so does the feeding."""
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "400000",
        "SDL_VIDEODRIVER": "dummy",
        "MAMMASCOPE_DATA": str(tmp_path / "data"),
    }
    hang = (
        "import time; from device.ui.app import App; from device.__main__ import main\n"
        "step = App.step\n"
        "def once(app, turns=[0]):\n"
        "    turns[0] += 1\n"
        "    step(app) if turns[0] < 20 else (print('hanging', flush=True), time.sleep(600))\n"
        "App.step = once\n"
        "main(['run'])\n"
    )
    app = subprocess.Popen([sys.executable, "-c", hang], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert systemd.recv(100) == b"READY=1\nWATCHDOG=1"
        assert app.stdout is not None
        assert "hanging\n" in iter(app.stdout.readline, "")  # pygame may greet first
        while select.select([systemd], [], [], 0)[0]:  # what was said before the loop stopped
            systemd.recv(100)
        systemd.settimeout(1.5)  # several intervals
        with pytest.raises(TimeoutError):
            systemd.recv(100)
    finally:
        app.kill()
        app.communicate()
