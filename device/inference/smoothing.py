# SPDX-License-Identifier: Apache-2.0
"""One steady word for a moving picture: the findings of the last moments averaged, with a little hysteresis.

A probe moves and speckle changes, so the finding of single frames flickers. The live view shows the exponential average
of the calibrated probabilities instead, with a stated time constant, and changes the word when the average has clearly
crossed a limit, or has stayed beyond it for a moment. Until then word and probabilities both stay, so that they never
contradict the band that is drawn beside them. A frozen view is never smoothed: its finding is that of its own frame.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from device.imaging.quality import Reason
from device.inference.finding import CLASSES, Finding, ModelResult

TIME_CONSTANT_S: Final = 0.8
"""Seconds after which a lasting change has come through to 63 %: longer than a shaking hand, shorter than patience."""

MARGIN: Final = 0.02
"""How far the averaged probability must lie beyond a limit of the uncertain band before the word changes."""

SETTLE_S: Final = 1.0
"""Seconds that the average may lie beyond a limit, however little, before the word follows it."""

LIKELIER: Final = 0.05
"""By how much normal and benign must differ before one word replaces the other."""

LEAVE, RETURN = 0.4, 0.6
"""Averaged share of evaluable frames below which the stream counts as not evaluable, and above which it does again."""

FORGET_S: Final = 3.0
"""A pause this long (a lost source, another screen) starts over."""


class Smoother:
    """Averages the findings of one live source; made again for each."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as for another source or another picture area."""
        self._at = -math.inf
        self._shares: dict[str, float] | None = None
        self._shown: dict[str, float] | None = None
        self._evaluable = 0.0
        self._word: ModelResult | None = None
        self._reason: Reason | None = None
        self._beyond_since: float | None = None

    def add(self, finding: Finding, at_s: float) -> Finding:
        """Take in the finding of the newest frame.

        Args:
            finding: Of that frame.
            at_s: When the frame was looked at, seconds of any steady clock.

        Returns:
            The same finding with the averaged probabilities (while a limit is not clearly crossed the last ones that
            agree with the word), and with the result and the reason that follow from them; its outline and heat map
            are those of the newest frame, left out where the word has no place for them.
        """
        if at_s - self._at > FORGET_S:
            self.reset()
        first = self._word is None
        weight = 1.0 if first else 1.0 - math.exp(-max(at_s - self._at, 0.0) / TIME_CONSTANT_S)
        self._at = at_s
        self._evaluable += weight * (float(finding.evaluable) - self._evaluable)
        if finding.evaluable and finding.probabilities is not None:
            self._mix(finding, weight)
        else:
            self._reason = finding.reason
        self._word = self._next_word(finding)
        return self._said(finding)

    def _mix(self, finding: Finding, weight: float) -> None:
        new = finding.probabilities or {}
        old = self._shares or new
        self._shares = {name: old[name] + weight * (new[name] - old[name]) for name in CLASSES}

    def _next_word(self, finding: Finding) -> ModelResult:
        limit = RETURN if self._word is ModelResult.NOT_EVALUABLE else LEAVE
        if self._evaluable < limit or self._shares is None:
            return ModelResult.NOT_EVALUABLE
        band = finding.uncertain_band
        word = word_for(self._shares, band, self._word)
        if _part(self._shares, band) == _part_of(word):
            self._beyond_since = None
        elif self._beyond_since is None:
            self._beyond_since = self._at
        elif self._at - self._beyond_since >= SETTLE_S:
            self._beyond_since = None
            return word_for(self._shares, band, None)
        return word

    def _said(self, finding: Finding) -> Finding:
        if self._word is ModelResult.NOT_EVALUABLE or self._word is None:
            reason = finding.reason or self._reason or Reason.NO_TEXTURE
            return replace(finding, result=ModelResult.NOT_EVALUABLE, reason=reason)
        lesion = None if self._word is ModelResult.NORMAL else finding.lesion
        if self._shown is None or _part(self._shares, finding.uncertain_band) == _part_of(self._word):
            self._shown = self._shares
        return replace(finding, result=self._word, reason=None, probabilities=self._shown, lesion=lesion)


def _part(shares: dict[str, float] | None, band: tuple[float, float]) -> int:
    """On which side of the uncertain band probabilities lie: -1 below, 0 inside, 1 above."""
    malignant = (shares or {}).get("malignant", 0.0)
    return int(malignant > band[1]) - int(malignant < band[0])


def _part_of(word: ModelResult) -> int:
    """On which side of the band a word stands."""
    return {ModelResult.MALIGNANT: 1, ModelResult.UNCERTAIN: 0}.get(word, -1)


def word_for(shares: dict[str, float], band: tuple[float, float], before: ModelResult | None) -> ModelResult:
    """The word for averaged probabilities, which stays ``before`` until a limit is clearly crossed.

    Args:
        shares: Calibrated probabilities by class.
        band: Lower and upper malignant probability of the uncertain band.
        before: The word so far, ``None`` at the beginning.
    """
    malignant = shares["malignant"]
    lower, upper = band
    if before is ModelResult.MALIGNANT:
        upper -= MARGIN
    elif before is ModelResult.UNCERTAIN:
        lower, upper = lower - MARGIN, upper + MARGIN
    elif before in (ModelResult.NORMAL, ModelResult.BENIGN):
        lower += MARGIN
    if malignant > upper:
        return ModelResult.MALIGNANT
    if malignant >= lower:
        return ModelResult.UNCERTAIN
    lead = shares["normal"] - shares["benign"]
    if abs(lead) < LIKELIER and before in (ModelResult.NORMAL, ModelResult.BENIGN):
        return before
    return ModelResult.NORMAL if lead >= 0 else ModelResult.BENIGN
