# SPDX-License-Identifier: Apache-2.0
"""What the record screens ask of the flow: screens do not know each other, the flow knows them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from device.records.exam import Exam, View
from device.records.lesion import BreastLesion


class ExamSteps(Protocol):
    """The ways on from an exam."""

    def open_exam(self, uid: str, *, draft: bool) -> None:
        """Show an exam: a draft to go on with, a final one to read."""

    def take_picture(self, exam_uid: str) -> None:
        """Add a view from a camera, a grabber or another source."""

    def import_picture(self, exam_uid: str) -> None:
        """Add a view from a stick or a folder; without an exam one is begun for it."""

    def open_view(self, exam: Exam, view: View) -> None:
        """Show one view; of a draft it can be changed."""

    def edit_patient(self, exam: Exam) -> None:
        """Correct the details of a draft's patient."""

    def set_clock(self) -> None:
        """Set date and time, which nothing has confirmed."""

    def open_lesion(self, exam: Exam, lesion: BreastLesion | None) -> None:
        """Describe a lesion of a draft; ``None`` begins a new one."""

    def finished(self, uid: str) -> None:
        """The draft is final now."""

    def export(self, uids: Sequence[str]) -> None:
        """Bring exams onto a stick; none given: the clinician chooses."""
