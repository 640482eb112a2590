# SPDX-License-Identifier: Apache-2.0
"""How the words of the ultrasound lexicon are coded: DICOM's and SNOMED CT's codes where there are any.

The lists are DICOM's CID 6004 (shape), 6006 (margin), 6012 (calcifications), 6014 (findings), 6018 (places),
6028 (advice), 6151 to 6157 (the ultrasound descriptors) of PS3.16. What they lack (a heterogeneous echo pattern,
intraductal calcifications, duct changes, elasticity, two of the planes) is coded in this project's own scheme.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from device.dicom.report_codes import dcm, own, sct
from device.dicom.report_items import Code
from device.records.lesion import BreastRegion, Plane
from device.records.lexicon import (
    AssociatedFeature,
    Boundary,
    Calcifications,
    Descriptors,
    EchoPattern,
    Echotexture,
    Elasticity,
    Management,
    Margin,
    Orientation,
    PosteriorFeatures,
    Shape,
    Vascularity,
)

DISTANCE_FROM_NIPPLE = dcm("121242", "Distance from nipple")
DISTANCE_FROM_SKIN = dcm("121243", "Distance from skin")
SHORT_AXIS = sct("103340004", "Short axis")
THIRD_AXIS = own("third-axis", "Horizontal axis in the orthogonal view")
CENTIMETRE = Code("cm", "UCUM", "cm")
ADVICE = dcm("111053", "Recommended Follow-up")
IMAGE_VIEW = dcm("111031", "Image View")
CALLIPERS_IN_PICTURE = own("callipers", "The scanner's callipers are in the picture")
YES, NO = sct("373066001", "Yes"), sct("373067005", "No")
LESION_UID = own("lesion", "Lesion, the same in all its views")
ECHOTEXTURE = dcm("111350", "Breast background echotexture")

DESCRIPTORS: Final[Mapping[str, tuple[Code, Mapping[StrEnum, Code]]]] = {
    "shape": (
        sct("107644003", "Shape finding"),
        {
            Shape.OVAL: sct("84360004", "Ovoid shape (Oval)"),
            Shape.ROUND: sct("42700002", "Round shape"),
            Shape.IRREGULAR: sct("49608001", "Irregular"),
        },
    ),
    "orientation": (
        dcm("111354", "Orientation"),
        {
            Orientation.PARALLEL: dcm("111355", "Parallel"),
            Orientation.NOT_PARALLEL: dcm("111356", "Not parallel"),
        },
    ),
    "margin": (
        own("margin", "Margin"),
        {
            Margin.CIRCUMSCRIBED: sct("129738007", "Circumscribed lesion"),
            Margin.INDISTINCT: sct("129741003", "Indistinct lesion"),
            Margin.ANGULAR: dcm("111343", "Angular margins"),
            Margin.MICROLOBULATED: sct("129739004", "Microlobulated lesion"),
            Margin.SPICULATED: sct("129742005", "Spiculated lesion"),
        },
    ),
    "boundary": (
        dcm("111357", "Lesion boundary"),
        {
            Boundary.ABRUPT: dcm("111358", "Abrupt interface"),
            Boundary.ECHOGENIC_HALO: dcm("111359", "Echogenic halo"),
        },
    ),
    "echo_pattern": (
        dcm("111360", "Echo pattern"),
        {
            EchoPattern.ANECHOIC: dcm("111361", "Anechoic"),
            EchoPattern.HYPERECHOIC: dcm("111362", "Hyperechoic"),
            EchoPattern.COMPLEX: dcm("111363", "Complex"),
            EchoPattern.HYPOECHOIC: dcm("111364", "Hypoechoic"),
            EchoPattern.ISOECHOIC: dcm("111365", "Isoechoic"),
            EchoPattern.HETEROGENEOUS: own("echo-heterogen", "Heterogeneous echo pattern"),
        },
    ),
    "posterior": (
        dcm("111366", "Posterior acoustic features"),
        {
            PosteriorFeatures.NONE: dcm("111367", "No posterior acoustic features"),
            PosteriorFeatures.ENHANCEMENT: dcm("111368", "Posterior enhancement"),
            PosteriorFeatures.SHADOWING: dcm("111369", "Posterior shadowing"),
            PosteriorFeatures.COMBINED: dcm("111370", "Combined posterior enhancement and shadowing"),
        },
    ),
    "calcifications": (
        own("calcifications", "Calcifications"),
        {
            Calcifications.IN_MASS: dcm("111346", "Calcifications within a mass"),
            Calcifications.OUTSIDE_MASS: dcm("111347", "Calcifications outside of a mass"),
            Calcifications.INTRADUCTAL: own("calc-intraductal", "Intraductal calcifications"),
        },
    ),
    "associated": (
        own("associated", "Associated feature"),
        {
            AssociatedFeature.ARCHITECTURAL_DISTORTION: sct("129792006", "Architectural distortion of breast"),
            AssociatedFeature.DUCT_CHANGES: own("duct-changes", "Duct changes"),
            AssociatedFeature.SKIN_THICKENING: sct("129797000", "Skin thickening of breast"),
            AssociatedFeature.SKIN_RETRACTION: sct("129796009", "Skin retraction of breast"),
            AssociatedFeature.EDEMA: sct("79654002", "Edema"),
        },
    ),
    "vascularity": (
        dcm("111372", "Vascularity"),
        {
            Vascularity.ABSENT: dcm("111373", "Vascularity not present"),
            Vascularity.NOT_ASSESSED: dcm("111374", "Vascularity not assessed"),
            Vascularity.INTERNAL: dcm("111375", "Vascularity present in lesion"),
            Vascularity.RIM: dcm("111376", "Vascularity present immediately adjacent to lesion"),
            Vascularity.DIFFUSE: dcm("111377", "Diffusely increased vascularity in surrounding tissue"),
        },
    ),
    "elasticity": (
        own("elasticity", "Elasticity assessment"),
        {
            Elasticity.SOFT: own("elasticity-soft", "Soft"),
            Elasticity.INTERMEDIATE: own("elasticity-inter", "Intermediate"),
            Elasticity.HARD: own("elasticity-hard", "Hard"),
        },
    ),
}
"""Name and values of each field of ``Descriptors``, in the order of the report."""

ECHOTEXTURES: Final[Mapping[Echotexture, Code]] = {
    Echotexture.FAT: dcm("111351", "Homogeneous fat echotexture"),
    Echotexture.FIBROGLANDULAR: dcm("111352", "Homogeneous fibroglandular echotexture"),
    Echotexture.HETEROGENEOUS: dcm("111353", "Heterogeneous echotexture"),
}

REGIONS: Final[Mapping[BreastRegion, Code]] = {
    BreastRegion.AXILLA: sct("129791004", "Axilla region"),
    BreastRegion.AXILLARY_TAIL: sct("129785001", "Axillary tail region"),
    BreastRegion.SUBAREOLAR: sct("129784002", "Subareolar region"),
    BreastRegion.CENTRAL: sct("129786000", "Central region of breast"),
}

PLANES: Final[Mapping[Plane, Code]] = {
    Plane.RADIAL: own("radial", "Radial"),
    Plane.ANTIRADIAL: own("antiradial", "Antiradial"),
    Plane.TRANSVERSE: sct("62824007", "Transverse"),
    Plane.LONGITUDINAL: sct("38717003", "Longitudinal"),
}

MANAGEMENT: Final[Mapping[Management, Code]] = {
    Management.ROUTINE: dcm("111140", "Normal interval follow-up"),
    Management.SHORT_FOLLOW_UP: dcm("111142", "Follow-up at short interval (1-11 months)"),
    Management.MORE_ULTRASOUND: sct("16310003", "Diagnostic ultrasonography"),
    Management.MAMMOGRAPHY: dcm("111135", "Additional projections"),
    Management.COMPARE_EARLIER: dcm("111138", "Old films for comparison"),
    Management.BIOPSY_CONSIDERED: dcm("111143", "Biopsy should be considered"),
    Management.BIOPSY_STRONGLY: dcm("111148", "Biopsy should be strongly considered"),
    Management.CORE_BIOPSY: dcm("111145", "Histology using core biopsy"),
    Management.CYTOLOGY: dcm("111147", "Cytologic analysis"),
    Management.SURGEON: dcm("111410", "Surgical consult"),
    Management.ACT_ON_KNOWN_CANCER: dcm("111122", "Known biopsy proven malignancy - take appropriate action"),
}


def said(descriptors: Descriptors) -> Iterator[tuple[Code, Code]]:
    """Name and value of everything that was said, in the order of the report."""
    for field, (name, codes) in DESCRIPTORS.items():
        given: StrEnum | tuple[StrEnum, ...] | None = getattr(descriptors, field)
        words = given if isinstance(given, tuple) else () if given is None else (given,)
        yield from ((name, codes[word]) for word in words)
