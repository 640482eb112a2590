# SPDX-License-Identifier: Apache-2.0
"""What the clinic's reader has said of an exam, as a part of the exam's screen, and when it counts as seen.

The clinic is told that a verdict was seen, and then sends it no more; so it counts only after it has stood whole on an
unlocked screen, with nothing over it, for as long as one takes to notice it.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.records.exam import Verdict
from device.records.inbox.call_back import CallBack
from device.ui.context import Ui
from device.ui.record_words import moment, today
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Action, Banner, Button, Card, Label, Row, ScrollView, Widget
from device.words import Translator

SEEN_AFTER_S = 1.0
WHAT_COUNTS = ("verdict_line", "advice")
"""Keys of what has to be in sight: who has said which category, and what is to be done."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Whether the patient of an exam is to come back.

    Attributes:
        open: The entry of the list; ``None`` where she is not on it.
        ended: She was on it, and has been taken off.
    """

    open: CallBack | None = None
    ended: bool = False


def due_words(t: Translator, one: CallBack) -> str:
    """By when, or since when it is too late."""
    word = "overdue" if one.overdue(today()) else "by"
    return t(f"verdicts.{word}", date=one.due_on.isoformat())


def verdict_line(t: Translator, verdict: Verdict) -> str:
    """Who, which category, when: the printed report's own line."""
    said = {"reader": verdict.reader, "clinic": verdict.clinic, "category": verdict.birads.value}
    return t("report.verdict_line", edition=verdict.edition, date=moment(verdict.decided_at), **said)


def verdict_card(ui: Ui, verdicts: tuple[Verdict, ...], recall: Recall, on_ended: Action, on_again: Action) -> Card:
    """The last verdict with what it asks for, the earlier ones in a line each, and the way off the list.

    Args:
        ui: Look, words and time.
        verdicts: Of one exam, at least one, oldest first.
        recall: Whether the patient is to come back.
        on_ended: Takes her off the list.
        on_again: Puts her back on it.
    """
    t, last = ui.t, verdicts[-1]
    meaning = t(f"report.birads_{last.birads.value.lower()}")
    parts: list[Widget] = [
        Label(ui, verdict_line(t, last), Style.STRONG, Ink.CARD, break_words=True, key="verdict_line"),
        Label(ui, t("report.birads", category=last.birads.value, meaning=meaning), Style.SMALL, Ink.CARD_MUTED),
        Label(ui, t(f"report.advice_{last.advice.value}"), Style.STRONG, Ink.CARD, key="advice"),
    ]
    if last.note:
        parts.append(Label(ui, t("report.note", note=last.note), ink=Ink.CARD, break_words=True, key="verdict_note"))
    if recall.open is not None:
        level = Level.WARNING if recall.open.overdue(today()) else Level.INFO
        due = Banner(ui, due_words(t, recall.open), level, icon="clock", key="due", grow=1)
        back = Button(ui, t("verdicts.came_back"), on_ended, icon="check", key="came_back")
        parts += _beside(ui, due, back)
    elif recall.ended:
        off = Label(ui, t("verdicts.off_list"), Style.SMALL, Ink.CARD_MUTED, key="off_list", grow=1)
        parts += _beside(ui, off, Button(ui, t("verdicts.put_back"), on_again, key="put_back"))
    for earlier in reversed(verdicts[:-1]):
        line = t("verdicts.earlier", line=verdict_line(t, earlier))
        parts.append(Label(ui, line, Style.SMALL, Ink.CARD_MUTED, break_words=True))
    return Card(ui, parts, key="verdict")


def _beside(ui: Ui, said: Widget, button: Widget) -> list[Widget]:
    """Beside each other, or standing below each other."""
    return [said, button] if ui.sizes.portrait else [Row(ui, [said, button])]


class Sight:
    """Notices that the verdict has stood in sight long enough."""

    def __init__(self) -> None:
        self._for_s = 0.0

    def seen(self, root: Widget, covered: bool, dt: float) -> bool:
        """Whether it counts as seen now.

        Args:
            root: The screen's widgets.
            covered: Whether something lies over them.
            dt: Seconds since the last call.
        """
        windows = [widget.rect for widget in root.walk() if isinstance(widget, ScrollView)]
        parts = [widget.rect for widget in root.walk() if widget.key in WHAT_COUNTS]
        whole = len(parts) == len(WHAT_COUNTS) and any(all(map(window.contains, parts)) for window in windows)
        self._for_s = self._for_s + dt if whole and not covered else 0.0
        return self._for_s >= SEEN_AFTER_S
