# SPDX-License-Identifier: Apache-2.0
"""Teachers: what they say reaches the student, and none of them has seen what the student is tested on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.special import expit, softmax

from convert.data.corpus import Example, load_examples
from convert.data.datasets.busi import load_busi
from convert.data.datasets.sample import Sample
from convert.data.splits import Split
from convert.run import Run, SplitChoice, StageMissingError
from convert.train.augment import Augmentation
from convert.train.distil import TeacherSawTestError, ensemble_targets, load_teachers, with_teachers
from convert.train.fit import RunMismatchError, TrainingPlan, train
from convert.train.network import NetworkSpec, build_network, class_logits, frozen_part
from convert.train.stream import Floats, PictureStream, SoftTargets
from tests.convert.folders import make_busi

SIZE = 64
SPEC = NetworkSpec(size=SIZE, weights="none")
WHOLE, LESION = 0.9, 0.6


def sample(number: int, group: int | None = None) -> Sample:
    return Sample(f"busi/{number}", "busi", Path("x"), (), 1, f"busi/g{number if group is None else group}", "busi")


PARTS = Split(tuple(map(sample, range(6))), (sample(6), sample(7)), (sample(8), sample(9)))


def lively_network(spec: NetworkSpec, seed: int) -> Any:
    """A network whose random weights keep the variance from layer to layer, so that its answers differ (He 2015)."""
    network = build_network(spec)
    rng = np.random.default_rng(seed)

    def drawn(weights: Floats) -> Floats:
        if weights.ndim != 4:
            return weights
        inputs = weights.shape[0] * weights.shape[1] * (1 if weights.shape[3] == 1 else weights.shape[2])
        return rng.normal(0, np.sqrt(2 / inputs), weights.shape).astype(np.float32)

    network.set_weights([drawn(weights) for weights in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Makes runs that look finished."""
    drawn: dict[tuple[NetworkSpec, int], Path] = {}

    def weights(spec: NetworkSpec, seed: int) -> Path:
        if (spec, seed) not in drawn:  # it takes seconds, and most tests want the same
            drawn[spec, seed] = tmp_path_factory.mktemp("weights") / "drawn.weights.h5"
            lively_network(spec, seed).save_weights(drawn[spec, seed])
        return drawn[spec, seed]

    def make(spec: NetworkSpec, train: list[int], validate: list[int], seed: int = 0) -> Run:
        run = Run(tmp_path_factory.mktemp("run"))
        run.begin(SplitChoice(), TrainingPlan(network=spec))
        shutil.copy(weights(spec, seed), run.weights)
        run.training.mkdir()
        noted = {"train": [f"busi/{n}" for n in train], "validate": [f"busi/{n}" for n in validate]}
        (run.training / "run.json").write_text(json.dumps(noted))
        none = [0.0, 0.0, 0.0]
        stated = {"whole": WHOLE, "lesion": LESION, "bias": none, "single_whole": 1.0, "single_bias": none}
        run.calibration.write_text(json.dumps({"calibration": stated}))
        return run

    return make


@pytest.mark.parametrize(
    ("train", "validate", "named"),
    [
        (range(9), [6, 7], r"busi/8"),  # trained on a test picture
        (range(6), [7, 9], r"busi/9"),  # its checkpoint was chosen on one
        (range(7), [7], r"calibration part.*busi/6"),  # trained on a calibration picture
    ],
)
def test_a_teacher_that_has_seen_what_the_student_is_tested_on_is_refused(
    made: Callable[..., Run], train: list[int], validate: list[int], named: str
) -> None:
    run = made(SPEC, list(train), validate)
    with pytest.raises(TeacherSawTestError, match=named):
        load_teachers([run.folder], PARTS)


def test_a_near_copy_counts_as_the_picture_itself(made: Callable[..., Run]) -> None:
    copied = replace(PARTS, train=(*PARTS.train, sample(20, group=8)))
    with pytest.raises(TeacherSawTestError, match="busi/8"):
        load_teachers([made(SPEC, [0, 20], [6]).folder], copied)


def test_a_teacher_of_the_same_split_is_welcome(made: Callable[..., Run]) -> None:
    (teacher,) = load_teachers([made(SPEC, list(range(6)), [6, 7]).folder], PARTS)
    assert teacher.confidence == pytest.approx(WHOLE + LESION)
    assert teacher.mask


def test_a_run_that_is_not_finished_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageMissingError, match="convert train"):
        with_teachers(TrainingPlan(), [tmp_path])


def test_the_plan_names_teachers_by_what_they_are_and_not_where(made: Callable[..., Run], tmp_path: Path) -> None:
    one, other = made(SPEC, [0], [6], seed=1), made(SPEC, [0], [6], seed=2)
    plan = with_teachers(TrainingPlan(), [one.folder, other.folder])
    assert len(set(plan.teachers)) == 2
    one.folder.rename(tmp_path / "moved")
    assert with_teachers(TrainingPlan(), [tmp_path / "moved", other.folder]) == plan


def test_the_joint_opinion_is_the_mean_of_calibrated_answers_to_the_same_pictures(made: Callable[..., Run]) -> None:
    """One teacher shares the student's frozen layers; the other has another size and has learned no outline."""
    student = lively_network(SPEC, seed=5)
    alike = made(SPEC, [0], [6], seed=5)
    larger = made(replace(SPEC, size=96, mask=False), [0], [6], seed=7)
    teachers = load_teachers([alike.folder, larger.folder], PARTS)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 1)).astype(np.float32)
    enlarged = np.stack([cv2.resize(picture, (96, 96))[..., None] for picture in pictures])
    said = [
        {name: np.asarray(value) for name, value in teacher.network(shown).items()}
        for teacher, shown in zip(teachers, (pictures, enlarged), strict=True)
    ]
    scales = (WHOLE + LESION, 1.0)
    classes = [softmax(scale * class_logits(s["cam"]), axis=1) for scale, s in zip(scales, said, strict=True)]
    features = np.asarray(frozen_part(student)(pictures))
    ask = ensemble_targets(teachers, student)
    opinion = ask(pictures, features)
    assert np.std(classes, axis=0).max() > 0.01
    np.testing.assert_allclose(opinion.classes, np.mean(classes, axis=0), atol=2e-3)
    assert opinion.masks is not None
    np.testing.assert_allclose(opinion.masks, expit(said[0]["mask"]), atol=2e-3)
    # Only the teacher with the same frozen layers went by the features that were given.
    misled = ask(pictures, features * np.float32(0.5)).masks
    assert misled is not None
    assert not np.allclose(misled, opinion.masks, atol=1e-4)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return load_examples(load_busi(make_busi(tmp_path_factory.mktemp("data") / "busi", each=2)), quiet=True)


def test_answers_lie_between_the_labels_and_the_teachers(examples: list[Example]) -> None:
    def teachers(pictures: Floats, features: Floats) -> SoftTargets:
        n, side = len(pictures), pictures.shape[1] // 4
        return SoftTargets(np.tile(np.array([[0.2, 0.3, 0.5]], np.float32), (n, 1)), np.full((n, side, side, 1), 0.5))

    def answers(share: float) -> dict[str, Floats]:
        stream = PictureStream(
            examples, Augmentation(), lambda p: p, SIZE, 4, 4, True, 0, teachers=teachers, teacher_share=share
        )
        return next(stream.epoch(0))[1]

    alone, mixed = answers(0.0), answers(0.75)
    assert set(alone["cam"].ravel().tolist()) == {0.0, 1.0}
    np.testing.assert_allclose(mixed["cam"], 0.25 * alone["cam"] + 0.75 * np.array([0.2, 0.3, 0.5]), atol=1e-6)
    np.testing.assert_allclose(mixed["mask"], 0.25 * alone["mask"] + 0.75 * 0.5, atol=1e-6)


def test_training_asks_the_teachers_and_goes_on_when_it_was_begun_before_there_were_any(
    examples: list[Example], tmp_path: Path
) -> None:
    asked: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def teachers(network: Any) -> Callable[[Floats, Floats], SoftTargets]:
        def say(pictures: Floats, features: Floats) -> SoftTargets:
            asked.append((pictures.shape, features.shape[1:]))
            return SoftTargets(np.full((len(pictures), 3), 1 / 3, np.float32), None)

        return say

    plan = TrainingPlan(network=SPEC, epochs=2, pictures=4, batch=4)
    network = train(examples, examples[:2], plan, tmp_path, teachers)
    assert asked == [((4, SIZE, SIZE, 1), tuple(frozen_part(network).output.shape[1:]))] * plan.epochs
    noted = json.loads((tmp_path / "run.json").read_text())
    del noted["plan"]["teachers"], noted["plan"]["teacher_share"]
    (tmp_path / "run.json").write_text(json.dumps(noted))
    train(examples, examples[:2], plan, tmp_path)
    with pytest.raises(RunMismatchError):
        train(examples, examples[:2], replace(plan, teachers=("another",)), tmp_path)
