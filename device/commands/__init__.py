# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``python -m device``, one file each, found by the command line without importing them.

Importing a command may pull in the runtime, SQLite or the touchscreen; a handheld that only has to answer ``--help`` or
run one verb should not pay for the others. So this table names the modules, and only the called one is imported.

A command module has two functions::

    def add_arguments(parser: argparse.ArgumentParser) -> None: ...
    def run(args: argparse.Namespace) -> int: ...      # the exit status

A new verb is one new file beside this one and one line in ``COMMANDS``.
"""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass
from typing import Protocol, cast


class CommandModule(Protocol):
    """What the module behind a verb offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's own arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit status."""


@dataclass(frozen=True, slots=True)
class Command:
    """One verb of the command line.

    Attributes:
        verb: What the user types.
        module: Dotted name of the module that does it.
        help: One line, shown by ``python -m device --help``.
    """

    verb: str
    module: str
    help: str

    def load(self) -> CommandModule:
        """Import the module behind the verb."""
        return cast(CommandModule, importlib.import_module(self.module))


COMMANDS = (
    Command("run", "device.commands.run", "start the touchscreen app"),
    Command("classify", "device.commands.classify", "print the finding of image files or folders"),
    Command("export", "device.commands.export", "write final exams to a stick or folder"),
    Command("backup", "device.commands.backup", "bring a backup of all records on a stick up to date, or check it"),
    Command("restore", "device.commands.restore", "bring a backup back from a stick"),
    Command("records", "device.commands.records", "check the records, or rebuild their list of exams"),
    Command("upload", "device.commands.upload", "send final exams to the clinic"),
    Command("inbox", "device.commands.inbox", "print the clinic's verdicts and planned patients, or fetch them"),
    Command("enrol", "device.commands.enrol", "connect this device with its site"),
    Command("update", "device.commands.update", "install another version of this software, or make the file that does"),
    Command("audit", "device.commands.audit", "print the log of who did what, and say whether it is intact"),
    Command("doctor", "device.commands.doctor", "check this device and say in words what is wrong"),
    Command("bench", "device.commands.bench", "measure the speed and memory of the path of a frame"),
)
"""Every verb there is, in the order of the help page."""
