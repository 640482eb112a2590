# SPDX-License-Identifier: Apache-2.0
"""The command line of the handheld: ``python -m device VERB ...``.

Used by technicians, by the systemd units and by scripts that want a finding without a screen. It only finds the verb
and hands over; everything else is in ``device.commands``. An error that a user can meet ends here as one line on
standard error and exit status 2.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence

from device import __version__
from device.commands import COMMANDS
from device.commands.journal import keep_uids_out
from device.errors import MammascopeError
from device.shown_text import written_out

# pygame greets on standard output, where programs expect nothing but the answer.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

EXIT_ERROR = 2
_CANNOT_WRITE = (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT)
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: The arguments behind ``python -m device``; ``None`` takes them from the process.

    Returns:
        The exit status: the verb's own, or 2 after an error that is said in words.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    commands = {command.verb: command for command in COMMANDS}
    parser = argparse.ArgumentParser(
        prog="python -m device",
        description="Mammascope handheld: research and triage support for breast ultrasound, never a diagnosis.",
    )
    parser.add_argument("--version", action="version", version=f"mammascope {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for command in commands.values():
        verbs.add_parser(command.verb, help=command.help, description=command.help)

    # The top level has no option that takes a value, so the first word is the verb. Only its module is imported.
    chosen = commands.get(next((word for word in arguments if not word.startswith("-")), ""))
    if chosen is None:
        parser.parse_args(arguments)  # prints the help, the version or the usage error, and exits
        return EXIT_ERROR
    keep_uids_out()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be anything, also what this cannot show
    try:
        module = chosen.load()
        module.add_arguments(verbs.choices[chosen.verb])
        return module.run(parser.parse_args(arguments))
    except MammascopeError as error:
        print(written_out(str(error)), file=sys.stderr)
        return EXIT_ERROR
    except BrokenPipeError:  # what read our output has gone (``... | head``)
        _forget_output()
        return EXIT_PIPE_CLOSED
    except OSError as error:
        if error.errno not in _CANNOT_WRITE or error.filename is not None:
            raise
        print(f"standard output: {error.strerror}", file=sys.stderr)
        _forget_output()
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _forget_output() -> None:
    """Keep Python from complaining once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
