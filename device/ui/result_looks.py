# SPDX-License-Identifier: Apache-2.0
"""How each word of the model looks, the same on every screen: tiles, view, live picture, comparison.

Benign and normal are neutral and without a tick: neither is proof of a healthy breast (docs/intended-use.md), and green
with a tick would say so. The printed report sets the same words without any colour. No word stands on its colour alone:
each has an icon of its own and the sentence that the report has as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from device.inference.finding import ModelResult
from device.ui.status import Level


class ResultLook(NamedTuple):
    """Ground and icon."""

    level: Level
    icon: str


RESULT_LOOKS: Final[Mapping[ModelResult, ResultLook]] = {
    ModelResult.NORMAL: ResultLook(Level.INFO, "picture"),
    ModelResult.BENIGN: ResultLook(Level.INFO, "info"),
    ModelResult.MALIGNANT: ResultLook(Level.ERROR, "warning"),
    ModelResult.UNCERTAIN: ResultLook(Level.WARNING, "question"),
    ModelResult.NOT_EVALUABLE: ResultLook(Level.WARNING, "cross"),
}
