# SPDX-License-Identifier: Apache-2.0
"""The process that compares two DICOM files; started and killed by ``comparison.py``, never imported by the app."""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Final

from device.capture.files.content import Content
from device.capture.files.reader import load_decoder
from device.capture.sandbox.lock import lock_down
from device.capture.sandbox.worker import restrict

_LEAST_MEMORY: Final = 768 << 20
_MEMORY_A_BYTE: Final = 8  # both files, their parsed forms, and the pixels of each: about three times the compressed
_CPU_S: Final = 120
_MOST_PARTS: Final = 32


def main() -> int:
    """Read both files from standard input, and print what differs as a JSON list."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library that prints must not talk into the answer
    sizes = sys.stdin.buffer.readline(64).split()
    ours, most = int(sizes[0]), int(sizes[1])
    restrict()
    sent, stored = sys.stdin.buffer.read(ours), sys.stdin.buffer.read(most)
    _limit(len(sent) + len(stored))
    from device.dicom.compare import differences

    load_decoder(Content.DICOM)  # a locked process can open no modules
    lock_down()
    try:
        found = differences(sent, stored)
    except MemoryError:
        found = ["unreadable (MemoryError)"]
    except RecursionError:
        found = ["unreadable (RecursionError)"]
    json.dump(found[:_MOST_PARTS], answers)
    answers.flush()
    os._exit(0)  # what a decoder has broken may crash at an orderly end


def _limit(size: int) -> None:
    memory = _LEAST_MEMORY + _MEMORY_A_BYTE * size
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))


if __name__ == "__main__":
    sys.exit(main())
