# SPDX-License-Identifier: Apache-2.0
"""Trying something in another process: its crash, its hang and its noise stay there."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from device.errors import EmptyFileError, ProbeCrashedError
from device.system.child import run_in_child


def own_process() -> int:
    print("noise on standard output")
    print("noise on standard error", file=sys.stderr)
    return os.getpid()


def fault() -> None:
    sys.stderr.write("bad kernel\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(seconds: float) -> None:
    time.sleep(seconds)


def refuse(name: str) -> None:
    raise EmptyFileError(name, "zero bytes")


def unreadable() -> None:
    raise PermissionError(13, "Permission denied")


def mistake() -> None:
    raise ZeroDivisionError("ours")


def test_the_answer_comes_from_another_process_and_its_noise_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_in_child(own_process) != os.getpid()
    assert capfd.readouterr() == ("", "")


def test_a_crash_is_an_error_that_says_how_it_ended() -> None:
    with pytest.raises(ProbeCrashedError, match=r"SIGSEGV bad kernel") as caught:
        run_in_child(fault)
    assert caught.value.where == "fault"


def test_a_hang_is_ended() -> None:
    with pytest.raises(ProbeCrashedError, match=r"no answer within 0\.5 s"):
        run_in_child(hang, 1e6, timeout_s=0.5)


def test_an_error_with_a_sentence_arrives_whole() -> None:
    with pytest.raises(EmptyFileError) as caught:
        run_in_child(refuse, "a.png")
    assert (caught.value.where, caught.value.detail) == ("a.png", "zero bytes")
    with pytest.raises(PermissionError):
        run_in_child(unreadable)


def test_a_mistake_of_ours_is_told() -> None:
    with pytest.raises(ProbeCrashedError, match="ZeroDivisionError: ours"):
        run_in_child(mistake)
