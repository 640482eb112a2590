# SPDX-License-Identifier: Apache-2.0
"""What the program says on standard error, where the system's journal keeps it: no UID of an exam is in it.

Not a verb. The journal lies on the card in clear, and the clinic's archive can be asked for what a UID names. So each
is written as its mark, which is also what stands for the exam in the log of who did what.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from types import TracebackType
from typing import Final

_UID: Final = re.compile(r"(?<![0-9.])2\.25\.[0-9]{20,39}(?:\.[0-9]+)*(?![0-9])")

log = logging.getLogger(__name__)


class JournalFormatter(logging.Formatter):
    """Lines as they were meant, tracebacks included, with marks in the place of UIDs."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of one record."""
        return _UID.sub(_marked, super().format(record))


def keep_uids_out() -> None:
    """From now on warnings, errors and what nobody has caught are written without UIDs."""
    handler = logging.StreamHandler()
    handler.setFormatter(JournalFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _marked(found: re.Match[str]) -> str:
    from device.records.audit import mark_of  # most programs end without having said anything

    return mark_of(found[0])


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("a fault in the program", exc_info=(kind, error, trace))


def _uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None:
        _uncaught(what.exc_type, what.exc_value, what.exc_traceback)
