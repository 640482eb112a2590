# SPDX-License-Identifier: Apache-2.0
"""Run a clinic's archive on one machine, and let handhelds send to it: ``./clinic/run`` or ``python -m clinic``."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from clinic.enrolment import enrolment_of
from clinic.errors import ClinicError
from clinic.orthanc import Scanner, Worklists
from clinic.service import Address, Archive, Pages, find_installation
from clinic.state import DATABASE_FILE, ClinicState, write_private
from clinic.web.choices import add_choices, words_of
from clinic.zone import zone_named
from device.arguments import any_path, number_between
from device.clinic_url import is_host

DEFAULT_NAME = "Clinic"
DEFAULT_PORT = 8443
DEFAULT_INNER_PORT = 8742
DEFAULT_PAGES_PORT = 8444
WORKLISTS = "worklists"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; errors end as one line and exit status 2."""
    args = _parser().parse_args(argv)
    try:
        _expect_a_clinic(args)
        state = ClinicState(args.state)
        _fill_in(args, state)
        if args.remove_device:
            state.remove_device(args.remove_device)
            print(f"{args.remove_device} may no longer send.")
            return 0
        if args.offer_update:
            state.offer_update(args.offer_update)
            print("Handhelds that ask for an update are offered this one from now on.")
            return 0
        if args.add_device:
            return _add_device(args, state)
        return _run(args, state)
    except ClinicError as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clinic/run",
        description="Start the clinic's DICOM archive (Orthanc behind nginx) for Mammascope handhelds and the "
        "readers' pages: HTTPS only, passwords on. The first start makes keys and passwords in the state folder.",
    )
    parser.add_argument(
        "--state", type=any_path, default=_default_state(), metavar="DIR", help="folder of keys, passwords and images"
    )
    parser.add_argument("--name", help=f"name of the clinic (default: as last started, at first {DEFAULT_NAME})")
    parser.add_argument("--archive-only", action="store_true", help="start no readers' pages")
    _add_addresses(parser)
    _add_databases(parser)
    _add_scanners(parser)
    _add_handhelds(parser)
    add_choices(parser)
    return parser


def _add_addresses(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("addresses")
    group.add_argument(
        "--host",
        action="append",
        type=_host,
        help="host name or address that handhelds reach this machine by; may be given several times, the first one "
        "goes into enrolment files (default: as last started, at first this machine's address and name)",
    )
    text = f"TCP port of HTTPS (default: as last started, at first {DEFAULT_PORT})"
    group.add_argument("--port", type=_port, help=text)
    text = "TCP port inside this machine (default: %(default)s)"
    group.add_argument("--inner-port", type=_port, default=DEFAULT_INNER_PORT, metavar="PORT", help=text)
    text = "TCP port of the readers' pages (default: %(default)s)"
    group.add_argument("--pages-port", type=_port, default=DEFAULT_PAGES_PORT, metavar="PORT", help=text)
    group.add_argument("--local", action="store_true", help="let only this very machine connect")


def _add_databases(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("databases")
    group.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get("MAMMASCOPE_DATABASE"),
        help="postgresql+psycopg://... of the pages' store; better given as MAMMASCOPE_DATABASE, since it holds a "
        "password (default: SQLite in the state folder)",
    )
    group.add_argument(
        "--index-database",
        metavar="URL",
        default=os.environ.get("MAMMASCOPE_INDEX_DATABASE", ""),
        help="postgresql://... of the archive's index, or MAMMASCOPE_INDEX_DATABASE (default: SQLite)",
    )


def _add_scanners(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("scanners")
    text = "DICOM port where scanners ask for the day's patients (default: none)"
    group.add_argument("--worklist-port", type=_port, metavar="PORT", help=text)
    group.add_argument(
        "--worklist-for",
        action="append",
        type=_scanner,
        metavar="TITLE@HOST",
        help="a scanner that may ask; may be given several times",
    )


def _add_handhelds(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("handhelds")
    text = "make (or print again) the enrolment of a handheld, and end"
    group.add_argument("--add-device", metavar="NAME", help=text)
    group.add_argument(
        "--without-verdicts",
        action="store_true",
        help="with --add-device: for a handheld before 0.6.0, which refuses a file with the key for verdicts",
    )
    group.add_argument(
        "--in-place-of",
        metavar="NAME",
        help="with --add-device: the new handheld gets the answers to what this one has sent, which is shut out",
    )
    text = "shut a handheld out, for instance a stolen one, and end"
    group.add_argument("--remove-device", metavar="NAME", help=text)
    text = "offer an update file to the handhelds, and end"
    group.add_argument("--offer-update", type=any_path, metavar="FILE", help=text)


_port = number_between(1, 65535)


def _host(text: str) -> str:
    if not is_host(text):
        raise argparse.ArgumentTypeError(
            f"a name or an address alone is needed, for instance 192.168.1.20, not {text[:80]!r}"
        )
    return text


def _scanner(text: str) -> Scanner:
    title, _, host = text.partition("@")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,16}", title) or not is_host(host):
        raise argparse.ArgumentTypeError(
            f"the scanner's AE title and its address are needed, for instance LOGIQ1@192.168.1.31, not {text[:80]!r}"
        )
    return Scanner(title, host)


def _expect_a_clinic(args: argparse.Namespace) -> None:
    """See that what changes a clinic finds one: the unit's is in another folder than the one that a person's own is in.

    Raises:
        ClinicError: There is none in the folder, and no host says that one is to be made.
    """
    changes = args.add_device or args.remove_device or args.offer_update
    if changes and not args.host and not args.state.is_dir():
        raise ClinicError(f"{args.state}: no clinic was started with this folder; name the clinic's own with --state")


def _fill_in(args: argparse.Namespace, state: ClinicState) -> None:
    """What was not said is as the archive was last started."""
    last = state.place()
    args.name = args.name or last.get("name", DEFAULT_NAME)
    args.host = args.host or last.get("hosts", own_names())
    args.port = args.port or last.get("port", DEFAULT_PORT)


def _default_state() -> Path:
    return Path.home() / ".local" / "share" / "mammascope-clinic"


def _add_device(args: argparse.Namespace, state: ClinicState) -> int:
    names = _names(args)
    if args.in_place_of:
        state.replace_device(args.in_place_of, args.add_device)
    enrolment = enrolment_of(args.add_device, state, args.name, names, args.port, state.server(args.name, names))
    path = state.enrolment / f"{args.add_device}.toml"
    write_private(path, enrolment.to_toml(verdicts=not args.without_verdicts).encode())
    print(enrolment.facts())
    print(f"file      {path}")
    print("The file holds the handheld's password: hand it over on a stick, then delete the copy on the stick.")
    return 0


def _run(args: argparse.Namespace, state: ClinicState) -> int:
    os.umask(0o077)  # what the programs write holds patients
    address = Address(_names(args), args.port, args.inner_port, local=args.local)
    pages = None if args.archive_only else _pages(args, state)
    worklists = _worklists(args, state)
    state.remember_place(args.name, args.host, args.port)
    archive = Archive(find_installation(), state, args.name, address, pages, args.index_database, worklists)
    archive.start()
    _say_where(state, address)
    if pages is not None:
        _say_pages(address, pages)
    print("Stop it with Ctrl-C.", flush=True)
    return _until_told(archive)


def _worklists(args: argparse.Namespace, state: ClinicState) -> Worklists | None:
    if args.worklist_port is None:
        return None
    if not args.worklist_for or args.archive_only:
        raise ClinicError("--worklist-port: name the scanners that may ask (--worklist-for), and let the pages run")
    return Worklists(args.worklist_port, state.folder / WORKLISTS, tuple(args.worklist_for))


def _pages(args: argparse.Namespace, state: ClinicState) -> Pages:
    from clinic.store.database import sqlite_url  # costs half a second, which --add-device and --help need not pay

    if args.time_zone:
        zone_named(args.time_zone)  # one that is none is said before anything is started
    options = words_of(args)
    options += ["--worklists", str(state.folder / WORKLISTS)] if args.worklist_port else []
    return Pages(args.pages_port, args.database or sqlite_url(state.folder / DATABASE_FILE), tuple(options))


def _say_pages(address: Address, pages: Pages) -> None:
    """Where the pages are; while there is no account, also the code for the first one."""
    print(f"The readers' pages:           https://{address.names[0]}:{pages.port}/")
    from clinic.store.database import Store
    from clinic.web.pages.accounts.people import first_invitation

    store = Store(pages.database)
    try:
        store.migrate()
        with store.write() as session:
            code = first_invitation(session)
    finally:
        store.close()
    if code is not None:
        print("  There is no account yet. The first administrator makes one at /invitation with this code:")
        print(f"  {code}")


def _say_where(state: ClinicState, address: Address) -> None:
    devices = ", ".join(state.devices()) or "none yet, add one with --add-device NAME"
    print(f"The archive is running: https://{address.names[0]}:{address.port}/")
    print(f"  reader and admin passwords: {state.folder / 'users.json'}")
    print(f"  trusted by handhelds:       {state.folder / 'authority.crt'}")
    print(f"  handhelds that may send:    {devices}")


def _until_told(archive: Archive) -> int:
    """Wait for Ctrl-C, SIGTERM or the end of one of the programs."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        print(archive.wait(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        archive.stop()


def _names(args: argparse.Namespace) -> tuple[str, ...]:
    """What the archive is reached by: as asked for, and always also by this machine itself."""
    return tuple(dict.fromkeys([*args.host, "localhost", "127.0.0.1"]))


def own_names() -> list[str]:
    """What this machine is probably reached by: its address in the local network, and its name."""
    name = socket.gethostname()
    found = [address for address in (_own_address(),) if address]
    return [*found, name, f"{name}.local"]


def _own_address() -> str | None:
    """The address that packets to elsewhere would leave from; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation, RFC 5737
        except OSError:
            return None
        return str(probe.getsockname()[0])


if __name__ == "__main__":
    sys.exit(main())
