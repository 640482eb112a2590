# SPDX-License-Identifier: Apache-2.0
"""arm64 programs on this machine: a recent qemu, registered with the kernel for as long as a test needs it.

The inference runtime of the handheld (LiteRT from 2.2 on) crashes in the emulator of Bookworm (qemu 7.2). Trixie's
(qemu 10) runs it, and its binary is static: it is taken out of a Trixie root of this machine's own architecture, so
the host may be a Bookworm, and what it has registered itself stays as it is.
"""

from __future__ import annotations

import fcntl
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system import debian_root
from tests.system.debian_root import ROOTS, make_root

BINFMT = Path("/proc/sys/fs/binfmt_misc")
NAME = "mammascope-aarch64"
# The first bytes of a little-endian 64 bit ELF program for machine 183 (AArch64), and which bits of them count.
MAGIC = "7f454c460201010000000000000000000200b700"
MASK = "ffffffffffffff00fffffffffffffffffeffffff"
# P: the program sees its own argv[0]; O, C: files and rights (sudo) are those of the program, not of qemu; F: qemu is
# opened now, so no root has to hold it.
FLAGS = "POCF"


def missing() -> str:
    """What this machine lacks for it, or an empty string."""
    if platform.machine() != "x86_64":
        return "the emulation was written for an x86-64 machine"
    if not BINFMT.is_dir():
        return "the kernel has no binfmt_misc"
    return debian_root.missing()


@contextmanager
def arm64_programs() -> Iterator[str]:
    """While this lasts, arm64 programs run as if they were this machine's own; one test at a time.

    Yields:
        The emulator's name and version.
    """
    emulator = make_root("trixie", "amd64", ["qemu-user"]) / "usr/bin/qemu-aarch64"
    shown = subprocess.run([emulator, "--version"], check=True, capture_output=True, text=True).stdout
    with (ROOTS / "emulation.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (BINFMT / "register").exists():
            subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True)
        _forget()  # one that a killed test has left
        # The kernel asks the newest entry first.
        (BINFMT / "register").write_text(f":{NAME}:M::{_escaped(MAGIC)}:{_escaped(MASK)}:{emulator}:{FLAGS}")
        try:
            yield shown.splitlines()[0]
        finally:
            _forget()


def _forget() -> None:
    entry = BINFMT / NAME
    if entry.exists():
        entry.write_text("-1")


def _escaped(digits: str) -> str:
    return "".join(f"\\x{digits[at : at + 2]}" for at in range(0, len(digits), 2))
