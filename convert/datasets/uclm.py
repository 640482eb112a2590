"""BUS-UCLM (Vallez et al., Scientific Data 12 (2025)): whole screens of one scanner, several frames a patient.

The patient is what is kept together. Doppler frames and frames that show several pictures in one are left out: the
device refuses the first kind, and the second has no single sonogram. Its licence differs by source (CC BY or
CC BY-NC 4.0), so training without this set is possible and the model card says which sets were used.
"""

from __future__ import annotations

import csv
from pathlib import Path

from convert.datasets.sample import DatasetError, Sample, find_by_stem
from device.inference.finding import CLASSES


def load_uclm(folder: Path) -> list[Sample]:
    """Read BUS-UCLM from its layout ``images``, ``masks``, ``labels.csv``.

    Raises:
        DatasetError: The table or an image that it names is missing.
    """
    table = folder / "labels.csv"
    if not table.is_file():
        raise DatasetError(f"{table}: the table of the data set is missing")
    images, masks = find_by_stem(folder / "images"), find_by_stem(folder / "masks")
    samples = []
    with table.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["doppler"].strip().lower() == "yes" or row["combined"].strip().lower() == "yes":
                continue
            stem = Path(row["file"]).stem
            if stem not in images:
                raise DatasetError(f"{folder / 'images' / stem}: the table names this image, but it is missing")
            label = CLASSES.index(row["label"].strip().lower())
            mask = masks.get(stem) if label else None
            samples.append(
                Sample(
                    key=f"uclm/{stem}",
                    dataset="uclm",
                    image=images[stem],
                    masks=() if mask is None else (mask,),
                    label=label,
                    group=f"uclm/{row['patient']}",
                    scanner="uclm",
                )
            )
    return samples
