# SPDX-License-Identifier: Apache-2.0
"""What a bundle says about its network: everything needed to use it, and everything one should know before doing so.

The manifest is the contract between ``convert``, which writes it, and the device, which refuses a bundle whose
manifest it does not understand word for word: an unknown key may be a limit that this software would not respect.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from device.errors import BundleMissingError, BundleSchemaError
from device.files import read_bounded
from device.inference.finding import CLASSES
from device.problems import in_words

MANIFEST_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 4 * 2**20
SCHEMA_VERSION: Literal[2] = 2
"""What ``convert`` writes. Version 1 knew one network and one OOD limit; its bundles are still read."""

Triple = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Preprocessing(_Part):
    """How windows are cut (``device.imaging.preprocess``).

    Attributes:
        input_size: Side of the network's input in pixels.
        margin: Side of the second pass's window as a multiple of the lesion's longer side.
        smallest_window: Lower limit of that side, in pixels of the sonogram.
    """

    input_size: int = Field(ge=32, le=1024)
    margin: float = Field(gt=1.0, le=5.0)
    smallest_window: int = Field(ge=8)


class Calibration(_Part):
    """From the logits of the passes to probabilities: softmax(whole * l1 + lesion * l2 + bias).

    Where no lesion was found there is no second pass, and the ``single_`` parameters are used with the first pass
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
    """Between these malignant probabilities the result is ``uncertain``."""

    lower: float = Field(ge=0, le=1)
    upper: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Abstention:
        if self.lower > self.upper:
            raise ValueError("the lower limit of the uncertain band lies above the upper one")
        return self


class OodLimit(_Part):
    """From which distance on a frame is out of distribution: not breast ultrasound (``device.inference.ood.distance``).

    The manifest calls it ``rejection``.

    Attributes:
        file: Arrays of the fitted distribution.
        limit: Largest accepted distance.
        breast_loss: Share of breast frames of the calibration part beyond the limit.
    """

    file: str
    limit: float = Field(gt=0)
    breast_loss: float = Field(ge=0, le=1)


class Source(_Part):
    """How the answer "is this breast B-mode, and like that of training" is used (``device.inference.ood.source``).

    Two tiers. What is certainly something else is not evaluable; a breast that is unlike those of the training
    scanners gets its finding with a caution and with a wider uncertain band.

    Attributes:
        file: Arrays of the layers from the embedding to the log-odds of breast.
        refuse_below: Log-odds of breast under which a frame is refused.
        familiar_from: Log-odds of breast from which the source counts as in-distribution.
        familiar_distance: Distance up to which it does; at most ``rejection.limit``.
        abstention: The uncertain band of sources that get the caution.
        breast_loss: Share of breast frames of sets that took no part in training that are refused.
    """

    file: str
    refuse_below: float
    familiar_from: float
    familiar_distance: float = Field(gt=0)
    abstention: Abstention
    breast_loss: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Source:
        if self.refuse_below > self.familiar_from:
            raise ValueError("a source that is refused cannot be in-distribution")
        return self


class FurtherNetwork(_Part):
    """A network that takes part in careful consideration beside the live one.

    Attributes:
        file: The int8 ``.tflite`` file.
        golden: Its golden vectors.
        preprocessing: How windows are cut for it.
        calibration: From its logits to probabilities.
    """

    file: str
    golden: str
    preprocessing: Preprocessing
    calibration: Calibration


class Careful(_Part):
    """How a frozen frame is considered, which may take longer than a live one (``device.inference.careful``).

    Attributes:
        further: Networks beside the live one.
        mirrored: Whether every variant is also run mirrored.
        zooms: Sides of the first pass's window as multiples of the whole sonogram's longer side.
        operating_points: As of the manifest, for the averaged probabilities.
        abstention: Their uncertain band.
        spread_limit: Standard deviation of the answers' malignant log-odds from which the answer is ``uncertain``.
    """

    further: tuple[FurtherNetwork, ...] = ()
    mirrored: bool = True
    zooms: tuple[float, ...] = Field(default=(1.0,), min_length=1, max_length=4)
    operating_points: tuple[OperatingPoint, ...]
    abstention: Abstention
    spread_limit: float = Field(gt=0)


class Views(_Part):
    """Limits for the averaged log-odds of two or more views of one lesion (``device.inference.views``)."""

    operating_point: OperatingPoint
    abstention: Abstention


class LesionOutline(_Part):
    """How the lesion mask becomes an outline.

    Attributes:
        threshold: Mask probability from which a place belongs to the lesion.
        smallest_share: Smallest area, as a share of the pass's window, that counts as a lesion.
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
        source: Two tiers of OOD pictures; ``None`` for bundles of schema 1, which know one limit.
        careful: How a frozen frame is considered; ``None`` where live and frozen are looked at alike.
        views: Limits for several views of a lesion.
    """

    schema_version: Literal[1, 2]
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
    rejection: OodLimit
    lesion: LesionOutline
    training: Training
    figures: dict[str, Any]
    source: Source | None = None
    careful: Careful | None = None
    views: Views | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        if self.classes != CLASSES:
            raise ValueError(f"classes must be {CLASSES}")
        if self.schema_version == 1 and (self.source or self.careful or self.views):
            raise ValueError("source, careful and views need schema_version 2")
        for name in self.used_files:
            if name not in self.files:
                raise ValueError(f"{name} is used but not listed in files")
        for name in self.files:
            if Path(name).name != name or name.startswith("."):
                raise ValueError(f"{name} is not a plain file name")
        return self

    @property
    def used_files(self) -> tuple[str, ...]:
        """The files that cannot be missing."""
        further = self.careful.further if self.careful else ()
        return (
            self.network,
            self.rejection.file,
            "golden.npz",
            *([self.source.file] if self.source else []),
            *(name for network in further for name in (network.file, network.golden)),
        )

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
    return parse_manifest(folder, manifest_content(folder))


def manifest_content(folder: Path) -> bytes:
    """The bytes of a bundle's manifest, which its signature is of.

    Raises:
        BundleMissingError: There is no manifest.
        BundleSchemaError: It cannot be read.
    """
    path = folder / MANIFEST_NAME
    try:
        return read_bounded(path, MAX_MANIFEST_BYTES)
    except FileNotFoundError:
        raise BundleMissingError(folder) from None
    except OSError as error:
        raise BundleSchemaError(path, str(error.strerror)) from error


def parse_manifest(folder: Path, content: bytes) -> Manifest:
    """The manifest in the content of its file.

    Raises:
        BundleSchemaError: It is not one that this version understands; the message names the first offending key.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BundleSchemaError(path, str(error)) from error
    except ValidationError as error:
        raise BundleSchemaError(path, in_words(error)) from error
