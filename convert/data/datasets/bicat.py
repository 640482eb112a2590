# SPDX-License-Identifier: Apache-2.0
"""BiCAT: screening of women without symptoms in one centre, sorted by the reader's BI-RADS category.

A category is an opinion and no pathology: only BI-RADS 1 gives a class (``normal``), all others are of unknown class.
The exam is what is kept together. Its rights are doubtful (GPL by its README, no licence file), so it serves figures
only.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import Sample
from device.inference.finding import CLASSES


def load_bicat(folder: Path) -> list[Sample]:
    """Read ``normal``, ``birads2`` to ``birads4``, ``unlabelled`` and ``list.csv``.

    Raises:
        DatasetError: The folder holds no image, or its table names another one.
    """
    return load_class_folders("bicat", folder, {"normal": CLASSES.index("normal")})
