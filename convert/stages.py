"""The stages of a build up to the decisions, each one command: train, quantise, calibrate.

A stage takes a run folder and the data folders, and writes its result into the run folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from convert.calibrate import fit_calibration, operating_point, probabilities, rejection_limit, uncertain_band
from convert.corpus import load_examples
from convert.data import DataFolders
from convert.datasets.sample import Sample
from convert.distil import joint_opinion, load_teachers, with_teachers
from convert.examine import LookTable, embeddings_of, examine
from convert.familiar import distances, fit_familiar, strangeness
from convert.foreign import Half, foreign_sonograms
from convert.metrics import Floats
from convert.network import build_network
from convert.plots import plot_training
from convert.quantise import representative_pictures, to_float, to_int8
from convert.run import Run, SplitChoice
from convert.train import TrainingPlan, train
from device.inference.manifest import Abstention, Calibration, OperatingPoint, Preprocessing
from device.inference.rejection import Familiar

REPRESENTATIVE_PICTURES = 300
"""The converter's documentation asks for 100 to 500."""

MARGIN = 1.8
"""Side of the second look's window as a multiple of the lesion; the middle of what training shows."""


class Limits(BaseModel):
    """What the calibration stage decides, in the form of the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calibration: Calibration
    operating_points: tuple[OperatingPoint, ...]
    abstention: Abstention
    rejection_limit: float
    breast_loss: float


def train_stage(
    run: Run, data: DataFolders, split: SplitChoice, plan: TrainingPlan, teachers: Sequence[Path] = ()
) -> None:
    """Train on the training part, choose the checkpoint on the calibration part; goes on where it was interrupted.

    Args:
        run: The run.
        data: The sets.
        split: How they are divided.
        plan: What is trained.
        teachers: Folders of the runs whose opinion is learned beside the labels.
    """
    plan = with_teachers(plan, teachers)
    run.begin(split, plan)
    parts = split.divide(data.load())
    taught = load_teachers(teachers, parts)
    network = train(
        load_examples(parts.train),
        load_examples(parts.calibration),
        plan,
        run.training,
        (lambda student: joint_opinion(taught, student)) if taught else None,
    )
    # A file that is there is whole: later stages take it for finished.
    unfinished = run.folder / "unfinished.weights.h5"
    network.save_weights(unfinished)
    unfinished.replace(run.weights)
    history = json.loads((run.training / "history.json").read_text(encoding="utf-8"))
    plot_training(history, run.folder / "training.png")


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
    """Fit calibration, thresholds and the rejection limit on the calibration part of the int8 network's outputs.

    Where foreign pictures are given, half of them help to set the rejection limit.
    """
    split, _ = run.read_settings()
    network = run.needs(run.int8, "quantise")
    parts = split.divide(data.load())
    how = preprocessing(run)
    table = examine(network, load_examples(parts.calibration), how)
    labels = np.array([sample.label for sample in parts.calibration])
    familiar = _fit_familiar((network, run.needs(run.float32, "quantise")), parts.train)
    save_familiar(familiar, run.familiar)
    strangers = None if data.foreign is None else _strangers(network, data.foreign, familiar)
    limits = choose_limits(table, labels, familiar, strangers)
    run.calibration.write_text(limits.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _fit_familiar(networks: Sequence[Path], samples: Sequence[Sample]) -> Familiar:
    """What breast ultrasound looks like to the int8 network and to the float one together.

    What rounding does to an embedding then counts as familiar. With a distribution fitted on the int8 network alone one
    picture in eight was turned away by the float network only (docs/model-development.md).
    """
    sonograms = [example.sonogram for example in load_examples(samples)]
    known = np.concatenate([embeddings_of(network, sonograms, quiet=False) for network in networks])
    sets, labels = [s.dataset for s in samples], [s.label for s in samples]
    return fit_familiar(known, sets * len(networks), labels * len(networks))


def _strangers(network: Path, folder: Path, familiar: Familiar) -> Floats:
    """Rejection scores of the foreign pictures that the limit is chosen on, (k,)."""
    sonograms = [s for kind in foreign_sonograms(folder, Half.LIMIT).values() for s in kind]
    return strangeness(sonograms, embeddings_of(network, sonograms), familiar)


def choose_limits(
    table: LookTable,
    labels: np.ndarray[tuple[int], np.dtype[np.int64]],
    familiar: Familiar,
    strangers: Floats | None = None,
) -> Limits:
    """Everything that is decided on the calibration part, from its look table and labels (n,).

    Args:
        table: Of the calibration part.
        labels: Its classes.
        familiar: Fitted on the training part.
        strangers: Rejection scores of foreign pictures, (k,).
    """
    calibration = fit_calibration(table.first, table.second, labels)
    malignant = probabilities(table.first, table.second, calibration)[:, 2]
    point = operating_point(malignant, labels)
    limit, lost = rejection_limit(distances(familiar, table.embeddings), strangers)
    return Limits(
        calibration=calibration,
        operating_points=(point,),
        abstention=uncertain_band(malignant, labels, point.malignant_threshold).abstention,
        rejection_limit=limit,
        breast_loss=lost,
    )


def preprocessing(run: Run) -> Preprocessing:
    """How the device cuts windows for the network of a run."""
    _, plan = run.read_settings()
    return Preprocessing(input_size=plan.network.size, margin=MARGIN, smallest_window=32)


def read_limits(run: Run) -> Limits:
    """What the calibration stage wrote.

    Raises:
        StageMissingError: It has not been run.
    """
    return Limits.model_validate(json.loads(run.needs(run.calibration, "calibrate").read_text(encoding="utf-8")))


def save_familiar(familiar: Familiar, path: Path) -> None:
    """Write the distribution of familiar embeddings in the device's form."""
    np.savez(
        path,
        mean=familiar.mean,
        directions=familiar.directions,
        variances=familiar.variances,
        rest=np.float64(familiar.rest),
    )
