# SPDX-License-Identifier: Apache-2.0
"""The model on a thread of its own: the newest frame wins, and answers arrive on the UI thread as immutable values.

There is never a queue of old frames. The live view offers every frame; while one is looked at, the next ones replace
each other in a single place. A question about a frozen frame has a place of its own and goes first. The model is loaded
here too, in the background, so that the first screen does not wait for it; without a model everything else works on,
and the state says why. One worker a program, at ``inference_of(app)``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from device.capture.frame import Box, Frame
from device.errors import MammascopeError
from device.imaging.pictures import pictures, with_believed_scale
from device.imaging.sonogram import find_sonogram
from device.inference.finding import Finding, without_model

if TYPE_CHECKING:
    from device.inference.classifier import Classifier
    from device.inference.manifest import Abstention
    from device.ui.app import App

log = logging.getLogger(__name__)

FAULTS = (cv2.error, ArithmeticError, IndexError, MemoryError, RuntimeError, ValueError)
"""What a strange frame or a failing runtime can raise; the frame gets no result, and the thread lives on."""

Deliver = Callable[[Callable[[], None]], None]
OnFinding = Callable[[Frame, Finding], None]


class ModelState(StrEnum):
    """Whether there is a model to ask."""

    LOADING = "loading"
    READY = "ready"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What is known of the model.

    Attributes:
        state: Whether it can be asked.
        label: ``name@version``, empty while there is none.
        error: Why there is none.
        several: Its limits for two and more views of a lesion, ``None`` where it has none.
    """

    state: ModelState = ModelState.LOADING
    label: str = ""
    error: MammascopeError | None = None
    several: Abstention | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    frame: Frame
    region: Box | None
    operator_region: Box | None
    answer: OnFinding
    careful: bool
    is_new: bool = False


class InferenceWorker:
    """Asks the model; all methods return at once and belong to the UI thread.

    Args:
        models: Folder of bundles, or one bundle.
        deliver: Has a function called on the UI thread (``app.tasks.call``).
    """

    def __init__(self, models: Path, deliver: Deliver) -> None:
        self._models, self._deliver = models, deliver
        self._changed = threading.Condition()
        self._live: _Question | None = None
        self._asked: _Question | None = None
        self._reload = True
        self._closed = False
        self._status = ModelStatus()
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> ModelStatus:
        """What is known of the model now."""
        with self._changed:
            return self._status

    def start(self) -> None:
        """Begin to load the model; asking does it as well."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
            self._thread.start()

    def offer(self, frame: Frame, answer: OnFinding) -> None:
        """A live frame: looked at as soon as the model is free, unless a newer one takes its place.

        Args:
            frame: With its region and spacing, where they are known.
            answer: Called on the UI thread with the frame, as one of its pictures, and its finding; never for a frame
                that was replaced, and not while there is no model.
        """
        self._put(_Question(frame, None, None, answer, careful=False, is_new=True), live=True)

    def ask(
        self,
        frame: Frame,
        answer: OnFinding,
        *,
        region: Box | None = None,
        operator_region: Box | None = None,
        is_new: bool = False,
    ) -> None:
        """A frozen frame: looked at next, and carefully. A later question takes the place of one that waits.

        Args:
            frame: With its region and spacing, where they are known.
            answer: Called on the UI thread with the frame and its finding; without a model the finding says so.
            region: Where the sonogram lies, if not where the frame says.
            operator_region: Where the operator says that the lesion is.
            is_new: Whether the pictures of the frame are still to be found; the answer comes with one of them.
        """
        self._put(_Question(frame, region, operator_region, answer, careful=True, is_new=is_new), live=False)

    def forget(self) -> None:
        """Drop what waits: the screen that asked is gone."""
        with self._changed:
            self._live = self._asked = None

    def use(self, models: Path) -> None:
        """Load the model from another place, or try again; the old one answers no more."""
        with self._changed:
            self._models, self._reload = models, True
            self._status = ModelStatus()
            self._changed.notify_all()
        self.start()

    def close(self) -> None:
        """Stop after the frame that is being looked at; waits for no more than that."""
        with self._changed:
            self._closed = True
            self._live = self._asked = None
            self._changed.notify_all()

    def _put(self, question: _Question, *, live: bool) -> None:
        with self._changed:
            if live:
                self._live = question
            else:
                self._asked = question
            self._changed.notify_all()
        self.start()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        classifier: Classifier | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._reload or self._next_is_there())
                if self._closed:
                    return
                reload, models, self._reload = self._reload, self._models, False
                question = None if reload else self._take()
            if reload:
                classifier = None  # the old network's memory goes before the new one's is taken
                classifier = self._load(models)
            elif question is not None:
                self._answer(classifier, question)

    def _next_is_there(self) -> bool:
        return self._asked is not None or self._live is not None

    def _take(self) -> _Question | None:
        asked, self._asked = self._asked, None
        if asked is not None:
            return asked
        live, self._live = self._live, None
        return live if self._status.state is ModelState.READY else None

    def _load(self, models: Path) -> Classifier | None:
        # Imported here: the runtime and its libraries cost a second that the first screen should not wait for.
        from device.inference.bundle import newest_bundle
        from device.inference.classifier import Classifier
        from device.inference.site import installed_profile

        classifier: Classifier | None = None
        try:
            bundle = newest_bundle(models)
            classifier = Classifier(bundle, site=installed_profile(bundle.manifest.label))
            views = bundle.manifest.views
            several = None if views is None else views.abstention
            status = ModelStatus(ModelState.READY, bundle.manifest.label, several=several)
        except MammascopeError as error:
            log.warning("no model: %s", error)
            status = ModelStatus(ModelState.MISSING, "", error)
        with self._changed:
            if not self._reload:
                self._status = status
        return classifier

    def _answer(self, classifier: Classifier | None, question: _Question) -> None:
        frame, finding = question.frame, None
        try:
            found = pictures(frame) if question.is_new else (frame,)
            frame, finding = _best(classifier, question, found)
        except FAULTS:
            log.exception("a frame of %d by %d could not be judged", frame.width, frame.height)
        said = finding or without_model(find_sonogram(frame, question.region).box)
        told = with_believed_scale(frame, said.sonogram)
        self._deliver(lambda: question.answer(told, said))


def _best(classifier: Classifier | None, question: _Question, found: tuple[Frame, ...]) -> tuple[Frame, Finding | None]:
    """The largest picture that can be evaluated, or the largest, and what the model says of it."""
    by_size = sorted(found, key=lambda one: one.region.area if one.region is not None else 0, reverse=True)
    if classifier is None:
        return by_size[0], None
    judged: list[tuple[Frame, Finding]] = []
    for one in by_size:
        judged.append(
            (one, classifier.classify(one, question.region, question.operator_region, careful=question.careful))
        )
        if judged[-1][1].evaluable:
            return judged[-1]
    return judged[0]


def inference_of(app: App) -> InferenceWorker:
    """The program's worker, made and started at the first call; closed with the services."""
    services = app.services
    if services.inference is None:
        services.inference = InferenceWorker(app.settings.models, app.tasks.call)
    services.inference.start()
    return services.inference
