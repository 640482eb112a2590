# SPDX-License-Identifier: Apache-2.0
"""What a run leaves behind: one file of arrays and notes that a worker can send back as bytes."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.evaluate.predictions import Predictions

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Of one run.

    Attributes:
        predictions: Of the test part; ``None`` for a recipe that only outlines.
        keys: (n,) names of the test images.
        groups: (n,) their groups.
        dice: (n,) overlap of the outline with the mask, NaN where there is no mask or no outline is drawn.
        notes: Epochs, history, components and the like, as plain data.
    """

    predictions: Predictions | None
    keys: NDArray[np.str_]
    groups: NDArray[np.str_]
    dice: Floats
    notes: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file's content; the same result gives the same bytes."""
        arrays: dict[str, NDArray[Any]] = {"keys": self.keys, "groups": self.groups, "dice": self.dice}
        if self.predictions is not None:
            p = self.predictions
            arrays |= {"probabilities": p.probabilities, "labels": p.labels, "sets": p.sets, "scanners": p.scanners}
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                held = io.BytesIO()
                np.save(held, array, allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), held.getvalue())
            archive.writestr(zipfile.ZipInfo("notes.json"), json.dumps(self.notes, sort_keys=True))
        return content.getvalue()

    @classmethod
    def read(cls, path: Path) -> Result:
        """Read a file.

        Raises:
            OSError: It is not there.
            ValueError: It is no result.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                notes = json.loads(archive.read("notes.json"))
                arrays = {
                    name.removesuffix(".npy"): np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
                    for name in archive.namelist()
                    if name.endswith(".npy")
                }
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(f"{path}: this is no result of a run") from error
        predictions = None
        if "probabilities" in arrays:
            names = ("probabilities", "labels", "groups", "sets", "scanners", "keys")
            predictions = Predictions(**{name: arrays[name] for name in names}, dice=arrays["dice"])
        return cls(predictions, arrays["keys"], arrays["groups"], arrays["dice"], notes)
