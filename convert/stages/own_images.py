# SPDX-License-Identifier: Apache-2.0
"""A shipped bundle on a hospital's own labelled images, in one command: what a new hospital should do first.

    python -m convert evaluate --bundle models/NAME-VERSION --own DIR

``DIR`` holds a folder a class (``convert.data.datasets.class_folders``). Images are read as the device reads them, in
their colours. Nothing is chosen on these images, and none may have taken part in training: then the figures are those
of a hospital that the model has never met.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from convert.data.corpus import Example, load_examples
from convert.data.datasets.class_folders import remarks
from convert.data.datasets.known import KNOWN, known_set
from convert.data.datasets.sample import UNKNOWN, Sample
from convert.data.images import delivered_frame
from convert.evaluate.agreement import share_with_interval
from convert.evaluate.batch_inference import infer_examples
from convert.evaluate.evaluation_inputs import predictions_of
from convert.evaluate.intervals import Estimate, figures
from convert.evaluate.metrics import apply_thresholds
from convert.evaluate.model_under_test import ModelUnderTest, model_of_bundle
from convert.evaluate.predictions import Predictions
from convert.release.careful import MemberNetwork, answer_carefully
from convert.report.markdown import with_interval
from device.files import write_atomically
from device.imaging.quality import Reason
from device.inference.finding import CLASSES, Caution
from device.inference.manifest import Careful
from device.inference.site import profile_path

ANSWERS = "answers.csv"
"""What was said of each image, for whoever wants to see which ones were missed: the live result and probabilities, and
the malignant probability of careful consideration."""

_ROWS = {
    "benign against malignant, AUC": "auc_benign_vs_malignant",
    "malignant against the rest, AUC": "auc_malignant_vs_rest",
    "sensitivity at the operating point": "sensitivity_at_threshold",
    "specificity at the operating point": "specificity_at_threshold",
    "uncertain": "uncertain",
    "named normal, benign or malignant": "coverage",
    "right among the named": "accuracy_decided",
    "malignant called normal or benign": "malignant_missed",
    "calibration error": "ece",
    "overlap of the outline (Dice)": "dice",
}
_CAREFUL_ROWS = tuple(_ROWS)[:4]


def evaluate_own(
    bundle: Path, name: str, folder: Path, out: Path | None = None, console: Console | None = None
) -> dict[str, Estimate]:
    """Print what a bundle makes of a folder of labelled images, and return it.

    Args:
        bundle: The bundle.
        name: Of the set; a known one is read in its official layout.
        folder: Where it lies.
        out: Where a table goes of what was said of each image; nowhere if not given.
        console: Where to print; standard output if not given.

    Returns:
        Figures by their names in the table.

    Raises:
        DatasetError: The folder has another layout, or images cannot be read.
        BundleError: The manifest cannot be read.
        OSError: The table cannot be written.
    """
    console = console or Console()
    model, manifest = model_of_bundle(bundle)
    samples = known_set(name).read(folder)
    said_before = [] if name in KNOWN else remarks(folder, samples)
    if profile_path().exists():
        said_before.append(f"{profile_path()}: what was fitted to a site takes no part; this tests the bundle as it is")
    for remark in said_before:
        console.print(f"note: {remark}", markup=False, highlight=False, soft_wrap=True)
    examples = load_examples(samples, read=delivered_frame)
    table = infer_examples(model.int8, examples, model.how)
    shares = source_shares(model, examples, table.embeddings)
    said = predictions_of([_as_if_known(example) for example in examples], table, model)
    known = np.array([s.label != UNKNOWN for s in samples])
    rows = shares | _rows(said.where(known), tuple(_ROWS)) if known.any() else shares
    careful = None
    if model.limits.careful is not None and (known.any() or out is not None):
        careful = _careful(model, examples, said, model.limits.careful)
        if known.any():
            rows |= {f"careful: {what}": each for what, each in _rows(careful.where(known), _CAREFUL_ROWS).items()}
    _print(console, f"{manifest.label} on {name}: {_counted(samples)}", rows)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / ANSWERS, _answers(samples, said, careful).encode(), 0o644)
        console.print(f"what was said of each image: {out / ANSWERS}", markup=False, highlight=False, soft_wrap=True)
    return rows


def source_shares(
    model: ModelUnderTest, examples: Sequence[Example], embeddings: NDArray[np.float32]
) -> dict[str, Estimate]:
    """Shares of n breast frames that are refused, and of those answered with a caution; embeddings (n, d)."""
    said = model.source([example.sonogram for example in examples], embeddings)
    groups = np.array([example.sample.group for example in examples])
    by = {
        "refused as no breast ultrasound": [each is Reason.NOT_BREAST_ULTRASOUND for each in said],
        "refused for the quality of the picture": [
            isinstance(each, Reason) and each is not Reason.NOT_BREAST_ULTRASOUND for each in said
        ],
        "answered, with the caution of an unfamiliar source": [isinstance(each, Caution) for each in said],
    }
    return {what: share_with_interval(np.array(hits), groups) for what, hits in by.items()}


def _as_if_known(example: Example) -> Example:
    """Predictions have a class; that of an image of unknown class is looked at by no one."""
    return example if example.sample.label != UNKNOWN else replace(example, sample=replace(example.sample, label=0))


def _rows(predictions: Predictions, rows: Sequence[str]) -> dict[str, Estimate]:
    found = figures(predictions)
    return {what: found[_ROWS[what]] for what in rows}


def _careful(model: ModelUnderTest, examples: Sequence[Example], live: Predictions, how: Careful) -> Predictions:
    """The probabilities and the operating point of careful consideration, which is what a frozen frame gets."""
    members = [MemberNetwork(model.int8, model.how, model.limits.calibration)]
    members += [MemberNetwork(model.int8.with_name(n.file), n.preprocessing, n.calibration) for n in how.further]
    answers = answer_carefully(members, examples, how)
    plain = replace(live, probabilities=answers.probabilities)
    return apply_thresholds(plain, how.operating_points[0].malignant_threshold, how.abstention)


def _counted(samples: Sequence[Sample]) -> str:
    """``24 images: 12 benign, 11 malignant, 0 normal, 1 of unknown class``."""
    counts = [f"{sum(s.label == CLASSES.index(name) for s in samples)} {name}" for name in sorted(CLASSES)]
    unknown = sum(s.label == UNKNOWN for s in samples)
    return f"{len(samples)} images: " + ", ".join([*counts, *([f"{unknown} of unknown class"] if unknown else [])])


def _print(console: Console, title: str, rows: dict[str, Estimate]) -> None:
    table = Table(title=title)
    for heading in ("what", "measured, with its 95 % interval"):
        table.add_column(heading, overflow="fold")
    for what, figure in rows.items():
        table.add_row(what, with_interval(figure.to_json()))
    console.print(table)


def _answers(samples: Sequence[Sample], live: Predictions, careful: Predictions | None) -> str:
    """Result and probabilities of each image as CSV."""
    words = (*CLASSES, "uncertain", "not_evaluable")
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", "class", "result", *CLASSES, "careful_malignant"])
    for row, sample in enumerate(samples):
        table.writerow(
            [
                sample.image,
                "" if sample.label == UNKNOWN else CLASSES[sample.label],
                words[live.decisions[row]],
                *(f"{each:.4f}" for each in live.probabilities[row]),
                "" if careful is None else f"{careful.malignant[row]:.4f}",
            ]
        )
    return text.getvalue()
