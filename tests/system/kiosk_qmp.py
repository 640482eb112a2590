# SPDX-License-Identifier: Apache-2.0
"""Talking to qemu: its monitor (QMP) and the agent inside the guest, both one JSON object a line over a socket."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

Answer = Any

PATIENCE_S = 1800.0
"""Seconds for anything at all: costs nothing while all is well, and the machine may be a busy one."""


class Refused(AssertionError):  # noqa: N818 - a test that fails by it reads better
    """qemu or the guest's agent said no, or nothing."""


class Lines:
    """A socket of JSON lines.

    Args:
        path: The socket; it may come a moment later.
        wait_s: How long it may take to appear, and any one line.
    """

    def __init__(self, path: Path, wait_s: float = PATIENCE_S) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self._rest = b""

    def send(self, message: Answer) -> None:
        """Say something."""
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, wait_s: float) -> Answer:
        """The next line.

        Raises:
            Refused: None came in time, or the other side has gone.
        """
        deadline = time.monotonic() + wait_s
        while b"\n" not in self._rest:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._socket.recv(1 << 16)
            except OSError as error:
                raise Refused(f"no answer within {wait_s:.0f} s") from error
            if not data:
                raise Refused("the machine has gone")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line.lstrip(b"\xff"))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class Monitor:
    """qemu's monitor.

    Attributes:
        events: Everything that has happened since the last ``forget``, by name in order.
    """

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)
        self._lines.receive(PATIENCE_S)
        self.events: list[str] = []
        self.do("qmp_capabilities")

    def do(self, command: str, /, **arguments: Answer) -> Answer:
        """Run one command of the monitor and return what it answers; keyword names use ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._lines.send({"execute": command, "arguments": named})
        while True:
            answer = self._lines.receive(PATIENCE_S)
            if "event" in answer:
                self.events.append(answer["event"])
            elif "error" in answer:
                raise Refused(f"{command}: {answer['error']}")
            else:
                return answer["return"]

    def wait_for(self, event: str) -> None:
        """Return when it has happened since the last ``forget``."""
        deadline = time.monotonic() + PATIENCE_S
        while event not in self.events:
            answer = self._lines.receive(deadline - time.monotonic())
            if "event" in answer:
                self.events.append(answer["event"])

    def forget(self) -> None:
        """Begin a new list of events."""
        self.events.clear()

    def close(self) -> None:
        """Hang up."""
        self._lines.close()


class Agent:
    """The agent in the guest; runs commands there as root.

    Args:
        path: Its socket; qemu makes it at once, the agent answers when the guest has started it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: Lines | None = None
        self._number = 0

    def await_start(self) -> None:
        """Return when the agent answers."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self._lines = Lines(self._path)
            self._number += 1
            try:
                self._lines.send({"execute": "guest-sync", "arguments": {"id": self._number}})
                while self._lines.receive(5) != {"return": self._number}:
                    pass  # what was left in the line from before
                return
            except Refused:
                self._lines.close()
                if time.monotonic() > deadline:
                    raise

    def _do(self, command: str, **arguments: Answer) -> Answer:
        assert self._lines is not None
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._lines.send({"execute": command, "arguments": named})
        answer = self._lines.receive(PATIENCE_S)
        if "error" in answer:
            raise Refused(f"{command}: {answer['error']}")
        return answer["return"]

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest as root, found on its path.

        Raises:
            Refused: It failed and ``check`` is set, or did not end in time.
        """
        started = self._do("guest-exec", path="/usr/bin/env", arg=list(command), capture_output=True)
        deadline = time.monotonic() + PATIENCE_S
        while not (state := self._do("guest-exec-status", pid=started["pid"]))["exited"]:
            if time.monotonic() > deadline:
                raise Refused(f"{' '.join(command)}: still running after {PATIENCE_S:.0f} s")
            time.sleep(0.1)
        said, told = (
            base64.b64decode(state.get(name, "")).decode(errors="replace") for name in ("out-data", "err-data")
        )
        done = subprocess.CompletedProcess(command, state.get("exitcode", -state.get("signal", 0)), said, told)
        if check and done.returncode:
            raise Refused(f"{' '.join(command)}: status {done.returncode}\n{said}{told}")
        return done

    def shell(self, script: str, check: bool = True) -> str:
        """What a piece of shell prints in the guest."""
        return self.run("sh", "-c", script, check=check).stdout.strip()

    def close(self) -> None:
        """Hang up."""
        if self._lines is not None:
            self._lines.close()
