"""BUS-BRA (Gómez-Flores et al., Medical Physics 51 (2024) 3110): ``Images/bus_NNNN-s``, ``Masks/mask_NNNN-s``.

Several images belong to one case, so the case is what is kept together. The table names the scanner of every image,
which makes leaving one scanner out possible. The set has no normal images.
"""

from __future__ import annotations

import csv
from pathlib import Path

from convert.datasets.sample import DatasetError, Sample, find_by_stem
from device.inference.finding import CLASSES


def load_busbra(folder: Path) -> list[Sample]:
    """Read BUS-BRA from its official layout.

    Args:
        folder: The folder that holds ``Images``, ``Masks`` and ``bus_data.csv``.

    Raises:
        DatasetError: The table or an image that it names is missing.
    """
    table = folder / "bus_data.csv"
    if not table.is_file():
        raise DatasetError(f"{table}: the table of the data set is missing")
    images, masks = find_by_stem(folder / "Images"), find_by_stem(folder / "Masks")
    samples = []
    with table.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            stem = row["ID"]
            if stem not in images:
                raise DatasetError(f"{folder / 'Images' / stem}: the table names this image, but it is missing")
            mask = masks.get(stem.replace("bus_", "mask_"))
            samples.append(
                Sample(
                    key=f"busbra/{stem}",
                    dataset="busbra",
                    image=images[stem],
                    masks=() if mask is None else (mask,),
                    label=CLASSES.index(row["Pathology"].strip().lower()),
                    group=f"busbra/{row['Case']}",
                    scanner=row["Device"].split("@")[0].strip(),
                )
            )
    return samples
