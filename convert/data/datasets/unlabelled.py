# SPDX-License-Identifier: Apache-2.0
"""Whole screens and crops of many scanners without any label, a folder each source.

Most sources state no licence, so they serve figures only: how many breast frames are answered.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import Sample


def load_unlabelled(folder: Path) -> list[Sample]:
    """Read one folder a source; the source counts as the scanner.

    Raises:
        DatasetError: The folder holds no image.
    """
    samples = load_class_folders("unlabelled", folder, {})
    return [Sample(s.key, s.dataset, s.image, s.masks, s.label, s.group, s.key.split("/")[1].lower()) for s in samples]
