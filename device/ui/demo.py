"""The demonstration: the real program on records of its own, with a PIN that it says, from the first picture on.

``python -m device run --demo`` opens it in a window. Where there is no screen the same program runs on SDL's dummy one:
it opens the first picture, waits for the finding, prints it in words, saves a picture of its screen and the view in an
exam, and ends. Nothing of it is a recording: whatever is shown has gone through source, model and records.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pygame

from device.capture.discover import PHANTOM, SourceInfo
from device.inference.finding import NO_MODEL, Reason
from device.records.exam import Exam, Patient, View
from device.records.pin import is_weak
from device.system.clock import clock_trusted
from device.ui.app import App
from device.ui.context import Ui
from device.ui.exam_flow import ExamFlow
from device.ui.flow import Flow
from device.ui.inference_worker import ModelState, worker_of
from device.ui.looks import length_words, scale_of
from device.ui.screens.frames import FramesScreen
from device.ui.screens.live import LiveScreen
from device.ui.screens.view import ViewScreen
from device.ui.services import Services
from device.ui.status import Level, Status, Topic

OPERATOR = "Demo"
PATIENT = Patient("DEMO-1")
PIN_DIGITS = 6
LONGEST_WAIT_S = 60.0
"""Seconds for any one step; a Zero needs about ten for the slowest, loading the model."""

SETTLING_S = 15.0
"""Seconds that the phantom's lesion may take to come well into view, one sweep; the demonstration goes on without."""

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

    def begin(self) -> None:
        """Unlock, say that it is a demonstration, and show the first source."""
        app = self._app
        pin = unlock(app.services)
        app.status.set(Status(Topic.DEMO, Level.WARNING, "status.demo", {"pin": pin}))
        self._exam = app.services.store.begin_exam(PATIENT, OPERATOR, clock_trusted())
        flow = Flow(app)
        flow.home()
        exams = ExamFlow(app, flow.home)
        exams.open_exam(self._exam.uid, draft=True)
        exams.use_source(self._source(), self._exam.uid)

    def _source(self) -> SourceInfo:
        if self._frames is None:
            return PHANTOM
        folder = self._frames.absolute()
        return SourceInfo(f"folder:{folder}", "folder", folder.name, True, str(folder))

    # --- without a screen ---------------------------------------------------------------------------------------------

    def run_unseen(self, screenshot: Path) -> int:
        """Take the first picture, print its finding, save it and a picture of the screen.

        Args:
            screenshot: Where the picture of the screen goes, PNG.

        Returns:
            0 when there was a finding and it was saved, else 2.
        """
        try:
            view = self._first_view()
            self._say(view, screenshot)
            self._save(view)
        except TimeoutError as error:
            print(f"demo: {error}", file=sys.stderr)
            return EXIT_NO_FINDING
        finally:
            self._app.close_all()
        return EXIT_NO_FINDING if view.finding.model == NO_MODEL else 0

    def _first_view(self) -> View:
        """Freeze the live picture, or open the first file that can be opened."""
        screen = self._app.screen
        if isinstance(screen, LiveScreen):
            self._wait("live picture", lambda: screen.ready)
            self._settle(screen)
            screen.freeze()
        elif isinstance(screen, FramesScreen):
            self._wait("picture that can be opened", lambda: screen.first_good is not None)
            screen.open_file(screen.first_good or 0)
        self._wait("finding", lambda: isinstance(self._app.screen, ViewScreen))
        shown = self._app.screen
        assert isinstance(shown, ViewScreen)  # noqa: S101 - just waited for; this tells the type checker
        return shown.view

    def _settle(self, screen: LiveScreen) -> None:
        """Wait until the model is there and sees a lesion, or for as long as that is worth."""
        worker = worker_of(self._app)
        self._wait("model", lambda: worker.status.state is not ModelState.LOADING)
        if worker.status.state is ModelState.READY:
            self._turn(lambda: screen.sees_lesion, SETTLING_S)

    def _say(self, view: View, screenshot: Path) -> None:
        self._app.draw()
        pygame.image.save(self._app.display.surface, screenshot)
        for line in in_words(self._app.ui, view):
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
        print(f"Exam saved in: {self._app.services.data_dir}", flush=True)

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


def in_words(ui: Ui, view: View) -> list[str]:
    """A finding as lines for a terminal, in the language of the screens."""
    finding = view.finding
    lines = [f"{view.frame.origin}: {ui.t.assessment(finding.assessment)}"]
    hint = ui.t.reason(finding.reason) if finding.reason else ui.t(f"finding.hint_{finding.assessment.value}")
    lines.append(hint)
    if finding.probabilities is not None and finding.reason is None:
        said = {name: ui.t(f"finding.assessment_{name}") for name in finding.probabilities}
        lines.append(", ".join(f"{said[name]} {share:.0%}" for name, share in finding.probabilities.items()))
    if finding.lesion is not None and finding.evaluable:
        length = length_words(ui, *finding.lesion.long_axis, scale_of(view))
        lines.append(ui.t("imaging.long_axis", length=length))
    if finding.reason is not Reason.NO_MODEL:
        lines.append(ui.t("imaging.model", model=finding.model))
    return [*lines, ui.t("imaging.limits")]
