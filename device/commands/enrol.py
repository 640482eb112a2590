# SPDX-License-Identifier: Apache-2.0
"""``python -m device enrol``: connect this device with its site, or make the file that does.

For the technician, from a stick or with the codes shown to the camera; and for the unit that looks on the boot
partition when the device starts. Nothing is touched before the file is found signed, trusted, valid and complete.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from device.arguments import any_path, number_between, refuse_old_spelling
from device.config import load_settings, settings_path
from device.errors import EnrolmentError, SiteFileError
from device.files import read_bounded
from device.operations.enrolment.codes import read_camera, read_pictures
from device.operations.enrolment.joining import join_site
from device.operations.enrolment.make import MOST_DAYS, make
from device.signed import fingerprint
from device.site.enrolment import finish, read_enrolled, require_trust
from device.site.site_file import MAX_BYTES, SiteFile, open_site

EXIT_NOT_ENROLLED = 1

OLD_SPELLINGS = {"--camera": "enrol scan", "--finish": "enrol finish", "--make": "enrol make"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of ``enrol`` and their options."""
    refuse_old_spelling(parser, OLD_SPELLINGS)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    file = actions.add_parser("file", help="enrol with a site file")
    file.add_argument("file", type=any_path, metavar="FILE", help="the site file")
    file.add_argument("--remove", action="store_true", help="remove the file when it was used: it holds passwords")
    scan = actions.add_parser("scan", help="enrol with the codes of a site file: before a camera, or in pictures")
    scan.add_argument("pictures", nargs="*", type=any_path, metavar="PICTURE", help="of the codes (default: a camera)")
    scan.add_argument("--source", default="", metavar="SOURCE", help="which camera (default: the first)")
    for reader in (file, scan):
        reader.add_argument("--trust", metavar="FINGERPRINT", help="the signer's fingerprint, as the clinic says it")
        reader.add_argument(
            "--trust-first",
            action="store_true",
            help="trust any signer if this device has none yet: only for a file on its own boot partition",
        )
    actions.add_parser("finish", help="finish an enrolment that a power cut interrupted")
    actions.add_parser("show", help="say which site this device belongs to, and whom it follows")
    maker = actions.add_parser("make", help="make a site file and its codes, at the technician's desk")
    maker.add_argument("files", nargs="+", type=any_path, metavar="PART", help="TOML files that are put together")
    maker.add_argument("--key", type=any_path, required=True, metavar="FILE", help="the signing key; made at first use")
    days, text = number_between(1, MOST_DAYS), "how long the file can be used (default: %(default)s)"
    maker.add_argument("--days", type=days, default=30, help=text)
    maker.add_argument(
        "--out", type=any_path, default=Path(), metavar="FOLDER", help="where the results go (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Enrol this device, or make a site file.

    Returns:
        0 when it is done; 1 when ``show`` finds that the device belongs to no site.

    Raises:
        EnrolmentError: The file cannot be used; nothing was changed.
        AccessError: Its credentials cannot be used; nothing was changed.
        ConfigError: A setting in it is not allowed; nothing was changed.
        VaultDamagedError: There are records whose keys cannot be read; nothing was changed.
    """
    if args.action == "make":
        return make(args.files, args.key, args.days, args.out)
    settings = load_settings(settings_path())
    if args.action == "show":
        return _show(settings.site.name, settings.data_dir)
    if finish(settings.data_dir):
        print("An interrupted enrolment was finished.")
    if args.action == "finish":
        return 0
    where, raw = _read(args, settings.data_dir)
    site = open_site(raw, where, datetime.now(UTC))
    _require_trust(site, args, settings.data_dir, where)
    join_site(site, settings.data_dir, where)
    if args.action == "file" and args.remove:
        _remove(args.file)
    return 0


def _show(site: str, data_dir: Path) -> int:
    enrolled = read_enrolled(data_dir)
    if enrolled is None:
        print("This device belongs to no site yet.")
        return EXIT_NOT_ENROLLED
    print(f"site         {site}")
    print(f"file made    {enrolled.issued:%Y-%m-%d %H:%M} UTC")
    print(f"fingerprint  {fingerprint(enrolled.signer)}")
    return 0


def _read(args: argparse.Namespace, data_dir: Path) -> tuple[str, bytes]:
    """Where the site file came from, and its bytes."""
    if args.action == "scan":
        if args.pictures:
            return str(args.pictures[0]), read_pictures(args.pictures, data_dir)
        return "camera", read_camera(args.source, data_dir)
    try:
        return str(args.file), read_bounded(args.file, MAX_BYTES)
    except OSError as error:
        raise SiteFileError(args.file, error.strerror or "") from error


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
    try:
        answer = input("Does the clinic say the same fingerprint? Type yes to trust it: ")
    except EOFError:
        return False
    return answer.strip().lower() == "yes"


def _remove(path: Path) -> None:
    """Remove the file. Its blocks may stay on the card until they are used again; docs/provisioning.md says so."""
    try:
        path.unlink()
    except OSError as error:
        raise EnrolmentError(path, f"enrolled, but it could not be removed: {error.strerror}") from error
