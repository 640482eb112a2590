# SPDX-License-Identifier: Apache-2.0
"""The same seed gives the same weights, whatever else draws from the global generators meanwhile."""

from __future__ import annotations

import random

import numpy as np
import pytest

from convert.train.architectures.seeds import draw_weights
from convert.train.architectures.table import TABLE


@pytest.mark.parametrize("name", ["simple_cnn", "mobilenet_v2"])
def test_weights_follow_from_the_seed_alone(name: str) -> None:
    made = []
    for global_seed, seed in ((1, 7), (2, 7), (2, 8)):
        random.seed(global_seed)
        network = TABLE[name].make((32, 32, 3))
        draw_weights(network, seed)
        made.append(network.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(made[0], made[1], strict=True))
    kernels = [(a, b) for a, b in zip(made[1], made[2], strict=True) if a.ndim == 4]
    assert kernels
    assert not any(np.array_equal(a, b) for a, b in kernels)
