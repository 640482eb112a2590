# SPDX-License-Identifier: Apache-2.0
"""What a clinic can choose of its readers' pages, in the same words for ``clinic/run`` and ``python -m clinic.web``."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, Final

from device.arguments import any_path, number_between
from device.words import LANGUAGES

_MOST_DAYS: Final = 3650


def _share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0.0 <= found <= 1.0:
        raise argparse.ArgumentTypeError(f"a share is between 0 and 1, for instance 0.1, not {text[:80]!r}")
    return found


_CHOICES: Final[dict[str, dict[str, Any]]] = {
    "--language": {
        "choices": list(LANGUAGES),
        "default": "en",
        "help": "of the pages, until a person chooses another (default: %(default)s)",
    },
    "--time-zone": {"metavar": "NAME", "help": "of the clinic, e.g. Africa/Nairobi (default: this machine's)"},
    "--open-in": {
        "default": "",
        "metavar": "URL",
        "help": "the clinic's own viewer, linked from each exam; {study} stands for the UID",
    },
    "--checked-share": {
        "type": _share,
        "default": 0.1,
        "metavar": "SHARE",
        "help": "of clear exams, drawn by chance for a second reader (default: %(default)s)",
    },
    "--diagnosis-days": {
        "type": number_between(1, _MOST_DAYS),
        "default": 60,
        "metavar": "DAYS",
        "help": "from the first presentation to the diagnosis (default: %(default)s)",
    },
    "--control-days": {
        "type": number_between(1, _MOST_DAYS),
        "default": 180,
        "metavar": "DAYS",
        "help": "until a probably benign finding is looked at again (default: %(default)s)",
    },
    "--oidc": {
        "type": any_path,
        "metavar": "FILE",
        "help": "TOML: the clinic's OpenID Connect provider, see docs/clinic.md",
    },
    "--record": {
        "default": "",
        "metavar": "URL",
        "help": "base of a FHIR R4 server that gets what readers have decided",
    },
    "--record-access": {
        "type": any_path,
        "metavar": "FILE",
        "help": "TOML: user and password (or token) there, whom to trust",
    },
    "--patients": {
        "default": "",
        "metavar": "URI",
        "help": "system that patients' codes belong to in the health record",
    },
}


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Let a program be told what the clinic has chosen."""
    group = parser.add_argument_group("what the clinic chooses of its pages")
    for name, settings in _CHOICES.items():
        group.add_argument(name, **settings)


def words_of(args: argparse.Namespace) -> list[str]:
    """What was chosen, to be told to another program; nothing of what is as it is unless chosen."""
    words = []
    for name, settings in _CHOICES.items():
        value = getattr(args, name.removeprefix("--").replace("-", "_"))
        if value != settings.get("default"):
            words += [name, str(value.absolute() if isinstance(value, Path) else value)]
    return words
