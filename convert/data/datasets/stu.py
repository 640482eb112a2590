# SPDX-License-Identifier: Apache-2.0
"""STU-Hospital: 42 lesions of unknown class with outlines, reduced to 128 by 128.

No licence is stated, so they serve figures only: how many are answered, and the overlap of outlines.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import Sample


def load_stu(folder: Path) -> list[Sample]:
    """Read ``unlabelled`` and ``masks``.

    Raises:
        DatasetError: The folder holds no image.
    """
    return load_class_folders("stu", folder, {})
