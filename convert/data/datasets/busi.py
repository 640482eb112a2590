# SPDX-License-Identifier: Apache-2.0
"""BUSI (Al-Dhabyani et al., Data in Brief 28 (2020) 104863), laid out ``<class>/<class> (N)`` with ``_mask`` files.

About a third of its images have a near copy, so what is kept together is the near-duplicate group; a group that
carries two labels is left out altogether, because at least one of its labels is wrong.
"""

from __future__ import annotations

import re
from pathlib import Path

from convert.data.datasets.sample import DatasetError, Sample, find_by_stem
from convert.data.duplicates import conflicting, group_images
from device.inference.finding import CLASSES

_MASK = re.compile(r"^(?P<stem>.+)_mask(?:_\d+)?$")


def load_busi(folder: Path) -> list[Sample]:
    """Read BUSI from its official layout.

    Args:
        folder: The folder that holds ``benign``, ``malignant`` and ``normal``.

    Returns:
        The samples without those of conflicting duplicate groups, in the order of class and file name.

    Raises:
        DatasetError: A class folder is missing or holds no image.
    """
    found: list[tuple[str, str, Path, tuple[Path, ...]]] = []
    for name in CLASSES:
        files = find_by_stem(folder / name)
        masks: dict[str, list[Path]] = {}
        for stem, path in files.items():
            if match := _MASK.match(stem):
                masks.setdefault(match["stem"], []).append(path)
        images = {stem: path for stem, path in files.items() if not _MASK.match(stem)}
        if not images:
            raise DatasetError(f"{folder / name}: no image was found")
        found += [
            (name, stem, path, tuple(masks.get(stem, ())) if name != "normal" else ()) for stem, path in images.items()
        ]
    groups = group_images([path for _, _, path, _ in found])
    labels = {path: CLASSES.index(name) for name, _, path, _ in found}
    conflicts = conflicting(groups, labels)
    return [
        Sample(f"busi/{stem}", "busi", path, masks, CLASSES.index(name), f"busi/{groups[path]}", "busi")
        for name, stem, path, masks in found
        if groups[path] not in conflicts
    ]
