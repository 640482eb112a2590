# SPDX-License-Identifier: Apache-2.0
"""From a frame to a view: the model is asked in the background, and the view gets its UIDs, once.

The one way in which the live, the frames and the import screen make views.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from device.capture.frame import Frame
from device.inference.finding import Finding
from device.records.exam import View
from device.records.uids import new_uids
from device.ui.app import App
from device.ui.session.inference_worker import inference_of


def freeze(app: App, frame: Frame, on_view: Callable[[View], None]) -> Callable[[], None]:
    """Make a view of a frame.

    Args:
        app: The program.
        frame: What to freeze; its ``regions`` and ``spacing`` are used where they are set. Of several pictures the view
            gets the largest that can be evaluated, and keeps the others to choose from.
        on_view: Called on the UI thread with the view and its finding; when there is no model, the finding says so.

    Returns:
        A function that cancels: ``on_view`` is not called any more.
    """
    frozen_at = datetime.now(UTC)
    cancelled: list[bool] = []

    def answer(asked: Frame, finding: Finding) -> None:
        if not cancelled:
            uids = new_uids()
            on_view(View(uids.uid, uids.derived_uids, asked, finding, frozen_at, spacing=asked.spacing))

    inference_of(app).ask(frame, answer, is_new=True)
    return lambda: cancelled.append(True)
