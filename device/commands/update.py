"""``python -m device update``: install another version of this software, or make the file that does.

For the technician with a stick, for the units that the touchscreen starts, and for whoever maintains the software.
What an update goes through is in ``update_install``; docs/provisioning.md explains it to people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from device.commands import update_fetch, update_install
from device.commands.update_make import CHECKOUT, Order, make
from device.errors import UpdateError
from device.system.update.fit import Will
from device.system.update.releases import Places


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``update``."""
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the update to install")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--stick", action="store_true", help="install the newest update on the sticks that are plugged in")
    how.add_argument("--check", action="store_true", help="ask the clinic whether it has an update")
    how.add_argument("--download", action="store_true", help="fetch the clinic's update, and do not install it yet")
    how.add_argument("--downloaded", action="store_true", help="install what was fetched")
    how.add_argument("--verify", action="store_true", help="only check FILE, and change nothing")
    how.add_argument("--status", action="store_true", help="say what is in use, what is being tried and what failed")
    how.add_argument("--back", action="store_true", help="go back to the release before")
    how.add_argument("--self-test", action="store_true", help="try whether this very release works on this device")
    how.add_argument("--make", action="store_true", help="make an update file of a checkout")
    insist = parser.add_argument_group("for a technician at the device")
    insist.add_argument("--trust", metavar="FINGERPRINT", help="follow this signer from now on")
    insist.add_argument("--older", action="store_true", help="install FILE although it is older")
    insist.add_argument("--retry", action="store_true", help="install FILE although it was taken back before")
    maker = parser.add_argument_group("for --make")
    maker.add_argument("--source", type=Path, default=CHECKOUT, metavar="FOLDER", help="the checkout (default: this)")
    maker.add_argument("--key", type=Path, metavar="FILE", help="the signing key; it is made when it is not there")
    maker.add_argument("--wheels", type=Path, metavar="FOLDER", help="packages to bring along; see requirements/wheels")
    maker.add_argument("--minimum", default="0.0.0", metavar="VERSION", help="oldest version it may be installed over")
    maker.add_argument(
        "--machine", action="append", default=[], metavar="KIND", help="only for this (as uname -m says)"
    )
    maker.add_argument("--notes", default="", metavar="TEXT", help="what is new, in a few lines")
    maker.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where the file goes (default: here)")


def run(args: argparse.Namespace) -> int:
    """Do one of them.

    Returns:
        0 when it is done.

    Raises:
        UpdateError: It cannot be done; the release in use is untouched.
    """
    places = Places.from_environment()
    if args.make:
        if args.key is None:
            raise UpdateError("update --make", "it needs --key FILE")
        make(Order(args.source, args.key, args.out, args.wheels, args.minimum, tuple(args.machine), args.notes))
        return 0
    if args.self_test:
        return update_install.self_test()
    if args.status:
        return update_install.print_status(places)
    if args.back:
        return update_install.go_back(places)
    if args.check or args.download:
        return update_fetch.from_clinic(places, download=args.download)
    will = Will(older=args.older, retry=args.retry)
    if args.stick or args.downloaded:
        with update_install.telling(places):
            return update_install.install(update_fetch.find(places, stick=args.stick), places, Will(), None)
    if args.file is None:
        raise UpdateError("update", "name a file, or where to look for one; --help says more")
    if args.verify:
        return update_install.verify_only(args.file, places, args.trust)
    with update_install.telling(places):
        return update_install.install(args.file, places, will, args.trust)
