# SPDX-License-Identifier: Apache-2.0
"""What the model thinks of the newest frame, as a strip that changes in place.

A live screen must not be rebuilt several times a second, because a finger on its buttons would be lost; so this one
widget changes by itself. Used by the live screen only.
"""

from __future__ import annotations

from device.errors import MammascopeError
from device.inference.finding import Caution, Finding, Reason
from device.ui.context import Ui
from device.ui.finding_panel import caution_words, explanation, malignant_bar, model_banner, result_banner, says
from device.ui.record_words import SEPARATOR
from device.ui.session.inference_worker import ModelState, ModelStatus
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Widget
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column

LIVE_CAUTIONS = (Caution.PHANTOM, Caution.UNFAMILIAR_SOURCE, Caution.SCALE_CONTRADICTED)


class LiveFinding(Column):
    """Word, icon and bar; or why there is none. Touches nothing, so it may change under a finger."""

    def __init__(self, ui: Ui, *, key: str = "live_finding", grow: int = 1) -> None:
        super().__init__(ui, [], key=key, grow=grow)

    def preferred(self, width: int) -> tuple[int, int]:
        """Room for the longest that there can be to say, so that nothing moves when it changes."""
        ui = self.ui
        lines = max(len(ui.text.wrap(ui.t.reason(reason), Style.SMALL, width)) for reason in Reason)
        small = ui.text.line_height(Style.SMALL)
        head = small + 2 * ui.text.line_height(Style.TITLE) + ui.sizes.gap
        cautions = SEPARATOR.join(ui.t(f"live.caution_{caution.value}") for caution in LIVE_CAUTIONS)
        banner = Banner(ui, cautions, style=Style.SMALL).preferred(width)[1]
        below = max(lines * small, ui.px(84) + self.gap + banner)
        return width, head + below + 3 * self.gap

    def least(self, width: int) -> int:
        """What is said now."""
        return super().preferred(width)[1]

    @property
    def bottom(self) -> int:
        """Where what is said now ends."""
        return max((child.rect.bottom for child in self.children), default=self.rect.y)

    def wait(self, status: ModelStatus) -> None:
        """Nothing has been looked at yet."""
        words = Label(self.ui, self.ui.t("live.looking"), ink=Ink.MUTED)
        self._put([model_banner(self.ui, status) or words])

    def freezing(self) -> None:
        """A frame has been frozen and is being looked at."""
        self._put([Banner(self.ui, self.ui.t("live.judging"), Level.INFO, icon="freeze")])

    def lost(self, error: MammascopeError | None) -> None:
        """The source is gone; what was found before counts no more."""
        sentence = self.ui.t.error(error) if error is not None else self.ui.t("live.lost_source")
        self._put([Label(self.ui, sentence)])

    def show(self, finding: Finding, status: ModelStatus) -> None:
        """The finding of the newest frames."""
        if status.state is not ModelState.READY:
            self.wait(status)
            return
        parts: list[Widget | None] = [says(self.ui), result_banner(self.ui, finding)]
        if finding.reason is not None:
            sentence = explanation(self.ui, finding)
            sentence.style = Style.SMALL
            parts.append(sentence)
        else:
            parts += [malignant_bar(self.ui, finding), caution_words(self.ui, finding.cautions)]
        self._put(parts)

    def _put(self, parts: list[Widget | None]) -> None:
        self.children = [part for part in parts if part is not None]
        if self.rect.width:
            self.place(self.rect)
        self.ui.invalidate()
