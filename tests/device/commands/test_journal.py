# SPDX-License-Identifier: Apache-2.0
"""The system's journal lies on the card in clear: what the program says of an exam names it by its mark."""

from __future__ import annotations

import subprocess
import sys

import pytest

from device.records.audit import mark_of
from device.records.uids import new_exam_uid, new_uids
from tests.patience import PATIENT_S

SAYS = """
import contextlib, logging, sys, threading
from device.__main__ import main
from device.errors import ExamMissingError, RecordDamagedError
with contextlib.suppress(SystemExit):
    main(["doctor", "--no-such-option"])
log = logging.getLogger("device.ui.app")
exam, view = sys.argv[1:3]

def fail():
    raise RecordDamagedError(f"view {view}", "not what was written")

def said():
    log.warning("%s: %s", "exam-missing", ExamMissingError(exam))

def with_traceback():
    try:
        fail()
    except RecordDamagedError as error:
        log.error("task %s failed", "open", exc_info=error)

def in_a_thread():
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

{"said": said, "with a traceback": with_traceback, "in a thread": in_a_thread, "uncaught": fail}[sys.argv[3]]()
"""


@pytest.mark.parametrize("how", ["said", "with a traceback", "in a thread", "uncaught"])
def test_no_uid_reaches_the_journal(how: str) -> None:
    exam, view = new_exam_uid(), new_uids().uid
    command = [sys.executable, "-c", SAYS, exam, view, how]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENT_S).stderr
    assert (exam in told, view in told) == (False, False)
    assert mark_of(exam if how == "said" else view) in told
    assert ("RecordDamagedError" in told) is (how != "said")


def test_nothing_of_a_longer_uid_is_left_and_no_number_is_taken_for_one() -> None:
    exam = new_exam_uid()
    command = [sys.executable, "-c", SAYS, f"{exam}.9.1 at 10.2.25.17, 2.25 s", "1.2.3", "said"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENT_S).stderr
    assert exam not in told
    assert f"{mark_of(f'{exam}.9.1')} at 10.2.25.17, 2.25 s" in told
