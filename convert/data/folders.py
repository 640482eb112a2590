# SPDX-License-Identifier: Apache-2.0
"""Which data take part: the folders that a user named, and the samples in them."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from convert.data.datasets.class_folders import remarks
from convert.data.datasets.known import KNOWN, Rights, known_set
from convert.data.datasets.sample import UNKNOWN, DatasetError, Sample
from device.arguments import any_path, refuse_old_spelling
from device.inference.finding import CLASSES


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Folders of the sets that take part; a set without a folder does not.

    Attributes:
        busi: BUSI in its official layout.
        busbra: BUS-BRA in its official layout.
        uclm: BUS-UCLM in its official layout.
        ood_images: Pictures that are no breast ultrasound: half train the breast head and set the limits, half test
            them.
        others: Further sets, name and folder (``convert.data.datasets.known``).
    """

    busi: Path | None = None
    busbra: Path | None = None
    uclm: Path | None = None
    ood_images: Path | None = None
    others: tuple[tuple[str, Path], ...] = ()

    def load(self) -> list[Sample]:
        """All samples of known class that may be trained on, sets in a fixed order.

        Raises:
            DatasetError: No set was named that may be trained on, none has an image of known class, or a folder does
                not have the layout of its set.
        """
        found = self._read(external=False)
        samples = [s for s in found if s.label != UNKNOWN]
        if not samples:
            raise DatasetError(self._why_nothing(len(found)))
        return samples

    def _why_nothing(self, unknown: int) -> str:
        folders = self.folders()
        if unknown:
            named = ", ".join(str(folder) for folder in folders.values())
            return f"{named}: none of {unknown} images is of known class; put them into folders {', '.join(CLASSES)}"
        if folders:
            return f"{', '.join(folders)}: kept for figures and never trained on; name a set that may be, too"
        return "no data set was named; give at least one of --busi, --busbra, --uclm and --set"

    def remarks(self) -> list[str]:
        """What the owner of folders of class folders should look at, a sentence each (``class_folders.remarks``).

        Raises:
            DatasetError: A folder does not have the layout of its set.
        """
        own = {name: folder for name, folder in self.folders().items() if name not in KNOWN}
        return [text for name, folder in own.items() for text in remarks(folder, known_set(name).read(folder))]

    def load_external(self) -> list[Sample]:
        """All samples that serve figures only: sets whose rights allow no more, classes known or not.

        Raises:
            DatasetError: A folder does not have the layout of its set.
        """
        return self._read(external=True)

    def folders(self) -> dict[str, Path]:
        """Folder of every set that takes part by its name, known sets first."""
        official = {"busi": self.busi, "busbra": self.busbra, "uclm": self.uclm}
        given = {name: folder for name, folder in official.items() if folder is not None} | dict(self.others)
        return {name: given[name] for name in (*KNOWN, *sorted(given.keys() - KNOWN.keys())) if name in given}

    def _read(self, external: bool) -> list[Sample]:
        chosen = {
            name: folder
            for name, folder in self.folders().items()
            if (known_set(name).rights is Rights.FIGURES_ONLY) is external
        }
        return [sample for name, folder in chosen.items() for sample in known_set(name).read(folder)]


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that name data folders."""
    group = parser.add_argument_group("data (name at least one set)")
    group.add_argument("--busi", type=any_path, metavar="DIR", help="BUSI: folder with benign, malignant and normal")
    group.add_argument(
        "--busbra", type=any_path, metavar="DIR", help="BUS-BRA: folder with Images, Masks, bus_data.csv"
    )
    group.add_argument("--uclm", type=any_path, metavar="DIR", help="BUS-UCLM: folder with images, masks, labels.csv")
    group.add_argument(
        "--set",
        type=named_folder,
        action="append",
        default=[],
        dest="sets",
        metavar="NAME=DIR",
        help=f"a further set: {', '.join(KNOWN)}, or your own, a folder of class folders",
    )
    group.add_argument(
        "--ood",
        type=any_path,
        metavar="DIR",
        help="OOD images, pictures that are no breast ultrasound: half set the OOD limits, half test them",
    )
    refuse_old_spelling(parser, {"--foreign": "--ood"})


def named_folder(text: str) -> tuple[str, Path]:
    """Name and folder of a set, as ``NAME=DIR`` on the command line.

    Raises:
        argparse.ArgumentTypeError: It is written in another way.
    """
    name, equals, folder = text.partition("=")
    if not equals or not folder or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise argparse.ArgumentTypeError(f"{text}: write NAME=DIR, the name in small letters, digits, - and _")
    return name, any_path(folder)


def folders_of(args: argparse.Namespace) -> DataFolders:
    """The folders that were given on the command line."""
    return DataFolders(args.busi, args.busbra, args.uclm, args.ood, tuple(args.sets))


def count_sets(samples: list[Sample] | tuple[Sample, ...]) -> dict[str, int]:
    """Number of images by data set."""
    return dict(sorted(Counter(sample.dataset for sample in samples).items()))
