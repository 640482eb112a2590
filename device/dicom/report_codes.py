# SPDX-License-Identifier: Apache-2.0
"""The codes that the measurement report speaks in.

Standard codes where the standard has them (DICOM PS3.16, SNOMED CT, UCUM). What it has not is coded in this project's
own scheme, which the report declares: the result as the model's word, so that no program takes it for a
radiologist's; the class probabilities that are not of cancer; and the BI-RADS categories. SNOMED CT has codes for
*mammography* result categories only, and none for 4A to 4C; using them for ultrasound would say something untrue.
"""

from __future__ import annotations

from typing import Final

from device.dicom.report_items import Code
from device.inference.finding import ModelResult
from device.records.exam import BiRads, BiRadsEdition, FamilyHistory, Laterality

SCHEME: Final = "99MAMMASCOPE"
SCHEME_UID: Final = "2.25.319283427650915027344806189213487125549"
SCHEME_NAME: Final = "Mammascope codes"


def own(value: str, meaning: str) -> Code:
    """A code of the project's own scheme."""
    return Code(value, SCHEME, meaning)


def dcm(value: str, meaning: str) -> Code:
    """A code of DICOM's own terms (PS3.16)."""
    return Code(value, "DCM", meaning)


def sct(value: str, meaning: str) -> Code:
    """A code of SNOMED CT."""
    return Code(value, "SCT", meaning)


# The frame of template 1500 and of the templates that it includes (1001 to 1004, 1204, 1410, 1501, 4019).
REPORT_TITLE = dcm("126000", "Imaging Measurement Report")
LANGUAGE = dcm("121049", "Language of Content Item and Descendants")
ENGLISH = Code("en", "RFC5646", "English")
OBSERVER_TYPE = dcm("121005", "Observer Type")
PERSON = dcm("121006", "Person")
DEVICE = dcm("121007", "Device")
PERSON_NAME = dcm("121008", "Person Observer Name")
DEVICE_UID = dcm("121012", "Device Observer UID")
DEVICE_NAME = dcm("121013", "Device Observer Name")
DEVICE_MANUFACTURER = dcm("121014", "Device Observer Manufacturer")
DEVICE_MODEL = dcm("121015", "Device Observer Model Name")
DEVICE_SERIAL = dcm("121016", "Device Observer Serial Number")
DEVICE_PLACE = dcm("121017", "Device Observer Physical Location During Observation")
PROCEDURE_REPORTED = dcm("121058", "Procedure reported")
IMAGE_LIBRARY = dcm("111028", "Image Library")
IMAGE_LIBRARY_GROUP = dcm("126200", "Image Library Group")
MODALITY = dcm("121139", "Modality")
ULTRASOUND = dcm("US", "Ultrasound")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
IMAGING_MEASUREMENTS = dcm("126010", "Imaging Measurements")
MEASUREMENT_GROUP = dcm("125007", "Measurement Group")
TRACKING_IDENTIFIER = dcm("112039", "Tracking Identifier")
TRACKING_UID = dcm("112040", "Tracking Unique Identifier")
FINDING = dcm("121071", "Finding")
FINDING_SITE = sct("363698007", "Finding Site")
LATERALITY = sct("272741003", "Laterality")
TOPOGRAPHICAL_MODIFIER = sct("106233006", "Topographical modifier")
ALGORITHM_NAME = dcm("111001", "Algorithm Name")
ALGORITHM_VERSION = dcm("111003", "Algorithm Version")
ALGORITHM_MANUFACTURER = dcm("122405", "Algorithm Manufacturer")
ALGORITHM_FAMILY = dcm("111000", "Algorithm Family")
ARTIFICIAL_INTELLIGENCE = dcm("123110", "Artificial Intelligence")
IMAGE_REGION = dcm("111030", "Image Region")
SOURCE = sct("260753009", "Source")
COMMENT = dcm("121106", "Comment")

# What is said in it.
ULTRASOUND_OF_BREAST = sct("47079000", "Ultrasonography of breast")
BREAST = sct("76752008", "Breast")
LESION = sct("52988006", "Lesion")
SELECTED_REGION = dcm("111099", "Selected region")
FAMILY_HISTORY = sct("429740004", "Family history of breast cancer")
LONG_AXIS = sct("103339001", "Long axis")
DISTANCE = dcm("121206", "Distance")
ASSESSMENT_CATEGORY = dcm("111005", "Assessment Category")
MODEL_RESULT = own("model-assessment", "Model result, triage support, not a diagnosis")
MODEL_REASON = own("model-reason", "Why the view is not evaluable")
MODEL_CAUTION = own("model-caution", "Why the model's result deserves less trust")
MODEL_COMBINED = own("model-combined", "Model result over the views of a lesion, not a diagnosis")

MILLIMETRE = Code("mm", "UCUM", "mm")
PIXEL = Code("{pixels}", "UCUM", "pixels")
PERCENT = Code("%", "UCUM", "Percent")

PROBABILITY = {
    "malignant": dcm("111047", "Probability of cancer"),
    "benign": own("prob-benign", "Probability of the class benign"),
    "normal": own("prob-normal", "Probability of the class normal"),
}

RESULT = {
    ModelResult.NORMAL: sct("17621005", "Normal"),
    ModelResult.BENIGN: sct("30807003", "Benign"),
    ModelResult.MALIGNANT: sct("21594007", "Malignant"),
    ModelResult.UNCERTAIN: sct("64957009", "Uncertain"),
    ModelResult.NOT_EVALUABLE: sct("373121007", "Not Evaluated"),
}

SIDE = {Laterality.LEFT: sct("7771000", "Left"), Laterality.RIGHT: sct("24028007", "Right")}

YES_NO = {FamilyHistory.YES: sct("373066001", "Yes"), FamilyHistory.NO: sct("373067005", "No")}

_CLOCK_VALUES = (
    "129772004", "129773009", "129774003", "129775002", "129776001", "129777005",
    "129778000", "129779008", "129780006", "129781005", "129782003", "129783008",
)  # fmt: skip
CLOCK = {hour: sct(value, f"{hour} o'clock position") for hour, value in enumerate(_CLOCK_VALUES, start=1)}

_EDITION_CODES = {BiRadsEdition.E2013: "birads", BiRadsEdition.V2025: "birads-v2025"}
_EDITION_NAMES = {BiRadsEdition.E2013: "5th edition", BiRadsEdition.V2025: "v2025"}


def birads(category: BiRads, edition: BiRadsEdition) -> Code:
    """The clinician's category with the edition that it was given by."""
    meaning = f"ACR BI-RADS {_EDITION_NAMES[edition]}, category {category.value}"
    return own(f"{_EDITION_CODES[edition]}-{category.value}", meaning)


def spelled(value: str) -> Code:
    """A word of one of the project's lists as its own code; a code has 16 characters at most."""
    words = value.replace("_", " ")
    return own(value.replace("_", "-")[:16].rstrip("-"), words.capitalize())
