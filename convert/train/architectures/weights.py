# SPDX-License-Identifier: Apache-2.0
"""Which weights a network begins with: from a file, ImageNet's by Keras' download, or random; the table says which.

``imagenet`` needs a network connection once (Keras keeps what it downloads). Without one, training stops with one
sentence: it never continues with other weights than those asked for. The comparison, which runs a dozen networks on any
machine, may continue with random ones, and says so in the row.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class WeightsError(ValueError):
    """The weights that were asked for cannot be had; the message says what can be done."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a network's first weights come from.

    Attributes:
        kind: ``imagenet``, ``random`` or ``file``.
        path: Of the file.
        digest: Of its content, so that a result belongs to it wherever it lies.
    """

    kind: str
    path: str = ""
    digest: str = ""

    @property
    def label(self) -> str:
        """As the table says it."""
        return f"ImageNet (file {Path(self.path).name})" if self.kind == "file" else {"imagenet": "ImageNet"}.get(
            self.kind, "random"
        )  # fmt: skip


def weights_file(path: Path) -> Weights:
    """A file's weights.

    Raises:
        WeightsError: It cannot be read.
    """
    try:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: this weights file cannot be read ({error.strerror})") from error
    return Weights("file", str(path), content[:16])


def wanted_weights(architecture: str, wanted: str, folder: Path | None = None) -> Weights:
    """What a recipe's ``weights`` means here.

    Args:
        architecture: Whose.
        wanted: ``imagenet``, ``random`` or a file.
        folder: Holds weights files that begin with the architecture's name; they stand for ``imagenet``.

    Raises:
        WeightsError: The file cannot be read.
    """
    if wanted == "random":
        return Weights("random")
    if wanted != "imagenet":
        return weights_file(Path(wanted))
    found = sorted(folder.glob(f"{architecture}_*.weights.h5")) if folder is not None else []
    return weights_file(found[0]) if found else Weights("imagenet")


def available_weights(architecture: str, wanted: str, folder: Path | None = None) -> Weights:
    """The same, but random where ImageNet's cannot be had here: for the comparison, which names them in the row.

    Raises:
        WeightsError: A file was asked for and cannot be read.
    """
    from convert.train.architectures.table import TABLE

    weights = wanted_weights(architecture, wanted, folder)
    if weights.kind != "imagenet":
        return weights
    published = TABLE[architecture].published
    if published is None:
        return Weights("random")
    # One refusal is enough to know that there is no connection; what Keras has kept is found without one.
    if _without_connection and not _kept_by_keras():
        return Weights("random")
    try:
        downloaded(published, (224, 224, 3), TABLE[architecture].title)
    except WeightsError:
        _without_connection.append(architecture)
        return Weights("random")
    return weights


_without_connection: list[str] = []
"""Networks whose weights could not be downloaded by this process."""


def _kept_by_keras() -> bool:
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    return folder.is_dir() and any(folder.iterdir())


def downloaded(make: Any, shape: tuple[int, int, int], title: str) -> Any:
    """A network with the weights that Keras downloads.

    Raises:
        WeightsError: There is no connection, or the server does not have them.
    """
    try:
        return make(shape)
    except Exception as error:
        # Keras raises a bare Exception whose text begins like this; anything else is not about the network.
        if not str(error).startswith("URL fetch failure"):
            raise
        raise WeightsError(no_connection(title)) from error


def no_connection(title: str) -> str:
    """The message for a user without a connection."""
    return (
        f"the ImageNet weights of {title} cannot be downloaded: no connection to Keras' server. Connect once, or name "
        "a weights file (.weights.h5 without head), or `random`; README says where a file comes from"
    )
