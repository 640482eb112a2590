# SPDX-License-Identifier: Apache-2.0
"""Pictures that were just asked for, kept in memory: never on a disk, and never more than a fixed number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from clinic.archive.client import Picture


class PictureCache:
    """The pictures used last; shared by the threads of one instance.

    Args:
        most_bytes: How much they may take together.
    """

    def __init__(self, most_bytes: int = 96 * 1024 * 1024) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, Picture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Picture]) -> Picture:
        """The picture of a key, made when it is not there; two threads may make the same one, which does no harm."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        with self._lock:
            if key not in self._kept and len(made.content) <= self._most // 4:
                self._kept[key] = made
                self._bytes += len(made.content)
                while self._bytes > self._most:
                    _, gone = self._kept.popitem(last=False)
                    self._bytes -= len(gone.content)
        return made
