# SPDX-License-Identifier: Apache-2.0
"""Fit the network: balanced random pictures, epoch by epoch, resumable after any interruption.

A run lives in a folder. Every epoch ends with the state on disk (weights, optimiser, history), so a run that was
interrupted goes on where it was when the same command is given again; a run with other settings in the same folder is
refused rather than mixed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from pydantic import TypeAdapter
from rich.progress import track

from convert.data.corpus import Example
from convert.train.augment import Augmentation
from convert.train.frozen import frozen_features
from convert.train.network import NetworkSpec, adapt_statistics, build_network, learned_part
from convert.train.stream import FixedPictures, Floats, PictureStream, SoftTargets, fixed_pictures

Teachers = Callable[[Floats, Floats], SoftTargets]
"""From pictures and the frozen features of them to what the teachers of a run say."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Everything that a training run depends on, besides the samples.

    Attributes:
        network: What is trained.
        augment: How pictures are varied.
        epochs: Number of epochs; an epoch shows ``pictures`` random pictures.
        pictures: Pictures an epoch; 0 takes as many as there are samples.
        batch: Pictures a step.
        rate: Highest learning rate (AdamW, warmed up over one epoch, then cosine down to a hundredth).
        decay: Weight decay.
        smoothing: Label smoothing of the class loss.
        mask_weight: Weight of the mask loss against the class loss.
        average_from: Share of the epochs after which weights are averaged.
        seed: Of initial weights, sampling and augmentation.
        teachers: Digests of the networks whose soft targets are learned beside the labels (``convert.train.distil``).
        teacher_share: How much their soft targets count against the labels, 0 to 1.
    """

    network: NetworkSpec = field(default_factory=NetworkSpec)
    augment: Augmentation = field(default_factory=Augmentation)
    epochs: int = 16
    pictures: int = 0
    batch: int = 16
    rate: float = 3e-4
    decay: float = 1e-4
    smoothing: float = 0.05
    mask_weight: float = 0.6
    average_from: float = 0.6
    seed: int = 0
    teachers: tuple[str, ...] = ()
    teacher_share: float = 0.7


_Plan = TypeAdapter(TrainingPlan)


def nameless(plan: TrainingPlan) -> TrainingPlan:
    """The plan with the bare name of its weights file: where that lies is not part of what a run is."""
    return replace(plan, network=replace(plan.network, weights=Path(plan.network.weights).name))


_STATISTICS = 20
"""Batches that the statistics of a pretrained backbone are taken from."""

_NOT_WORTH_COMPILING = 200
"""Pictures of a whole training, up to which compiling its graph takes longer than its few steps without."""


class RunMismatchError(ValueError):
    """The folder holds a run with other settings or samples; give another folder or delete it."""


def class_loss(wanted: Any, cam: Any) -> Any:
    """Cross-entropy of the mean of class maps (n, h, w, 3) against wanted probabilities (n, 3), a value a picture."""
    return keras.losses.categorical_crossentropy(wanted, ops.mean(cam, axis=(1, 2)), from_logits=True)


def mask_loss(wanted: Any, logits: Any) -> Any:
    """Binary cross-entropy plus soft Dice loss (Milletari et al. 2016), a value for each picture.

    Args:
        wanted: (n, h, w, 1), shares of lesion, 0 to 1; ``stream.UNKNOWN_MASK`` throughout where a lesion has no
            outline, and the picture's loss is 0.
        logits: (n, h, w, 1).
    """
    known = ops.cast(ops.min(wanted, axis=(1, 2, 3)) >= 0, logits.dtype)
    wanted = ops.maximum(wanted, 0.0)
    found = ops.sigmoid(logits)
    entropy = ops.mean(ops.binary_crossentropy(wanted, logits, from_logits=True), axis=(1, 2, 3))
    overlap = ops.sum(found * wanted, axis=(1, 2, 3))
    total = ops.sum(found, axis=(1, 2, 3)) + ops.sum(wanted, axis=(1, 2, 3))
    return known * (entropy + 1.0 - (2.0 * overlap + 1.0) / (total + 1.0))


def train(
    train_on: Sequence[Example],
    validate_on: Sequence[Example],
    plan: TrainingPlan,
    folder: Path,
    teachers: Callable[[Any], Teachers] | None = None,
) -> Any:
    """Train, or go on with a run that was interrupted.

    Args:
        train_on: Weights are fitted on these.
        validate_on: The checkpoint is chosen on these; never the test part.
        plan: Settings.
        folder: Where the run lives; made if it does not exist.
        teachers: From the network to what the teachers of the plan say of its pictures.

    Returns:
        The Keras model with the weights of the lowest validation loss (a single epoch's or the average of the last).

    Raises:
        RunMismatchError: ``folder`` holds a run with other settings or samples.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, train_on, validate_on, plan)
    keras.utils.set_random_seed(plan.seed)
    network = build_network(plan.network)
    model = learned_part(network, ("cam", "mask") if plan.network.mask else ("cam",))
    features = frozen_features(network)
    stream = _stream(train_on, plan, features, None if teachers is None else teachers(network))
    _compile(model, plan, stream.steps)
    history = _resume(model, folder)
    if not history and plan.network.weights != "none":
        untaught = replace(stream, teachers=None)  # only the pictures are looked at
        adapt_statistics(network, (inputs for inputs, _ in islice(untaught.epoch(0), _STATISTICS)))
    fixed = fixed_pictures(validate_on, plan.network.size)
    fixed = replace(fixed, pixels=features(fixed.pixels))
    for epoch in range(len(history), plan.epochs):
        entry = _fit(model, stream, epoch)
        entry |= _validate(model, fixed, plan)
        _note_weights(model, folder, history, entry, plan)
        history.append(entry)
        _save_state(model, folder, history)
        print(f"epoch {epoch + 1}/{plan.epochs}", {k: round(v, 4) for k, v in entry.items()}, flush=True)
    _choose(model, folder, fixed, plan)
    return network


def _stream(
    examples: Sequence[Example], plan: TrainingPlan, features: Callable[[Floats], Floats], teachers: Teachers | None
) -> PictureStream:
    return PictureStream(
        examples,
        plan.augment,
        features,
        size=plan.network.size,
        batch=plan.batch,
        pictures=plan.pictures or len(examples),
        mask=plan.network.mask,
        seed=plan.seed,
        smoothing=plan.smoothing,
        teachers=teachers,
        teacher_share=plan.teacher_share,
    )


def _fit(model: Any, stream: PictureStream, epoch: int) -> dict[str, float]:
    """One epoch with a progress bar; the mean of every loss over it."""
    entries = []
    for pictures, answers in track(stream.epoch(epoch), f"epoch {epoch + 1}", stream.steps):
        model.reset_metrics()
        entries.append(model.train_on_batch(pictures, answers, return_dict=True))
    return {name: float(np.mean([entry[name] for entry in entries])) for name in entries[0]}


def _compile(model: Any, plan: TrainingPlan, steps: int) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(
        plan.rate / 20, steps * max(1, plan.epochs - 1), alpha=0.01, warmup_target=plan.rate, warmup_steps=steps
    )
    losses: dict[str, Any] = {"cam": class_loss}
    weights = {"cam": 1.0}
    if plan.network.mask:
        losses["mask"], weights["mask"] = mask_loss, plan.mask_weight
    optimiser = keras.optimizers.AdamW(schedule, weight_decay=plan.decay, clipnorm=5.0)
    eager = plan.epochs * steps * plan.batch <= _NOT_WORTH_COMPILING
    model.compile(optimiser, loss=losses, loss_weights=weights, run_eagerly=eager)


def _validate(model: Any, fixed: FixedPictures, plan: TrainingPlan) -> dict[str, float]:
    """Loss, accuracy and overlap of the masks on fixed pictures.

    The class loss is that of the best temperature: how confident a checkpoint is will be put right by calibration, so
    it must not decide which one is kept. The masks count as in training: the second pass goes where they point.
    """
    found = model.predict(fixed.pixels, batch_size=32, verbose=0)
    logits = found["cam"].mean(axis=(1, 2)).astype(np.float64)
    by_class = min(_balanced_loss(logits * scale, fixed.labels) for scale in np.geomspace(0.2, 5.0, 41))
    entry = {"val_loss": by_class, "val_accuracy": float((logits.argmax(axis=1) == fixed.labels).mean())}
    if plan.network.mask:
        entry["val_dice"] = _mask_overlap(found["mask"] > 0, fixed.masks > 0.5)
        entry["val_loss"] += plan.mask_weight * (1.0 - entry["val_dice"])
    return entry


def _mask_overlap(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    """Mean Dice over the pictures with a lesion; 0 where there is none."""
    axes = (1, 2, 3)
    has = wanted.any(axis=axes)
    if not has.any():
        return 0.0
    both = (found & wanted).sum(axis=axes)[has]
    return float(np.mean(2 * both / (found.sum(axis=axes) + wanted.sum(axis=axes))[has]))


def _balanced_loss(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Cross-entropy in which classes count alike, as in sampling: the benign majority must not choose the epoch."""
    logits = logits - logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    chosen = log_p[np.arange(len(labels)), labels]
    return float(np.mean([-chosen[labels == c].mean() for c in np.unique(labels)]))


def _note_weights(
    model: Any, folder: Path, history: list[dict[str, float]], entry: dict[str, float], plan: TrainingPlan
) -> None:
    """Keep the best epoch's weights, and the sum of the last ones for their average."""
    if all(entry["val_loss"] < past["val_loss"] for past in history):
        model.save_weights(folder / "best.weights.h5")
    if len(history) + 1 > plan.average_from * plan.epochs:
        total = folder / "average.npz"
        weights = [np.asarray(w) for w in model.get_weights()]
        count = 1
        if total.exists():
            with np.load(total) as held:
                count = int(held["count"]) + 1
                weights = [w + held[f"w{i}"] for i, w in enumerate(weights)]
        _save_arrays(total, {"count": np.array(count)} | {f"w{i}": w for i, w in enumerate(weights)})


def _choose(model: Any, folder: Path, fixed: FixedPictures, plan: TrainingPlan) -> None:
    """Load the better on the validation part: the best single epoch or the average of the last epochs."""
    model.load_weights(folder / "best.weights.h5")
    best = _validate(model, fixed, plan)
    with np.load(folder / "average.npz") as held:
        model.set_weights([held[f"w{i}"] / held["count"] for i in range(len(held.files) - 1)])
    averaged = _validate(model, fixed, plan)
    if best["val_loss"] < averaged["val_loss"]:
        model.load_weights(folder / "best.weights.h5")
    chosen = {"average": averaged, "best_epoch": best}
    (folder / "chosen.json").write_text(json.dumps(chosen, indent=2) + "\n", encoding="utf-8")


def _save_state(model: Any, folder: Path, history: list[dict[str, float]]) -> None:
    """Everything a run needs to go on, in one file that is replaced at once; ``history.json`` is for people to read."""
    written = json.dumps(history, indent=1)
    state = {f"v{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    state |= {f"w{i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    _save_arrays(folder / "state.npz", state | {"history": np.array(written)})
    (folder / "history.json").write_text(written + "\n", encoding="utf-8")


def _save_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]  # numpy types the names of its own options only
    temporary.replace(path)


def _resume(model: Any, folder: Path) -> list[dict[str, float]]:
    """Take up the saved state; returns the history so far, empty for a new run."""
    saved = folder / "state.npz"
    if not saved.exists():
        return []
    model.optimizer.build(model.trainable_variables)
    with np.load(saved, allow_pickle=False) as held:
        for i, variable in enumerate(model.optimizer.variables):
            variable.assign(held[f"v{i}"])
        model.set_weights([held[f"w{i}"] for i in range(len(model.get_weights()))])
        history: list[dict[str, float]] = json.loads(str(held["history"]))
    return history


def _claim(folder: Path, train_on: Sequence[Example], validate_on: Sequence[Example], plan: TrainingPlan) -> None:
    """Refuse to mix runs: the folder remembers the plan and the samples that it was begun with."""
    wanted = {
        "plan": asdict(nameless(plan)),
        "train": sorted(e.sample.key for e in train_on),
        "validate": sorted(e.sample.key for e in validate_on),
    }
    wanted = json.loads(json.dumps(wanted))
    claim = folder / "run.json"
    if claim.exists():
        held = json.loads(claim.read_text(encoding="utf-8"))
        # A setting that came later than the run has its default there.
        held["plan"] = json.loads(_Plan.dump_json(_Plan.validate_python(held["plan"])))
        if held != wanted:
            raise RunMismatchError(f"{folder}: this folder holds a run with other settings or samples; use another one")
        return
    claim.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
