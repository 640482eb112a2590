# SPDX-License-Identifier: Apache-2.0
"""Reads the codes of a site file from pictures or a camera, for ``python -m device enrol``.

Pictures come from anywhere, and decoders have holes; ``enrol`` runs as root on a handheld. So root looks at no picture:
it starts this module as another process, which has the sandbox decode, gives up root for good, looks for the codes, and
hands back the bytes of the site file, which are worth nothing before their signature was checked.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from device.capture.codes import find_codes
from device.capture.sandbox.reader import SandboxedReader
from device.capture.sources.discover import discover, make_source
from device.errors import FrameError, MammascopeError, SiteCodeError, SourceLostError
from device.site.site_code import SiteCodes
from device.site.site_file import MAX_BYTES

_CAMERA_S: Final = 120.0
_MOST_FRAMES: Final = 64
_NOBODY: Final = 65534
_SOURCES: Final = str(Path(__file__).resolve().parents[3])


def read_pictures(paths: Sequence[Path], data_dir: Path) -> bytes:
    """The site file that is shown in pictures.

    Args:
        paths: Pictures of its codes.
        data_dir: The device's data folder; the codes are looked for with its owner's rights where this process is root.

    Raises:
        FrameError: A picture cannot be read.
        SiteCodeError: The codes are not complete.
    """
    if os.geteuid() != 0:
        return _from_pictures(paths, lambda: None)
    return _in_another_process(["pictures", *map(str, _whose(data_dir)), *map(str, paths)], str(paths[0]))


def read_camera(wanted: str, data_dir: Path) -> bytes:
    """The site file whose codes are shown to a camera.

    Args:
        wanted: Identifier of the camera; empty for the first.
        data_dir: As for :func:`read_pictures`.

    Raises:
        SourceLostError: There is no such camera, or it was pulled.
        SiteCodeError: The codes are not complete after two minutes.
    """
    if os.geteuid() != 0:
        return _from_camera(wanted)
    return _in_another_process(["camera", *map(str, _whose(data_dir)), wanted], wanted or "camera")


def give_up_root(user: int, group: int) -> None:
    """Go on as another user, with the groups that may use the camera, and without a way back."""
    try:
        groups = os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except KeyError:
        groups = []
    os.setgroups(groups)
    os.setgid(group)
    os.setuid(user)


def _whose(data_dir: Path) -> tuple[int, int]:
    """User and group that the handheld's data belong to; else ``nobody``: root's count as none."""
    try:
        owner = data_dir.stat()
    except OSError:
        return _NOBODY, _NOBODY
    return (owner.st_uid, owner.st_gid) if owner.st_uid else (_NOBODY, _NOBODY)


def _in_another_process(arguments: list[str], where: str) -> bytes:
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": _SOURCES, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            [sys.executable, "-P", "-m", "device.operations.enrolment.codes", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
            timeout=_CAMERA_S + 120.0,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise SiteCodeError(where, "it took too long") from None
    if done.returncode != 0 or len(done.stdout) > MAX_BYTES:
        raise SiteCodeError(where, "no site file could be read")
    return done.stdout


def _from_pictures(paths: Sequence[Path], before_looking: Callable[[], None]) -> bytes:
    """Decode all pictures, in the sandbox, before anything is looked for in them."""
    with SandboxedReader() as reader:
        frames = list(islice((frame for path in paths for frame in reader.read_frames(path)), _MOST_FRAMES))
    before_looking()
    codes = SiteCodes()
    for frame in frames:
        raw = codes.add(find_codes(frame.pixels))
        if raw is not None:
            return raw
    raise SiteCodeError(paths[0], _so_far(codes))


def _from_camera(wanted: str) -> bytes:
    """Read frames until the codes are complete, saying how many were seen."""
    cameras = [info for info in discover(phantom=False) if info.kind in ("picamera", "v4l2") and info.available]
    chosen = next((info for info in cameras if wanted in ("", info.id)), None)
    if chosen is None:
        raise SourceLostError(wanted or "camera", f"there are: {', '.join(info.id for info in cameras) or 'none'}")
    codes, said, until = SiteCodes(), -1, time.monotonic() + _CAMERA_S
    source = make_source(chosen)
    print(f"Show the codes to {chosen.name}, one after the other.", file=sys.stderr)
    source.open()
    try:
        while time.monotonic() < until:
            try:
                frame = source.read()
            except SourceLostError:
                raise
            except FrameError:
                continue
            raw = codes.add(find_codes(frame.pixels)) if frame is not None else None
            if raw is not None:
                return raw
            if codes.seen != said:
                said = codes.seen
                print(_so_far(codes), file=sys.stderr, flush=True)
    finally:
        source.close()
    raise SiteCodeError(chosen.id, _so_far(codes))


def _so_far(codes: SiteCodes) -> str:
    if not codes.count:
        return "no code of a site file seen"
    missing = ", ".join(map(str, codes.missing))
    return f"{codes.seen} of {codes.count} codes seen; missing: {missing}"


def main(arguments: Sequence[str]) -> int:
    """Read the codes in the process without rights, and write the site file to standard output."""
    how, user, group, *what = arguments
    drop = partial(give_up_root, int(user), int(group))
    try:
        if how == "camera":
            drop()
            raw = _from_camera(what[0])
        else:
            raw = _from_pictures([Path(path) for path in what], drop)
    except MammascopeError as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.buffer.write(raw)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
