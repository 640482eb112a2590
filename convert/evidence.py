"""What an int8 network and its float original say of images that nothing was chosen on.

Calibration, thresholds and limits are applied as the device applies them; both networks get the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from convert.agreement import rejection, share_with_interval
from convert.calibrate import probabilities
from convert.corpus import Example, load_examples
from convert.data import DataFolders
from convert.datasets.sample import Sample
from convert.examine import LookTable, embeddings_of, examine, examine_sonograms
from convert.familiar import strangeness
from convert.foreign import Half, foreign_sonograms
from convert.intervals import Figure
from convert.metrics import decided
from convert.predictions import Predictions
from convert.report import Evaluation, Evidence
from convert.run import Run, SplitChoice
from convert.subject import Subject
from device.capture.frame import Pixels
from device.imaging.sonogram import Sonogram
from device.inference.finding import CLASSES

MARK_LEVEL = 200
"""Grey level from which thin bright structures count as burned-in text or calliper marks."""


def gather_evidence(subject: Subject, data: DataFolders) -> Evidence:
    """Look at the test part with the int8 network and, where it was kept, its original, and at foreign pictures."""
    split = subject.split
    examples = load_examples(_unseen(subject, data))
    table = examine(subject.int8, examples, subject.how)
    evaluation = _evaluation(subject, examples, table)
    return Evidence(
        left_out={split.leave_out: evaluation} if split.leave_out else {},
        held_out=None if split.leave_out else evaluation,
        rejection={} if data.foreign is None else _rejection(subject, data.foreign, table, examples),
        shortcuts=_shortcuts(subject, examples, evaluation.int8),
    )


def test_part(subject: Subject, data: DataFolders) -> Evaluation:
    """What the int8 network and its original say of the test part, and nothing else."""
    examples = load_examples(_unseen(subject, data))
    return _evaluation(subject, examples, examine(subject.int8, examples, subject.how))


def _unseen(subject: Subject, data: DataFolders) -> Sequence[Sample]:
    """What no weight was fitted on: the test part, or the calibration part of a network that has none."""
    parts = subject.split.divide(data.load())
    return parts.calibration if subject.split.whole else parts.test


def keep(evaluation: Evaluation, run: Run) -> None:
    """Write what was said of the test part into the run, so that other reports can join it."""
    run.figures.mkdir(parents=True, exist_ok=True)
    if evaluation.original is not None:
        evaluation.original.save(run.said_float)
    evaluation.int8.save(run.said_int8)


def kept(run: Run) -> Evaluation:
    """What ``keep`` wrote.

    Raises:
        StageMissingError: The run was not evaluated.
    """
    said = Predictions.load(run.needs(run.said_int8, "evaluate"))
    original = Predictions.load(run.said_float) if run.said_float.exists() else None
    return Evaluation(_title(run.read_settings()[0]), said, original)


def _evaluation(subject: Subject, examples: Sequence[Example], table: LookTable) -> Evaluation:
    original = None
    if subject.original is not None:
        original = predictions_of(examples, examine(subject.original, examples, subject.how), subject)
    return Evaluation(_title(subject.split), predictions_of(examples, table, subject), original)


def _title(split: SplitChoice) -> str:
    if split.leave_out:
        return f"{split.leave_out} left out"
    if split.whole:
        return "calibration part (limits were chosen on it)"
    return f"grouped test part (fold {split.fold + 1})"


def predictions_of(examples: Sequence[Example], table: LookTable, subject: Subject) -> Predictions:
    """Calibrated and decided predictions of examples from what a network said of them."""
    samples = [example.sample for example in examples]
    limits = subject.limits
    sonograms = [example.sonogram for example in examples]
    strange = strangeness(sonograms, table.embeddings, subject.familiar) > limits.rejection_limit
    plain = Predictions(
        probabilities=probabilities(table.first, table.second, limits.calibration),
        labels=np.array([s.label for s in samples]),
        groups=np.array([s.group for s in samples]),
        sets=np.array([s.dataset for s in samples]),
        scanners=np.array([s.scanner for s in samples]),
        keys=np.array([s.key for s in samples]),
        folds=np.full(len(samples), subject.split.fold),
        dice=table.dice,
    )
    return decided(plain, limits.operating_points[0].malignant_threshold, limits.abstention, strange)


def _rejection(subject: Subject, folder: Path, table: LookTable, examples: Sequence[Example]) -> dict[str, Figure]:
    breast = strangeness([e.sonogram for e in examples], table.embeddings, subject.familiar)
    groups = np.array([e.sample.group for e in examples])
    strange = {}
    for kind, sonograms in foreign_sonograms(folder, Half.FIGURES).items():
        seen = embeddings_of(subject.int8, sonograms)
        strange[kind] = strangeness(sonograms, seen, subject.familiar)
    return rejection(breast, groups, strange, subject.limits.rejection_limit)


def _shortcuts(subject: Subject, examples: Sequence[Example], int8: Predictions) -> dict[str, Figure]:
    """How far the network goes by the scanner or by burned-in text instead of by the tissue."""
    shares = {}
    benign = (int8.sets == "busbra") & (int8.labels == CLASSES.index("benign"))
    if benign.any():
        called = int8.predicted[benign] == CLASSES.index("normal")
        shares["busbra_benign_called_normal"] = share_with_interval(called, int8.groups[benign])
    cleaned = [without_marks(example.sonogram.pixels) for example in examples]
    marked = np.array([bool(np.any(c != e.sonogram.pixels)) for c, e in zip(cleaned, examples, strict=True)])
    if marked.any():
        chosen = [int(i) for i in np.flatnonzero(marked)]
        sonograms = [Sonogram(cleaned[i], examples[i].sonogram.box, 0.0) for i in chosen]
        table = examine_sonograms(subject.int8, sonograms, subject.how)
        again = probabilities(table.first, table.second, subject.limits.calibration).argmax(axis=1)
        same = again == int8.predicted[chosen]
        shares["same_class_without_marks"] = share_with_interval(same, int8.groups[chosen])
    return shares


def without_marks(pixels: Pixels) -> Pixels:
    """A sonogram whose thin bright drawings (text, calliper marks) are filled in from their surroundings.

    Thin and bright is what an opening with a square of 7 pixels takes away by more than half of ``MARK_LEVEL``. Bright
    thin tissue goes with it, so this measures at least the effect of the marks.
    """
    opened = cv2.morphologyEx(pixels, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    marks = ((pixels >= MARK_LEVEL) & (cv2.subtract(pixels, opened) > MARK_LEVEL // 2)).astype(np.uint8)
    if not marks.any():
        return pixels
    wider = cv2.dilate(marks, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.inpaint(pixels, wider, 3, cv2.INPAINT_TELEA), dtype=np.uint8)
