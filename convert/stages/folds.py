# SPDX-License-Identifier: Apache-2.0
"""Grouped folds of one recipe: every image is tested once, by a network that saw nothing of its group.

A folder of folds holds a run for each fold and the report over all of them. Whatever was interrupted, the same command
goes on with the first stage that is not finished, and several processes can make different folds of one folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convert.data.folders import DataFolders
from convert.evaluate.evaluation import Evaluation, EvaluationInputs
from convert.evaluate.evaluation_inputs import evaluate_test_split, load_evaluation, save_evaluation
from convert.evaluate.model_under_test import model_of_run
from convert.evaluate.predictions import joined
from convert.report.failures import draw_failures
from convert.report.report import write_report
from convert.run import Run, SplitChoice, StageMissingError
from convert.stages.fitting import calibrate_stage, quantise_stage, train_stage
from convert.train.distil import with_teachers
from convert.train.fit import RunMismatchError, TrainingPlan, nameless


def fold_run(folder: Path, fold: int) -> Run:
    """The run of one fold, counted from 0, within a folder of folds."""
    return Run(folder / f"fold-{fold}")


def make_fold(
    folder: Path, data: DataFolders, split: SplitChoice, plan: TrainingPlan, teachers: Sequence[Path] = ()
) -> None:
    """All stages of one fold that are not finished yet: train, quantise, calibrate, test.

    Args:
        folder: The folder of folds.
        data: The sets.
        split: Which fold.
        plan: What is trained.
        teachers: Folders of folds; each fold is taught by their networks of the same fold.

    Raises:
        RunMismatchError: The folder holds this fold with other settings.
        StageMissingError: A teacher's fold is not made yet.
    """
    run = fold_run(folder, split.fold)
    taught_by = [fold_run(teacher, split.fold).folder for teacher in teachers]
    run.begin(split, with_teachers(plan, taught_by))
    # The last file of each stage; a file that is there is whole.
    if not run.weights.exists():
        train_stage(run, data, split, plan, taught_by)
    if not run.float32.exists():
        quantise_stage(run, data)
    if not run.calibration.exists():
        calibrate_stage(run, data)
    if not run.predictions_int8.exists():
        save_evaluation(evaluate_test_split(model_of_run(run), data), run)


def report_folds(folder: Path, data: DataFolders, others: Sequence[Path] = ()) -> dict[str, Any]:
    """The report over all folds, the plots, and the sheet of the worst failures of all of them.

    Args:
        folder: The folder of folds, all of them made.
        data: The sets that they were made from.
        others: Evaluated runs of the same recipe that left a data set or scanner out; their figures join the report.

    Raises:
        StageMissingError: A fold is not made yet.
    """
    evaluation = kept_folds(folder)
    left_out = {other.read_settings()[0].leave_out: load_evaluation(other) for other in map(Run, others)}
    figures = folder / "figures"
    report = write_report(EvaluationInputs(folds=evaluation, left_out=left_out), figures)
    tested_by = dict(zip(evaluation.int8.keys.tolist(), evaluation.int8.folds.tolist(), strict=True))
    subjects = {fold: model_of_run(fold_run(folder, fold)) for fold in set(tested_by.values())}
    draw_failures(evaluation.int8, data.load(), lambda key: subjects[tested_by[key]], figures)
    return report


def kept_folds(folder: Path, plan: TrainingPlan | None = None) -> Evaluation:
    """What the networks of all folds said of their test parts, joined.

    Args:
        folder: The folder of folds.
        plan: What the folds are to stand for; anything goes if not given. They may have been trained on fewer pictures,
            which the title then says: five trainings take their time, and less training only lowers the figures.

    Raises:
        StageMissingError: A fold is not made yet.
        RunMismatchError: Folds were made with different settings, or with others than ``plan``.
    """
    split, first = fold_run(folder, 0).read_settings()
    plan = plan or first
    missing = [str(fold) for fold in range(split.folds) if not fold_run(folder, fold).predictions_int8.exists()]
    if missing:
        raise StageMissingError(f"{folder}: not all folds are made; missing: {', '.join(missing)}")
    runs = [fold_run(folder, fold) for fold in range(split.folds)]
    for run in runs:
        made = run.read_settings()[1]
        if _recipe(made) != _recipe(first) or not _stands_for(made, plan):
            raise RunMismatchError(f"{run.folder}: this fold was made with other settings than what it is joined with")
    parts = [load_evaluation(run) for run in runs]
    originals = [part.original for part in parts if part.original is not None]
    title = f"{split.folds} grouped folds"
    if _length(first) != _length(plan):
        title += f" (each trained on {first.epochs} times {first.pictures} pictures)"
    return Evaluation(
        title,
        joined([part.int8 for part in parts]),
        joined(originals) if len(originals) == len(parts) else None,
    )


def _stands_for(fold: TrainingPlan, plan: TrainingPlan) -> bool:
    """Whether a fold was trained as in the plan, on as many pictures or on fewer."""
    as_long = replace(fold, epochs=plan.epochs, pictures=plan.pictures)
    # A plan that takes as many pictures as there are samples says no number to compare with: its product is 0.
    fewer = 0 < fold.epochs * fold.pictures < plan.epochs * plan.pictures
    return _recipe(as_long) == _recipe(plan) and (fewer or _length(fold) == _length(plan))


def _length(plan: TrainingPlan) -> tuple[int, int]:
    return plan.epochs, plan.pictures


def _recipe(plan: TrainingPlan) -> TrainingPlan:
    """What all folds have in common: each has teachers of its own, but as many."""
    return replace(nameless(plan), teachers=("",) * len(plan.teachers))
