# SPDX-License-Identifier: Apache-2.0
"""The words of breast ultrasound: categories with their edition, descriptors, and what is advised.

The descriptors are those of the ACR BI-RADS ultrasound lexicon, and where DICOM lists words that the lexicon has
dropped or not yet taken (boundary, background echotexture), those too. Each word has a code in DICOM's terms, see
``device.dicom.lesion_codes``. The human chooses; nothing here comes from the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BiRads(StrEnum):
    """The clinician's own category (ACR BI-RADS, with the subdivision of category 4)."""

    INCOMPLETE = "0"
    NEGATIVE = "1"
    BENIGN = "2"
    PROBABLY_BENIGN = "3"
    SUSPICIOUS_LOW = "4A"
    SUSPICIOUS_MODERATE = "4B"
    SUSPICIOUS_HIGH = "4C"
    HIGHLY_SUGGESTIVE = "5"
    PROVEN = "6"


class BiRadsEdition(StrEnum):
    """Which edition of BI-RADS a category was given by."""

    E2013 = "2013"
    """The 5th edition."""
    V2025 = "v2025"


class Shape(StrEnum):
    """Shape of a mass."""

    OVAL = "oval"
    ROUND = "round"
    IRREGULAR = "irregular"


class Orientation(StrEnum):
    """How a mass lies to the skin."""

    PARALLEL = "parallel"
    NOT_PARALLEL = "not_parallel"


class Margin(StrEnum):
    """Edge of a mass; all but the first are not circumscribed."""

    CIRCUMSCRIBED = "circumscribed"
    INDISTINCT = "indistinct"
    ANGULAR = "angular"
    MICROLOBULATED = "microlobulated"
    SPICULATED = "spiculated"


class Boundary(StrEnum):
    """Passage from the mass to the tissue around it."""

    ABRUPT = "abrupt"
    ECHOGENIC_HALO = "echogenic_halo"


class EchoPattern(StrEnum):
    """Echoes inside a mass, compared with fat."""

    ANECHOIC = "anechoic"
    HYPERECHOIC = "hyperechoic"
    COMPLEX = "complex"
    """Cystic and solid."""
    HYPOECHOIC = "hypoechoic"
    ISOECHOIC = "isoechoic"
    HETEROGENEOUS = "heterogeneous"


class PosteriorFeatures(StrEnum):
    """What the sound does behind a mass."""

    NONE = "none"
    ENHANCEMENT = "enhancement"
    SHADOWING = "shadowing"
    COMBINED = "combined"


class Calcifications(StrEnum):
    """Where calcifications lie."""

    IN_MASS = "in_mass"
    OUTSIDE_MASS = "outside_mass"
    INTRADUCTAL = "intraductal"


class AssociatedFeature(StrEnum):
    """What else is seen around a lesion."""

    ARCHITECTURAL_DISTORTION = "architectural_distortion"
    DUCT_CHANGES = "duct_changes"
    SKIN_THICKENING = "skin_thickening"
    SKIN_RETRACTION = "skin_retraction"
    EDEMA = "edema"


class Vascularity(StrEnum):
    """Vessels, by the scanner's doppler."""

    ABSENT = "absent"
    INTERNAL = "internal"
    RIM = "rim"
    DIFFUSE = "diffuse"
    """More vessels in the tissue around it."""
    NOT_ASSESSED = "not_assessed"


class Elasticity(StrEnum):
    """Stiffness, by the scanner's elastography."""

    SOFT = "soft"
    INTERMEDIATE = "intermediate"
    HARD = "hard"


class Echotexture(StrEnum):
    """Background echotexture of the breast, a property of the breast and not of a lesion."""

    FAT = "fat"
    FIBROGLANDULAR = "fibroglandular"
    HETEROGENEOUS = "heterogeneous"


class Management(StrEnum):
    """What the clinician advises."""

    ROUTINE = "routine"
    SHORT_FOLLOW_UP = "short_follow_up"
    MORE_ULTRASOUND = "more_ultrasound"
    MAMMOGRAPHY = "mammography"
    COMPARE_EARLIER = "compare_earlier"
    BIOPSY_CONSIDERED = "biopsy_considered"
    BIOPSY_STRONGLY = "biopsy_strongly"
    CORE_BIOPSY = "core_biopsy"
    CYTOLOGY = "cytology"
    SURGEON = "surgeon"
    ACT_ON_KNOWN_CANCER = "act_on_known_cancer"


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What a lesion looks like in the words of the lexicon; ``None`` and empty where nothing was said."""

    shape: Shape | None = None
    orientation: Orientation | None = None
    margin: Margin | None = None
    boundary: Boundary | None = None
    echo_pattern: EchoPattern | None = None
    posterior: PosteriorFeatures | None = None
    calcifications: tuple[Calcifications, ...] = ()
    associated: tuple[AssociatedFeature, ...] = ()
    vascularity: Vascularity | None = None
    elasticity: Elasticity | None = None
