"""What is put to the test: a run that has just been trained, or a bundle that was shipped.

Both hold the same decisions (calibration, limits) in different places; the evaluation sees one form of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from convert.run import Run, SplitChoice
from convert.stages import Limits, preprocessing, read_limits
from device.inference.manifest import Manifest, Preprocessing, read_manifest
from device.inference.rejection import Familiar, read_familiar

_Split = TypeAdapter(SplitChoice)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A network with its decisions and the split that it was made with.

    Attributes:
        split: Which images it may be tested on.
        int8: The network that the device runs.
        original: Its float original, ``None`` where it was not kept.
        limits: Calibration, thresholds and limits.
        familiar: What breast ultrasound looks like to it.
        how: How windows are cut.
    """

    split: SplitChoice
    int8: Path
    original: Path | None
    limits: Limits
    familiar: Familiar
    how: Preprocessing


def subject_of_run(run: Run) -> Subject:
    """What a run made.

    Raises:
        StageMissingError: A stage has not been run yet.
    """
    split, _ = run.read_settings()
    return Subject(
        split=split,
        int8=run.needs(run.int8, "quantise"),
        original=run.needs(run.float32, "quantise"),
        limits=read_limits(run),
        familiar=read_familiar(run.needs(run.familiar, "calibrate")),
        how=preprocessing(run),
    )


def subject_of_bundle(folder: Path) -> tuple[Subject, Manifest]:
    """A shipped bundle and its manifest.

    Raises:
        BundleError: The manifest cannot be read.
        ValueError: It does not say how its data were divided.
    """
    manifest = read_manifest(folder)
    limits = Limits(
        calibration=manifest.calibration,
        operating_points=manifest.operating_points,
        abstention=manifest.abstention,
        rejection_limit=manifest.rejection.limit,
        breast_loss=manifest.rejection.breast_loss,
    )
    split = _Split.validate_python(manifest.training.settings.get("split"))
    familiar = read_familiar(folder / manifest.rejection.file)
    return Subject(split, folder / manifest.network, None, limits, familiar, manifest.preprocessing), manifest
