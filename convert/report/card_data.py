# SPDX-License-Identifier: Apache-2.0
"""What the model card says of the public data sets, by the names that this project gives them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataSet:
    """One public data set.

    Attributes:
        name: As its authors write it.
        citation: Where it is described.
        terms: Under which terms it may be used.
        known: What is known about it that limits what a model can learn from it.
    """

    name: str
    citation: str
    terms: str
    known: str


DATA_SETS = {
    "busi": DataSet(
        "BUSI",
        "W. Al-Dhabyani, M. Gomaa, H. Khaled, A. Fahmy: Dataset of breast ultrasound images. Data in Brief 28 (2020) "
        "104863. Its faults: A. Pawłowska, P. Karwat, N. Żołek, Data in Brief 48 (2023) 109247",
        "free use with citation",
        "many images have a near copy, some carry callipers or text, some show the axilla; there is no patient number. "
        "Near copies are kept together, and groups of them that carry two labels are left out",
    ),
    "busbra": DataSet(
        "BUS-BRA",
        "W. Gómez-Flores, M. J. Gregorio-Calas, W. Coelho de Albuquerque Pereira: BUS-BRA. Medical Physics "
        "51 (2024) 3110",
        "permissive licence with citation, in the set's LICENSE.txt",
        "several images of one case are kept together; no normal images; callipers and Portuguese text on some images",
    ),
    "uclm": DataSet(
        "BUS-UCLM",
        "N. Vallez et al.: BUS-UCLM: Breast ultrasound lesion segmentation dataset. Scientific Data 12 (2025)",
        "CC BY 4.0 or CC BY-NC 4.0 depending on where it is obtained: treated as non-commercial",
        "whole screens of one scanner; the frames of a patient are kept together; most normal frames come from "
        "patients who also have a lesion; some frames are doppler or several pictures in one",
    ),
    "joetao300": DataSet(
        "JoeTao300",
        "JoeTao-097: Multi-REZ-Evaluation, images of a reader study (repository of that name)",
        "Apache-2.0",
        "several scanners; callipers, body marks and Chinese text are burned in; proven by pathology according to its "
        "table; lesions are not outlined. The patient is kept together",
    ),
    "oasbud": DataSet(
        "OASBUD",
        "H. Piotrzkowska-Wróblewska, K. Dobruch-Sobczak, M. Byra, A. Nowicki: Open access database of raw ultrasonic "
        "signals acquired from malignant and benign breast lesions. Medical Physics 44 (2017) 6105",
        "CC BY-NC 4.0 as remembered, not verified: treated as non-commercial",
        "pictures made from raw echoes, unlike those of other scanners; two views of a lesion are kept together; the "
        "classes of this copy come second-hand",
    ),
    "buv40": DataSet(
        "BUV40",
        "Z. Lin et al.: A new dataset and a baseline model for breast lesion detection in ultrasound videos. "
        "MICCAI 2022",
        "not stated: figures only",
        "single frames of videos; no outlines",
    ),
    "bicat": DataSet(
        "BiCAT", "not published here", "doubtful: figures only", "screening of one centre; categories of a reader"
    ),
    "stu": DataSet("STU", "STU-Hospital", "not stated: figures only", "42 outlined lesions, 128 by 128 pixels"),
    "unlabelled": DataSet(
        "unlabelled", "five sources", "not stated for most: figures only", "screens of many scanners"
    ),
}

NON_COMMERCIAL = ("uclm", "oasbud")
"""Sets whose terms make every model that was trained on them non-commercial."""


def describe(name: str) -> DataSet:
    """A set by its short name; a set that is not known here is the user's own."""
    return DATA_SETS.get(
        name, DataSet(name, "not published", "as its owner says", "nothing is recorded about this set")
    )
