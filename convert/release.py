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

from rich.console import Console

from convert.data import DataFolders, count_sets
from convert.evidence import gather_evidence, keep, kept
from convert.examine import OUTLINE
from convert.failures import draw_failures
from convert.folds import kept_folds
from convert.keys import read_signing_key, signing_key_path
from convert.package import REPORT_NAME, BundleDraft, bundle_megabytes, write_bundle
from convert.report import write_report
from convert.run import Run
from convert.speed import measure_speed
from convert.subject import subject_of_bundle, subject_of_run
from convert.targets import check_targets, print_targets, to_markdown
from device.inference.manifest import Training

_LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "numpy", "opencv-python-headless")


def evaluate_run(run: Run, data: DataFolders, others: Sequence[Path] = (), folds: Path | None = None) -> dict[str, Any]:
    """Test a run, write its report and the sheet of its worst failures into the run folder, and print the targets.

    Args:
        run: A calibrated run.
        data: The sets that it was made from.
        others: Evaluated runs of the same recipe that left a data set or scanner out; their figures join the report.
        folds: Folder of the folds of the same recipe (``convert.folds``); their figures join the report.

    Raises:
        StageMissingError: One of the runs is not that far.
    """
    subject = subject_of_run(run)
    left_out = {other.read_settings()[0].leave_out: kept(other) for other in map(Run, others)}
    whole = None if folds is None else kept_folds(folds, run.read_settings()[1])
    evidence = gather_evidence(subject, data)
    evaluation = evidence.held_out or evidence.left_out[subject.split.leave_out]
    keep(evaluation, run)
    evidence = replace(evidence, folds=whole, left_out={**evidence.left_out, **left_out})
    if not subject.split.leave_out:
        # Only what can become a bundle is timed.
        size = (run.int8.stat().st_size + run.familiar.stat().st_size) / 1e6
        evidence = replace(evidence, cost=measure_speed(subject.int8, subject.how) | {"bundle_mb": size})
    report = write_report(evidence, run.figures)
    draw_failures(evaluation.int8, data.load(), lambda key: subject, run.figures)
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
    subject, manifest = subject_of_bundle(folder)
    parts = subject.split.divide(data.load())
    if parts.identifier() != manifest.training.split:
        raise ValueError(f"{folder.name}: these data give another split; images that it was trained on could be tested")
    released: dict[str, Any] = json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))
    evidence = gather_evidence(subject, data)
    measured = write_report(evidence, out or Path("work") / "evaluation")
    if out is not None and evidence.held_out is not None:
        draw_failures(evidence.held_out.int8, data.load(), lambda key: subject, out)
    for part in ("held_out", "rejection", "shortcuts"):
        if measured[part]:
            released[part] = _merged(released.get(part), measured[part])
    released["cost"]["bundle_mb"] = round(bundle_megabytes(folder), 3)
    print_report(released, out)
    return released


def package_run(run: Run, data: DataFolders, models: Path, name: str, version: str, overwrite: bool) -> Path:
    """Write the signed bundle of an evaluated run.

    Raises:
        StageMissingError: The run was not evaluated.
        SigningKeyError: There is no signing key.
        BundleExistsError: The bundle exists and ``overwrite`` is not set.
        BundleError: The device's own checks refuse the bundle.
    """
    subject = subject_of_run(run)
    report = json.loads(run.needs(run.figures / "evaluation.json", "evaluate").read_text(encoding="utf-8"))
    draft = BundleDraft(
        name=name,
        version=version,
        network=subject.int8,
        familiar=run.familiar,
        preprocessing=subject.how,
        calibration=subject.limits.calibration,
        operating_points=subject.limits.operating_points,
        abstention=subject.limits.abstention,
        rejection_limit=subject.limits.rejection_limit,
        breast_loss=subject.limits.breast_loss,
        lesion=OUTLINE,
        training=_training(run, data),
        report=report,
    )
    return write_bundle(draft, models, read_signing_key(signing_key_path()), replace=overwrite)


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
