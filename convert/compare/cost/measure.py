# SPDX-License-Identifier: Apache-2.0
"""How long a network takes beside ours, and how much memory it needs: each measured in a process of its own.

Milliseconds depend on the machine and on who else uses it. So both networks take turns in one process on one thread,
and the ratio of their medians is kept. Memory is the highest resident size of a process that does nothing but load
the file and run it once, less what it had before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from device.files import write_atomically

_ROUNDS = 15
_SECONDS = 20.0
"""A slow network is timed in fewer rounds, five at least."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a recipe costs; unknown is ``None``.

    Attributes:
        parameters: Number.
        multiply_adds: Of one pass.
        float_mb: Size of the float file in MB (10^6 bytes).
        int8_mb: Size of the integer file.
        float_ratio: Time of a pass over ours, both in float.
        int8_ratio: The same, both in integers.
        float_memory_mb: Highest memory over that of the bare process, float.
        int8_memory_mb: The same of the integer file.
        integer: Whether the int8 file computes in integers throughout.
        load: Highest load of the machine (processes of the last minute) before or after it was measured.
    """

    parameters: int | None = None
    multiply_adds: int | None = None
    float_mb: float | None = None
    int8_mb: float | None = None
    float_ratio: float | None = None
    int8_ratio: float | None = None
    float_memory_mb: float | None = None
    int8_memory_mb: float | None = None
    integer: bool = True
    load: float | None = None


class MeasureError(RuntimeError):
    """A network could not be run; the message names the file and says why."""


def measured(cost: Cost, float32: Path | None, int8: Path, own: tuple[Path, Path] | None) -> Cost:
    """A cost with its times and memory.

    Args:
        cost: What is known without running anything.
        float32: The float file, where there is one.
        int8: The integer file.
        own: Ours, float and integer; ``None`` where there is none to compare with.

    Raises:
        MeasureError: One of them cannot be run.
    """
    before = os.getloadavg()[0]
    cost = replace(
        cost,
        float_ratio=None if own is None or float32 is None else time_ratio(float32, own[0]),
        int8_ratio=None if own is None else time_ratio(int8, own[1]),
        float_memory_mb=None if float32 is None else peak_memory_mb(float32),
        int8_memory_mb=peak_memory_mb(int8),
    )
    return replace(cost, load=max(before, os.getloadavg()[0]))


def kept(path: Path, make: Callable[[], Cost]) -> Cost:
    """A cost from its file; measured and written where there is none, so that a table is made again in seconds.

    Raises:
        MeasureError: It has to be measured and cannot be.
    """
    if path.exists():
        return Cost(**json.loads(path.read_text(encoding="utf-8")))
    cost = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(cost)).encode(), 0o644)
    return cost


def time_ratio(network: Path, ours: Path) -> float:
    """Median time of a pass over that of ours, taking turns on one thread.

    Raises:
        MeasureError: One of them cannot be run.
    """
    return float(_child("ratio", network, ours)["ratio"])


def peak_memory_mb(network: Path) -> float:
    """Memory that loading and one pass add to a bare process, in MB.

    Raises:
        MeasureError: It cannot be run.
    """
    return float(_child("memory", network)["mb"])


def _child(what: str, *files: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "convert.compare.cost.measure", what, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        raise MeasureError(f"{files[0].name}: cannot be run here: {last[0]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _interpreter(path: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        rng = np.random.default_rng(0)
        shown = rng.integers(0, 128, detail["shape"]).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], shown)
    return interpreter


def _ratio(network: str, ours: str) -> dict[str, float]:
    both = [_interpreter(network), _interpreter(ours)]
    times: list[list[float]] = [[], []]
    started = time.monotonic()
    for number in range(-1, _ROUNDS):
        for interpreter, noted in zip(both, times, strict=True):
            begun = time.process_time()  # of this process alone: others on the machine do not count
            interpreter.invoke()
            if number >= 0:
                noted.append(time.process_time() - begun)
        if number >= 4 and time.monotonic() - started > _SECONDS:
            break
    theirs, own = (float(np.median(each)) for each in times)
    return {"ratio": theirs / max(own, 1e-9)}


def _memory(network: str) -> dict[str, float]:
    from ai_edge_litert import interpreter  # noqa: F401 - what the runtime itself takes is not the network's

    before = _kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest size counts from here
    _interpreter(network).invoke()
    return {"mb": (_kilobytes("VmHWM") - before) * 1024 / 1e6}


def _kilobytes(name: str) -> int:
    status = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


def main(arguments: Sequence[str]) -> int:
    """The child's side: measure, and answer in one line of JSON."""
    what, *files = arguments
    print(json.dumps(_ratio(*files) if what == "ratio" else _memory(*files)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
