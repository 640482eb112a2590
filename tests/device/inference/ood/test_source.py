# SPDX-License-Identifier: Apache-2.0
"""Two tiers: what is no breast is refused, and a breast of an unfamiliar scanner is answered with a caution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.errors import BundleSchemaError
from device.imaging.quality import Reason
from device.inference.finding import Caution
from device.inference.manifest import Abstention, Source
from device.inference.ood.distance import InDistribution
from device.inference.ood.source import BreastHead, judge_source, read_breast_head

IN_DISTRIBUTION = InDistribution(np.zeros(2, np.float32), np.eye(2, dtype=np.float32)[:1], np.ones(1, np.float32), 1.0)
HEAD = BreastHead(
    np.zeros(2, np.float32),
    np.ones(2, np.float32),
    ((np.array([[1.0], [0.0]], np.float32), np.zeros(1, np.float32)),),
)
"""The first feature is the log-odds of breast."""

LIMITS = Source(
    file="breast.npz",
    refuse_below=-1.0,
    familiar_from=0.5,
    familiar_distance=2.0,
    abstention=Abstention(lower=0.05, upper=0.7),
    breast_loss=0.02,
)


@pytest.mark.parametrize(
    ("embedding", "wanted"),
    [
        ((1.0, 0.0), None),
        ((0.0, 0.0), Caution.UNFAMILIAR_SOURCE),
        ((1.0, 2.5), Caution.UNFAMILIAR_SOURCE),
        ((-2.0, 0.0), Reason.NOT_BREAST_ULTRASOUND),
        ((5.0, 9.0), Reason.NOT_BREAST_ULTRASOUND),
        ((float("nan"), 0.0), Reason.NOT_BREAST_ULTRASOUND),
    ],
)
def test_each_tier_has_its_answer(embedding: tuple[float, float], wanted: Reason | Caution | None) -> None:
    assert judge_source(np.array(embedding, np.float32), IN_DISTRIBUTION, HEAD, 20.0, LIMITS) is wanted


def test_a_bundle_of_one_limit_refuses_beyond_it_and_cautions_nobody() -> None:
    near, far = np.array([-5.0, 0.0], np.float32), np.array([9.0, 0.0], np.float32)
    assert judge_source(near, IN_DISTRIBUTION, None, 20.0, None) is None
    assert judge_source(far, IN_DISTRIBUTION, None, 20.0, None) is Reason.NOT_BREAST_ULTRASOUND


def test_a_hidden_layer_is_applied_with_its_relu_and_far_features_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "breast.npz"
    np.savez(
        path,
        mean=np.array([1.0, 0.0]),
        spread=np.array([2.0, 1.0]),
        weights0=np.array([[1.0, -1.0], [0.0, 0.0]]),
        bias0=np.zeros(2),
        weights1=np.array([[1.0], [10.0]]),
        bias1=np.array([0.5]),
    )
    head = read_breast_head(path)
    assert head.log_odds(np.array([3.0, 0.0], np.float32)) == pytest.approx(1.5)
    assert head.log_odds(np.array([-1.0, 0.0], np.float32)) == pytest.approx(10.5)
    assert head.log_odds(np.array([1e6, 0.0], np.float32)) == pytest.approx(6.5)


@pytest.mark.parametrize(
    "arrays",
    [
        {"mean": np.zeros(2), "spread": np.ones(2)},
        {"mean": np.zeros(2), "spread": np.zeros(2), "weights0": np.ones((2, 1)), "bias0": np.zeros(1)},
        {"mean": np.zeros(2), "spread": np.ones(2), "weights0": np.ones((3, 1)), "bias0": np.zeros(1)},
        {"mean": np.zeros(2), "spread": np.ones(2), "weights0": np.ones((2, 4)), "bias0": np.zeros(4)},
    ],
)
def test_layers_that_do_not_fit_together_are_refused(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "breast.npz", **arrays)  # type: ignore[arg-type]  # numpy types its keywords as flags
    with pytest.raises(BundleSchemaError):
        read_breast_head(tmp_path / "breast.npz")


def test_what_is_refused_cannot_be_in_distribution() -> None:
    with pytest.raises(ValueError, match="in-distribution"):
        Source.model_validate(LIMITS.model_dump() | {"refuse_below": 1.0})
