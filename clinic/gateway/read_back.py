# SPDX-License-Identifier: Apache-2.0
"""Noticing that a handheld has read an instance back whole, and that it is what it had stored.

From then on it has its proof and needs no more of the archive; so the gate lets it read for a short while only, and a
handheld that is stolen the same evening opens nothing that was sent in the morning.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from device.errors import ArchiveAnswerError
from device.upload.multipart import unwrap


def watched(content_type: str, body: Iterable[bytes], sha256: str, proved: Callable[[], None]) -> Iterator[bytes]:
    """An answer passed on as it is; one who gets its end has been given the file.

    Args:
        content_type: Of the answer.
        body: Its pieces.
        sha256: Of the file as it was stored, hexadecimal.
        proved: Called before the last piece when the file in the answer is that one.
    """
    waiting: deque[bytes] = deque()
    source = iter(body)

    def noted() -> Iterator[bytes]:
        for piece in source:
            waiting.append(piece)
            yield piece

    digest = hashlib.sha256()
    try:
        for part in unwrap(content_type, noted(), "archive"):
            digest.update(part)
            while len(waiting) > 1:
                yield waiting.popleft()
    except ArchiveAnswerError:
        pass  # what it is then is for the handheld to find out
    else:
        if digest.hexdigest() == sha256:
            proved()
    yield from waiting
    yield from source
