# SPDX-License-Identifier: Apache-2.0
"""Runs the int8 network with whichever TensorFlow Lite runtime the device has.

``ai-edge-litert`` is the present name of the runtime; ``tflite_runtime`` is its predecessor, still found on older
cards. The old one imports with numpy 2 and fails only when an interpreter is made, so being able to import proves
nothing: ``Runtime`` makes the interpreter at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Pixels
from device.errors import BundleSchemaError, RuntimeMissingError

Floats = NDArray[np.float32]

_MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What the network says of one picture, as real numbers.

    Attributes:
        cam: (h, w, 3) class maps; their mean over the places are the class logits.
        mask: (m, m) lesion logits over the window.
        embedding: (n,) pooled features.
    """

    cam: Floats
    mask: Floats
    embedding: Floats

    @property
    def logits(self) -> NDArray[np.float64]:
        """Class logits (3,)."""
        return np.asarray(self.cam.mean(axis=(0, 1), dtype=np.float64))


class Runtime:
    """One interpreter for one network; to be used from one thread at a time.

    Attributes:
        name: Module and version of the runtime in use, for ``bench`` and ``doctor``.
        input_size: Side of the input in pixels.
    """

    def __init__(self, network: Path, threads: int = 1) -> None:
        """Load a network.

        Args:
            network: The ``.tflite`` file.
            threads: Threads that an inference may use, 1 or more.

        Raises:
            ValueError: ``threads`` is less; that is a mistake of the caller and says nothing of the network.
            RuntimeMissingError: No runtime can be loaded, or it cannot make an interpreter.
            BundleSchemaError: The network does not have the inputs and outputs of this software.
        """
        if threads < 1:
            raise ValueError(f"an inference needs a thread at least, not {threads}")
        self._interpreter, self.name = _interpreter(network, threads)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = tuple(int(n) for n in inputs[0]["shape"])
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 1:
            raise BundleSchemaError(network, f"the input {shape} is not one square grey picture")
        self.input_size = shape[1]
        self._input = inputs[0]
        self._outputs = _by_shape(network, outputs)

    def run(self, picture: Pixels) -> Outputs:
        """Infer one picture.

        Args:
            picture: uint8 (input_size, input_size).

        Raises:
            ValueError: It has another shape or dtype.
        """
        raw = self.run_raw(picture)
        real = {name: _dequantised(self._outputs[name], values) for name, values in raw.items()}
        return Outputs(real["cam"], real["mask"][..., 0], real["embedding"])

    def run_raw(self, picture: Pixels) -> dict[str, NDArray[Any]]:
        """The outputs as the network holds them (int8), by name, without batch axis; for golden vectors.

        Raises:
            ValueError: As :meth:`run`.
        """
        if picture.shape != (self.input_size, self.input_size) or picture.dtype != np.uint8:
            raise ValueError(f"the network takes uint8 {self.input_size}x{self.input_size}, not {picture.shape}")
        self._interpreter.set_tensor(self._input["index"], _quantised(self._input, picture)[None, ..., None])
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(out["index"])[0] for name, out in self._outputs.items()}


def _interpreter(network: Path, threads: int) -> tuple[Any, str]:
    causes = []
    for name in _MODULES:
        try:
            module = importlib.import_module(name)
            with _without_chatter():
                interpreter = module.Interpreter(model_path=str(network), num_threads=threads)
                interpreter.allocate_tensors()
        except (ImportError, SystemError, OSError) as error:
            causes.append(f"{name}: {error}")
            continue
        except (ValueError, RuntimeError) as error:
            raise BundleSchemaError(network, str(error)) from error
        return interpreter, name.split(".")[0]
    raise RuntimeMissingError(network.name, "; ".join(causes))


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep the runtime's greeting off standard error, where a line means that something went wrong.

    It is written by native code, so the file descriptor itself is turned away for the moment; what the runtime has to
    complain about, it raises.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(silent)
        os.close(kept)


def _by_shape(network: Path, outputs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Tell the outputs apart by their shapes: converters rename and reorder outputs freely."""
    found: dict[str, dict[str, Any]] = {}
    for output in outputs:
        shape = tuple(int(n) for n in output["shape"])
        if len(shape) == 2:
            found["embedding"] = output
        elif len(shape) == 4 and shape[3] == 3:
            found["cam"] = output
        elif len(shape) == 4 and shape[3] == 1:
            found["mask"] = output
    missing = {"cam", "mask", "embedding"} - found.keys()
    if missing:
        raise BundleSchemaError(network, f"outputs missing: {', '.join(sorted(missing))}")
    return found


def _quantised(details: dict[str, Any], picture: Pixels) -> NDArray[Any]:
    """Grey levels as the input tensor wants them: real value = scale * (stored - zero point)."""
    dtype = details["dtype"]
    if dtype == np.float32:
        return picture.astype(np.float32)
    scale, zero = details["quantization"]
    stored = np.rint(picture / np.float32(scale)) + zero
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(stored, limits.min, limits.max), dtype=dtype)


def _dequantised(details: dict[str, Any], stored: NDArray[Any]) -> Floats:
    if details["dtype"] == np.float32:
        return np.asarray(stored, dtype=np.float32)
    scale, zero = details["quantization"]
    return np.asarray((stored.astype(np.float32) - zero) * scale, dtype=np.float32)
