# SPDX-License-Identifier: Apache-2.0
"""From a calibrated run to a signed bundle: the report with every target beside its figure, and the packaging.

A bundle carries its whole report. Testing a shipped bundle again replaces in that report what can be measured with the
bundle alone; what needs other trainings (folds, sets left out) or the float original stays as it was released.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from convert.data.corpus import load_examples
from convert.data.folders import DataFolders, count_sets
from convert.errors import TargetsMissedError
from convert.evaluate.batch_inference import OUTLINE
from convert.evaluate.evaluation_inputs import (
    gather_evaluation_inputs,
    gather_external_inputs,
    load_evaluation,
    load_sources,
    save_evaluation,
    save_sources,
)
from convert.evaluate.model_under_test import ModelUnderTest, model_of_bundle, model_of_run
from convert.evaluate.speed import measure_speed
from convert.limits import preprocessing, read_limits
from convert.release.careful import MemberNetwork, answer_carefully, careful_plan, choose_careful_limits
from convert.release.keys import read_signing_key, signing_key_path
from convert.release.package import REPORT_NAME, BundleDraft, bundle_megabytes, write_bundle
from convert.report.failures import draw_failures
from convert.report.report import write_report
from convert.report.targets import check_targets, print_targets, to_markdown
from convert.run import Run
from convert.stages.folds import kept_folds
from device.inference.manifest import Careful, FurtherNetwork, Training

_LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "numpy", "opencv-python-headless")


def evaluate_run(run: Run, data: DataFolders, others: Sequence[Path] = (), folds: Path | None = None) -> dict[str, Any]:
    """Test a run, write its report and the sheet of its worst failures into the run folder, and print the targets.

    Args:
        run: A calibrated run.
        data: The sets that it was made from.
        others: Evaluated runs of the same recipe that left a data set or scanner out; their figures join the report.
        folds: Folder of the folds of the same recipe (``convert.stages.folds``); their figures join the report.

    Raises:
        StageMissingError: One of the runs is not that far.
    """
    model = model_of_run(run)
    left_out = {other.read_settings()[0].leave_out: load_evaluation(other) for other in map(Run, others)}
    whole = None if folds is None else kept_folds(folds, run.read_settings()[1])
    inputs = gather_evaluation_inputs(model, data)
    evaluation = inputs.held_out or inputs.left_out[model.split.leave_out]
    save_evaluation(evaluation, run)
    external = gather_external_inputs(model, data)
    sources = {**inputs.sources, **external.sources}
    for other in map(Run, others):
        sources |= load_sources(other)
    everything = {**inputs.left_out, **left_out, **external.left_out}
    inputs = replace(inputs, folds=whole, left_out=everything, sources=sources)
    save_sources(inputs.sources, run)
    if not model.split.leave_out:
        # Only what can become a bundle is timed.
        size = (run.int8.stat().st_size + run.in_distribution.stat().st_size) / 1e6
        inputs = replace(inputs, cost=measure_speed(model.int8, model.how) | {"bundle_mb": size})
    report = write_report(inputs, run.figures)
    draw_failures(evaluation.int8, data.load(), lambda key: model, run.figures)
    print_report(report, run.figures)
    return report


def evaluate_bundle(folder: Path, data: DataFolders, out: Path | None) -> dict[str, Any]:
    """Test a shipped bundle again and print every target that concerns the model beside its figure.

    Args:
        folder: The bundle.
        data: The sets that it was made from; the test part is divided off in the same way again.
        out: Where the report and plots go; nowhere if not given.

    Raises:
        BundleError: The manifest cannot be read.
        ValueError: The data are not those of the bundle: its split would be another one.
    """
    model, manifest = model_of_bundle(folder)
    parts = model.split.divide(data.load())
    if parts.identifier() != manifest.training.split:
        trained = ", ".join(f"{images} images of {name}" for name, images in manifest.training.datasets.items())
        raise ValueError(
            f"{folder.name}: these data give another split than the one that it was made with, so images that it was "
            f"trained on could be tested; name the same sets, whole (it was trained on {trained})"
        )
    released: dict[str, Any] = json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))
    inputs = gather_evaluation_inputs(model, data)
    measured = write_report(inputs, out or Path("work") / "evaluation")
    if out is not None and inputs.held_out is not None:
        draw_failures(inputs.held_out.int8, data.load(), lambda key: model, out)
    for part in ("held_out", "rejection", "shortcuts"):
        if measured[part]:
            released[part] = _merged(released.get(part), measured[part])
    released["cost"]["bundle_mb"] = round(bundle_megabytes(folder), 3)
    print_report(released, out)
    return released


def package_run(
    run: Run,
    data: DataFolders,
    models: Path,
    name: str,
    version: str,
    overwrite: bool,
    accept: bool = False,
    others: Sequence[Path] = (),
) -> Path:
    """Write the signed bundle of an evaluated run.

    Args:
        run: The run, whose network is the live one.
        data: The sets that it was made from.
        models: The folder of bundles.
        name: Of the bundle.
        version: Of the bundle.
        overwrite: Whether a bundle of this name and version may be replaced.
        accept: Whether it is packed although targets are not met.
        others: Calibrated runs of the same split whose networks take part in careful consideration.

    Raises:
        TargetsMissedError: Targets are not met, or not measured, and ``accept`` is not set.
        StageMissingError: The run was not evaluated.
        SigningKeyError: There is no signing key.
        BundleExistsError: The bundle exists and ``overwrite`` is not set.
        BundleError: The device's own checks refuse the bundle.
    """
    model = model_of_run(run)
    report = json.loads(run.needs(run.figures / "evaluation.json", "evaluate").read_text(encoding="utf-8"))
    _require_targets(report, run, accept)
    further = [_further(number, Run(other)) for number, other in enumerate(others, start=2)]
    careful = _careful(model, [(Run(other), one) for other, one in zip(others, further, strict=True)], data)
    draft = BundleDraft(
        name=name,
        version=version,
        network=model.int8,
        in_distribution=run.in_distribution,
        preprocessing=model.how,
        calibration=model.limits.calibration,
        operating_points=model.limits.operating_points,
        abstention=model.limits.abstention,
        ood_limit=model.limits.ood_limit,
        breast_loss=model.limits.breast_loss,
        lesion=OUTLINE,
        training=_training(run, data),
        report=report,
        breast_head=run.breast_head,
        source=model.limits.source,
        careful=careful,
        further={one.file: Run(other).int8 for other, one in zip(others, further, strict=True)},
        views=model.limits.views,
    )
    return write_bundle(draft, models, read_signing_key(signing_key_path()), replace=overwrite)


def _require_targets(report: dict[str, Any], run: Run, accept: bool) -> None:
    """Name every target that a bundle does not reach; unless that is accepted, it is not packed."""
    missed = [row for row in check_targets(report) if not row.met]
    lines = [f"  {row.verdict}: {row.what}: {row.found} (wanted: {row.wanted})" for row in missed]
    if missed and not accept:
        words = f"{len(missed)} targets are not met or not measured:"
        again = f"  pack it nevertheless with `python -m convert package --run {run.folder} --accept …`"
        raise TargetsMissedError("\n".join([words, *lines, again]))
    for line in lines:
        print(line)


def _further(number: int, run: Run) -> FurtherNetwork:
    return FurtherNetwork(
        file=f"model-{number}.tflite",
        golden=f"golden-{number}.npz",
        preprocessing=preprocessing(run),
        calibration=read_limits(run).calibration,
    )


def _careful(model: ModelUnderTest, further: Sequence[tuple[Run, FurtherNetwork]], data: DataFolders) -> Careful | None:
    """How a frozen frame is considered, with limits for all networks together.

    Raises:
        ValueError: A network has seen images that limits are chosen on.
    """
    if not further:
        return model.limits.careful
    parts = model.split.divide(data.load())
    for run, _ in further:
        if run.read_settings()[0].divide(data.load()).identifier() != parts.identifier():
            raise ValueError(f"{run.folder}: this run was made with another split; its network cannot take part")
    members = [MemberNetwork(model.int8, model.how, model.limits.calibration)]
    members += [MemberNetwork(run.int8, one.preprocessing, one.calibration) for run, one in further]
    plan = careful_plan([one for _, one in further])
    answers = answer_carefully(members, load_examples(parts.calibration), plan)
    return choose_careful_limits(answers, np.array([s.label for s in parts.calibration]), plan)


def _training(run: Run, data: DataFolders) -> Training:
    split, plan = run.read_settings()
    parts = split.divide(data.load())
    settings = json.loads((run.folder / "settings.json").read_text(encoding="utf-8"))
    settings = {"split": settings[0], "plan": settings[1]}
    # Where a file lay on the machine that trained says nothing to others.
    settings["plan"]["network"]["weights"] = Path(plan.network.weights).name
    software = {library: importlib.metadata.version(library) for library in _LIBRARIES}
    return Training(
        datasets=count_sets(parts.train),
        split=parts.identifier(),
        seed=plan.seed,
        settings=settings,
        software=software | {"python": platform.python_version()},
    )


def _merged(released: Any, measured: Any) -> Any:
    """A freshly measured part of a report, with what could not be measured kept from the released one."""
    if not isinstance(released, dict) or not isinstance(measured, dict):
        return measured
    return released | {name: value for name, value in measured.items() if value is not None}


def print_report(report: dict[str, Any], folder: Path | None) -> None:
    """Print every target beside its figure, and write that table into the folder of the report."""
    rows = check_targets(report)
    print_targets(rows, Console())
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "targets.md").write_text(to_markdown(rows) + "\n", encoding="utf-8")
