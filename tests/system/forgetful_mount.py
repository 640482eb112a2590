# SPDX-License-Identifier: Apache-2.0
"""Shows a :class:`ForgetfulDisk` through FUSE, in a process of its own, and takes orders from the test.

``ForgetfulMount`` is the test's side. The other side runs as ``python forgetful_mount.py MOUNTPOINT SOCKET``: it
mounts, serves until it is unmounted (which also empties the kernel's caches), applies the cut, and mounts again.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from tests.system.forgetful_disk import PAGE, ForgetfulDisk, Forgetting, Node  # noqa: E402


def missing() -> str:
    """What this machine lacks to mount one, or an empty string."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse is not usable here"
    try:
        import mfusepy  # noqa: F401
    except (ImportError, OSError) as error:
        return f"mfusepy or libfuse3 is missing: {error}"
    return ""


class ForgetfulMount:
    """A mounted forgetful disk, as the test sees it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "card"
        self.path.mkdir(parents=True)
        listener = socket.socket(socket.AF_UNIX)
        address = str(folder / "orders")
        listener.bind(address)
        listener.listen(1)
        self._process = subprocess.Popen([sys.executable, __file__, str(self.path), address])
        listener.settimeout(30)
        self._socket, _ = listener.accept()
        listener.close()
        self._stream = self._socket.makefile("rw")
        self._wait_mounted()

    def order(self, **words: object) -> dict[str, Any]:
        """Send an order and wait until it is carried out."""
        print(json.dumps(words), file=self._stream, flush=True)
        answer = self._stream.readline()
        if not answer:
            raise RuntimeError("the file system has died")
        return json.loads(answer)  # type: ignore[no-any-return]  # the other side is this file

    def cut_after(self, operations: int) -> None:
        """The power goes at the n-th changing operation from now."""
        self.order(what="cut_after", operations=operations)

    def fill_at(self, allocation: int) -> None:
        """Another program fills the disk at the n-th request for room from now."""
        self.order(what="fill_at", allocation=allocation)

    def make_room(self) -> None:
        """The disk has room again."""
        self.order(what="make_room")

    def counts(self) -> dict[str, int]:
        """Operations and requests for room since the last order, and whether the power is gone."""
        return self.order(what="counts")

    def power_cut(self, seed: int, forgetting: Forgetting) -> None:
        """Forget and come back; processes that use the disk must be dead."""
        self._unmount()
        self.order(what="power_cut", seed=seed, forgetting=forgetting.value)
        self._wait_mounted()

    def close(self) -> None:
        """Unmount and end."""
        self._unmount()
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self.order(what="end")
        self._socket.close()
        self._process.wait(30)

    def _wait_mounted(self) -> None:
        for _ in range(2000):
            if self.path.is_mount():
                return
            if self._process.poll() is not None:
                raise RuntimeError("the file system did not start")
            time.sleep(0.005)
        raise RuntimeError("not mounted within ten seconds")

    def _unmount(self) -> None:
        for _ in range(200):
            if subprocess.run(["umount", self.path], capture_output=True, check=False).returncode == 0:
                return
            if not self.path.is_mount():
                return
            time.sleep(0.02)
        raise RuntimeError("cannot be unmounted; it is still in use")


def _one_at_a_time(method: Callable[..., Any], lock: threading.RLock) -> Callable[..., Any]:
    @functools.wraps(method)
    def locked(*args: Any, **named: Any) -> Any:
        with lock:
            return method(*args, **named)

    return locked


def _operations(disk: ForgetfulDisk, lock: threading.RLock) -> Any:
    import mfusepy

    class Operations(mfusepy.Operations):  # type: ignore[misc]  # mfusepy has no types
        use_ns = True

        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            return _one_at_a_time(found, lock) if callable(found) and not name.startswith("_") else found

        def __init__(self) -> None:
            self._open: dict[int, Node] = {}
            self._next = 1

        def _handle(self, node: Node) -> int:
            self._next += 1
            self._open[self._next] = node
            return self._next

        def getattr(self, path: str | None, fh: int | None = None) -> dict[str, Any]:
            node = self._open[fh] if fh in self._open else disk.find(path or "/")
            nanoseconds = int(node.changed * 1e9)
            return {
                "st_mode": node.mode, "st_nlink": 2 if node.is_folder else 1, "st_size": len(node.content),
                "st_uid": os.getuid(), "st_gid": os.getgid(), "st_blocks": node.pages * (PAGE // 512),
                "st_mtime": nanoseconds, "st_ctime": nanoseconds, "st_atime": nanoseconds,
            }  # fmt: skip

        def readdir(self, path: str, fh: int) -> list[str]:
            return [".", "..", *disk.find(path).entries]

        def mkdir(self, path: str, mode: int) -> int:
            disk.make(path, stat.S_IFDIR | mode)
            return 0

        def create(self, path: str, mode: int, fi: object = None) -> int:
            return self._handle(disk.make(path, stat.S_IFREG | stat.S_IMODE(mode)))

        def open(self, path: str, flags: int) -> int:
            return self._handle(disk.find(path))

        def release(self, path: str, fh: int) -> int:
            self._open.pop(fh, None)
            return 0

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            disk.require_power()
            return bytes(self._open[fh].content[offset : offset + size])

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            return disk.write(self._open[fh], data, offset)

        def truncate(self, path: str, length: int, fh: int | None = None) -> int:
            disk.truncate(self._open[fh] if fh in self._open else disk.find(path), length)
            return 0

        def fsync(self, path: str, datasync: int, fh: int) -> int:
            disk.fsync(self._open[fh])
            return 0

        def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
            disk.fsync(disk.find(path))
            return 0

        def symlink(self, target: str, source: str) -> int:
            disk.link(target, source)
            return 0

        def readlink(self, path: str) -> str:
            return bytes(disk.find(path).content).decode()

        def unlink(self, path: str) -> int:
            disk.remove(path)
            return 0

        def rmdir(self, path: str) -> int:
            disk.remove(path)
            return 0

        def rename(self, old: str, new: str) -> int:
            disk.rename(old, new)
            return 0

        def chmod(self, path: str, mode: int) -> int:
            node = disk.find(path)
            node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
            return 0

        def chown(self, path: str, uid: int, gid: int) -> int:
            return 0

        def utimens(self, path: str, times: object = None) -> int:
            return 0

        def statfs(self, path: str) -> dict[str, int]:
            free = max(0, disk.capacity - disk.used)
            return {
                "f_bsize": PAGE, "f_frsize": PAGE, "f_blocks": disk.capacity, "f_bfree": free, "f_bavail": free,
                "f_files": 1 << 20, "f_ffree": 1 << 20, "f_namemax": 255,
            }  # fmt: skip

    return Operations()


def _serve(mountpoint: str, address: str) -> None:
    import mfusepy

    disk, lock, again = ForgetfulDisk(), threading.RLock(), threading.Semaphore(0)
    orders = threading.Thread(target=_obey, args=(disk, lock, again, address), daemon=True)
    orders.start()
    while not getattr(disk, "ended", False):
        mfusepy.FUSE(_operations(disk, lock), mountpoint, foreground=True, nothreads=True, fsname="forgetful")
        again.acquire()


def _obey(disk: ForgetfulDisk, lock: threading.RLock, again: threading.Semaphore, address: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        stream = connection.makefile("rw")
        for line in stream:
            words = json.loads(line)
            with lock:
                answer = _carry_out(disk, words)
            print(json.dumps(answer), file=stream, flush=True)
            if words["what"] == "end":
                os._exit(0)
            if words["what"] == "power_cut":
                again.release()
    os._exit(0)  # the test is gone


def _carry_out(disk: ForgetfulDisk, words: dict[str, Any]) -> dict[str, Any]:
    match words["what"]:
        case "cut_after":
            disk.cut_at = disk.operations + words["operations"]
        case "fill_at":
            disk.allocations, disk.full_at = 0, words["allocation"]
        case "make_room":
            disk.capacity, disk.full_at = 1 << 40, None
        case "power_cut":
            disk.power_cut(random.Random(words["seed"]), Forgetting(words["forgetting"]))
    return {"operations": disk.operations, "allocations": disk.allocations, "dead": disk.dead}


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2])
