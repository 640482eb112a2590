# SPDX-License-Identifier: Apache-2.0
"""The archive's overlay is the very drawing of the screen and the report, over a strip that says what it is."""

from __future__ import annotations

import numpy as np

from device.dicom.marked_picture import burn_in
from device.dicom.objects import InstanceKind
from device.imaging.marks.annotations import Marks, draw
from device.records.exam import Calliper
from tests.device.dicom.test_objects import one
from tests.device.upload import exams


def test_marks_are_those_of_the_screen_and_the_report() -> None:
    calliper = Calliper((20.0, 30.0), (70.0, 90.0), 78.1, None)
    exam = exams.exam()
    view = exams.changed_view(exam.views[0], callipers=(calliper,))
    lesion = view.finding.lesion
    assert lesion is not None
    archived = one(exams.changed(exam, views=(view,)), InstanceKind.OVERLAY).pixel_array
    marks = Marks(lesion.contour, lesion.long_axis, [(calliper.start, calliper.end)])
    shown = draw(view.frame.pixels, marks)
    assert np.array_equal(archived[: shown.shape[0]], shown)


def test_a_frame_is_never_drawn_on_itself() -> None:
    view = exams.exam().views[0]
    before = view.frame.pixels.copy()
    burn_in(view.frame.pixels, view.finding, "caption")
    assert np.array_equal(view.frame.pixels, before)
