"""Run a clinic's archive on one machine, and let handhelds send to it: ``./clinic/run`` or ``python -m clinic``."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from clinic.enrolment import enrolment_of
from clinic.errors import ClinicError
from clinic.service import Address, Archive, find_installation
from clinic.state import ClinicState, write_private

DEFAULT_PORT = 8443
DEFAULT_INNER_PORT = 8742


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; errors end as one line and exit status 2."""
    args = _parser().parse_args(argv)
    try:
        state = ClinicState(args.state)
        if args.remove_device:
            state.remove_device(args.remove_device)
            print(f"{args.remove_device} may no longer send; start the archive again for it to take effect.")
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
        description="Start the clinic's DICOM archive (Orthanc behind nginx) for Mammascope handhelds: "
        "HTTPS only, passwords on. At the first start, keys and passwords are made in the state folder.",
    )
    parser.add_argument("--state", type=Path, default=_default_state(), help="folder of keys, passwords and images")
    parser.add_argument("--name", default="Clinic", help="name of the clinic (default: %(default)s)")
    parser.add_argument(
        "--host",
        action="append",
        help="host name or address that handhelds reach this machine by; may be given several times, the first one "
        "goes into enrolment files (default: this machine's name and address)",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="TCP port of HTTPS (default: %(default)s)")
    parser.add_argument(
        "--inner-port", type=int, default=DEFAULT_INNER_PORT, help="TCP port inside this machine (default: %(default)s)"
    )
    parser.add_argument("--local", action="store_true", help="let nobody but this very machine connect")
    parser.add_argument(
        "--add-device", metavar="NAME", help="make (or print again) the enrolment of a handheld, and end"
    )
    parser.add_argument(
        "--remove-device", metavar="NAME", help="shut a handheld out, for instance a stolen one, and end"
    )
    parser.add_argument(
        "--offer-update", type=Path, metavar="FILE", help="offer an update file to the handhelds, and end"
    )
    return parser


def _default_state() -> Path:
    return Path.home() / ".local" / "share" / "mammascope-clinic"


def _add_device(args: argparse.Namespace, state: ClinicState) -> int:
    names = _names(args)
    enrolment = enrolment_of(args.add_device, state, args.name, names, args.port, state.server(args.name, names))
    path = state.enrolment / f"{args.add_device}.toml"
    write_private(path, enrolment.to_toml().encode())
    print(enrolment.facts())
    print(f"file      {path}")
    print("The file holds the handheld's password: hand it over on a stick, then delete the copy on the stick.")
    print("If the archive is running, start it again so that it knows the handheld.")
    return 0


def _run(args: argparse.Namespace, state: ClinicState) -> int:
    address = Address(_names(args), args.port, args.inner_port, local=args.local)
    archive = Archive(find_installation(), state, args.name, address)
    archive.start()
    _say_where(state, address)
    return _until_told(archive)


def _say_where(state: ClinicState, address: Address) -> None:
    devices = ", ".join(state.devices()) or "none yet, add one with --add-device NAME"
    print(f"The archive is running: https://{address.names[0]}:{address.port}/")
    print(f"  reader and admin passwords: {state.folder / 'users.json'}")
    print(f"  trusted by handhelds:       {state.folder / 'authority.crt'}")
    print(f"  handhelds that may send:    {devices}")
    print("Stop it with Ctrl-C.", flush=True)


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
    return tuple(dict.fromkeys([*(args.host or own_names()), "localhost", "127.0.0.1"]))


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
