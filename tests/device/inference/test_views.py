# SPDX-License-Identifier: Apache-2.0
"""Several views of one lesion give one result."""

from __future__ import annotations

import pytest

from device.capture.frame import Box
from device.imaging.quality import Reason
from device.inference.finding import Caution, Finding, ModelResult
from device.inference.manifest import Abstention
from device.inference.views import combine


def finding(
    malignant: float, reason: Reason | None = None, caution: Caution | None = None, model: str = "net@1.0.0"
) -> Finding:
    word = ModelResult.NOT_EVALUABLE if reason else ModelResult.UNCERTAIN
    shares = {"normal": 0.0, "benign": 1 - malignant, "malignant": malignant}
    band = (0.02, 0.7) if caution is Caution.UNFAMILIAR_SOURCE else (0.1, 0.5)
    return Finding(word, reason, shares, band, None, Box(0, 0, 9, 9), None, 1.0, model, caution)


def test_two_views_are_averaged_in_log_odds_and_judged_by_their_own_band() -> None:
    both = combine([finding(0.9), finding(0.5)], several=Abstention(lower=0.2, upper=0.7))
    assert both.probabilities is not None
    assert both.probabilities["malignant"] == pytest.approx(0.75, abs=1e-5)
    assert both.result is ModelResult.MALIGNANT
    assert both.uncertain_band == (0.2, 0.7)
    assert both.used == 2


def test_a_view_that_cannot_be_judged_leaves_the_other_and_says_so() -> None:
    one = combine([finding(0.05), finding(0.99, Reason.TOO_DARK)])
    assert one.result is ModelResult.BENIGN
    assert one.caution is Caution.SINGLE_VIEW
    assert one.used == 1


def test_a_single_view_alone_carries_no_caution() -> None:
    assert combine([finding(0.05)]).caution is None


def test_an_unfamiliar_view_brings_its_caution_and_its_wider_band() -> None:
    both = combine([finding(0.6, caution=Caution.UNFAMILIAR_SOURCE), finding(0.6)], Abstention(lower=0.2, upper=0.3))
    assert both.caution is Caution.UNFAMILIAR_SOURCE
    assert both.uncertain_band == (0.02, 0.7)
    assert both.result is ModelResult.UNCERTAIN


def test_without_any_usable_view_there_is_no_word() -> None:
    none = combine([finding(0.9, Reason.TOO_DARK), finding(0.9, Reason.COLOUR)])
    assert none.result is ModelResult.NOT_EVALUABLE
    assert none.probabilities is None
    assert none.reason is Reason.TOO_DARK


def test_findings_of_different_models_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="one model"):
        combine([finding(0.9), finding(0.9, model="net@2.0.0")])
    with pytest.raises(ValueError, match="one model"):
        combine([])
