# SPDX-License-Identifier: Apache-2.0
"""What a recipe may say, and the errors of one that says something else.

A recipe is data: which pictures go in, which network or chain works on them, how it is fitted, and what its authors
published. The training path (``convert.train.recipe_fit``), the comparison (``convert.compare``) and the tests read the
same file, so what stands in the table is what ``train --recipe`` trains.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from convert.recipes.architectures import ARCHITECTURES, smallest_size
from device.inference.finding import CLASSES

Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=32, le=600)]
Width = Annotated[int, Field(ge=1, le=4096)]


class _Part(BaseModel):
    """Immutable, typed as written, no unknown keys: a typing mistake must not train something else."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Picture(_Part):
    """What the network is shown.

    Attributes:
        size: Side in pixels; the sonogram is squeezed to a square, as the published systems do.
        colour: Three equal channels, or the pseudocolour of the mammography system.
    """

    size: Side
    colour: Literal["grey", "pseudocolour"] = "grey"


class Network(_Part):
    """Which network.

    Attributes:
        architecture: One of ``convert.train.architectures``.
        weights: ``imagenet``, ``random``, or the path of a weights file.
        frozen: Whether the network stays as it is and only its head is fitted; it is then run once an image.
    """

    architecture: str
    weights: str = Field(default="imagenet", min_length=1, max_length=1024)
    frozen: bool = True

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"{self.architecture}: unknown architecture; known are {', '.join(ARCHITECTURES)}")
        return self


class Head(_Part):
    """What follows the network.

    Attributes:
        convolutions: Filters of 3x3 convolution blocks (batch norm, ReLU) on its maps.
        pool: Whether maps are averaged over their places or laid out flat.
        dense: Units of dense layers (batch norm, ReLU, dropout) before the three outputs.
        dropout: After each dense layer.
    """

    convolutions: tuple[Width, ...] = Field(default=(), max_length=8)
    pool: Literal["average", "flat"] = "average"
    dense: tuple[Width, ...] = Field(default=(), max_length=8)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Training(_Part):
    """How it is fitted: Adam on cross-entropy, weights of the best validation accuracy kept.

    Attributes:
        rate: Learning rate.
        batch: Pictures a step.
        epochs: Passes over the training part.
        augment: Mirror, small turns, zoom and contrast; not with a frozen network, which sees each picture once.
    """

    rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    batch: Annotated[int, Field(ge=1, le=1024)] = 32
    epochs: Annotated[int, Field(ge=1, le=1000)] = 30
    augment: bool = False


class Published(_Part):
    """What the authors state, for the first column of the comparison; absent where they state nothing.

    Attributes:
        claim: In a few words, with the data it is about.
        accuracy: Share of images right.
        auc: Area under the ROC curve.
        f1: By class.
        confusion: Rows actual, columns predicted, in the order of ``CLASSES``.
    """

    claim: str = Field(max_length=300)
    accuracy: Share | None = None
    auc: Share | None = None
    f1: dict[str, Share] = {}
    confusion: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]] | None = None

    @model_validator(mode="after")
    def _names_classes(self) -> Self:
        unknown = sorted(set(self.f1) - set(CLASSES))
        if unknown:
            raise ValueError(f"f1: {', '.join(unknown)} is no class; they are {', '.join(CLASSES)}")
        return self


class _Recipe(_Part):
    """What all recipes say.

    Attributes:
        name: As on the command line; the file's name.
        title: As in the table.
        source: Which published system it is, or why it is here.
        published: What the authors claim.
        cut_short: Epochs in ``compare`` where the whole training costs too much; the table marks such rows.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")
    title: str = Field(min_length=1, max_length=80)
    source: str = Field(min_length=1, max_length=400)
    published: Published | None = None
    cut_short: Annotated[int, Field(ge=1, le=1000)] | None = None


class NetworkRecipe(_Recipe):
    """A network and its head, trained by one path whatever the architecture."""

    kind: Literal["network"]
    picture: Picture
    network: Network
    head: Head = Head()
    training: Training = Training()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _require_size(self.network.architecture, self.picture.size)
        if self.network.frozen and self.training.augment:
            raise ValueError("training.augment: a frozen network sees each picture once, so there is nothing to vary")
        return self


class CadxRecipe(_Recipe):
    """Pseudocolour, deep features, PCA with a number of components chosen by elimination, RBF support vectors.

    Attributes:
        components: The largest number of components that elimination starts from.
        penalty: C of the support vector machine.
        folds: Grouped folds in which the number of components is chosen.
    """

    kind: Literal["cadx"]
    picture: Picture
    network: Network
    components: Annotated[int, Field(ge=2, le=2048)] = 404
    penalty: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    folds: Annotated[int, Field(ge=2, le=20)] = 5

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _require_size(self.network.architecture, self.picture.size)
        if not self.network.frozen:
            raise ValueError("network.frozen: the features of this chain are those of a network that is not trained")
        return self


class OutlineRecipe(_Recipe):
    """The classical chain that finds the lesion without learning; judged by its overlap with the masks.

    Attributes:
        median: Side of the median window in pixels, odd.
        wiener: Side of the Wiener filter's window, 0 leaves it out.
        edges: Which edge operator sharpens the picture before the threshold.
        deviation: Side of the window of the local standard deviation, 0 leaves it out.
    """

    kind: Literal["outline"]
    median: Annotated[int, Field(ge=1, le=31)] = 5
    wiener: Annotated[int, Field(ge=0, le=31)] = 5
    edges: Literal["sobel", "canny", "prewitt", "roberts"] = "sobel"
    deviation: Annotated[int, Field(ge=0, le=31)] = 7


class OwnRecipe(_Recipe):
    """The handheld's own network, trained and examined by the code that makes its bundles.

    Attributes:
        backbone: As ``train --network``.
        size: Side of the input.
        weights: ``imagenet``, ``random`` or a file.
        epochs: Of the training.
        pictures: An epoch.
        cut_short_pictures: An epoch, where it is cut short.
    """

    kind: Literal["mammascope"]
    backbone: str
    size: Side
    weights: str = Field(default="imagenet", min_length=1, max_length=1024)
    epochs: Annotated[int, Field(ge=1, le=1000)] = 8
    pictures: Annotated[int, Field(ge=16, le=1_000_000)] = 1800
    cut_short_pictures: Annotated[int, Field(ge=16, le=1_000_000)] = 1800


Recipe = Annotated[NetworkRecipe | CadxRecipe | OutlineRecipe | OwnRecipe, Field(discriminator="kind")]


def _require_size(architecture: str, size: int) -> None:
    smallest = smallest_size(architecture)
    if size < smallest:
        raise ValueError(f"picture.size: {architecture} needs pictures of {smallest} pixels or more")
