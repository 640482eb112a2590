# SPDX-License-Identifier: Apache-2.0
"""Teachers: finished networks whose soft targets a new one learns beside the labels (Hinton et al. 2015).

Several networks together are better than each of them but too slow for the device; one student that has learned what
they say of the very same varied pictures keeps much of that. Each teacher speaks with its own calibrated confidence,
and no teacher may have been trained on a picture that the student is tested or calibrated on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.special import expit, softmax

from convert.data.splits import Split
from convert.run import Run
from convert.train.fit import Teachers, TrainingPlan
from convert.train.frozen import converted, flat, frozen_features
from convert.train.network import build_network, class_logits, frozen_part, learned_part
from convert.train.stream import MASK_STRIDE, Floats, SoftTargets
from device.inference.manifest import Calibration


class TeacherSawTestError(ValueError):
    """A teacher was trained on pictures that the student is tested or calibrated on."""


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """A finished network.

    Attributes:
        network: The Keras model.
        size: Side of its pictures.
        mask: Whether it has learned to outline.
        confidence: What its class logits are multiplied with before the softmax, so that they can be believed.
    """

    network: Any
    size: int
    mask: bool
    confidence: float


def with_teachers(plan: TrainingPlan, runs: Sequence[Path]) -> TrainingPlan:
    """The plan that names the networks of finished runs as its teachers, by digest: folders can be moved.

    Raises:
        StageMissingError: A run is not trained yet.
    """
    weights = [run.needs(run.weights, "train") for run in map(Run, runs)]
    return replace(plan, teachers=tuple(hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in weights))


def load_teachers(runs: Sequence[Path], parts: Split) -> list[Teacher]:
    """The networks of finished runs.

    Args:
        runs: Their folders.
        parts: How the student's samples are divided.

    Raises:
        StageMissingError: A run is not calibrated yet.
        TeacherSawTestError: A teacher was trained on a picture of the student's test or calibration part or on one of
            the same group, or chosen on one of the test part.
    """
    for run in map(Run, runs):
        _require_unseen(run, parts)
    return [_load(Run(run)) for run in runs]


def ensemble_targets(teachers: Sequence[Teacher], student: Any) -> Teachers:
    """The mean of what the teachers say, computed in float.

    A teacher with the student's own frozen layers looks at the student's features of them, which saves it half of its
    work; another one looks at the pictures, at its own size.

    Args:
        teachers: At least one.
        student: The network that is to be trained.
    """
    side = student.input.shape[1]
    speakers = [_speaker(teacher, student, side) for teacher in teachers]

    def opinion(pictures: Floats, features: Floats) -> SoftTargets:
        said = [speak(pictures, features) for speak in speakers]
        masks = [each.masks for each in said if each.masks is not None]
        return SoftTargets(_mean([each.classes for each in said]), _mean(masks) if masks else None)

    return opinion


def _mean(values: Sequence[Floats]) -> Floats:
    return np.asarray(np.mean(values, axis=0), np.float32)


def _require_unseen(run: Run, parts: Split) -> None:
    """Compares groups and not single pictures, because a near copy gives away as much as the picture itself."""
    noted = json.loads(run.needs(run.training / "run.json", "train").read_text(encoding="utf-8"))
    group_of = {s.key: s.group for part in (parts.train, parts.calibration, parts.test) for s in part}
    trained = {group_of.get(key, key) for key in noted["train"]}
    chosen = {group_of.get(key, key) for key in noted["validate"]}
    for name, part, seen in (
        ("test", parts.test, trained | chosen),
        ("calibration", parts.calibration, trained),
    ):
        shared = [s.key for s in part if s.group in seen]
        if shared:
            raise TeacherSawTestError(
                f"{run.folder}: this teacher has seen {len(shared)} of the {len(part)} pictures of the {name} part, "
                f"for instance {shared[0]}; take a teacher of the same split"
            )


def _load(run: Run) -> Teacher:
    spec = run.read_settings()[1].network
    network = build_network(replace(spec, weights="none"))
    network.load_weights(run.needs(run.weights, "train"))
    stated = json.loads(run.needs(run.calibration, "calibrate").read_text(encoding="utf-8"))
    calibration = Calibration.model_validate(stated["calibration"])
    # Its biases are left out: they put right how often each class occurs, and training shows all of them equally often.
    confidence = calibration.whole + calibration.lesion if spec.mask else calibration.single_whole
    return Teacher(network, spec.size, spec.mask, confidence)


def _speaker(teacher: Teacher, student: Any, side: int) -> Teachers:
    """What one teacher says; its network is converted here, once."""
    same = teacher.size == side and _same_weights(frozen_part(teacher.network), frozen_part(student))
    features_of = None if same else frozen_features(teacher.network)
    part = learned_part(teacher.network, ("cam", "mask"))
    places = part.output["cam"].shape[1:]
    answer = converted(flat(part, ("cam", "mask")))
    cells = side // MASK_STRIDE

    def speak(pictures: Floats, features: Floats) -> SoftTargets:
        said = answer(features if features_of is None else features_of(_resized(pictures, teacher.size)))
        maps, masks = np.split(said, [int(np.prod(places))], axis=1)
        logits = class_logits(maps.reshape(-1, *places))
        classes = np.asarray(softmax(teacher.confidence * logits, axis=1), np.float32)
        if not teacher.mask:
            return SoftTargets(classes, None)
        own = teacher.size // MASK_STRIDE
        shares = np.asarray(expit(masks).reshape(-1, own, own, 1), np.float32)
        return SoftTargets(classes, _resized(shares, cells))

    return speak


def _same_weights(one: Any, other: Any) -> bool:
    pairs = (one.get_weights(), other.get_weights())
    return (
        one.output.shape == other.output.shape
        and [w.shape for w in pairs[0]] == [w.shape for w in pairs[1]]
        and all(np.array_equal(a, b) for a, b in zip(*pairs, strict=True))
    )


def _resized(pictures: Floats, size: int) -> Floats:
    """Pictures (n, h, w, 1) at another size."""
    if pictures.shape[1] == size:
        return pictures
    how = cv2.INTER_AREA if size < pictures.shape[1] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(picture, (size, size), interpolation=how)[..., None] for picture in pictures])
