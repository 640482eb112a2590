# SPDX-License-Identifier: Apache-2.0
"""A shipped bundle on a hospital's own labelled images, in one command: what a new hospital should do first.

    python -m convert evaluate --bundle models/NAME-VERSION --own DIR

``DIR`` holds a folder a class (``convert.data.datasets.class_folders``). Nothing is chosen on these images, and none
may have taken part in training: then the figures are those of a hospital that the model has never met.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from convert.data.corpus import Example, load_examples
from convert.data.datasets.known import known_set
from convert.data.datasets.sample import UNKNOWN
from convert.evaluate.agreement import share_with_interval
from convert.evaluate.batch_inference import infer_examples
from convert.evaluate.evaluation_inputs import predictions_of
from convert.evaluate.intervals import Estimate, figures
from convert.evaluate.metrics import apply_thresholds
from convert.evaluate.model_under_test import ModelUnderTest, model_of_bundle
from convert.evaluate.predictions import Predictions
from convert.release.careful import MemberNetwork, answer_carefully
from convert.report.markdown import with_interval
from device.imaging.quality import Reason
from device.inference.finding import Caution
from device.inference.manifest import Careful

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


def evaluate_own(bundle: Path, name: str, folder: Path, console: Console | None = None) -> dict[str, Estimate]:
    """Print what a bundle makes of a folder of labelled images, and return it.

    Args:
        bundle: The bundle.
        name: Of the set; a known one is read in its official layout.
        folder: Where it lies.
        console: Where to print; standard output if not given.

    Returns:
        Figures by their names in the table.

    Raises:
        DatasetError: The folder has another layout.
        BundleError: The manifest cannot be read.
    """
    model, manifest = model_of_bundle(bundle)
    examples = load_examples(known_set(name).read(folder))
    rows = source_shares(model, examples)
    known = [example for example in examples if example.sample.label != UNKNOWN]
    if known:
        rows |= _figures(model, known)
        if model.limits.careful is not None:
            rows |= _careful_figures(model, known, model.limits.careful)
    table = Table(title=f"{manifest.label} on {name}: {len(examples)} images, {len(known)} of known class")
    for heading in ("what", "measured, with its 95 % interval"):
        table.add_column(heading, overflow="fold")
    for what, figure in rows.items():
        table.add_row(what, with_interval(figure.to_json()))
    (console or Console()).print(table)
    return rows


def source_shares(model: ModelUnderTest, examples: Sequence[Example]) -> dict[str, Estimate]:
    """Shares of breast frames that are refused, and of those answered with a caution."""
    table = infer_examples(model.int8, examples, model.how)
    said = model.source([example.sonogram for example in examples], table.embeddings)
    groups = np.array([example.sample.group for example in examples])
    by = {
        "refused as no breast ultrasound": [each is Reason.NOT_BREAST_ULTRASOUND for each in said],
        "refused for the quality of the picture": [
            isinstance(each, Reason) and each is not Reason.NOT_BREAST_ULTRASOUND for each in said
        ],
        "answered, with the caution of an unfamiliar source": [isinstance(each, Caution) for each in said],
    }
    return {what: share_with_interval(np.array(hits), groups) for what, hits in by.items()}


def _figures(model: ModelUnderTest, examples: Sequence[Example]) -> dict[str, Estimate]:
    predictions = predictions_of(examples, infer_examples(model.int8, examples, model.how), model)
    found = figures(predictions)
    return {what: found[name] for what, name in _ROWS.items()}


def _careful_figures(model: ModelUnderTest, examples: Sequence[Example], how: Careful) -> dict[str, Estimate]:
    """The ranking and the operating point of careful consideration, which is what a frozen frame gets."""
    members = [MemberNetwork(model.int8, model.how, model.limits.calibration)]
    members += [MemberNetwork(model.int8.with_name(n.file), n.preprocessing, n.calibration) for n in how.further]
    answers = answer_carefully(members, examples, how)
    samples = [example.sample for example in examples]
    plain = Predictions(
        probabilities=answers.probabilities,
        labels=np.array([s.label for s in samples]),
        groups=np.array([s.group for s in samples]),
        sets=np.array([s.dataset for s in samples]),
        scanners=np.array([s.scanner for s in samples]),
        keys=np.array([s.key for s in samples]),
    )
    found = figures(apply_thresholds(plain, how.operating_points[0].malignant_threshold, how.abstention))
    names = list(_ROWS.items())[:4]
    return {f"careful: {what}": found[name] for what, name in names}
