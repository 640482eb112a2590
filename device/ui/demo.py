# SPDX-License-Identifier: Apache-2.0
"""The demonstration: the real program on records of its own, with a PIN that it says, from the first picture on.

``python -m device run --demo`` opens it in a window. Where there is no screen the same program runs on SDL's dummy one:
it looks at the phantom, or at every frame of the folder, prints the findings in words, saves a picture of its screen,
keeps one view in an exam, and ends. Nothing of it is a recording: whatever is shown has gone through source, model and
records.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pygame

from device.capture.frame import Frame
from device.capture.phantom.frames import phantom_frame
from device.capture.sources.discover import PHANTOM, SourceInfo
from device.errors import MammascopeError
from device.inference.finding import NO_MODEL, Finding, ModelResult, Reason
from device.records.exam import Exam, Patient, View
from device.records.keys.pin import is_weak
from device.system.clock import clock_trusted
from device.ui.app import App
from device.ui.context import Ui
from device.ui.display_settings import length_words, scale_of
from device.ui.finding_panel import meaning
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.record_words import shown_name
from device.ui.screens.exam.view import ViewScreen
from device.ui.screens.quiz import LESIONS
from device.ui.screens.source.frames import FramesScreen
from device.ui.session.freezing import freeze
from device.ui.session.inference_worker import ModelState, inference_of
from device.ui.session.services import Services
from device.ui.status import Level, Status, Topic

OPERATOR = "Demo"
PATIENT = Patient("DEMO-1")
PIN_DIGITS = 6
LONGEST_WAIT_S = 60.0
"""Seconds for any one step; a Zero needs about ten for the slowest, loading the model."""

CERTAIN = ((ModelResult.BENIGN, 28), (ModelResult.MALIGNANT, 21), (ModelResult.NORMAL, 376))
"""Kind and seed of phantoms that the shipped model calls what they are, without doubt and without caution."""

EXIT_NO_FINDING = 2


def unlock(services: Services) -> str:
    """Set up the records with a PIN made up here, and open them; takes about a second.

    Returns:
        The PIN, so that it can be said: the device may lock itself.
    """
    pin = _new_pin()
    while is_weak(pin):
        pin = _new_pin()
    services.unlocked(services.create_vault(pin, OPERATOR))
    return pin


def _new_pin() -> str:
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"


class Demo:
    """The program with an exam begun and its first source on the screen.

    Args:
        app: The program.
        frames: A folder with the user's own pictures; ``None`` shows the phantom.
    """

    def __init__(self, app: App, frames: Path | None) -> None:
        self._app = app
        self._frames = frames
        self._exam: Exam | None = None
        self._exams: ExamFlow | None = None

    def begin(self) -> None:
        """Unlock, say that it is a demonstration, and show the first source."""
        app = self._app
        pin = unlock(app.services)
        app.status.set(Status(Topic.DEMO, Level.WARNING, "status.demo", {"pin": pin}))
        self._exam = app.services.store.begin_exam(PATIENT, OPERATOR, clock_trusted())
        flow = Flow(app)
        flow.home()
        exams = self._exams = ExamFlow(app, flow.home)
        exams.open_exam(self._exam.uid, draft=True)
        exams.use_source(self._source(), self._exam.uid)

    def _source(self) -> SourceInfo:
        if self._frames is None:
            return PHANTOM
        folder = self._frames.absolute()
        return SourceInfo(f"folder:{folder}", "folder", folder.name, True, str(folder))

    # --- without a screen ---------------------------------------------------------------------------------------------

    def run_unseen(self, screenshot: Path) -> int:
        """Print the finding of the phantom, or of every frame of the folder; save one view and a picture of the screen.

        Args:
            screenshot: Where the picture of the screen goes, PNG.

        Returns:
            0 when there was a finding and it was saved, else 2.
        """
        try:
            if self._frames is None:
                view = self._phantoms()
            else:
                first = self._look_at_all()
                if first is None:
                    return EXIT_NO_FINDING
                view = self._first_view(first)
            self._say(view, screenshot)
            self._save(view)
        except TimeoutError as error:
            print(f"demo: {error}", file=sys.stderr)
            return EXIT_NO_FINDING
        finally:
            self._app.close_all()
        return EXIT_NO_FINDING if view.finding.model == NO_MODEL else 0

    def _phantoms(self) -> View:
        """Print one line for each of the certain phantoms, and show the first of them frozen."""
        ui, views = self._app.ui, []
        self._wait("model", lambda: inference_of(self._app).status.state is not ModelState.LOADING)
        for kind, seed in CERTAIN:
            got: list[View] = []
            freeze(self._app, phantom_frame(seed, LESIONS[kind]), got.append)
            self._wait("finding", lambda got=got: bool(got))  # type: ignore[misc]  # bound at once
            views += got
            truth = ui.t("practice.truth", word=ui.t.result(kind))
            said = ui.t("practice.model", word=in_a_line(ui, got[0].finding))
            print(f"phantom: {truth} · {said}", flush=True)
        if self._exams is not None and self._exam is not None:
            self._exams.frozen(views[0], self._exam.uid)
        return self._shown_view()

    def _shown_view(self) -> View:
        self._wait("view", lambda: isinstance(self._app.screen, ViewScreen))
        shown = self._app.screen
        assert isinstance(shown, ViewScreen)  # noqa: S101 - just waited for; this tells the type checker
        return shown.view

    def _look_at_all(self) -> int | None:
        """Print one line a frame of the folder; gives the number of the first file that opens."""
        screen = self._app.screen
        assert isinstance(screen, FramesScreen)  # noqa: S101 - ``begin`` has shown it; this tells the type checker
        self._wait("list of the folder", lambda: screen.listed)
        if not screen.files:
            print(self._app.ui.t("frames.empty"), file=sys.stderr)
        good = [self._look_at(path) for path in screen.files]
        return good.index(True) if True in good else None

    def _look_at(self, path: Path) -> bool:
        """Print one line a frame of a file; whether it opens."""
        ui, opens = self._app.ui, False
        try:
            with self._app.services.reader.open_frames(path) as file:
                for index in range(file.frame_count):
                    frame = file.read_at(index)
                    opens = True
                    name = path.name if file.frame_count == 1 else f"{path.name} #{index + 1}"
                    print(f"{shown_name(name)}: {in_a_line(ui, self._finding(frame))}", flush=True)
        except MammascopeError as error:
            print(f"{shown_name(path.name)}: {ui.t.error(error)}", flush=True)
        return opens

    def _finding(self, frame: Frame) -> Finding:
        got: list[Finding] = []
        inference_of(self._app).ask(frame, lambda _, finding: got.append(finding))
        self._wait("finding", lambda: bool(got))
        return got[0]

    def _first_view(self, number: int) -> View:
        """Open file ``number`` of the folder."""
        screen = self._app.screen
        if isinstance(screen, FramesScreen):
            screen.open_file(screen.files[number])
        return self._shown_view()

    def _say(self, view: View, screenshot: Path) -> None:
        self._app.draw()
        pygame.image.save(self._app.display.surface, screenshot)
        for line in in_words(self._app.ui, view) if self._frames is None else [self._app.ui.t("imaging.limits")]:
            print(line)
        print(f"Picture of the screen: {screenshot.absolute()}", flush=True)

    def _save(self, view: View) -> None:
        screen, exam = self._app.screen, self._exam
        if not isinstance(screen, ViewScreen) or exam is None:
            return
        screen.save()
        self._wait("end of saving", lambda: self._app.screen is not screen)
        if all(kept.uid != view.uid for kept in self._app.services.store.get(exam.uid).views):
            raise TimeoutError("the view is not in the exam")
        print(
            "The view was saved in an exam and found again; the records of the demonstration end with it.", flush=True
        )

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        if not self._turn(condition, LONGEST_WAIT_S):
            raise TimeoutError(f"no {what} after {LONGEST_WAIT_S:.0f} seconds")

    def _turn(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let the program run until ``condition`` holds, waking for what arrives; whether it does."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._app.tasks.wait(1 / 30)
            self._app.step()
        return True


def in_a_line(ui: Ui, finding: Finding) -> str:
    """A finding as the rest of a line, in the language of the screens."""
    word = ui.t.result(finding.result)
    if finding.reason is not None:
        return f"{word}. {ui.t.reason(finding.reason)}"
    if finding.probabilities is None:
        return word
    malignant = ui.t.result(ModelResult.MALIGNANT)
    return f"{word} ({malignant} {finding.probabilities['malignant']:.0%})"


def in_words(ui: Ui, view: View) -> list[str]:
    """A finding as lines for a terminal, in the language of the screens."""
    finding = view.finding
    lines = [f"{view.frame.origin}: {ui.t.result(finding.result)}"]
    lines.append(ui.t.reason(finding.reason) if finding.reason else meaning(ui, finding))
    if finding.probabilities is not None and finding.reason is None:
        shares = [f"{ui.t.result(ModelResult(name))} {share:.0%}" for name, share in finding.probabilities.items()]
        lines.append(", ".join(shares))
    if finding.lesion is not None and finding.evaluable:
        length = length_words(ui, *finding.lesion.long_axis, scale_of(view))
        lines.append(ui.t("imaging.long_axis", length=length))
    if finding.reason is not Reason.NO_MODEL:
        lines.append(ui.t("imaging.model", model=finding.model))
    return [*lines, ui.t("imaging.limits")]
