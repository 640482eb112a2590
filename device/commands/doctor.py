"""``python -m device doctor``: checks this device and says in words what is wrong and what to do.

For the technician who stands in front of it, and with ``--json`` for whoever looks after many. The checks themselves
are in ``device.system``; here are only those that need the model, the fonts or the settings, and the two ways to print.
"""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from device.config import Settings, load_settings, settings_path
from device.errors import ConfigError
from device.system.check import CheckResult, CheckStatus
from device.ui.self_check import FontCheck, ModelCheck, all_checks, run_checks

__all__ = ["FontCheck", "ModelCheck", "add_arguments", "print_words", "run", "run_checks"]

LABELS = {CheckStatus.OK: "ok", CheckStatus.WARN: "warning", CheckStatus.FAIL: "FAILED", CheckStatus.ABSENT: "-"}
_WIDEST_LINE = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``doctor``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="check with this settings file")


def run(args: argparse.Namespace) -> int:
    """Run every check and print what was found.

    Returns:
        0 when nothing failed (warnings are allowed), else 1.
    """
    settings, about_settings = read_settings(args.settings or settings_path())
    results = [about_settings, *run_checks(all_checks(settings))]
    healthy = all(result.status is not CheckStatus.FAIL for result in results)
    if args.json:
        print(json.dumps({"ok": healthy, "checks": [asdict(result) for result in results]}, ensure_ascii=False))
    else:
        print_words(results)
    return 0 if healthy else 1


def read_settings(path: Path) -> tuple[Settings, CheckResult]:
    """The settings, or the defaults beside what is wrong with the file."""
    try:
        settings = load_settings(path)
    except ConfigError as error:
        return Settings(), CheckResult("Settings", CheckStatus.FAIL, str(error))
    found = str(path) if path.exists() else "None were made yet; the defaults are used"
    return settings, CheckResult("Settings", CheckStatus.OK, f"{found}.")


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
