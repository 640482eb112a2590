# SPDX-License-Identifier: Apache-2.0
"""Tries something in a process of its own, so that a crash or a hang of a library ends there.

A broken runtime ends the process with a signal rather than an exception, and a screen driver or a camera library may
never return. The self-check asks such parts through here.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar, cast

from device.errors import MammascopeError, ProbeCrashedError

T = TypeVar("T")

ANSWER_S: Final = 30.0
"""Seconds that a probe may take, most of them for starting Python and loading a library from a slow card."""


def run_in_child(function: Callable[..., T], *args: object, timeout_s: float | None = None) -> T:
    """Call a function in a fresh process and return what it returns.

    Args:
        function: At the top level of a module; what it returns can be pickled.
        *args: Picklable arguments of the function.
        timeout_s: Seconds after which the process is killed; by default ``ANSWER_S``.

    Raises:
        ProbeCrashedError: The process crashed, or did not finish in time.
        MammascopeError: What the function itself raised.
        OSError: What the function itself raised.
    """
    # A fresh interpreter: a forked one would share locks and the state of SDL with this process.
    context = multiprocessing.get_context("spawn")
    patience_s = ANSWER_S if timeout_s is None else timeout_s
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.NamedTemporaryFile(prefix="mammascope-probe-") as noise:
        child = context.Process(target=_call, args=(sender, noise.name, function, args), daemon=True)
        child.start()
        sender.close()  # else the end of the child would not end the pipe
        try:
            if not receiver.poll(patience_s):
                raise ProbeCrashedError(function.__name__, f"no answer within {patience_s:g} s")
            answer = receiver.recv()
        except EOFError:
            child.join()
            last_words = noise.read()[-200:].decode(errors="replace")
            raise ProbeCrashedError(function.__name__, f"{_ending(child.exitcode)} {last_words}") from None
        finally:
            receiver.close()
            child.kill()
            child.join()
    if isinstance(answer, MammascopeError | OSError):
        raise answer
    return cast(T, answer)


def _call(sender: Connection, noise: str, function: Callable[..., Any], args: tuple[object, ...]) -> None:
    # What libraries print on the way must not mix with our answer; after a crash it says why.
    handle = os.open(noise, os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    try:
        sender.send(function(*args))
    except (MammascopeError, OSError) as error:
        sender.send(error)


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"ended by {signal.Signals(-exit_code).name}"
    return f"ended with status {exit_code}"
