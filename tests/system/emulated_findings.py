# SPDX-License-Identifier: Apache-2.0
"""Findings of the same frames on two processors, held against each other.

An int8 network gives the same numbers everywhere only if every kernel rounds alike. Those of Arm and x86 do not, so a
few steps of quantisation are allowed, and no more; words, reasons and whether a frame is evaluable must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame

BOARDS = ("cortex-a53", "cortex-a72", "cortex-a76")
"""The processors of the Zero 2 W, the 4 and the 5, as qemu calls them."""

PROBABILITY_TOLERANCE = 0.03
BOX_TOLERANCE_PX = 6

Contracts = dict[str, dict[str, Any]]
"""JSON objects of ``classify --json`` by the name of the file."""


def frames_to_classify(shared: Path | None, folder: Path) -> Path:
    """The folder of real frames, or, without it, one with a phantom frame that is made now.

    Args:
        shared: The folder that holds ``data/``.
        folder: Where a folder can be made.
    """
    if shared is not None and (shared / "data/frames").is_dir():
        return shared / "data/frames"
    made = folder / "frames"
    made.mkdir(exist_ok=True)
    cv2.imwrite(str(made / "phantom.png"), phantom_frame(IN_DISTRIBUTION_SEED).pixels)
    return made


def lines_of(answer: str) -> Contracts:
    """What ``classify --json`` printed."""
    contracts = [json.loads(line) for line in answer.splitlines() if line.startswith("{")]
    return {Path(contract["file"]).name: contract for contract in contracts}


def compare(here: Contracts, there: Contracts) -> str:
    """Hold them against each other.

    Returns:
        How far they are apart, in words.

    Raises:
        AssertionError: They say different things.
    """
    assert here
    assert here.keys() == there.keys()
    probability, box, outlines = 0.0, 0.0, 0
    for name, one in here.items():
        other = there[name]
        for key in ("assessment", "evaluable", "reason", "sonogram", "model"):
            assert one[key] == other[key], f"{name}: {key} is {one[key]} here and {other[key]} there"
        probability = max(probability, _furthest(one["probabilities"], other["probabilities"]))
        assert (one["lesion"] is None) == (other["lesion"] is None), name
        if one["lesion"]:
            outlines += 1
            box = max(box, float(np.abs(np.subtract(one["lesion"]["box"], other["lesion"]["box"])).max()))
    apart = f"probabilities differ by {probability:.4f} at most, boxes by {box:.0f} px"
    summary = f"{len(here)} frames, {outlines} outlines: {apart}"
    assert probability <= PROBABILITY_TOLERANCE, summary
    assert box <= BOX_TOLERANCE_PX, summary
    return summary


def _furthest(one: Mapping[str, float] | None, other: Mapping[str, float] | None) -> float:
    if one is None or other is None:
        assert one is other
        return 0.0
    return max(abs(one[name] - other[name]) for name in one)
