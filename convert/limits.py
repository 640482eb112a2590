# SPDX-License-Identifier: Apache-2.0
"""What the calibration stage decides for a run, and how windows are cut for its network."""

from __future__ import annotations

import json

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from convert.run import Run
from device.inference.manifest import Abstention, Calibration, Careful, OperatingPoint, Preprocessing, Source, Views

MARGIN = 1.8
"""Side of the second pass's window as a multiple of the lesion; the middle of what training shows."""


class Limits(BaseModel):
    """What the calibration stage decides, in the form of the manifest.

    ``source`` is ``None`` where no OOD images were given, ``views`` where too few lesions have two views.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    calibration: Calibration
    operating_points: tuple[OperatingPoint, ...]
    abstention: Abstention
    # Runs that were calibrated before the field's word was used say ``rejection_limit``.
    ood_limit: float = Field(validation_alias=AliasChoices("ood_limit", "rejection_limit"))
    breast_loss: float
    source: Source | None = None
    careful: Careful | None = None
    views: Views | None = None


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
