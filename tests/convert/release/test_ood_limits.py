# SPDX-License-Identifier: Apache-2.0
"""The OOD limits refuse no more breast frames than they may."""

from __future__ import annotations

import numpy as np
import pytest

from convert.release.ood_limits import choose_ood_limit, choose_source_limits


def test_the_limit_refuses_no_more_breast_frames_than_allowed() -> None:
    distances = np.random.default_rng(3).gamma(4, size=333)
    limit, lost = choose_ood_limit(distances)
    assert np.mean(distances > limit) == pytest.approx(lost)
    assert 0.04 < lost <= 0.05
    assert choose_ood_limit(np.r_[distances, np.nan])[1] <= 0.05
    with pytest.raises(ValueError, match="finite"):
        choose_ood_limit(np.array([]))
    with pytest.raises(ValueError, match="finite"):
        choose_ood_limit(np.full(10, np.nan))


def test_limits_keep_nearly_all_breasts_of_the_sets_left_out_and_call_most_of_the_home_in_distribution() -> None:
    rng = np.random.default_rng(0)
    left_out = {"a": rng.normal(2, 1, 400), "b": rng.normal(0, 1, 100)}
    home, distances = rng.normal(4, 1, 300), rng.gamma(4, 0.25, 300)
    limits = choose_source_limits(left_out, home, distances)
    kept = np.mean([np.mean(odds >= limits.refuse_below) for odds in left_out.values()])
    assert 0.98 <= kept < 0.99
    assert limits.breast_loss == pytest.approx(1 - kept)
    assert 0.94 < np.mean(home >= limits.familiar_from) < 0.96
    assert limits.refuse_below < limits.familiar_from
    assert 0.94 < np.mean(distances <= limits.familiar_distance) < 0.96
    assert limits.ood_limit > 2 * limits.familiar_distance
