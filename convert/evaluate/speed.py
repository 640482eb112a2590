# SPDX-License-Identifier: Apache-2.0
"""How fast the int8 network is against the network that this project began with: ratios, measured in one run.

Absolute milliseconds depend on the machine and on who else uses it; so both networks take turns on one core and only
their ratio is kept. The reference is EfficientNet-B7 at 256 by 256 in float with three outputs. Its weights are random:
time does not depend on them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from convert.evaluate.batch_inference import OUTLINE
from convert.quantise import to_float
from device.capture.phantom.frames import phantom_frame
from device.imaging.sonogram import Sonogram, find_sonogram
from device.inference.manifest import Preprocessing
from device.inference.runtime import Runtime
from device.inference.two_stage import run_two_stage

REFERENCE_SIZE = 256

_ROUNDS = 15
"""In each one everything is timed once."""


def measure_speed(network: Path, how: Preprocessing) -> dict[str, float]:
    """Ratios of medians, all on one thread.

    Args:
        network: The int8 ``.tflite`` file.
        how: How the windows of both passes are cut.

    Returns:
        ``one_look_speedup`` and ``two_looks_speedup`` (reference time over ours, mask and all, nothing but the network)
        and ``pipeline_overhead`` (frame in, passes out, over the two bare inferences).
    """
    runtime = Runtime(network)
    frame = phantom_frame(seed=1, lesion="benign", size=(1024, 768))
    picture = np.random.default_rng(0).integers(0, 255, (runtime.input_size,) * 2).astype(np.uint8)
    print("measuring speed against EfficientNet-B7, which is made for it first", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        reference = _reference(Path(folder))
        actions: dict[str, Callable[[], object]] = {
            "reference": reference.invoke,
            "look": lambda: runtime.run_raw(picture),
            "path": lambda: run_two_stage(runtime, find_sonogram(frame), how, OUTLINE),
        }
        median = _medians(actions)
    passes = _passes_taken(runtime, find_sonogram(frame), how)
    return {
        "one_look_speedup": median["reference"] / median["look"],
        "two_looks_speedup": median["reference"] / (2 * median["look"]),
        "pipeline_overhead": median["path"] / (passes * median["look"]),
    }


def _passes_taken(runtime: Runtime, sonogram: Sonogram, how: Preprocessing) -> int:
    return 1 if run_two_stage(runtime, sonogram, how, OUTLINE).second is None else 2


def _reference(folder: Path) -> Any:
    import keras
    from ai_edge_litert.interpreter import Interpreter

    shape = (REFERENCE_SIZE, REFERENCE_SIZE, 3)
    network = keras.applications.EfficientNetB7(weights=None, include_top=True, classes=3, input_shape=shape)
    path = folder / "reference.tflite"
    path.write_bytes(to_float(network))
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def _medians(actions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each action, all taking turns, after two rounds that are not counted."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for round_number in track(range(-2, _ROUNDS), "measuring speed"):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            if round_number >= 0:
                times[name].append(time.perf_counter() - started)
    return {name: float(np.median(values)) for name, values in times.items()}
