# SPDX-License-Identifier: Apache-2.0
"""The sets that are known by name, how each is read, and what its rights allow.

Any other name stands for a folder of class folders (``class_folders``), which its owner may train on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from convert.data.datasets.bicat import load_bicat
from convert.data.datasets.busbra import load_busbra
from convert.data.datasets.busi import load_busi
from convert.data.datasets.buv40 import load_buv40
from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.joetao300 import load_joetao300
from convert.data.datasets.oasbud import load_oasbud
from convert.data.datasets.sample import Sample
from convert.data.datasets.stu import load_stu
from convert.data.datasets.uclm import load_uclm
from convert.data.datasets.unlabelled import load_unlabelled


class Rights(StrEnum):
    """What may be made from a set."""

    FREE = "free"
    """Weights that may be used for anything."""
    NON_COMMERCIAL = "non_commercial"
    """Weights for non-commercial use; the model card says so."""
    FIGURES_ONLY = "figures_only"
    """Figures and no weights: rights are not stated, or the set is kept for judging."""


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A set that is known by name.

    Attributes:
        read: From its folder to its samples.
        rights: What may be made from it.
        title: What the set is called in the model card.
        group_is_lesion: Whether the images of a group are views of one lesion (as far as the set tells).
    """

    read: Callable[[Path], list[Sample]]
    rights: Rights
    title: str
    group_is_lesion: bool = False


KNOWN = {
    "busi": KnownSet(load_busi, Rights.FREE, "BUSI"),
    "busbra": KnownSet(load_busbra, Rights.FREE, "BUS-BRA", group_is_lesion=True),
    "uclm": KnownSet(load_uclm, Rights.NON_COMMERCIAL, "BUS-UCLM"),
    "joetao300": KnownSet(load_joetao300, Rights.FREE, "JoeTao300", group_is_lesion=True),
    "oasbud": KnownSet(load_oasbud, Rights.NON_COMMERCIAL, "OASBUD", group_is_lesion=True),
    "buv40": KnownSet(load_buv40, Rights.FIGURES_ONLY, "BUV40"),
    "bicat": KnownSet(load_bicat, Rights.FIGURES_ONLY, "BiCAT"),
    "stu": KnownSet(load_stu, Rights.FIGURES_ONLY, "STU"),
    "unlabelled": KnownSet(load_unlabelled, Rights.FIGURES_ONLY, "unlabelled"),
    # Kept for judging by others: they may be measured with, and are never trained on by mistake.
    "breast-lesions-usg": KnownSet(
        partial(load_class_folders, "breast-lesions-usg"), Rights.FIGURES_ONLY, "Breast-Lesions-USG"
    ),
    "udiat": KnownSet(partial(load_class_folders, "udiat"), Rights.FIGURES_ONLY, "UDIAT"),
}
"""By the name that ``--set`` takes; official sets come first, in the order in which splits have always seen them."""


def known_set(name: str) -> KnownSet:
    """A set by its name; one that is not known is a folder of class folders, and its owner's."""
    return KNOWN.get(name) or KnownSet(partial(load_class_folders, name), Rights.FREE, name)
