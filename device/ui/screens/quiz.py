# SPDX-License-Identifier: Apache-2.0
"""Practice with made-up cases of known kind: the user reads first, then sees what the model says and what it is.

Nothing of it touches the records: no exam, no view; only a count a day is kept, in a file of its own.
"""

from __future__ import annotations

import secrets
from typing import Final

import cv2
import numpy as np

from device.capture.frame import Frame, Point
from device.capture.phantom.frames import PhantomScene, phantom_scene
from device.capture.phantom.tissue import Lesion
from device.errors import RecordsError
from device.inference.finding import Finding, ModelResult
from device.ui.display_settings import watermark
from device.ui.finding_panel import short_limits
from device.ui.record_words import today
from device.ui.session.inference_worker import inference_of
from device.ui.session.practice_scores import Score, add_answer, read_scores
from device.ui.status import Level
from device.ui.tasks import Progress
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Drawing, Glass, ImageView, Kind, Label, PicturePage, ToolButton, Widget
from device.ui.widgets.picture.drawings import Outline
from device.ui.work_screen import WorkScreen

KINDS = (ModelResult.NORMAL, ModelResult.BENIGN, ModelResult.MALIGNANT)
LESIONS: Final[dict[ModelResult, Lesion | None]] = {
    ModelResult.NORMAL: None, ModelResult.BENIGN: "benign", ModelResult.MALIGNANT: "malignant",
}  # fmt: skip
"""What the phantom of a case shows."""

CASES = {
    ModelResult.NORMAL: (53, 59, 91, 94, 102, 104, 126, 141, 157, 188, 207, 216, 320, 376, 387, 1, 2, 3),
    ModelResult.BENIGN: (2, 3, 5, 7, 9, 10, 11, 14, 18, 19, 21, 26, 27, 28, 40),
    ModelResult.MALIGNANT: (1, 2, 3, 5, 9, 10, 13, 14, 18, 21, 24, 26, 27, 28, 29, 37, 40, 42),
}
"""Seeds of cases that look to the shipped model like pictures of scanners that it knows, and that it calls what they
are when it takes its time. Of the last three healthy ones it is uncertain, as of most: no learner shall come to lean on
it."""


class QuizScreen(WorkScreen):
    """One case after the other.

    Args:
        seed: Of the first case; unset: by chance.
        kind: Of the first case; unset: by chance.
    """

    name = "quiz"

    def __init__(self, seed: int | None = None, kind: ModelResult | None = None) -> None:
        super().__init__()
        self._kind = secrets.choice(KINDS) if kind is None else kind
        self._seed = secrets.choice(CASES[self._kind]) if seed is None else seed
        self._scene: PhantomScene | None = None
        self._finding: Finding | None = None
        self._answer: ModelResult | None = None
        self._scores: tuple[Score, ...] = ()

    def enter(self) -> None:
        """Make the case, and read how it went so far."""
        folder = self.app.services.data_dir
        self.start("scores", lambda _: read_scores(folder), self._scored)
        if self._scene is None:
            self._make()

    def _make(self) -> None:
        seed, kind = self._seed, self._kind
        self.start("case", lambda _: phantom_scene(seed, LESIONS[kind]), self._made)

    def _made(self, scene: PhantomScene) -> None:
        self._scene = scene

        def found(frame: Frame, finding: Finding) -> None:
            if self._scene is scene:
                del frame
                self._finding = finding
                self.rebuild_when_free()

        inference_of(self.app).ask(scene.frame, found)
        self.rebuild()

    def _scored(self, scores: tuple[Score, ...]) -> None:
        self._scores = scores
        self.rebuild()

    # --- what happens -------------------------------------------------------------------------------------------------

    def _read(self, answer: ModelResult) -> None:
        """The user has read the case; what the model says and what it is may be shown now."""
        if self._finding is None or self._answer is not None:
            return
        self._answer = answer
        folder, day = self.app.services.data_dir, today()
        right, model_right = answer is self._kind, self._finding.result is self._kind

        def work(_: Progress) -> tuple[Score, ...]:
            try:
                return add_answer(folder, day, right=right, model_right=model_right)
            except OSError as error:
                raise RecordsError(folder, str(error)) from error

        self.start("score", work, self._scored)
        self.rebuild()

    def _next(self) -> None:
        before, self._kind = self._seed, secrets.choice(KINDS)
        self._seed = secrets.choice([seed for seed in CASES[self._kind] if seed != before])
        self._scene = self._finding = self._answer = None
        self._make()
        self.rebuild()

    # --- what it looks like -------------------------------------------------------------------------------------------

    def _drawings(self, scene: PhantomScene) -> list[Drawing]:
        """The mark of a phantom; after the answer the true outline as well."""
        drawn = watermark(scene.frame)
        if self._answer is None:
            return drawn
        found, _ = cv2.findContours(scene.lesion.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outlines: list[list[Point]] = [[(float(x), float(y)) for x, y in one[:, 0]] for one in found]
        return [*drawn, *(Outline(points) for points in outlines)]

    def build(self) -> Widget:
        """The case with the question, or with what it is."""
        ui, t, scene = self.ui, self.ui.t, self._scene
        pixels = None if scene is None else scene.frame.pixels
        image = ImageView(ui, pixels, drawings=() if scene is None else self._drawings(scene))
        tools = [ToolButton(ui, t("common.back"), "back", self.back, key="back")]
        if self._answer is None:
            said = Glass(ui, [Label(ui, t("practice.question"), Style.STRONG), self._score()])
            ready = self._finding is not None
            actions: list[Widget] = [self._choice(kind, ready) for kind in KINDS]
        else:
            said = self._solved(self._answer)
            actions = [Button(ui, t("practice.next"), self._next, kind=Kind.PRIMARY, icon="forward", key="next")]
        return PicturePage(ui, image, tools, said, actions=actions, note=short_limits(self))

    def _choice(self, kind: ModelResult, ready: bool) -> Button:
        def read() -> None:
            self._read(kind)

        return Button(self.ui, self.ui.t.result(kind), read, enabled=ready, key=f"answer.{kind.value}")

    def _solved(self, answer: ModelResult) -> Glass:
        ui, t, finding = self.ui, self.ui.t, self._finding
        right = answer is self._kind
        words = "practice.right" if right else "practice.wrong"
        icon = "check" if right else "cross"
        parts: list[Widget | None] = [
            Banner(ui, t(words), Level.INFO, icon=icon, style=Style.STRONG, key="solved"),
            Label(ui, t("practice.truth", word=t.result(self._kind)), key="truth"),
            Label(ui, t("practice.yours", word=t.result(answer)), Style.SMALL, key="yours"),
            Label(ui, t("practice.model", word=t.result(finding.result)), Style.SMALL, key="model")
            if finding
            else None,
            self._score(),
        ]
        return Glass(ui, parts)

    def _score(self) -> Label | None:
        """Today, and all days together."""
        if not self._scores:
            return None
        last = self._scores[-1]
        asked, right = sum(one.asked for one in self._scores), sum(one.right for one in self._scores)
        words = self.ui.t("practice.score", right=last.right, asked=last.asked, all_right=right, all_asked=asked)
        return Label(self.ui, words, Style.SMALL, Ink.MUTED, key="score")
