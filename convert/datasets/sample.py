"""One labelled image of a data set, and what must stay together when the data are split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.inference.finding import CLASSES

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
"""What the sets are published in, or what people convert them to; files are matched by stem, not by suffix."""


class DatasetError(ValueError):
    """A folder does not have the official layout of its data set; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled image.

    Attributes:
        key: Unique over all sets, for instance ``busi/benign (12)``.
        dataset: ``busi``, ``busbra`` or ``uclm``.
        image: The picture; masks are never used as input.
        masks: Lesion masks, united; empty for a normal image.
        label: Index into ``CLASSES``.
        group: What must not be torn apart by a split (duplicate group, case or patient), unique over all sets.
        scanner: Name of the device where the set names it, else the set's name.
    """

    key: str
    dataset: str
    image: Path
    masks: tuple[Path, ...]
    label: int
    group: str
    scanner: str

    @property
    def label_name(self) -> str:
        """The class in words."""
        return CLASSES[self.label]


def find_by_stem(folder: Path) -> dict[str, Path]:
    """The images of a folder by stem, so that converted copies of a set (JPEG for PNG) are found as well.

    Raises:
        DatasetError: The folder does not exist.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: this folder of the data set is missing")
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES}
