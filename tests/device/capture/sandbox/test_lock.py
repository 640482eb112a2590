# SPDX-License-Identifier: Apache-2.0
"""A decoder that was taken over by a file: what it tries from inside a real worker, and that none of it works."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.files.limits import Limits
from device.capture.sandbox.lock import locks
from device.capture.sandbox.reader import SandboxedReader
from tests.device.capture.conftest import encoded
from tests.patience import PATIENT_S

# The worker's picture decoder runs the attempt of that name and gives what came of it as a picture's pixels.
ATTEMPTS = r"""
import ctypes, fcntl, json, mmap, os, resource, signal, socket, struct, subprocess, sys
import numpy as np
from device.capture.files import image_file
from device.capture.sandbox import lock as sandbox_lock
from device.capture.sandbox import worker as sandbox_worker
from device.capture.frame import Frame

libc = ctypes.CDLL(None, use_errno=True)
place = sys.argv[1]
off = json.loads(sys.argv[2])
for name in off:
    setattr(sandbox_lock, name, lambda *_, **__: None)

def call(*arguments):
    ctypes.set_errno(0)
    result = libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result

def local(peer):
    return struct.pack("QQ", ctypes.addressof(peer), 64)

ARM = os.uname().machine == "aarch64"
def read_vm():
    here, there = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
    return call(270 if ARM else 310, os.getppid(), local(here), 1, local(there), 1, 0)

def fork():
    if os.fork() == 0:
        os._exit(0)

def rename_file():
    os.rename(place + "/records", place + "/gone")

def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(open_port)))

def tcp():
    socket.socket().connect(("127.0.0.1", int(open_port)))

open_port = sys.argv[3]
attempts = {
    "read": lambda: os.open(place + "/records", os.O_RDONLY),
    "list": lambda: os.listdir(place),
    "write": lambda: os.open(place + "/records", os.O_WRONLY),
    "overwrite": lambda: os.open(place + "/records", os.O_RDWR),
    "create": lambda: os.open(place + "/new", os.O_WRONLY | os.O_CREAT),
    "truncate": lambda: os.truncate(place + "/records", 0),
    "rename": rename_file,
    "unlink": lambda: os.unlink(place + "/records"),
    "link": lambda: os.link(place + "/records", place + "/second"),
    "symlink": lambda: os.symlink(place + "/records", place + "/second"),
    "folder": lambda: os.mkdir(place + "/folder"),
    "rights": lambda: os.chmod(place + "/records", 0o777),
    "udp": udp, "tcp": tcp,
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "fork": fork,
    "program": lambda: os.execv("/bin/true", ["true"]),
    "spawn": lambda: subprocess.run(["/bin/true"]),
    "parent memory": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY),
    "own memory": lambda: os.open("/proc/self/mem", os.O_RDWR),
    "read parent": read_vm,
    "trace parent": lambda: call(117 if ARM else 101, 16, os.getppid(), 0, 0),
    "kill parent": lambda: os.kill(os.getppid(), 0),
    "kill all": lambda: os.kill(-1, 0),
    "kill by a file": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()),
    "kill by a file, with a kind": lambda: fcntl.fcntl(0, 15, struct.pack("ii", 1, os.getppid())),
    "another signal": lambda: fcntl.fcntl(0, 10, signal.SIGKILL),
    "tell of a folder": lambda: fcntl.fcntl(0, fcntl.F_NOTIFY, 0),
    "larger pipe": lambda: fcntl.fcntl(1, 1031, 1 << 20),
    "limits of the parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE),
    "memory file": lambda: os.memfd_create("x"),
    "namespace": lambda: call(97 if ARM else 272, 0x10000000),
    "mount": lambda: call(40 if ARM else 165, b"a", b"/mnt", b"tmpfs", 0, 0),
    "keys": lambda: call(219 if ARM else 250, 0, -3, 0, 0, 0),
    "environment": lambda: json.dumps(sorted(set(os.environ) - {"PYTHONPATH", "LC_CTYPE"})),
    "user": lambda: str(os.getuid()),
}

def attempt(name):
    try:
        return "worked: " + str(attempts[name]())
    except (OSError, ImportError) as error:
        return "refused: " + str(error)

def read_at(self, index):
    said = json.dumps({name: attempt(name) for name in json.loads(sys.argv[4])})
    text = np.frombuffer(said.encode(), np.uint8)
    return Frame(text.reshape(1, -1).copy(), "x", index)

image_file.ImageFile.read_at = read_at
sys.exit(sandbox_worker.main())
"""

ALL = (
    "read", "list", "write", "overwrite", "create", "truncate", "rename", "unlink", "link", "symlink", "folder",
    "rights", "udp", "tcp", "unix", "netlink", "fork", "program", "spawn", "parent memory", "own memory", "read parent",
    "trace parent", "kill parent", "kill all", "kill by a file", "kill by a file, with a kind", "another signal",
    "tell of a folder", "larger pipe", "limits of the parent", "memory file", "namespace", "mount", "keys",
)  # fmt: skip
BY_LANDLOCK = (
    "read", "list", "write", "overwrite", "create", "truncate", "rename", "unlink", "link", "symlink", "folder", "tcp",
    "program", "parent memory", "trace parent", "read parent", "kill parent",
)  # fmt: skip


@pytest.fixture
def prize(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path / "prize"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)  # all may write here, so that rights of files do not answer for the lock
    (folder / "records").write_bytes(b"secret")
    (folder / "records").chmod(0o666)
    base = tmp_path_factory.getbasetemp()
    top = base.parent if base.name.startswith("popen-") else base  # of pytest's own, also where --basetemp names it
    for parent in (tmp_path, *tmp_path.parents):
        if parent.is_relative_to(top) or "pytest-" in str(parent):
            parent.chmod(0o755)
    return folder


@pytest.fixture
def listener() -> socket.socket:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


def outcomes(
    names: Sequence[str], tmp_path: Path, prize: Path, listener: socket.socket, off: tuple[str, ...] = ()
) -> dict[str, str]:
    """What a worker says that came of each attempt, with some locks left off."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(encoded(Image.fromarray(np.zeros((8, 8), np.uint8)), "PNG"))
    port = str(listener.getsockname()[1])
    command = (sys.executable, "-c", ATTEMPTS, str(prize), json.dumps(off), port, json.dumps(names))
    with SandboxedReader(Limits(timeout_s=PATIENT_S), worker=command) as reader:
        said: dict[str, str] = json.loads(bytes(next(reader.read_frames(picture)).pixels))
    return said


def worked(said: dict[str, str]) -> list[str]:
    return [name for name, outcome in said.items() if not outcome.startswith("refused")]


def untouched(prize: Path) -> bool:
    return [entry.name for entry in prize.iterdir()] == ["records"] and (prize / "records").read_bytes() == b"secret"


def test_no_way_out(tmp_path: Path, prize: Path, listener: socket.socket) -> None:
    said = outcomes(ALL, tmp_path, prize, listener)
    assert worked(said) == []
    assert len(said) == len(ALL)
    assert untouched(prize)


@pytest.mark.skipif(locks().landlock < 6, reason="this kernel has no Landlock, or an old one")
def test_landlock_alone_is_enough_for_files_and_network(tmp_path: Path, prize: Path, listener: socket.socket) -> None:
    assert worked(outcomes(BY_LANDLOCK, tmp_path, prize, listener, ("_seccomp",))) == []
    assert untouched(prize)


@pytest.mark.skipif(not locks().seccomp, reason="this kernel has no filters, or the machine is another one")
def test_the_filter_alone_is_enough(tmp_path: Path, prize: Path, listener: socket.socket) -> None:
    assert worked(outcomes(ALL, tmp_path, prize, listener, ("_landlock",))) == []
    assert untouched(prize)


def test_without_locks_it_would_get_out(tmp_path: Path, prize: Path, listener: socket.socket) -> None:
    names = ("read", "udp", "tcp", "fork", "spawn", "rename")
    assert worked(outcomes(names, tmp_path, prize, listener, ("_landlock", "_seccomp"))) == list(names)
    assert not untouched(prize)


def test_it_gets_nothing_of_the_environment(
    tmp_path: Path, prize: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAMMASCOPE_SECRET", "x")
    quiet = ["MALLOC_ARENA_MAX", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"]
    said = outcomes(["environment"], tmp_path, prize, listener)
    assert said == {"environment": "worked: " + json.dumps(quiet)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser becomes somebody else")
def test_the_superuser_does_not_decode(tmp_path: Path, prize: Path, listener: socket.socket) -> None:
    assert outcomes(["user"], tmp_path, prize, listener) == {"user": "worked: 65534"}


def test_threads_are_left_to_a_decoder_that_uses_them() -> None:
    script = (
        "import threading; from device.capture.sandbox.lock import lock_down; lock_down(); found = []\n"
        "t = threading.Thread(target=lambda: found.append(sum(range(10)))); t.start(); t.join(); print(found)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[45]"
