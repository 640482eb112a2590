# SPDX-License-Identifier: Apache-2.0
"""A bare Debian as a folder, made once and kept in the user's cache: what a technician's card holds before us.

Both proofs of the provisioning begin with one: the emulated arm64 root and the virtual machine. ``make_root`` makes it,
``copy_root`` gives a test its own, and ``run_in`` runs a command inside without leaving a mount behind.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mammascope"
ROOTS = CACHE / "roots"
FORM = "1"  # raised when this file makes other roots of the same packages

_INSIDE = """
set -e
root=$1; shift
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
while [ "$1" != -- ]; do mkdir -p "$root$2"; mount --bind "$1" "$root$2"; shift 2; done
shift
exec chroot "$root" "$@"
"""

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def missing() -> str:
    """What this machine lacks for it, or an empty string."""
    if os.geteuid() != 0:
        return "making a Debian root needs root"
    for program in ("debootstrap", "unshare", "chroot"):
        if shutil.which(program) is None:
            return f"{program} is missing"
    return ""


def make_root(suite: str, architecture: str, packages: Sequence[str] = ()) -> Path:
    """A Debian with these packages besides the smallest set; takes minutes the first time.

    Args:
        suite: ``bookworm`` or ``trixie``.
        architecture: Debian's word, ``amd64`` or ``arm64``; a foreign one needs qemu's user emulation registered.
        packages: Further Debian packages, without what they only recommend.

    Returns:
        The folder in the cache. It is shared: take a copy (``copy_root``) before changing anything.

    Raises:
        subprocess.CalledProcessError: debootstrap or apt failed; standard error says why.
    """
    wanted = sorted(set(packages))
    digest = hashlib.sha256("\n".join([FORM, suite, architecture, *wanted]).encode()).hexdigest()[:12]
    root = ROOTS / f"{suite}-{architecture}-{digest}"
    ROOTS.mkdir(parents=True, exist_ok=True)
    with (ROOTS / f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            half = root.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            _make(half, suite, architecture, wanted)
            half.rename(root)
    return root


def copy_root(root: Path, target: Path) -> Path:
    """A copy of a root that may be changed; owners, modes and links stay."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(root), str(target)], check=True)
    return target


def run_in(
    root: Path,
    *command: str,
    binds: Mapping[Path, str] | None = None,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a command inside a root, in mounts of its own that go with it; a failure raises.

    Args:
        root: The folder.
        *command: Program and arguments, as seen inside.
        binds: Folders of this machine, and where they are seen inside.
        environment: Further variables; nothing else of this machine's environment is passed on.
        **options: For ``subprocess.run``.
    """
    pairs = [word for source, place in (binds or {}).items() for word in (str(source), place)]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", _INSIDE, "sh", str(root), *pairs, "--", *command],
        **{
            "check": True,
            "text": True,
            "stdin": subprocess.DEVNULL,
            "env": _ENVIRONMENT | dict(environment or {}),
            **options,
        },
    )


def _make(root: Path, suite: str, architecture: str, packages: Sequence[str]) -> None:
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--arch={architecture}", suite, str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    # Nothing may be started in it: it shares this machine's kernel.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(Path("/etc") / name, root / "etc" / name)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    if packages:
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        run_in(root, *command, environment=quiet, stdout=subprocess.DEVNULL)
