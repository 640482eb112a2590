# SPDX-License-Identifier: Apache-2.0
"""The process that decodes files of unknown origin; started and killed by ``reader.py``, never imported by the app.

It opens a file, loads the decoder that the file needs, and splits: a child decodes this one file, with no right left
but to read it and to answer, and ends with it. So what a file leaves in memory, or does to a decoder, meets no other.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
from pathlib import Path
from typing import BinaryIO, Final

from device.capture.files.content import Content, decoding_error, open_content
from device.capture.files.frame_file import DECODER_FAULTS, FrameFile
from device.capture.files.limits import Limits
from device.capture.files.reader import load_decoder, open_stream
from device.capture.files.reduce import reduced
from device.capture.sandbox.lock import hide_memory, lock_down, read_only
from device.capture.sandbox.wire import Head, describe_error, send, send_frame, unpack_head
from device.errors import FrameError, FrameTooLargeError

IDLE_S: Final = 60.0
"""Seconds without a file after which the worker ends, so that its memory is not kept from the app."""

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_FIRST_TO_GO: Final = "900"  # of 1000: when memory runs out, the kernel takes this process and not the app


def main() -> int:
    """Serve requests from standard input until it closes."""
    restrict()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not talk into the answers
    serve(sys.stdin.buffer, answers)
    return 0


def restrict() -> None:
    """Give up what is never needed: dumps of memory, writing files, other programs, the network, many files at once."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    hide_memory()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.umask(0o077)
    read_only()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other; a file is served by a child until it is closed."""
    while line := _next_line(requests):
        head = unpack_head(line)
        if head["op"] == "open":
            status = _serve_file(head, requests, answers)
            if status:
                _end_like(status)
        else:
            send(answers, {"ready": True})


def _next_line(requests: BinaryIO) -> bytes:
    """The next request, or nothing when the owner is gone or wanted nothing for long."""
    if not select.select([requests], [], [], IDLE_S)[0]:
        return b""
    return requests.readline()


def _serve_file(head: Head, requests: BinaryIO, answers: BinaryIO) -> int:
    """Open a file and let a child decode it; returns how the child ended, as ``waitpid`` says it."""
    path, limits = Path(os.fsdecode(bytes.fromhex(head["path"]))), Limits(**head["limits"])
    try:
        stream, content = open_content(path, limits)
        load_decoder(content)
    except (FrameError, *DECODER_FAULTS) as error:
        send(answers, describe_error(decoding_error(path, error)))
        return 0
    with stream:
        child = os.fork()
        if child == 0:
            _be_child(stream, content, path, limits, requests, answers)
    return os.waitpid(child, 0)[1]


def _be_child(
    stream: BinaryIO, content: Content, path: Path, limits: Limits, requests: BinaryIO, answers: BinaryIO
) -> None:
    """Decode one file and end; only a file that was closed in order ends with status 0."""
    code = 1
    try:
        _keep_open(stream, answers)
        _allow_memory(limits)
        lock_down()
        _allow_time(limits)
        if _decode(stream, content, path, limits, requests, answers):
            code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) and error.code else 1
    finally:
        os._exit(code)


def _decode(
    stream: BinaryIO, content: Content, path: Path, limits: Limits, requests: BinaryIO, answers: BinaryIO
) -> bool:
    """Answer requests about the file until it is closed; ``False`` when the owner is gone instead."""
    try:
        file = open_stream(stream, content, path, limits)
    except (FrameError, *DECODER_FAULTS) as error:
        send(answers, describe_error(decoding_error(path, error)))
        return True
    send(answers, {"frames": file.frame_count, "fps": file.fps, "missing": file.missing})
    while line := _next_request(requests):
        head = unpack_head(line)
        if head["op"] == "close":
            send(answers, {"closed": True})
            return True
        _at(file, path, limits, int(head["index"]), answers)
    return True


def _next_request(requests: BinaryIO) -> bytes:
    signal.setitimer(signal.ITIMER_REAL, 0)  # no one waits
    return requests.readline()


def _end_like(status: int) -> None:
    """End as the child did, so that the owner learns what the file did to it."""
    if os.WIFSIGNALED(status):
        with contextlib.suppress(OSError):  # not for the signals that cannot be handled
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) or 1)


def _keep_open(*streams: BinaryIO) -> None:
    """Close everything but standard input, output and error, and these."""
    kept = sorted({0, 1, 2, *(stream.fileno() for stream in streams)})
    for low, high in zip(kept, [*kept[1:], 1 << 16], strict=True):
        os.closerange(low + 1, high)


def _at(file: FrameFile, path: Path, limits: Limits, index: int, answers: BinaryIO) -> None:
    try:
        _allow_time(limits)
        frame = file.read_at(index)
        if max(frame.width, frame.height) > limits.max_side:
            raise FrameTooLargeError(path, f"{frame.width} x {frame.height} pixels")
        frame = reduced(frame, limits.given_pixels)
    except IndexError:
        send(answers, {"end": file.frame_count})
    except (FrameError, *DECODER_FAULTS) as error:
        send(answers, describe_error(decoding_error(path, error)))
    else:
        send_frame(answers, frame)


def _allow_memory(limits: Limits) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + limits.memory_bytes, hard))


def _allow_time(limits: Limits) -> None:
    """End by the kernel's own clocks if the owner should not be there to do it, or is late."""
    signal.setitimer(signal.ITIMER_REAL, limits.timeout_s * 2 + 1)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + limits.timeout_s * 2 + 2), hard))


def _address_space() -> int:
    """Of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE


if __name__ == "__main__":
    sys.exit(main())
