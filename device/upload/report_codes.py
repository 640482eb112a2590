"""The codes that the measurement report speaks in.

Standard codes where the standard has them (DICOM PS3.16, SNOMED CT, UCUM). What it has not is coded in this project's
own scheme, which the report declares: the assessment as the model's word, so that no program takes it for a
radiologist's; the class probabilities that are not of cancer; and the BI-RADS categories. SNOMED CT has codes for
*mammography* assessment categories only, and none for 4A to 4C; using them for ultrasound would say something untrue.
"""

from __future__ import annotations

from typing import Final

from device.inference.finding import Assessment
from device.records.exam import BiRads, FamilyHistory, Laterality
from device.upload.report_items import Code

SCHEME: Final = "99MAMMASCOPE"
SCHEME_UID: Final = "2.25.319283427650915027344806189213487125549"
SCHEME_NAME: Final = "Mammascope codes"


def _own(value: str, meaning: str) -> Code:
    return Code(value, SCHEME, meaning)


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


def _sct(value: str, meaning: str) -> Code:
    return Code(value, "SCT", meaning)


# The frame of template 1500 and of the templates that it includes (1001 to 1004, 1204, 1410, 1501, 4019).
REPORT_TITLE = _dcm("126000", "Imaging Measurement Report")
LANGUAGE = _dcm("121049", "Language of Content Item and Descendants")
ENGLISH = Code("en", "RFC5646", "English")
OBSERVER_TYPE = _dcm("121005", "Observer Type")
PERSON = _dcm("121006", "Person")
DEVICE = _dcm("121007", "Device")
PERSON_NAME = _dcm("121008", "Person Observer Name")
DEVICE_UID = _dcm("121012", "Device Observer UID")
DEVICE_NAME = _dcm("121013", "Device Observer Name")
DEVICE_MANUFACTURER = _dcm("121014", "Device Observer Manufacturer")
DEVICE_MODEL = _dcm("121015", "Device Observer Model Name")
DEVICE_SERIAL = _dcm("121016", "Device Observer Serial Number")
DEVICE_PLACE = _dcm("121017", "Device Observer Physical Location During Observation")
PROCEDURE_REPORTED = _dcm("121058", "Procedure reported")
IMAGING_MEASUREMENTS = _dcm("126010", "Imaging Measurements")
MEASUREMENT_GROUP = _dcm("125007", "Measurement Group")
TRACKING_IDENTIFIER = _dcm("112039", "Tracking Identifier")
TRACKING_UID = _dcm("112040", "Tracking Unique Identifier")
FINDING = _dcm("121071", "Finding")
FINDING_SITE = _sct("363698007", "Finding Site")
LATERALITY = _sct("272741003", "Laterality")
TOPOGRAPHICAL_MODIFIER = _sct("106233006", "Topographical modifier")
ALGORITHM_NAME = _dcm("111001", "Algorithm Name")
ALGORITHM_VERSION = _dcm("111003", "Algorithm Version")
ALGORITHM_MANUFACTURER = _dcm("122405", "Algorithm Manufacturer")
ALGORITHM_FAMILY = _dcm("111000", "Algorithm Family")
ARTIFICIAL_INTELLIGENCE = _dcm("123110", "Artificial Intelligence")
IMAGE_REGION = _dcm("111030", "Image Region")
SOURCE = _sct("260753009", "Source")
SOURCE_OF_MEASUREMENT = _dcm("121112", "Source of Measurement")
COMMENT = _dcm("121106", "Comment")

# What is said in it.
ULTRASOUND_OF_BREAST = _sct("47079000", "Ultrasonography of breast")
BREAST = _sct("76752008", "Breast")
LESION = _sct("52988006", "Lesion")
FAMILY_HISTORY = _sct("429740004", "Family history of breast cancer")
LONG_AXIS = _sct("103339001", "Long axis")
DISTANCE = _dcm("121206", "Distance")
ASSESSMENT_CATEGORY = _dcm("111005", "Assessment Category")
MODEL_ASSESSMENT = _own("model-assessment", "Model assessment, triage support, not a diagnosis")
MODEL_REASON = _own("model-reason", "Why the view is not evaluable")

MILLIMETRE = Code("mm", "UCUM", "mm")
PIXEL = Code("{pixels}", "UCUM", "pixels")
PERCENT = Code("%", "UCUM", "Percent")

PROBABILITY = {
    "malignant": _dcm("111047", "Probability of cancer"),
    "benign": _own("prob-benign", "Probability of the class benign"),
    "normal": _own("prob-normal", "Probability of the class normal"),
}

ASSESSMENT = {
    Assessment.NORMAL: _sct("17621005", "Normal"),
    Assessment.BENIGN: _sct("30807003", "Benign"),
    Assessment.MALIGNANT: _sct("21594007", "Malignant"),
    Assessment.UNCERTAIN: _sct("64957009", "Uncertain"),
    Assessment.NOT_EVALUABLE: _sct("373121007", "Not Evaluated"),
}

SIDE = {Laterality.LEFT: _sct("7771000", "Left"), Laterality.RIGHT: _sct("24028007", "Right")}

YES_NO = {FamilyHistory.YES: _sct("373066001", "Yes"), FamilyHistory.NO: _sct("373067005", "No")}

_CLOCK_VALUES = (
    "129772004", "129773009", "129774003", "129775002", "129776001", "129777005",
    "129778000", "129779008", "129780006", "129781005", "129782003", "129783008",
)  # fmt: skip
CLOCK = {hour: _sct(value, f"{hour} o'clock position") for hour, value in enumerate(_CLOCK_VALUES, start=1)}

BIRADS = {
    category: _own(f"birads-{category.value}", f"ACR BI-RADS 5th edition, category {category.value}")
    for category in BiRads
}


def reason(value: str) -> Code:
    """Why a view is not evaluable, as this project's code; a code has 16 characters at most."""
    words = value.replace("_", " ")
    return _own(value.replace("_", "-")[:16].rstrip("-"), words.capitalize())
