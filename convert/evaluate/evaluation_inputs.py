# SPDX-License-Identifier: Apache-2.0
"""What an int8 network and its float original say of images that nothing was fitted on.

Calibration, thresholds and limits are applied as the device applies them; both networks get the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.corpus import Example, load_examples
from convert.data.datasets.sample import Sample
from convert.data.folders import DataFolders
from convert.data.ood_images import Half, ood_sonograms
from convert.evaluate.agreement import ood_detection, share_with_interval
from convert.evaluate.batch_inference import RawOutputs, embeddings_of, infer_examples, infer_sonograms
from convert.evaluate.evaluation import Evaluation, EvaluationInputs
from convert.evaluate.intervals import Estimate
from convert.evaluate.metrics import apply_thresholds
from convert.evaluate.model_under_test import ModelUnderTest
from convert.evaluate.predictions import Predictions
from convert.run import Run, SplitChoice
from device.capture.frame import Pixels
from device.imaging.quality import Reason
from device.imaging.sonogram import Sonogram
from device.inference.calibration import calibrated_probabilities
from device.inference.decision import wider
from device.inference.finding import CLASSES, Caution

MARK_LEVEL = 200
"""Grey level from which thin bright structures count as burned-in text or calliper marks."""


def gather_evaluation_inputs(model: ModelUnderTest, data: DataFolders) -> EvaluationInputs:
    """Look at the test part with the int8 network and, where it was kept, its original, and at OOD pictures."""
    split = model.split
    examples = load_examples(_unseen(model, data))
    table = infer_examples(model.int8, examples, model.how)
    evaluation = _evaluation(model, examples, table)
    return EvaluationInputs(
        left_out={split.leave_out: evaluation} if split.leave_out else {},
        held_out=None if split.leave_out else evaluation,
        ood_detection={} if data.ood_images is None else _ood_detection(model, data.ood_images, table, examples),
        sources=source_shares(examples, model.source([e.sonogram for e in examples], table.embeddings))
        if split.leave_out
        else {},
        shortcuts=_shortcuts(model, examples, evaluation.int8),
    )


def gather_external_inputs(model: ModelUnderTest, data: DataFolders) -> EvaluationInputs:
    """The same on the sets that serve figures only, which no network has ever been trained on."""
    left_out: dict[str, Evaluation] = {}
    sources: dict[str, dict[str, Estimate]] = {}
    examples = load_examples(data.load_external())
    for name in dict.fromkeys(e.sample.dataset for e in examples):
        of_set = [e for e in examples if e.sample.dataset == name]
        table = infer_examples(model.int8, of_set, model.how)
        sources |= source_shares(of_set, model.source([e.sonogram for e in of_set], table.embeddings))
        lesions = [row for row, e in enumerate(of_set) if e.sample.label > 0]
        if len({of_set[row].sample.label for row in lesions}) > 1:
            said = predictions_of([of_set[row] for row in lesions], table.where(np.array(lesions)), model)
            left_out[name] = Evaluation(f"{name}, never trained on", said)
    return EvaluationInputs(left_out=left_out, sources=sources)


def source_shares(
    examples: Sequence[Example], said: Sequence[Reason | Caution | None]
) -> dict[str, dict[str, Estimate]]:
    """Shares of refused frames and of those answered with a caution, by set; unlabelled screens by their scanner."""
    names = np.array([e.sample.scanner if e.sample.dataset == "unlabelled" else e.sample.dataset for e in examples])
    groups = np.array([e.sample.group for e in examples])
    refused = np.array([each is Reason.NOT_BREAST_ULTRASOUND for each in said])
    unfamiliar = np.array([isinstance(each, Caution) for each in said])
    return {
        name: {
            "refused": share_with_interval(refused[names == name], groups[names == name]),
            "unfamiliar": share_with_interval(unfamiliar[names == name], groups[names == name]),
        }
        for name in np.unique(names).tolist()
    }


def evaluate_test_split(model: ModelUnderTest, data: DataFolders) -> Evaluation:
    """What the int8 network and its original say of the test part, and nothing else."""
    examples = load_examples(_unseen(model, data))
    return _evaluation(model, examples, infer_examples(model.int8, examples, model.how))


def _unseen(model: ModelUnderTest, data: DataFolders) -> Sequence[Sample]:
    """What no weight was fitted on: the test part, or the calibration part of a network that has none."""
    parts = model.split.divide(data.load())
    return parts.calibration if model.split.whole else parts.test


def save_evaluation(evaluation: Evaluation, run: Run) -> None:
    """Write what was said of the test part into the run, so that other reports can join it."""
    run.figures.mkdir(parents=True, exist_ok=True)
    if evaluation.original is not None:
        evaluation.original.save(run.predictions_float)
    evaluation.int8.save(run.predictions_int8)


def load_evaluation(run: Run) -> Evaluation:
    """What ``save_evaluation`` wrote.

    Raises:
        StageMissingError: The run was not evaluated.
    """
    said = Predictions.load(run.needs(run.predictions_int8, "evaluate"))
    original = Predictions.load(run.predictions_float) if run.predictions_float.exists() else None
    return Evaluation(_title(run.read_settings()[0]), said, original)


def save_sources(sources: Mapping[str, Mapping[str, Estimate]], run: Run) -> None:
    """Write what became of the source of the frames never seen into the run, beside ``save_evaluation``."""
    plain = {name: {what: share.to_json() for what, share in shares.items()} for name, shares in sources.items()}
    run.sources.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def load_sources(run: Run) -> dict[str, dict[str, Estimate]]:
    """Of what ``save_sources`` wrote, the set or scanner that the run left out.

    Raises:
        StageMissingError: The run was not evaluated.
    """
    plain = json.loads(run.needs(run.sources, "evaluate").read_text(encoding="utf-8"))
    left_out = run.read_settings()[0].leave_out
    shares = {name: value for name, value in plain.items() if name == left_out}
    return {
        name: {
            what: Estimate(*(np.nan if share[k] is None else share[k] for k in Estimate._fields))
            for what, share in value.items()
        }
        for name, value in shares.items()
    }


def _evaluation(model: ModelUnderTest, examples: Sequence[Example], table: RawOutputs) -> Evaluation:
    original = None
    if model.original is not None:
        original = predictions_of(examples, infer_examples(model.original, examples, model.how), model)
    return Evaluation(_title(model.split), predictions_of(examples, table, model), original)


def _title(split: SplitChoice) -> str:
    if split.leave_out:
        return f"{split.leave_out} left out"
    if split.whole:
        return "calibration part (limits were chosen on it)"
    return f"grouped test part (fold {split.fold + 1})"


def predictions_of(examples: Sequence[Example], table: RawOutputs, model: ModelUnderTest) -> Predictions:
    """Calibrated and decided predictions of examples from what a network said of them."""
    samples = [example.sample for example in examples]
    limits = model.limits
    source = model.source([example.sonogram for example in examples], table.embeddings)
    plain = Predictions(
        probabilities=calibrated_probabilities(table.first, table.second, limits.calibration),
        labels=np.array([s.label for s in samples]),
        groups=np.array([s.group for s in samples]),
        sets=np.array([s.dataset for s in samples]),
        scanners=np.array([s.scanner for s in samples]),
        keys=np.array([s.key for s in samples]),
        folds=np.full(len(samples), model.split.fold),
        dice=table.dice,
    )
    threshold = limits.operating_points[0].malignant_threshold
    said = apply_thresholds(
        plain, threshold, limits.abstention, np.array([isinstance(each, Reason) for each in source])
    )
    if limits.source is None:
        return said
    band = wider(limits.abstention, limits.source.abstention)
    unfamiliar = np.array([isinstance(each, Caution) for each in source])
    return replace(
        said,
        decisions=np.where(unfamiliar, apply_thresholds(plain, threshold, band).decisions, said.decisions),
        unfamiliar=unfamiliar,
    )


def _ood_detection(
    model: ModelUnderTest, folder: Path, table: RawOutputs, examples: Sequence[Example]
) -> dict[str, Estimate]:
    def refused(sonograms: Sequence[Sonogram], embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        said = model.source(sonograms, embeddings)
        return np.array([isinstance(each, Reason) for each in said], np.float64)

    breast = refused([e.sonogram for e in examples], table.embeddings)
    groups = np.array([e.sample.group for e in examples])
    ood = {
        kind: refused(sonograms, embeddings_of(model.int8, sonograms))
        for kind, sonograms in ood_sonograms(folder, Half.FIGURES).items()
    }
    return ood_detection(breast, groups, ood, limit=0.5)


def _shortcuts(model: ModelUnderTest, examples: Sequence[Example], int8: Predictions) -> dict[str, Estimate]:
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
        table = infer_sonograms(model.int8, sonograms, model.how)
        again = calibrated_probabilities(table.first, table.second, model.limits.calibration).argmax(axis=1)
        same = again == int8.predicted[chosen]
        shares["same_class_without_marks"] = share_with_interval(same, int8.groups[chosen])
    return shares


def without_marks(pixels: Pixels) -> Pixels:
    """A sonogram whose thin bright drawings (text, calliper marks) are filled in from their surroundings.

    Thin and bright is what an opening with a square of 7 pixels takes away by more than half of ``MARK_LEVEL``. Bright
    thin tissue goes with it, so this measures at least the effect of the marks.

    Args:
        pixels: uint8 (h, w), grey.
    """
    opened = cv2.morphologyEx(pixels, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    marks = ((pixels >= MARK_LEVEL) & (cv2.subtract(pixels, opened) > MARK_LEVEL // 2)).astype(np.uint8)
    if not marks.any():
        return pixels
    wider = cv2.dilate(marks, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.inpaint(pixels, wider, 3, cv2.INPAINT_TELEA), dtype=np.uint8)
