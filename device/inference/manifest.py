"""What a bundle says about its network: everything needed to use it, and everything one should know before doing so.

The manifest is the contract between ``convert``, which writes it, and the device, which refuses a bundle whose
manifest it does not understand word for word: an unknown key may be a limit that this software would not respect.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from device.errors import BundleMissingError, BundleSchemaError
from device.inference.finding import CLASSES

MANIFEST_NAME = "manifest.json"
SCHEMA_VERSION: Literal[1] = 1

Triple = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Preprocessing(_Part):
    """How windows are cut (``device.imaging.preprocess``).

    Attributes:
        input_size: Side of the network's input in pixels.
        margin: Side of the second look's window as a multiple of the lesion's longer side.
        smallest_window: Lower limit of that side, in pixels of the sonogram.
    """

    input_size: int = Field(ge=32, le=1024)
    margin: float = Field(gt=1.0, le=5.0)
    smallest_window: int = Field(ge=8)


class Calibration(_Part):
    """From the logits of the looks to probabilities: softmax(whole * l1 + lesion * l2 + bias).

    Where no lesion was found there is no second look, and the ``single_`` parameters are used with the first look
    alone. Fitted on the calibration part by maximum likelihood, on the outputs of the int8 network.
    """

    whole: float
    lesion: float
    bias: Triple
    single_whole: float
    single_bias: Triple


class OperatingPoint(_Part):
    """A threshold on the malignant probability and what it was chosen for.

    Attributes:
        name: For instance ``sensitivity_95``.
        malignant_threshold: Malignant when the probability is this or more.
        target_sensitivity: What it was chosen for, on the calibration part.
        sensitivity: Measured on the calibration part.
        specificity: Measured on the calibration part.
    """

    name: str
    malignant_threshold: float = Field(ge=0, le=1)
    target_sensitivity: float = Field(ge=0, le=1)
    sensitivity: float = Field(ge=0, le=1)
    specificity: float = Field(ge=0, le=1)


class Abstention(_Part):
    """Between these malignant probabilities the assessment is ``uncertain``."""

    lower: float = Field(ge=0, le=1)
    upper: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Abstention:
        if self.lower > self.upper:
            raise ValueError("the lower limit of the uncertain band lies above the upper one")
        return self


class Rejection(_Part):
    """From which distance on a frame is not taken for breast ultrasound (``device.inference.rejection``).

    Attributes:
        file: Arrays of the fitted distribution.
        limit: Largest accepted distance.
        breast_loss: Share of breast frames of the calibration part beyond the limit.
    """

    file: str
    limit: float = Field(gt=0)
    breast_loss: float = Field(ge=0, le=1)


class LesionOutline(_Part):
    """How the lesion mask becomes an outline.

    Attributes:
        threshold: Mask probability from which a place belongs to the lesion.
        smallest_share: Smallest area, as a share of the look's window, that counts as a lesion.
    """

    threshold: float = Field(gt=0, lt=1)
    smallest_share: float = Field(ge=0, lt=1)


class Training(_Part):
    """Where the network comes from.

    Attributes:
        datasets: Names of the sets, with the number of images used of each.
        split: Identifier of the split into training, calibration and test part.
        seed: Of the run.
        settings: The training plan as it was.
        software: Versions of the libraries that made it.
    """

    datasets: dict[str, int]
    split: str
    seed: int
    settings: dict[str, Any]
    software: dict[str, str]


class Manifest(_Part):
    """The whole manifest.

    Attributes:
        files: SHA-256 of every other file of the bundle except the signature, by name.
        network: Name of the int8 ``.tflite`` file.
        classes: Class order of the network's outputs; this software knows only one.
        figures: Measured figures with their confidence intervals, as the evaluation wrote them.
    """

    schema_version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    created: str
    files: dict[str, str]
    network: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    calibration: Calibration
    operating_points: tuple[OperatingPoint, ...]
    abstention: Abstention
    rejection: Rejection
    lesion: LesionOutline
    training: Training
    figures: dict[str, Any]

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        if self.classes != CLASSES:
            raise ValueError(f"classes must be {CLASSES}")
        for name in (self.network, self.rejection.file, "golden.npz"):
            if name not in self.files:
                raise ValueError(f"{name} is used but not listed in files")
        for name in self.files:
            if Path(name).name != name or name.startswith("."):
                raise ValueError(f"{name} is not a plain file name")
        return self

    @property
    def label(self) -> str:
        """``name@version``, as findings and reports carry it."""
        return f"{self.name}@{self.version}"


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a bundle.

    Raises:
        BundleMissingError: There is no manifest.
        BundleSchemaError: It is not one that this version understands; the message names the first offending key.
    """
    path = folder / MANIFEST_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BundleMissingError(folder) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleSchemaError(path, str(error)) from error
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BundleSchemaError(path, f"{place}: {first['msg']}") from error
