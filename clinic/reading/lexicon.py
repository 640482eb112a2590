# SPDX-License-Identifier: Apache-2.0
"""What a reader can say: BI-RADS categories with their edition, the descriptors of the ultrasound lexicon, advice.

Descriptors are coded as DICOM codes them (PS3.16, CID 6004, 6006, 6151 to 6157); what it has no code for is left to the
note. The words on the pages are the catalogues', under ``lexicon.<kind>_<value>``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from device.dicom import report_codes
from device.dicom.report_items import Code
from device.records.exam import BiRads, BiRadsEdition


class Edition(StrEnum):
    """Which BI-RADS a category is of."""

    FIFTH = "2013"
    V2025 = "v2025"


class Advice(StrEnum):
    """What shall be done next; the field clinician reads this first."""

    ROUTINE = "routine"
    CONTROL = "control"
    IMAGING = "imaging"
    BIOPSY = "biopsy"
    TREATMENT = "treatment"


class Group(StrEnum):
    """Categories that mean the same for what happens to a woman."""

    INCOMPLETE = "incomplete"
    CLEAR = "clear"
    CONTROL = "control"
    SUSPICIOUS = "suspicious"
    PROVEN = "proven"


CATEGORIES: Final = tuple(category.value for category in BiRads)

_GROUPS: Final = {
    "0": Group.INCOMPLETE,
    "1": Group.CLEAR,
    "2": Group.CLEAR,
    "3": Group.CONTROL,
    "4A": Group.SUSPICIOUS,
    "4B": Group.SUSPICIOUS,
    "4C": Group.SUSPICIOUS,
    "5": Group.SUSPICIOUS,
    "6": Group.PROVEN,
}

_ADVICE: Final = {
    Group.INCOMPLETE: Advice.IMAGING,
    Group.CLEAR: Advice.ROUTINE,
    Group.CONTROL: Advice.CONTROL,
    Group.SUSPICIOUS: Advice.BIOPSY,
    Group.PROVEN: Advice.TREATMENT,
}

ADVICE_CODES: Final = {
    Advice.ROUTINE: Code("111140", "DCM", "Normal interval follow-up"),
    Advice.CONTROL: Code("111142", "DCM", "Follow-up at short interval (1-11 months)"),
    Advice.IMAGING: Code("16310003", "SCT", "Diagnostic ultrasonography"),
    Advice.BIOPSY: Code("111145", "DCM", "Histology using core biopsy"),
    Advice.TREATMENT: Code("111122", "DCM", "Known biopsy proven malignancy - take appropriate action"),
}
"""CID 6028."""

KINDS: Final = {
    "echotexture": Code("111350", "DCM", "Breast background echotexture"),
    "shape": Code("107644003", "SCT", "Shape finding"),
    "orientation": Code("111354", "DCM", "Orientation"),
    "margin": Code("margin", report_codes.SCHEME, "Margin"),
    "boundary": Code("111357", "DCM", "Lesion boundary"),
    "echo_pattern": Code("111360", "DCM", "Echo pattern"),
    "posterior": Code("111366", "DCM", "Posterior acoustic features"),
    "vascularity": Code("111372", "DCM", "Vascularity"),
}
"""Kinds of descriptors in the order in which they are offered."""

DESCRIPTORS: Final = {
    "echotexture": {
        "fat": Code("111351", "DCM", "Homogeneous fat echotexture"),
        "fibroglandular": Code("111352", "DCM", "Homogeneous fibroglandular echotexture"),
        "heterogeneous": Code("111353", "DCM", "Heterogeneous echotexture"),
    },
    "shape": {
        "oval": Code("84360004", "SCT", "Ovoid shape (Oval)"),
        "round": Code("42700002", "SCT", "Round shape"),
        "irregular": Code("49608001", "SCT", "Irregular"),
    },
    "orientation": {
        "parallel": Code("111355", "DCM", "Parallel"),
        "not_parallel": Code("111356", "DCM", "Not parallel"),
    },
    "margin": {
        "circumscribed": Code("129738007", "SCT", "Circumscribed lesion"),
        "indistinct": Code("129741003", "SCT", "Indistinct lesion"),
        "angular": Code("111343", "DCM", "Angular margins"),
        "microlobulated": Code("129739004", "SCT", "Microlobulated lesion"),
        "spiculated": Code("129742005", "SCT", "Spiculated lesion"),
    },
    "boundary": {
        "abrupt": Code("111358", "DCM", "Abrupt interface"),
        "halo": Code("111359", "DCM", "Echogenic halo"),
    },
    "echo_pattern": {
        "anechoic": Code("111361", "DCM", "Anechoic"),
        "hyperechoic": Code("111362", "DCM", "Hyperechoic"),
        "complex": Code("111363", "DCM", "Complex"),
        "hypoechoic": Code("111364", "DCM", "Hypoechoic"),
        "isoechoic": Code("111365", "DCM", "Isoechoic"),
    },
    "posterior": {
        "none": Code("111367", "DCM", "No posterior acoustic features"),
        "enhancement": Code("111368", "DCM", "Posterior enhancement"),
        "shadowing": Code("111369", "DCM", "Posterior shadowing"),
        "combined": Code("111370", "DCM", "Combined posterior enhancement and shadowing"),
    },
    "vascularity": {
        "absent": Code("111373", "DCM", "Vascularity not present"),
        "in_lesion": Code("111375", "DCM", "Vascularity present in lesion"),
        "rim": Code("111376", "DCM", "Vascularity present immediately adjacent to lesion"),
    },
}
"""Values by kind; the keys are what forms and the store hold."""


def group_of(category: str) -> Group:
    """What a category means for what happens next."""
    return _GROUPS[category]


def advice_for(category: str) -> Advice:
    """What usually follows from a category; the reader may say otherwise."""
    return _ADVICE[_GROUPS[category]]


def category_code(category: str, edition: Edition) -> Code:
    """A category as the report codes it, with its edition."""
    return report_codes.birads(BiRads(category), BiRadsEdition(edition.value))
