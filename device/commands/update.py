# SPDX-License-Identifier: Apache-2.0
"""``python -m device update``: install another version of this software, or make the file that does.

For the technician with a stick, for the units that the touchscreen starts, and for the maintainer of the software. What
an update goes through is in ``device.operations.updates``; docs/provisioning.md explains it to people. Fetching needs
the network and the clinic's credential but no right to change the software, installing needs the right and no network:
so they are two actions, and two processes on a handheld.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from device.arguments import any_path, refuse_old_spelling
from device.commands.unlocking import clinic_opener
from device.config import load_settings, settings_path
from device.errors import ConfigError, UpdateError, UpdateMissingError, UpdateTestError
from device.operations.updates.install import go_back, install, print_status, report_progress, verify_only
from device.operations.updates.make import CHECKOUT, Order, make
from device.operations.updates.sources import TARGET, at_clinic, downloaded, fetch, on_sticks
from device.records.store.database import FILE_NAME
from device.records.store.schema import MIGRATIONS
from device.system.check import CheckStatus
from device.update.container import Trusted, UpdateHead
from device.update.fit import InstallOptions, Machine, require_fit
from device.update.releases import InstallPaths
from device.update.trust import require_trust
from device.upload.clinic_file import ClinicFile
from device.upload.destination import destination

OLD_SPELLINGS = {
    "--stick": "update install --stick",
    "--downloaded": "update install --downloaded",
    "--check": "update check",
    "--download": "update fetch",
    "--verify": "update verify FILE",
    "--status": "update status",
    "--back": "update back",
    "--make": "update make",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of ``update`` and their options."""
    refuse_old_spelling(parser, OLD_SPELLINGS)
    # A release tries the next one before it switches over, and the one before this spells it so (``update.staging``).
    parser.add_argument("--self-test", action="store_true", help=argparse.SUPPRESS)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    installer = actions.add_parser("install", help="install an update: a file, from a stick, or what was fetched")
    which = installer.add_mutually_exclusive_group(required=True)
    which.add_argument("file", nargs="?", type=any_path, metavar="FILE", help="the update to install")
    which.add_argument("--stick", action="store_true", help="the newest on the sticks that are plugged in")
    which.add_argument("--downloaded", action="store_true", help="what was fetched from the clinic")
    installer.add_argument("--older", action="store_true", help="install FILE although it is older")
    installer.add_argument("--retry", action="store_true", help="install FILE although it was taken back before")
    actions.add_parser("check", help="ask the clinic whether it has an update")
    actions.add_parser("fetch", help="fetch the clinic's update, and do not install it yet")
    verifier = actions.add_parser("verify", help="only check a file, and change nothing")
    verifier.add_argument("file", type=any_path, metavar="FILE", help="the update to check")
    for reader in (installer, verifier):
        reader.add_argument("--trust", metavar="FINGERPRINT", help="follow this signer from now on")
    actions.add_parser("status", help="say what is in use, what is being tried and what failed")
    actions.add_parser("back", help="go back to the release before")
    actions.add_parser("self-test", help="try whether this very release works on this device")
    maker = actions.add_parser("make", help="make an update file of a checkout, at the maintainer's desk")
    maker.add_argument("--source", type=any_path, default=CHECKOUT, metavar="FOLDER", help="checkout (default: this)")
    maker.add_argument("--key", type=any_path, required=True, metavar="FILE", help="the signing key; made at first use")
    maker.add_argument("--wheels", type=any_path, metavar="FOLDER", help="packages to bring; see requirements/wheels")
    maker.add_argument("--minimum", default="0.0.0", metavar="VERSION", help="oldest version it may be installed over")
    maker.add_argument(
        "--machine", action="append", default=[], metavar="KIND", help="only for this (as uname -m says)"
    )
    maker.add_argument("--notes", default="", metavar="TEXT", help="what is new, in a few lines")
    maker.add_argument("--out", type=any_path, default=Path(), metavar="FOLDER", help="where it goes (default: here)")


def run(args: argparse.Namespace) -> int:
    """Do one of the actions.

    Returns:
        0 when it is done.

    Raises:
        UpdateError: It cannot be done; the release in use is untouched.
    """
    places = InstallPaths.from_environment()
    match args.action:
        case "make":
            order = Order(args.source, args.key, args.out, args.wheels, args.minimum, tuple(args.machine), args.notes)
            make(order)
            return 0
        case "status":
            return print_status(places)
        case "back":
            return go_back(places)
        case "check" | "fetch":
            return _from_clinic(places, download=args.action == "fetch")
        case "verify":
            return verify_only(args.file, places, args.trust)
        case "install":
            return _install(args, places)
        case "self-test":
            return _self_test()
    if args.self_test:
        return _self_test()
    raise UpdateError("update", "say what to do; --help lists it")


def _install(args: argparse.Namespace, places: InstallPaths) -> int:
    with report_progress(places):
        if args.file is None:
            return install(_find(places, stick=args.stick), places, InstallOptions(), None)
        return install(args.file, places, InstallOptions(older=args.older, retry=args.retry), args.trust)


def _self_test() -> int:
    """Try this very release: settings, Python, model by its golden vectors, fonts, first screen.

    Returns:
        0 when all of it works.

    Raises:
        ConfigError: The settings of this device cannot be read by it.
        UpdateTestError: A check has failed.
        MammascopeError: The first screen cannot be drawn.
    """
    from device.operations.checks.fonts import FontCheck
    from device.operations.checks.model import ModelCheck
    from device.operations.checks.runtime import RuntimeCheck
    from device.operations.self_check import run_checks
    from device.system.machine import PythonCheck
    from device.ui.first_frame import draw_first_frame

    settings = load_settings(settings_path())
    if settings.unusable:  # what this release does not understand, the one before may have
        raise ConfigError(settings_path(), settings.problem)
    models = settings.models
    for result in run_checks((PythonCheck(), RuntimeCheck(models), ModelCheck(models), FontCheck())):
        print(f"{result.name}: {result.sentence}", flush=True)
        if result.status is CheckStatus.FAIL:
            raise UpdateTestError(result.name, result.sentence)
    draw_first_frame(settings)
    print("First screen: drawn.")
    return 0


def _find(places: InstallPaths, *, stick: bool) -> Path:
    """The newest update on a stick, or of those that were fetched.

    Raises:
        UpdateMissingError: There is none.
        UpdateError: There is one, but it cannot be used.
    """
    data_dir = load_settings(settings_path()).data_dir

    def trusted(path: Path) -> Trusted:
        return require_trust(places, path)

    found = on_sticks(trusted) if stick else downloaded(data_dir, trusted)
    if found.path is None:
        raise UpdateMissingError(data_dir)
    print(f"Found {found.path}.")
    return found.path


def _from_clinic(places: InstallPaths, *, download: bool) -> int:
    """Ask the clinic for an update, and fetch it if that is wanted.

    Returns:
        0 when there is one for this device.

    Raises:
        NotEnrolledError: There is no clinic to ask.
        UpdateMissingError: It has none.
        UpdateError: It has one, but not for this device; the sentence says why.
        UploadError: The clinic cannot be reached, or not trusted.
    """
    settings = load_settings(settings_path())
    where, trusted = destination(settings, clinic_opener(settings.data_dir / "records")), require_trust(places, TARGET)
    head = at_clinic(where, trusted).head
    machine = Machine.this(len(MIGRATIONS), settings.data_dir / "records" / FILE_NAME)
    if head.release == places.current:
        print(f"{head.release} is in use already; the clinic has nothing newer.")
        return 0
    require_fit(head, places, machine, TARGET)
    print(f"The clinic has {head.release}, {head.size / 1e6:.1f} MB.")
    if download:
        path = _download(ClinicFile(where, TARGET), head, settings.data_dir, trusted)
        print(f"It was fetched to {path}. To install it: python -m device update install --downloaded")
    return 0


def _download(file: ClinicFile, head: UpdateHead, data_dir: Path, trusted: Trusted) -> Path:
    said = -1

    def say(done: int, total: int) -> None:
        nonlocal said
        if (percent := 100 * done // total) // 10 > said:
            said = percent // 10
            print(f"  {percent} %", flush=True)

    try:
        return fetch(file, head, data_dir, trusted, say)
    finally:
        file.close()
