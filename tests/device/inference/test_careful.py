# SPDX-License-Identifier: Apache-2.0
"""Careful consideration: more looks, one answer, and a spread that says how sure it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from device.capture.frame import Box, Frame
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.imaging.sonogram import Sonogram
from device.inference.bundle import Bundle
from device.inference.careful import mirrored, spread_of
from device.inference.classifier import Classifier
from device.inference.finding import ModelResult
from device.inference.manifest import Abstention, Careful
from device.inference.pooling import mean_of_log_odds

PLAN = Careful(
    mirrored=True,
    zooms=(1.0, 0.9),
    operating_points=(),
    abstention=Abstention(lower=0.1, upper=0.5),
    spread_limit=50.0,
)


def careful_bundle(shipped: Bundle, plan: Careful = PLAN) -> Bundle:
    manifest = shipped.manifest.model_copy(update={"careful": plan, "schema_version": 2})
    return replace(shipped, manifest=manifest, further=())


def mirror_image(frame: Frame) -> Frame:
    return Frame(np.ascontiguousarray(frame.pixels[:, ::-1]), frame.origin)


def test_a_mirrored_frame_gets_the_very_same_answer(shipped: Bundle) -> None:
    frame = phantom_frame(IN_DISTRIBUTION_SEED, "malignant")
    classifier = Classifier(careful_bundle(shipped), careful=True)
    one, other = classifier.classify(frame), classifier.classify(mirror_image(frame))
    assert one.probabilities == pytest.approx(other.probabilities, abs=0.02)
    quick = Classifier(careful_bundle(shipped)).classify(frame)
    assert quick.spread is None
    assert one.spread is not None
    assert one.spread >= 0
    assert one.probabilities != quick.probabilities
    assert one.uncertain_band == (0.1, 0.5)


def test_answers_that_disagree_too_much_name_no_class(shipped: Bundle) -> None:
    frame = phantom_frame(IN_DISTRIBUTION_SEED, "malignant")
    plan = PLAN.model_copy(update={"spread_limit": 1e-9})
    finding = Classifier(careful_bundle(shipped, plan)).classify(frame, careful=True)
    assert finding.result is ModelResult.UNCERTAIN


def test_a_bundle_without_a_plan_answers_carefully_as_it_does_live(shipped: Bundle) -> None:
    frame = phantom_frame(IN_DISTRIBUTION_SEED, "benign")
    bare = replace(shipped, manifest=shipped.manifest.model_copy(update={"careful": None}), further=())
    quick, slow = (Classifier(bare).classify(frame, careful=careful) for careful in (False, True))
    assert quick.probabilities == slow.probabilities
    assert slow.spread is None


def test_the_operators_region_is_mirrored_with_the_sonogram() -> None:
    pixels = np.zeros((40, 100), np.uint8)
    pixels[10:20, 5:25] = 200
    turned, lesion = mirrored(Sonogram(pixels, Box(0, 0, 100, 40), 0.0), Box(5, 10, 20, 10))
    assert lesion == Box(75, 10, 20, 10)
    assert turned.pixels[10:20, 75:95].min() == 200


def test_opinions_are_pooled_in_log_odds() -> None:
    said = np.array([[0.0, 0.5, 0.5], [0.0, 0.1, 0.9]])
    pooled = mean_of_log_odds(said)
    assert pooled.sum() == pytest.approx(1)
    assert pooled[2] / pooled[1] == pytest.approx(3.0)
    assert spread_of(said[:1]) == 0
    assert spread_of(said) == pytest.approx(np.log(9) / 2)
