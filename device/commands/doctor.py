# SPDX-License-Identifier: Apache-2.0
"""``python -m device doctor``: checks this device and says in words what is wrong and what to do.

For the technician who stands in front of it, with ``--json`` for monitoring many, and with
``--support-bundle`` for one who is far away. The checks themselves are in ``device.system`` and
``device.operations.checks``;
here are only the settings, and the ways to tell.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from device.arguments import any_path
from device.config import Settings, load_settings, settings_path
from device.errors import ConfigError, FileMissingError
from device.operations.self_check import FontCheck, ModelCheck, all_checks, run_checks
from device.operations.support_bundle import SETTINGS_CHECK, write_support_bundle
from device.system.check import CheckResult, CheckStatus
from device.system.stick_mount import make_writable

__all__ = ["FontCheck", "ModelCheck", "add_arguments", "print_words", "run", "run_checks"]

LABELS = {CheckStatus.OK: "ok", CheckStatus.WARN: "warning", CheckStatus.FAIL: "FAILED", CheckStatus.ABSENT: "-"}
_WIDEST_LINE = 110

EPILOG = """\
exit status:
  0  nothing has failed; there may be warnings, and parts that this machine does not have
  1  at least one check has failed
  2  the arguments or the folder of the support bundle cannot be used
No screen, no touch panel and no camera are needed: without them the checks say so and do not fail.
On an installed handheld start it as `sudo ./setup.sh doctor`: then it looks with the rights of the app.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``doctor``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.add_argument("--settings", type=any_path, metavar="FILE", help="check with this settings file")
    parser.add_argument(
        "--support-bundle",
        type=any_path,
        metavar="FOLDER",
        help="write what was found, settings, versions and what the system noted into a new folder there, to be sent to"
        " a technician; no patient data, no password",
    )


def run(args: argparse.Namespace) -> int:
    """Run every check and print what was found.

    Returns:
        0 when nothing failed (warnings are allowed), else 1.

    Raises:
        FileMissingError: The support bundle should go where no folder is.
        StickReadOnlyError: It is a stick that stays read-only.
        ExportError: It cannot be written there.
    """
    if args.support_bundle is not None and not args.support_bundle.is_dir():
        raise FileMissingError(args.support_bundle, "not a folder")
    settings, about_settings = read_settings(args.settings or settings_path())
    results = [about_settings]
    for check in all_checks(settings):
        _show_progress(check.name)
        results += run_checks([check])
    _show_progress("")
    healthy = all(result.status is not CheckStatus.FAIL for result in results)
    bundle: Path | None = None
    if args.support_bundle is not None:
        _make_writable(args.support_bundle)
        bundle = args.support_bundle / write_support_bundle(args.support_bundle, results, settings)
    if args.json:
        said: dict[str, object] = {"ok": healthy, "checks": [asdict(result) for result in results]}
        print(json.dumps(said | ({"support_bundle": str(bundle)} if bundle else {}), ensure_ascii=False))
    else:
        print_words(results)
        if bundle is not None:
            print(f"Support bundle: {bundle}")
    return 0 if healthy else 1


def _make_writable(folder: Path) -> None:
    """A stick is mounted read-only until something is written to it."""
    from device.capture.sources.usb_stick import find_sticks  # numpy, which need not work for the checks

    for stick in find_sticks():
        if stick.read_only and folder.resolve().is_relative_to(stick.mount):
            make_writable(stick.device)


def _show_progress(name: str) -> None:
    """Say on a terminal what is being looked at: on a Zero 2 W all of it takes a minute."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{f'checking {name} ...' if name else ''}", end="", file=sys.stderr, flush=True)


def read_settings(path: Path) -> tuple[Settings, CheckResult]:
    """The settings, or the defaults beside what is wrong with the file."""
    try:
        settings = load_settings(path)
    except ConfigError as error:
        return Settings(), CheckResult(SETTINGS_CHECK, CheckStatus.FAIL, str(error))
    if settings.problem:
        return settings, CheckResult(SETTINGS_CHECK, CheckStatus.FAIL, f"{path}: {settings.problem}")
    found = str(path) if path.exists() else "None were made yet; the defaults are used"
    return settings, CheckResult(SETTINGS_CHECK, CheckStatus.OK, f"{found}.")


def print_words(results: Sequence[CheckResult], width: int | None = None) -> None:
    """Print a table that fits the terminal, advice below what it is for, and a closing line."""
    columns = width or min(shutil.get_terminal_size((_WIDEST_LINE, 24)).columns, _WIDEST_LINE)
    for result in results:
        head = f"{LABELS[result.status]:8} {result.name:12} "
        indent = " " * len(head)
        print(textwrap.fill(result.sentence, columns, initial_indent=head, subsequent_indent=indent))
        if result.advice:
            print(
                textwrap.fill(result.advice, columns, initial_indent=f"{indent}-> ", subsequent_indent=f"{indent}   ")
            )
    counts = {status: sum(result.status is status for result in results) for status in CheckStatus}
    print(f"\n{counts[CheckStatus.FAIL]} failed, {counts[CheckStatus.WARN]} with a warning.")
