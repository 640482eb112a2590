# SPDX-License-Identifier: Apache-2.0
"""Keeps pages from waiting, all of them, for an archive that does not answer.

A page of the list asks for dozens of pictures, and each of them waits for as long as the archive may take. Once one has
waited in vain, the others are told so at once, and one at a time tries again (M. Nygard, Release It!, 2007).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from clinic.archive.errors import ArchiveSilentError

PAUSE_S: Final = 5.0
"""Between two tries of an archive that is silent."""


class CircuitBreaker:
    """Of one archive; for any number of threads.

    Args:
        longest_s: How long one question may take; as long, while one tries, the others do not.
        clock: Seconds that only grow.
    """

    def __init__(self, longest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_s = longest_s
        self._clock = clock
        self._silent_until: float | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def question(self) -> Iterator[None]:
        """Ask something of the archive.

        Raises:
            ArchiveSilentError: It was silent a moment ago, and is not asked again yet.
        """
        with self._lock:
            if self._silent_until is not None:
                if self._clock() < self._silent_until:
                    raise ArchiveSilentError("the archive did not answer a moment ago")
                self._silent_until = self._clock() + self._longest_s
        silent = False
        try:
            yield
        except ArchiveSilentError:
            silent = True
            raise
        finally:
            with self._lock:
                self._silent_until = self._clock() + PAUSE_S if silent else None
