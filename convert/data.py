"""Which data take part: the folders that a user named, and the samples in them."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from convert.datasets.busbra import load_busbra
from convert.datasets.busi import load_busi
from convert.datasets.sample import DatasetError, Sample
from convert.datasets.uclm import load_uclm


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Folders of the public sets, each in its official layout; a set without a folder does not take part.

    Attributes:
        foreign: Pictures that are no breast ultrasound, for the rejection limit and its figures; never trained on.
    """

    busi: Path | None = None
    busbra: Path | None = None
    uclm: Path | None = None
    foreign: Path | None = None

    def load(self) -> list[Sample]:
        """All samples, sets in a fixed order.

        Raises:
            DatasetError: No set was named, or a folder does not have the layout of its set.
        """
        readers = ((load_busi, self.busi), (load_busbra, self.busbra), (load_uclm, self.uclm))
        samples = [sample for read, folder in readers if folder is not None for sample in read(folder)]
        if not samples:
            raise DatasetError("no data set was named; give at least one of --busi, --busbra and --uclm")
        return samples


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that name data folders."""
    group = parser.add_argument_group("data (official layouts; name at least one set)")
    group.add_argument("--busi", type=Path, metavar="DIR", help="BUSI: folder with benign, malignant and normal")
    group.add_argument("--busbra", type=Path, metavar="DIR", help="BUS-BRA: folder with Images, Masks, bus_data.csv")
    group.add_argument("--uclm", type=Path, metavar="DIR", help="BUS-UCLM: folder with images, masks, labels.csv")
    group.add_argument(
        "--foreign",
        type=Path,
        metavar="DIR",
        help="pictures that are no breast ultrasound: half set the rejection limit, half test it",
    )


def folders_of(args: argparse.Namespace) -> DataFolders:
    """The folders that were given on the command line."""
    return DataFolders(args.busi, args.busbra, args.uclm, args.foreign)


def count_sets(samples: list[Sample] | tuple[Sample, ...]) -> dict[str, int]:
    """Number of images by data set."""
    return dict(sorted(Counter(sample.dataset for sample in samples).items()))
