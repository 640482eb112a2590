# SPDX-License-Identifier: Apache-2.0
"""Start one instance of the web application: ``python -m clinic.web --state DIR --archive URL --archive-access FILE``.

Everything that is secret comes from files that only their owner may read. At the first start a key is made for the
tokens against forged requests and one for signing verdicts, and while there is no account, a code for the first
administrator is printed at every start.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from clinic.errors import ClinicError
from clinic.fhir.sending import export
from clinic.fhir.server import is_address
from clinic.reading.errors import NoSuchExamError
from clinic.reading.policy import Policy
from clinic.state import DATABASE_FILE, DEVICE_PREFIX, VERDICT_FILE, write_private
from clinic.store.database import Store, sqlite_url
from clinic.store.first_named import hand_over
from clinic.web.application import create_app
from clinic.web.background import Background
from clinic.web.choices import add_choices
from clinic.web.oidc.settings import load as load_oidc
from clinic.web.pages.accounts.people import first_invitation
from clinic.web.services import make_services
from clinic.web.settings import DEFAULT_MODELS, Settings
from clinic.zone import machines_zone, zone_named
from device.arguments import any_path, number_between, thread_count
from device.errors import MammascopeError
from device.site.access import ClinicAccess, load_access

DEFAULT_PORT = 8743
SECRET_FILE = "web.key"  # noqa: S105 - a file's name
DATABASE_VARIABLE = "MAMMASCOPE_DATABASE"
"""Says the same as ``--database``, but is not seen in the machine's list of processes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to end; errors end as one line and exit status 2."""
    args = _parser().parse_args(argv)
    os.umask(0o077)  # the store holds patients
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs addresses, and those name studies
    try:
        settings = settings_from(args)
        if args.export_record:
            return _export(settings, args.export_record)
        if args.hand_over:
            return _hand_over(settings, *args.hand_over)
        if not args.no_invitation:
            _invite_first(settings)
    except (ClinicError, MammascopeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    Server(settings, args.bind, args.threads).run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clinic.web", description="The clinic's pages.")
    parser.add_argument(
        "--state",
        type=any_path,
        required=True,
        metavar="DIR",
        help="folder of keys and, without --database, the store",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get(DATABASE_VARIABLE),
        help=f"SQLAlchemy address of the store (default: {DATABASE_VARIABLE}, else SQLite in --state)",
    )
    parser.add_argument("--name", default="Clinic", help="name of the clinic (default: %(default)s)")
    text = "bundles, or one bundle (default: the shipped ones)"
    parser.add_argument("--models", type=any_path, default=DEFAULT_MODELS, metavar="DIR", help=text)
    parser.add_argument("--no-invitation", action="store_true", help=argparse.SUPPRESS)  # clinic/run prints it itself
    _add_server(parser)
    _add_archive(parser)
    _add_tasks(parser)
    add_choices(parser)
    return parser


def _add_server(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("server")
    group.add_argument("--bind", default=f"127.0.0.1:{DEFAULT_PORT}", help="address and port (default: %(default)s)")
    text = "requests at the same time (default: %(default)s)"
    group.add_argument("--threads", type=thread_count, default=16, metavar="N", help=text)
    text = "host name that the pages answer to; may be given several times"
    group.add_argument("--host", action="append", help=text)
    text = "proxies before it whose headers are believed (default: %(default)s)"
    group.add_argument("--proxies", type=number_between(0, 9), default=0, metavar="N", help=text)


def _add_archive(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("archive")
    group.add_argument("--archive", required=True, metavar="URL", help="address of the archive's DICOMweb service")
    group.add_argument(
        "--archive-access",
        type=any_path,
        required=True,
        metavar="FILE",
        help="TOML: user and password (or token) at the archive, authority or key_pin to trust; keep it to its owner",
    )
    text = "DICOMweb service that knows the handhelds' passwords (default: the archive)"
    group.add_argument("--doors", default="", metavar="URL", help=text)


def _add_tasks(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tasks")
    text = "print an exam (its UID) as a FHIR R4 transaction, and end"
    group.add_argument("--export-record", metavar="EXAM", help=text)
    group.add_argument(
        "--hand-over",
        nargs=2,
        metavar=("OLD", "NEW"),
        help="let one handheld have the answers to what another has sent, in whose place it is used, and end; only for "
        "an archive of your own, otherwise clinic/run --in-place-of",
    )
    text = "write the day's patients there for Orthanc's Modality Worklist"
    group.add_argument("--worklists", type=any_path, metavar="FOLDER", help=text)


def settings_from(args: argparse.Namespace) -> Settings:
    """What the arguments say; keys are made where there are none yet.

    Raises:
        ClinicError: The state folder cannot be used, or an argument cannot be.
        MammascopeError: The archive's access cannot be used.
    """
    for name in ("archive", "doors", "record"):
        address = getattr(args, name)
        if (address or name == "archive") and not is_address(address):
            raise ClinicError(f"--{name} {address}: this is no address, e.g. https://{name}.example/")
    if not args.archive_access.exists():
        raise ClinicError(f"{args.archive_access}: there is no such file")
    zone = zone_named(args.time_zone or machines_zone())
    args.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Settings(
        database=args.database or sqlite_url(args.state / DATABASE_FILE),
        archive=args.archive,
        access=load_access(args.archive_access),
        secret=_key(args.state / SECRET_FILE),
        signing_key=_key(args.state / VERDICT_FILE),
        clinic=args.name,
        hosts=tuple(args.host or ("localhost", "127.0.0.1")),
        proxies=args.proxies,
        models=args.models,
        open_in=args.open_in,
        policy=Policy(args.checked_share, args.diagnosis_days, args.control_days, zone),
        language=args.language,
        record=args.record,
        record_access=ClinicAccess() if args.record_access is None else load_access(args.record_access),
        patients=args.patients,
        doors=args.doors,
        worklists=args.worklists,
        oidc=None if args.oidc is None else load_oidc(args.oidc),
    )


def _export(settings: Settings, exam: str) -> int:
    made = make_services(settings)
    try:
        with made.store.read() as session:
            print(json.dumps(export(session, exam, made.archive, made.origin), ensure_ascii=False, indent=2))
    except NoSuchExamError:
        raise ClinicError(f"--export-record {exam}: there is no such exam, or it is not decided") from None
    finally:
        made.close()
    return 0


def _hand_over(settings: Settings, before: str, after: str) -> int:
    store = Store(settings.database)
    try:
        store.migrate()
        moved = hand_over(store, *(DEVICE_PREFIX + name.removeprefix(DEVICE_PREFIX) for name in (before, after)))
    finally:
        store.close()
    print(f"{moved} exams of {before} are {after}'s from now on.")
    return 0


def _key(path: Path) -> bytes:
    """32 secret bytes, the same at every start."""
    if not path.exists():
        write_private(path, secrets.token_bytes(32).hex().encode())
    return bytes.fromhex(path.read_text(encoding="ascii").strip())


def _invite_first(settings: Settings) -> None:
    store = Store(settings.database)
    store.migrate()
    with store.write() as session:
        code = first_invitation(session)
    store.close()
    if code is not None:
        print("There is no account yet. The first administrator makes one at /invitation with this code:", flush=True)
        print(f"  {code}", flush=True)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no type information
    """gunicorn with one worker process of several threads; more instances stand beside it, not inside.

    Args:
        settings: What the application is started with.
        bind: Address and port.
        threads: Requests at the same time.
    """

    def __init__(self, settings: Settings, bind: str, threads: int) -> None:
        self._settings = settings
        self._options = {
            "bind": bind,
            "workers": 1,
            "threads": threads,
            "worker_class": "gthread",
            "timeout": 180,
            "graceful_timeout": 20,
            "control_socket_disable": True,
            "accesslog": None,
            "limit_request_line": 2048,
            "limit_request_fields": 60,
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - its heartbeat only
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand the options to gunicorn."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, in the worker."""
        made = make_services(self._settings)
        app = create_app(self._settings, made)
        background: Any = Background(made)
        background.start()
        return app


if __name__ == "__main__":
    sys.exit(main())
