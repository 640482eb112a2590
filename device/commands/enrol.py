"""``python -m device enrol``: connect this device with its site, or make the file that does.

For the technician, from a stick or with the codes shown to the camera; and for the unit that looks on the boot
partition when the device starts. Nothing is touched before the file is found signed, trusted, valid and complete.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from device.capture.codes import find_codes
from device.capture.discover import discover, make_source
from device.capture.sandbox import SandboxedReader
from device.commands.enrol_make import make
from device.config import load_settings, settings_as_toml, settings_path
from device.errors import (
    EnrolmentError,
    FrameError,
    SiteCodeError,
    SiteFileError,
    SourceLostError,
)
from device.system.enrolment import (
    WIFI_FOLDER,
    FileChange,
    apply,
    finish,
    read_enrolled,
    require_trust,
    signer_change,
    state_change,
    wifi_change,
    with_site,
)
from device.system.site_code import SiteCodes
from device.system.site_file import MAX_BYTES, SiteFile, open_site
from device.system.update.releases import Places
from device.upload.access import access_as_toml, access_from, access_path

_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
_CAMERA_S = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``enrol``."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the site file, or pictures of its codes")
    parser.add_argument("--camera", metavar="SOURCE", nargs="?", const="", help="read the codes from a camera")
    parser.add_argument("--trust", metavar="FINGERPRINT", help="the signer's fingerprint, as the clinic says it")
    parser.add_argument(
        "--trust-first",
        action="store_true",
        help="trust any signer if this device has none yet: only for a file on its own boot partition",
    )
    parser.add_argument("--remove", action="store_true", help="remove the file when it was used: it holds passwords")
    parser.add_argument("--finish", action="store_true", help="finish an enrolment that a power cut interrupted")
    maker = parser.add_argument_group("for whoever makes site files")
    maker.add_argument("--make", action="store_true", help="put the TOML files together, sign them, and make the codes")
    maker.add_argument("--key", type=Path, metavar="FILE", help="the signing key; it is made when it is not there")
    maker.add_argument("--days", type=int, default=30, help="how long the file can be used (default: %(default)s)")
    maker.add_argument(
        "--out", type=Path, default=Path(), metavar="FOLDER", help="where the results go (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Enrol this device, or make a site file.

    Returns:
        0 when it is done.

    Raises:
        EnrolmentError: The file cannot be used; nothing was changed.
        AccessError: Its credentials cannot be used; nothing was changed.
        ConfigError: A setting in it is not allowed; nothing was changed.
    """
    if args.make:
        return make(args.files, args.key, args.days, args.out)
    data_dir = load_settings(settings_path()).data_dir
    interrupted = finish(data_dir)
    if interrupted:
        print("An interrupted enrolment was finished.")
    if args.finish and not args.files and args.camera is None:
        return 0
    where, raw = _read(args)
    site = open_site(raw, where, datetime.now(UTC))
    _require_trust(site, args, data_dir, where)
    changes = _changes(site, data_dir, where)
    apply(changes, data_dir)
    _say(site, data_dir)
    if args.remove:
        _remove(args.files)
    return 0


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(args: argparse.Namespace) -> tuple[str, bytes]:
    """Where the site file came from, and its bytes."""
    if args.camera is not None:
        return "camera", _from_camera(args.camera)
    if not args.files:
        raise SiteFileError("enrol", "name a file, or ask for --camera")
    if args.files[0].suffix.lower() in _PICTURES:
        return str(args.files[0]), _from_pictures(args.files)
    (path,) = args.files if len(args.files) == 1 else (None,)
    if path is None:
        raise SiteFileError(args.files[1], "one site file at a time")
    try:
        with path.open("rb") as stream:
            return str(path), stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SiteFileError(path, error.strerror or "") from error


def _from_pictures(paths: list[Path]) -> bytes:
    codes = SiteCodes()
    with SandboxedReader() as reader:
        for path in paths:
            for frame in reader.read_frames(path):
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
    print(f"Show the codes to {chosen.name}, one after the other.")
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
                print(_so_far(codes), flush=True)
    finally:
        source.close()
    raise SiteCodeError(chosen.id, _so_far(codes))


def _so_far(codes: SiteCodes) -> str:
    if not codes.count:
        return "no code of a site file seen"
    missing = ", ".join(map(str, codes.missing))
    return f"{codes.seen} of {codes.count} codes seen; missing: {missing}"


# --- trust ------------------------------------------------------------------------------------------------------------


def _require_trust(site: SiteFile, args: argparse.Namespace, data_dir: Path, where: str) -> None:
    """Ask a person about the first signer; a later one has to be named on purpose."""
    enrolled = read_enrolled(data_dir)
    named = args.trust
    if named is None and enrolled is None and (args.trust_first or _asked(site)):
        named = site.fingerprint
    require_trust(site, enrolled, named, where)


def _asked(site: SiteFile) -> bool:
    if not sys.stdin.isatty():
        return False
    print(f"Site:               {site.content.site.name}")
    print(f"Signer fingerprint: {site.fingerprint}")
    answer = input("Does the clinic say the same fingerprint? Type yes to trust it: ")
    return answer.strip().lower() == "yes"


# --- applying ---------------------------------------------------------------------------------------------------------


def _changes(site: SiteFile, data_dir: Path, where: str) -> list[FileChange]:
    """All files of the enrolment, everything in them checked."""
    content, path = site.content, settings_path()
    settings = with_site(load_settings(path), content)
    access = access_from(content.clinic.access if content.clinic is not None else {}, where)
    changes = [FileChange(path, settings_as_toml(settings)), FileChange(access_path(data_dir), access_as_toml(access))]
    if _may_set_wifi():
        changes += [wifi_change(wifi) for wifi in content.wifi]
    if content.updates is not None and _may_trust_signers():
        changes.append(signer_change(content.updates, Places.from_environment().keys))
    return [*changes, state_change(site, data_dir)]


def _may_set_wifi() -> bool:
    return WIFI_FOLDER.is_dir() and os.access(WIFI_FOLDER, os.W_OK)


def _may_trust_signers() -> bool:
    folder = Places.from_environment().keys
    return folder.is_dir() and os.access(folder, os.W_OK)


def _say(site: SiteFile, data_dir: Path) -> None:
    content = site.content
    print(f"This device belongs to {content.site.name} now (signer {site.fingerprint}).")
    if content.wifi and _may_set_wifi():
        _reload_networks()
        print(f"Wi-Fi networks set up: {len(content.wifi)}.")
    elif content.wifi:
        print("Wi-Fi was not set up: that needs root and NetworkManager.", file=sys.stderr)
    if content.updates is not None and not _may_trust_signers():
        print("Nobody is trusted with updates yet: that needs root on an installed device.", file=sys.stderr)
    if content.clinic is None:
        print(f"No clinic is named, so nothing is sent; exams stay in {data_dir}.")


def _reload_networks() -> None:
    """Tell a running NetworkManager; one that is not running yet reads the files when it starts."""
    tool = shutil.which("nmcli")
    if tool is not None:
        subprocess.run([tool, "connection", "reload"], capture_output=True, timeout=20, check=False)  # noqa: S603


def _remove(paths: list[Path]) -> None:
    """Remove the files. Their blocks may stay on the card until they are used again; docs/provisioning.md says so."""
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise EnrolmentError(path, f"enrolled, but it could not be removed: {error.strerror}") from error
