# SPDX-License-Identifier: Apache-2.0
"""OASBUD (Piotrzkowska-Wróblewska et al., Medical Physics 44 (2017) 6105): two orthogonal views of each lesion.

Its B-mode is made from raw echoes without compounding or smoothing, so it looks unlike other scanners. Classes of this
copy come second-hand (turned round by three consistency checks). CC BY-NC 4.0 as remembered: treat as non-commercial.
The case, which is one lesion, is what is kept together.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import Sample


def load_oasbud(folder: Path) -> list[Sample]:
    """Read ``benign``, ``malignant``, ``masks`` and ``list.csv``.

    Raises:
        DatasetError: The folder holds no image, or its table names another one.
    """
    return load_class_folders("oasbud", folder)
