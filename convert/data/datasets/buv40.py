# SPDX-License-Identifier: Apache-2.0
"""BUV40: single frames of breast ultrasound videos (after Lin et al., MICCAI 2022); no outlines.

The licence of the data is not stated, so they serve figures only.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import Sample


def load_buv40(folder: Path) -> list[Sample]:
    """Read ``benign``, ``malignant`` and ``list.csv``.

    Raises:
        DatasetError: The folder holds no image, or its table names another one.
    """
    return load_class_folders("buv40", folder)
