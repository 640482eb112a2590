# SPDX-License-Identifier: Apache-2.0
"""The rule that turns probabilities into a result, for one picture and for many."""

from __future__ import annotations

import numpy as np
import pytest

from device.imaging.quality import Reason
from device.inference.decision import RESULTS, decide, decide_classes
from device.inference.finding import CLASSES, ModelResult
from device.inference.manifest import Abstention

BAND = Abstention(lower=0.2, upper=0.7)


@pytest.mark.parametrize(
    ("probabilities", "reason", "result"),
    [
        ((0.6, 0.3, 0.1), None, ModelResult.NORMAL),
        ((0.3, 0.6, 0.1), None, ModelResult.BENIGN),
        ((0.0, 0.8, 0.2), None, ModelResult.UNCERTAIN),
        ((0.0, 0.3, 0.7), None, ModelResult.UNCERTAIN),
        ((0.0, 0.2, 0.8), None, ModelResult.MALIGNANT),
        ((0.0, 0.2, 0.8), Reason.TOO_DARK, ModelResult.NOT_EVALUABLE),
    ],
)
def test_the_result_follows_the_uncertain_band(
    probabilities: tuple[float, ...], reason: Reason | None, result: ModelResult
) -> None:
    assert decide(np.array(probabilities), reason, BAND) is result


def test_many_pictures_get_what_each_alone_would_get() -> None:
    generator = np.random.default_rng(12)
    probabilities = np.round(generator.dirichlet([0.5, 0.5, 0.5], 400), 1)  # many values on the limits of the band
    probabilities = np.vstack([probabilities, [[0.25, 0.25, 0.5], [0.4, 0.3, 0.3], [0.45, 0.45, 0.1]]])
    band = Abstention(lower=0.3, upper=0.5)
    results = [RESULTS[index].value for index in decide_classes(probabilities, band)]
    assert results == [decide(row, None, band).value for row in probabilities]
    assert set(results) == {*CLASSES, ModelResult.UNCERTAIN.value}
