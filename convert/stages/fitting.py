# SPDX-License-Identifier: Apache-2.0
"""The stages of a build up to the decisions: train, quantise, calibrate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from convert.data.corpus import Example, load_examples
from convert.data.datasets.sample import Sample
from convert.data.folders import DataFolders
from convert.data.ood_images import Half, ood_sonograms
from convert.evaluate.batch_inference import RawOutputs, embeddings_of, infer_examples
from convert.evaluate.metrics import MALIGNANT
from convert.limits import Limits, preprocessing
from convert.quantise import representative_pictures, to_float, to_int8
from convert.release.breast_head import embed, fit_breast_head, log_odds, save_breast_head
from convert.release.calibrate import (
    fit_calibration,
    operating_point,
    uncertain_band,
    unfamiliar_band,
)
from convert.release.careful import (
    MemberNetwork,
    answer_carefully,
    careful_plan,
    choose_careful_limits,
    choose_view_limits,
    lesions_of,
)
from convert.release.ood import distances, fit_in_distribution, save_in_distribution
from convert.release.ood_limits import choose_ood_limit, choose_source_limits
from convert.report.plots import plot_training
from convert.run import Run, SplitChoice
from convert.train.distil import ensemble_targets, load_teachers, with_teachers
from convert.train.exposure import Amounts, Exposure, draw_exposure
from convert.train.fit import TrainingPlan, train
from convert.train.network import build_network
from device.inference.calibration import calibrated_probabilities
from device.inference.manifest import Source
from device.inference.ood.distance import InDistribution

REPRESENTATIVE_PICTURES = 300
"""The converter's documentation asks for 100 to 500."""


def train_stage(
    run: Run, data: DataFolders, split: SplitChoice, plan: TrainingPlan, teachers: Sequence[Path] = ()
) -> None:
    """Train on the training part, choose the checkpoint on the calibration part; goes on where it was interrupted.

    Args:
        run: The run.
        data: The sets.
        split: How they are divided.
        plan: What is trained.
        teachers: Folders of the runs whose soft targets are learned beside the labels.

    Raises:
        ValueError: No threshold could be chosen on the calibration part.
    """
    plan = with_teachers(plan, teachers)
    run.begin(split, plan)
    parts = split.divide(data.load())
    _require_both_kinds(parts.calibration)
    taught = load_teachers(teachers, parts)
    network = train(
        load_examples(parts.train),
        load_examples(parts.calibration),
        plan,
        run.training,
        (lambda student: ensemble_targets(taught, student)) if taught else None,
    )
    # A file that is there is whole: later stages take it for finished.
    unfinished = run.folder / "unfinished.weights.h5"
    network.save_weights(unfinished)
    unfinished.replace(run.weights)
    history = json.loads((run.training / "history.json").read_text(encoding="utf-8"))
    plot_training(history, run.folder / "training.png")


def _require_both_kinds(calibration: Sequence[Sample]) -> None:
    """What would stop ``calibrate`` is said before the hours of a training.

    Raises:
        ValueError: The calibration part has no malignant image, or no other.
    """
    malignant = sum(sample.label == MALIGNANT for sample in calibration)
    if malignant in (0, len(calibration)):
        raise ValueError(
            f"the threshold is chosen on {len(calibration)} images that take no part in training, and {malignant} of "
            "them are malignant; give more images, malignant and others"
        )


def quantise_stage(run: Run, data: DataFolders) -> None:
    """Convert the trained network to int8 and to float; ranges come from training examples only."""
    split, plan = run.read_settings()
    network = build_network(replace(plan.network, weights="none"))
    network.load_weights(run.needs(run.weights, "train"))
    parts = split.divide(data.load())
    rng = np.random.default_rng(plan.seed)
    chosen = rng.permutation(len(parts.train))[:REPRESENTATIVE_PICTURES]
    examples = load_examples([parts.train[i] for i in chosen])
    pictures = representative_pictures(examples, plan.network.size, REPRESENTATIVE_PICTURES, plan.seed)
    run.int8.write_bytes(to_int8(network, pictures))
    run.float32.write_bytes(to_float(network))


def calibrate_stage(run: Run, data: DataFolders) -> None:
    """Fit calibration, thresholds and the limits of the source on the calibration part of the int8 network's outputs.

    Where OOD images are given, half of them train the layers that tell breast from everything else.
    """
    split, plan = run.read_settings()
    network = run.needs(run.int8, "quantise")
    parts = split.divide(data.load())
    how = preprocessing(run)
    held, trained = load_examples(parts.calibration), load_examples(parts.train)
    table = infer_examples(network, held, how)
    labels = np.array([sample.label for sample in parts.calibration])
    in_distribution = _fit_in_distribution((network, run.needs(run.float32, "quantise")), trained)
    save_in_distribution(in_distribution, run.in_distribution)
    limits = choose_limits(table, labels, in_distribution)
    if data.ood_images is not None:
        ood = ood_sonograms(data.ood_images, Half.LIMIT)
        exposure = draw_exposure(trained, ood, plan.network.size, Amounts(), plan.seed)
        limits = _with_source(run, limits, exposure, table, in_distribution)
    careful = careful_plan()
    answers = answer_carefully([MemberNetwork(network, how, limits.calibration)], held, careful)
    plain = calibrated_probabilities(table.first, table.second, limits.calibration)
    limits = limits.model_copy(
        update={
            "careful": choose_careful_limits(answers, labels, careful),
            "views": choose_view_limits(plain, labels, lesions_of(parts.calibration)),
        }
    )
    run.calibration.write_text(limits.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _with_source(
    run: Run,
    limits: Limits,
    exposure: Exposure,
    table: RawOutputs,
    in_distribution: InDistribution,
) -> Limits:
    """Fit the layers that tell breast from everything else, and put two tiers in the place of the one limit."""
    embeddings = embed(run.int8, exposure)
    head = fit_breast_head(embeddings, exposure)
    save_breast_head(head, run.breast_head)
    left_out = {
        name: log_odds(fit_breast_head(embeddings, exposure, without=[name]), embeddings[rows])
        for name in np.unique(exposure.kinds[exposure.breast]).tolist()
        for rows in [exposure.breast & exposure.plain & (exposure.kinds == name)]
    }
    chosen = choose_source_limits(
        left_out, log_odds(head, table.embeddings), distances(in_distribution, table.embeddings)
    )
    source = Source(
        file=run.breast_head.name,
        refuse_below=chosen.refuse_below,
        familiar_from=chosen.familiar_from,
        familiar_distance=chosen.familiar_distance,
        abstention=unfamiliar_band(limits.abstention),
        breast_loss=chosen.breast_loss,
    )
    return limits.model_copy(update={"source": source, "ood_limit": chosen.ood_limit})


def _fit_in_distribution(networks: Sequence[Path], examples: Sequence[Example]) -> InDistribution:
    """The distribution of breast ultrasound in the embeddings of the int8 and the float network together.

    What rounding does to an embedding then counts as in-distribution. With a distribution fitted on the int8 network
    alone, the float network refused one picture in eight that the int8 network accepted.
    """
    sonograms = [example.sonogram for example in examples]
    known = np.concatenate([embeddings_of(network, sonograms, quiet=False) for network in networks])
    sets, labels = [e.sample.dataset for e in examples], [e.sample.label for e in examples]
    return fit_in_distribution(known, sets * len(networks), labels * len(networks))


def choose_limits(
    table: RawOutputs,
    labels: np.ndarray[tuple[int], np.dtype[np.int64]],
    in_distribution: InDistribution,
) -> Limits:
    """Everything that is decided on the calibration part, from its table of outputs and labels (n,).

    Args:
        table: Of the calibration part.
        labels: Its classes.
        in_distribution: Fitted on the training part.
    """
    calibration = fit_calibration(table.first, table.second, labels)
    malignant = calibrated_probabilities(table.first, table.second, calibration)[:, 2]
    point = operating_point(malignant, labels)
    limit, lost = choose_ood_limit(distances(in_distribution, table.embeddings))
    return Limits(
        calibration=calibration,
        operating_points=(point,),
        abstention=uncertain_band(malignant, labels, point.malignant_threshold).abstention,
        ood_limit=limit,
        breast_loss=lost,
    )
