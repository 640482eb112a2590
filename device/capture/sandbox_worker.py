"""The process that decodes files of unknown origin; started and killed by ``sandbox.py``, never imported by the app.

It may use so much memory and time and no more, writes no files, and says everything it finds through its standard
output. Whatever happens to it, the app goes on.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from device.capture.content import Content, decoding_error, open_content
from device.capture.frame_file import DECODER_FAULTS, FrameFile
from device.capture.limits import Limits
from device.capture.reader import open_frames
from device.capture.sandbox_wire import Head, describe_error, describe_frame, pack, unpack_head
from device.errors import FrameError

IDLE_S: Final = 60.0
"""Seconds without a file after which the worker ends, so that its memory is not kept from the app."""

_RESIDENT_MOST: Final = 200 * 1024 * 1024  # bytes; a worker that has grown beyond is replaced by a fresh one
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Serve requests from standard input until it closes."""
    restrict()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not talk into the answers
    serve(sys.stdin.buffer, answers)
    return 0


def restrict() -> None:
    """Give up what a decoder never needs: dumps of memory, writing files, many files at once."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.umask(0o077)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other; at most one file is open at a time."""
    opened: _Opened | None = None
    while line := _next_line(requests, opened is not None):
        head = unpack_head(line)
        if opened is not None and head["op"] in ("open", "close"):
            opened.file.close()
            opened = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        if head["op"] == "open":
            opened = _open(head, answers)
        elif head["op"] == "at" and opened is not None:
            _at(opened, int(head["index"]), answers)
        else:
            _say(answers, {"closed": True})
            if _memory()[1] > _RESIDENT_MOST:
                return
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The file that is open, and what it may cost."""

    file: FrameFile
    path: Path
    limits: Limits


def _next_line(requests: BinaryIO, busy: bool) -> bytes:
    """The next request, or nothing when the owner is gone or wanted nothing for long while no file was open."""
    if not busy and not select.select([requests], [], [], IDLE_S)[0]:
        return b""
    return requests.readline()


def _open(head: Head, answers: BinaryIO) -> _Opened | None:
    path, limits = Path(head["path"]), Limits(**head["limits"])
    try:
        _allow_time(limits)
        _load_decoder(path, limits)
        _allow_memory(limits)
        file = open_frames(path, limits)
    except (FrameError, *DECODER_FAULTS) as error:
        _say(answers, describe_error(decoding_error(path, error)))
        return None
    _say(answers, {"frames": file.frame_count, "fps": file.fps})
    return _Opened(file, path, limits)


def _at(opened: _Opened, index: int, answers: BinaryIO) -> None:
    try:
        _allow_time(opened.limits)
        frame = opened.file.read_at(index)
    except IndexError:
        _say(answers, {"end": opened.file.frame_count})
    except (FrameError, *DECODER_FAULTS) as error:
        _say(answers, describe_error(decoding_error(opened.path, error)))
    else:
        pixels = frame.pixels.reshape(-1).data
        answers.write(pack(describe_frame(frame), pixels.nbytes))
        answers.write(pixels)
        answers.flush()


def _load_decoder(path: Path, limits: Limits) -> None:
    """Import what this content needs before memory is counted, so that code is not counted as the file's."""
    stream, content = open_content(path, limits)
    stream.close()
    if content is Content.DICOM:
        import device.capture.dicom_file
    elif content.is_video:
        import device.capture.video_file
    else:
        import device.capture.image_file  # noqa: F401


def _allow_memory(limits: Limits) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_memory()[0] + limits.memory_bytes, hard))


def _allow_time(limits: Limits) -> None:
    """End by the kernel's own clocks if the owner should not be there to do it, or is late."""
    signal.setitimer(signal.ITIMER_REAL, limits.timeout_s * 2 + 1)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + limits.timeout_s * 2 + 2), hard))


def _memory() -> tuple[int, int]:
    """Address space and resident size of this process in bytes."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[0]) * _PAGE, int(fields[1]) * _PAGE


def _say(answers: BinaryIO, head: Head) -> None:
    answers.write(pack(head))
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
