# SPDX-License-Identifier: Apache-2.0
"""The verb of images alone: ``duplicates``."""

from __future__ import annotations

import argparse

from device.arguments import any_path


def add_duplicates(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``duplicates``."""
    text = "list near-duplicate groups of a data set as CSV"
    verb = verbs.add_parser("duplicates", help=text, description=text)
    verb.add_argument("folder", type=any_path, metavar="DIR", help="folder whose subfolders are the classes")
    verb.set_defaults(work=_duplicates)


def _duplicates(args: argparse.Namespace) -> int:
    from convert.data.duplicates import main as list_duplicates

    return list_duplicates(args.folder)
