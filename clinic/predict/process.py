# SPDX-License-Identifier: Apache-2.0
"""The process that looks at uploads: decodes them as a handheld does, predicts, and builds what the archive gets.

Started and killed by ``clinic.predict.predictor``; one request a line on standard input, one answer a line on standard
output. Decoding happens one process further away still (``device.capture.sandbox.reader``), so a hostile file meets
neither the web application nor the model.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from device.capture.frame import Frame, Pixels
from device.capture.sandbox.reader import SandboxedReader
from device.dicom.identity import DeviceIdentity
from device.dicom.objects import build_instances
from device.errors import MammascopeError
from device.imaging.encoded import png
from device.imaging.marks.styles import HEAT_OPACITY
from device.inference.bundle import newest_bundle
from device.inference.classifier import Classifier
from device.inference.finding import Finding
from device.records.exam import (
    Exam,
    ExamState,
    FamilyHistory,
    Gender,
    Laterality,
    Patient,
    View,
)
from device.records.uids import CINE, OVERLAY, REPORT, derived_uid

Answer = dict[str, Any]
_LONGEST_SIDE: Final = 1600
"""Pixels of a preview; what is stored is the frame itself."""

_PNG_LEVEL: Final = 1


class Workbench:
    """What the process works with.

    Args:
        models: Folder of bundles, or one bundle.
    """

    def __init__(self, models: Path) -> None:
        self._models = models
        self._classifier: Classifier | None = None
        self._reader = SandboxedReader()

    def do(self, request: Answer) -> Answer:
        """One request.

        Raises:
            MammascopeError: The file cannot be read, or there is no usable model.
        """
        operations: dict[str, Callable[[Answer], Answer]] = {
            "preview": self._preview,
            "predict": self._predict,
            "heat": self._heat,
        }
        return operations[request["op"]](request)

    def _preview(self, request: Answer) -> Answer:
        frame, count = self._frame(request)
        return {"frames": count, "width": frame.width, "height": frame.height, "picture": _png(_smaller(frame.pixels))}

    def _predict(self, request: Answer) -> Answer:
        frame, _ = self._frame(request)
        finding = self._model().classify(frame)
        exam = _exam(request, frame, finding)
        device = DeviceIdentity(serial=request["serial"], site=request["site"])
        instances = [
            {"kind": made.kind, "sop_uid": made.sop_uid, "content": base64.b64encode(made.content).decode()}
            for made in build_instances(exam, device)
        ]
        return {"study_uid": exam.uid, "finding": finding.to_json_dict("upload", frame.index), "instances": instances}

    def _heat(self, request: Answer) -> Answer:
        frame, _ = self._frame(request)
        finding = self._model().classify(frame)
        if finding.heat_map is None:
            return {"picture": None}
        return {"picture": _png(heat_layer(frame, finding)), "model": finding.model}

    def _frame(self, request: Answer) -> tuple[Frame, int]:
        """The wanted frame of the file, and how many there are."""
        with self._reader.open_frames(Path(request["path"])) as file:
            count = file.frame_count
            return file.read_at(min(max(int(request.get("frame", 0)), 0), count - 1)), count

    def _model(self) -> Classifier:
        if self._classifier is None:
            self._classifier = Classifier(newest_bundle(self._models))
        return self._classifier


def heat_layer(frame: Frame, finding: Finding) -> Pixels:
    """The heat map as a layer over the whole frame: uint8 (h, w, 4) RGBA, clear where it says nothing."""
    layer = np.zeros((frame.height, frame.width, 4), np.uint8)
    if finding.heat_map is None:
        return layer
    box = finding.sonogram.clipped(frame.width, frame.height)
    fine = cv2.resize(finding.heat_map, (max(1, box.w), max(1, box.h)), interpolation=cv2.INTER_LINEAR)
    colours = cv2.cvtColor(cv2.applyColorMap(fine, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
    place = layer[box.y : box.y + box.h, box.x : box.x + box.w]
    place[..., :3] = colours
    place[..., 3] = (fine.astype(np.float32) * HEAT_OPACITY).astype(np.uint8)
    return layer


def _exam(request: Answer, frame: Frame, finding: Finding) -> Exam:
    """What a handheld would have made of the same picture; all its UIDs follow from the name that the request gives."""
    details, name, moment = request["details"], request["name"], datetime.fromisoformat(request["moment"])
    patient = Patient(
        code=details["code"],
        name=details.get("name", ""),
        age_years=details.get("age"),
        gender=Gender(details["gender"]) if details.get("gender") else None,
        family_history=FamilyHistory(details.get("family_history") or FamilyHistory.UNKNOWN),
    )
    view = View(
        uid=derived_uid(name, "view"),
        derived_uids={kind: derived_uid(name, kind) for kind in (OVERLAY, CINE, REPORT)},
        frame=replace(frame, captured_at=moment),
        finding=finding,
        frozen_at=moment,
        laterality=Laterality(details["laterality"]) if details.get("laterality") else None,
        clock_position=details.get("clock"),
    )
    return Exam(
        uid=derived_uid(name, "exam"),
        patient=patient,
        operator=details["operator"],
        started_at=moment,
        clock_trusted=True,
        state=ExamState.FINAL,
        views=(view,),
        note=details.get("note", ""),
        finalised_at=moment,
    )


def _smaller(pixels: Pixels) -> Pixels:
    scale = _LONGEST_SIDE / max(pixels.shape[:2])
    if scale >= 1.0:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _png(pixels: Pixels) -> str:
    """A picture, grey, RGB or RGBA, as PNG in base64."""
    return base64.b64encode(png(pixels, _PNG_LEVEL)).decode()


def main() -> int:
    """Serve requests until standard input closes."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # a library that prints must not talk into the answers
    workbench = Workbench(Path(sys.argv[1]))
    for line in sys.stdin:
        try:
            answer = workbench.do(json.loads(line))
        except MammascopeError as error:
            answer = {"error": error.code}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
