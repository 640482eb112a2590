# SPDX-License-Identifier: Apache-2.0
"""What a screen is told of a source that is being watched over; made by ``supervisor.py``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from device.capture.frame import Frame
from device.errors import FrameError


class SourceState(StrEnum):
    """What a supervised source is doing."""

    OPENING = "opening"
    LIVE = "live"
    LOST = "lost"
    RECOVERING = "recovering"
    ENDED = "ended"
    CLOSED = "closed"


OUTAGE: Final = {SourceState.LOST, SourceState.RECOVERING}
"""States of one outage, however many attempts to come back it takes."""


@dataclass(frozen=True, slots=True)
class SourceSnapshot:
    """What is known of a source at one moment.

    Attributes:
        name: What a person would call the source.
        state: What it is doing.
        since: When that state began, UTC; for lost and recovering, when the outage did.
        frame: The newest frame; the last one that was had while the source is lost.
        count: How many frames there have been, to see whether ``frame`` is a new one.
        fps: Frames a second of the last second or so, 0 when not live.
        error: Why it is lost, or why the last frame of a stored source could not be read.
    """

    name: str
    state: SourceState
    since: datetime
    frame: Frame | None = None
    count: int = 0
    fps: float = 0.0
    error: FrameError | None = None
