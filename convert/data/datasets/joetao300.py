# SPDX-License-Identifier: Apache-2.0
"""JoeTao300: images of a reader study on several scanners (github.com/JoeTao-097/Multi-REZ-Evaluation, Apache-2.0).

Callipers, body marks and Chinese text are burned in; classes are proven by pathology according to its table; lesions
are not outlined. The patient is what is kept together.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import Sample


def load_joetao300(folder: Path) -> list[Sample]:
    """Read ``benign``, ``malignant`` and ``list.csv``.

    Raises:
        DatasetError: The folder holds no image, or its table names another one.
    """
    return load_class_folders("joetao300", folder)
