# SPDX-License-Identifier: Apache-2.0
"""The newest frame wins, a frozen one goes first, and without a model everything else goes on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.capture.frame import Box, Frame, PixelSpacing, Region
from device.capture.phantom.frames import phantom_frame
from device.config import MODELS
from device.errors import BundleMissingError
from device.inference.classifier import Classifier
from device.inference.finding import Caution, Finding, Reason
from device.ui.session.inference_worker import InferenceWorker, ModelState
from tests.patience import PATIENT_S


class Desk:
    """Stands for the UI thread: calls what arrives, when asked."""

    def __init__(self) -> None:
        self.arrived: queue.Queue[Callable[[], None]] = queue.Queue()
        self.answers: list[tuple[Frame, Finding]] = []

    def note(self, frame: Frame, finding: Finding) -> None:
        self.answers.append((frame, finding))

    def next(self) -> tuple[Frame, Finding]:
        self.arrived.get(timeout=PATIENT_S)()
        return self.answers[-1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def worker(desk: Desk, request: pytest.FixtureRequest) -> Iterator[InferenceWorker]:
    made = InferenceWorker(getattr(request, "param", MODELS), desk.arrived.put)
    yield made
    made.close()


def _settled(worker: InferenceWorker) -> ModelState:
    worker.start()
    deadline = time.monotonic() + PATIENT_S
    while worker.status.state is ModelState.LOADING and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return worker.status.state


def test_a_frozen_frame_is_answered_with_its_own_finding(worker: InferenceWorker, desk: Desk) -> None:
    frame = phantom_frame(3, "benign")
    worker.ask(frame, desk.note)
    asked, finding = desk.next()
    assert asked is frame
    assert worker.status.state is ModelState.READY
    assert finding.model == worker.status.label
    assert finding.probabilities is not None
    assert sum(finding.probabilities.values()) == pytest.approx(1.0)


def test_old_live_frames_are_never_queued(worker: InferenceWorker, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _settled(worker) is ModelState.READY
    busy, free = threading.Event(), threading.Event()
    real = Classifier.classify

    def slow(self: Classifier, frame: Frame, *rest: Any, **options: Any) -> Finding:
        busy.set()
        free.wait(PATIENT_S)
        return real(self, frame, *rest, **options)

    monkeypatch.setattr(Classifier, "classify", slow)
    frames = [phantom_frame(seed, size=(160, 120)) for seed in range(6)]
    worker.offer(frames[0], desk.note)
    assert busy.wait(PATIENT_S)
    for frame in frames[1:]:
        worker.offer(frame, desk.note)
    worker.ask(frames[2], desk.note)
    free.set()
    seen = [desk.next()[0] for _ in range(3)]
    assert [frames.index(frame) for frame in seen] == [0, 2, 5]
    assert desk.arrived.empty()


@pytest.mark.parametrize("worker", [Path("/nowhere/models")], indirect=True)
def test_without_a_model_live_frames_get_no_answer_and_frozen_ones_say_why(worker: InferenceWorker, desk: Desk) -> None:
    assert _settled(worker) is ModelState.MISSING
    assert isinstance(worker.status.error, BundleMissingError)
    worker.offer(phantom_frame(1), desk.note)
    worker.ask(phantom_frame(2), desk.note)
    _, finding = desk.next()
    assert finding.reason is Reason.NO_MODEL
    assert finding.probabilities is None
    assert len(desk.answers) == 1
    assert desk.arrived.empty()


@pytest.mark.parametrize("worker", [Path("/nowhere/models")], indirect=True)
def test_another_model_can_be_used_without_a_restart(worker: InferenceWorker, desk: Desk) -> None:
    assert _settled(worker) is ModelState.MISSING
    worker.use(MODELS)
    assert _settled(worker) is ModelState.READY
    worker.ask(phantom_frame(3, "benign"), desk.note)
    assert desk.next()[1].probabilities is not None


def test_a_frame_that_breaks_the_network_does_not_end_the_thread(
    worker: InferenceWorker, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _settled(worker) is ModelState.READY

    def broken(*_: object, **__: object) -> Finding:
        raise ValueError("strange shape")

    with monkeypatch.context() as patched:
        patched.setattr(Classifier, "classify", broken)
        worker.ask(phantom_frame(1), desk.note)
        assert desk.next()[1].probabilities is None
    worker.ask(phantom_frame(3, "benign"), desk.note)
    assert desk.next()[1].probabilities is not None


def test_of_two_pictures_the_largest_that_can_be_evaluated_is_answered(worker: InferenceWorker, desk: Desk) -> None:
    picture = phantom_frame(39, "benign", size=(320, 240)).pixels
    grey = picture if picture.ndim == 2 else picture[..., 0]
    black = np.zeros((240, 400), np.uint8)
    large, small = Box(0, 0, 400, 240), Box(400, 0, 320, 240)
    scale = PixelSpacing(0.15, 0.15)
    dual = Frame(np.hstack([black, grey]), "dual", region=large, regions=(Region(large), Region(small, scale)))
    worker.ask(dual, desk.note, is_new=True)
    asked, finding = desk.next()
    assert (finding.evaluable, finding.sonogram) == (True, small)
    assert (asked.region, asked.spacing, len(asked.regions)) == (small, scale, 2)
    worker.offer(dual, desk.note)
    assert desk.next()[1].sonogram == small


def test_a_scale_that_no_breast_has_does_not_come_back(worker: InferenceWorker, desk: Desk) -> None:
    frame = replace(phantom_frame(3, "benign"), origin="scan.dcm", spacing=PixelSpacing(0.9, 0.9))
    worker.ask(frame, desk.note, is_new=True)
    asked, finding = desk.next()
    assert (asked.spacing, asked.scale_contradicted) == (None, True)
    assert finding.caution is Caution.SCALE_CONTRADICTED
    assert finding.lesion is None or finding.lesion.long_axis_mm is None
