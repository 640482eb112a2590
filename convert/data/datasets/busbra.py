# SPDX-License-Identifier: Apache-2.0
"""BUS-BRA (Gómez-Flores et al., Medical Physics 51 (2024) 3110): ``Images/bus_NNNN-s``, ``Masks/mask_NNNN-s``.

Several images belong to one case, so the case is what is kept together. The table names the scanner of every image,
which makes leaving one scanner out possible. The set has no normal images.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.sample import Sample, find_by_stem, label_of, table_rows

_COLUMNS = ("ID", "Case", "Pathology", "Device")


def load_busbra(folder: Path) -> list[Sample]:
    """Read BUS-BRA from its official layout.

    Args:
        folder: The folder that holds ``Images``, ``Masks`` and ``bus_data.csv``.

    Raises:
        DatasetError: The table or an image that it names is missing.
    """
    masks = find_by_stem(folder / "Masks")
    samples = []
    table = folder / "bus_data.csv"
    for row, image in table_rows(table, folder / "Images", _COLUMNS, lambda row: row["ID"]):
        mask = masks.get(image.stem.replace("bus_", "mask_"))
        samples.append(
            Sample(
                key=f"busbra/{image.stem}",
                dataset="busbra",
                image=image,
                masks=() if mask is None else (mask,),
                label=label_of(row["Pathology"], table),
                group=f"busbra/{row['Case']}",
                scanner=row["Device"].split("@")[0].strip(),
            )
        )
    return samples
