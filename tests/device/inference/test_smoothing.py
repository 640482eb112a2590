# SPDX-License-Identifier: Apache-2.0
"""The live word is steady, follows a real change, and never hides that a picture cannot be judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from device.inference.finding import Finding, ModelResult, Reason
from device.inference.smoothing import FORGET_S, MARGIN, SETTLE_S, TIME_CONSTANT_S, Smoother, word_for
from tests.device.records.made_up import finding, lesion

FRAME_S = 0.05
BAND = (0.2, 0.45)


def _with(malignant: float) -> Finding:
    rest = 1.0 - malignant
    shares = {"normal": 0.2 * rest, "benign": 0.8 * rest, "malignant": malignant}
    return replace(finding(ModelResult.BENIGN, lesion()), probabilities=shares)


def _feed(smoother: Smoother, made: list[Finding], start: float = 0.0) -> list[Finding]:
    return [smoother.add(one, start + number * FRAME_S) for number, one in enumerate(made)]


def test_the_first_finding_is_shown_as_it_is() -> None:
    said = Smoother().add(_with(0.87), 5.0)
    assert said.result is ModelResult.MALIGNANT
    assert said.probabilities is not None
    assert said.probabilities["malignant"] == pytest.approx(0.87)


def test_one_odd_frame_changes_no_word() -> None:
    words = [said.result for said in _feed(Smoother(), [*[_with(0.05)] * 10, _with(0.95), *[_with(0.05)] * 10])]
    assert set(words) == {ModelResult.BENIGN}


def test_a_lasting_change_comes_through_with_the_stated_time_constant() -> None:
    smoother = Smoother()
    _feed(smoother, [_with(0.0)] * 20)
    said = smoother.add(_with(1.0), 19 * FRAME_S + TIME_CONSTANT_S)
    assert said.probabilities is not None
    assert said.probabilities["malignant"] == pytest.approx(0.632, abs=0.001)
    assert sum(said.probabilities.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("limit", BAND)
def test_a_value_that_trembles_at_a_limit_keeps_its_word(limit: float) -> None:
    trembling = [_with(limit + (MARGIN / 2 if number % 2 else -MARGIN / 2)) for number in range(40)]
    assert len({said.result for said in _feed(Smoother(), trembling)}) == 1


def test_the_word_changes_once_the_limit_is_clearly_crossed() -> None:
    shares = {"normal": 0.1, "benign": 0.5, "malignant": 0.4}
    assert word_for(shares, BAND, ModelResult.MALIGNANT) is ModelResult.UNCERTAIN
    shares = {"normal": 0.1, "benign": 0.46, "malignant": 0.44}
    assert word_for(shares, BAND, ModelResult.MALIGNANT) is ModelResult.MALIGNANT
    assert word_for(shares, BAND, None) is ModelResult.UNCERTAIN


def test_normal_and_benign_do_not_take_turns() -> None:
    near = {"normal": 0.48, "benign": 0.5, "malignant": 0.02}
    assert word_for(near, BAND, ModelResult.NORMAL) is ModelResult.NORMAL
    assert word_for(near, BAND, ModelResult.BENIGN) is ModelResult.BENIGN
    assert word_for({"normal": 0.4, "benign": 0.58, "malignant": 0.02}, BAND, ModelResult.NORMAL) is ModelResult.BENIGN


def test_a_stream_that_cannot_be_judged_says_so_with_the_reason() -> None:
    dark = finding(ModelResult.NOT_EVALUABLE, reason=Reason.TOO_DARK)
    said = _feed(Smoother(), [*[_with(0.05)] * 10, *[dark] * 40])
    assert said[10].result is ModelResult.BENIGN
    assert said[10].evaluable
    assert said[-1].result is ModelResult.NOT_EVALUABLE
    assert said[-1].reason is Reason.TOO_DARK


def test_it_comes_back_when_the_picture_does() -> None:
    dark = finding(ModelResult.NOT_EVALUABLE, reason=Reason.TOO_DARK)
    said = _feed(Smoother(), [*[dark] * 10, *[_with(0.9)] * 60])
    assert said[9].result is ModelResult.NOT_EVALUABLE
    assert said[-1].result is ModelResult.MALIGNANT
    assert said[-1].reason is None


def test_what_was_before_a_pause_counts_no_more() -> None:
    smoother = Smoother()
    _feed(smoother, [_with(0.0)] * 20)
    assert smoother.add(_with(0.9), 20 * FRAME_S + FORGET_S + 1).result is ModelResult.MALIGNANT


def test_normal_tissue_has_no_outline() -> None:
    normal = replace(_with(0.01), probabilities={"normal": 0.9, "benign": 0.09, "malignant": 0.01})
    assert Smoother().add(normal, 0.0).lesion is None


def _word_of(malignant: float) -> set[ModelResult]:
    low, high = BAND
    if malignant > high:
        return {ModelResult.MALIGNANT}
    return {ModelResult.UNCERTAIN} if malignant >= low else {ModelResult.BENIGN, ModelResult.NORMAL}


@pytest.mark.parametrize("seed", range(8))
def test_word_and_number_never_contradict_the_band(seed: int) -> None:
    """Whatever the stream does, the word is the one that the report would give for the number that is shown."""
    steps = np.random.default_rng(seed).normal(scale=0.04, size=400)
    walk = np.clip(BAND[seed % 2] + np.cumsum(steps) * 0.5, 0.0, 1.0)
    for said in _feed(Smoother(), [_with(float(value)) for value in walk]):
        assert said.probabilities is not None
        assert said.result in _word_of(said.probabilities["malignant"])


@pytest.mark.parametrize(("before", "after"), [(0.3, 0.195), (0.1, 0.205), (0.6, 0.445), (0.3, 0.455)])
def test_what_stays_a_little_beyond_a_limit_is_said_in_the_end(before: float, after: float) -> None:
    smoother = Smoother()
    lasting = round((8 * TIME_CONSTANT_S + SETTLE_S) / FRAME_S)
    said = _feed(smoother, [*[_with(before)] * 20, *[_with(after)] * lasting])[-1]
    assert said.result in _word_of(after)
