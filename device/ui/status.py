# SPDX-License-Identifier: Apache-2.0
"""What the status bar says: network, card, clock, power, temperature, each as an icon with words where it matters.

What watches one of these (``device.system``, the uploader) sets it here from the UI thread; the bar shows what is
worst first and says it in words, so that no failure hides behind a small picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How much it matters; higher is shown first."""

    OK = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


class Topic(StrEnum):
    """What a status is about; also the name of its icon."""

    NETWORK = "network"
    DISK = "disk"
    CLOCK = "clock"
    POWER = "power"
    TEMPERATURE = "temperature"
    CLINIC = "clinic"
    CAMERA = "camera"
    DEMO = "demo"
    PRACTICE = "practice"
    RECORDS = "records"
    LOG = "log"
    SETTINGS = "settings"
    ARCHIVE = "archive"
    LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Status:
    """One line of the status bar.

    Attributes:
        topic: What it is about.
        level: How much it matters.
        key: Translation key of the sentence, for instance ``status.disk_low``.
        params: What the sentence's placeholders stand for.
        icon: Another icon than the topic's.
        quiet: Shown as an icon with a mark and never as a sentence: what lasts, and is said where it matters.
    """

    topic: Topic
    level: Level
    key: str
    params: Mapping[str, object] = field(default_factory=dict)
    icon: str = ""
    quiet: bool = False


class StatusBoard:
    """The present state of everything; calls ``on_change`` when something differs."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._now: dict[Topic, Status] = {}
        self._on_change = on_change

    def set(self, status: Status) -> None:
        """Replace what is known about one topic."""
        if self._now.get(status.topic) != status:
            self._now[status.topic] = status
            self._on_change()

    def clear(self, topic: Topic) -> None:
        """Nothing is known about this topic."""
        if self._now.pop(topic, None) is not None:
            self._on_change()

    def all(self) -> list[Status]:
        """Everything known, worst first, in a fixed order among equals."""
        order = list(Topic)
        return sorted(self._now.values(), key=lambda s: (-s.level, order.index(s.topic)))
