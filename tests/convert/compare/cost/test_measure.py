# SPDX-License-Identifier: Apache-2.0
"""Operations are counted as by hand; time and memory are of the network that is asked about."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from convert.compare.cost.measure import Cost, MeasureError, kept, measured, peak_memory_mb, time_ratio
from convert.compare.cost.operations import multiply_adds, parameters
from convert.quantise import to_float, to_int8


def test_multiply_adds_by_hand() -> None:
    picture = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)(picture)  # 16*16 places * 3*3*3*8
    x = keras.layers.DepthwiseConv2D(5, strides=2, padding="same")(x)  # 8*8 places * 5*5*8
    x = keras.layers.SeparableConv2D(4, 3, padding="same")(x)  # 8*8 * (3*3*8 + 8*4)
    x = keras.layers.Conv2DTranspose(2, 2, strides=2)(x)  # 8*8 * 2*2*2*4
    inner = keras.Sequential([keras.Input((16, 16, 2)), keras.layers.Flatten(), keras.layers.Dense(5)])  # 512 * 5
    network = keras.Model(picture, inner(x))
    assert multiply_adds(network) == 16 * 16 * 216 + 64 * 200 + 64 * (72 + 32) + 64 * 32 + 512 * 5
    assert parameters(network) == 216 + (200 + 8) + (72 + 32 + 4) + (32 + 2) + (2560 + 5)


def network(width: int) -> keras.Model:
    picture = x = keras.Input((64, 64, 1))
    for _ in range(3):
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return keras.Model(picture, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x)))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("networks")
    shown = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)
    made = {}
    for name, width in (("small", 4), ("large", 64)):
        made[name] = folder / f"{name}.tflite"
        made[name].write_bytes(to_float(network(width)))
    made["int8"] = folder / "int8.tflite"
    made["int8"].write_bytes(to_int8(network(4), shown))
    return made


def test_a_network_of_many_more_operations_takes_longer(files: dict[str, Path]) -> None:
    assert time_ratio(files["large"], files["small"]) > 3
    assert time_ratio(files["small"], files["large"]) < 1 / 3
    assert time_ratio(files["int8"], files["small"]) > 0


def test_memory_is_of_the_network_and_not_of_the_runtime(files: dict[str, Path]) -> None:
    small, large = peak_memory_mb(files["small"]), peak_memory_mb(files["large"])
    assert 0 < small < large
    assert large > 64 * 64 * 64 * 4 / 1e6  # two maps of its widest layer at least


def test_a_cost_is_measured_once_and_says_at_what_load(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "costs" / "cost.json"
    known = Cost(parameters=3, integer=False)
    cost = kept(path, lambda: measured(known, files["large"], files["int8"], (files["small"], files["int8"])))
    assert (cost.parameters, cost.integer) == (3, False)
    assert cost.float_ratio is not None
    assert cost.float_ratio > 3
    assert None not in (cost.int8_ratio, cost.float_memory_mb, cost.int8_memory_mb, cost.load)

    def again() -> Cost:
        raise AssertionError("measured again")

    assert kept(path, again) == cost


def test_a_file_of_integers_alone_is_measured_too(files: dict[str, Path]) -> None:
    cost = measured(Cost(), None, files["int8"], None)
    assert (cost.float_ratio, cost.int8_ratio, cost.float_memory_mb) == (None, None, None)
    assert cost.int8_memory_mb is not None


def test_what_cannot_be_run_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"TFL3" * 20)
    with pytest.raises(MeasureError, match=r"broken\.tflite"):
        peak_memory_mb(broken)
