# SPDX-License-Identifier: Apache-2.0
"""BUS-UCLM (Vallez et al., Scientific Data 12 (2025)): whole screens of one scanner, several frames a patient.

The patient is what is kept together. Doppler frames and frames that show several pictures in one are left out: the
device refuses the first kind, and the second has no single sonogram. Its licence differs by source (CC BY or
CC BY-NC 4.0), so training without this set is possible and the model card says which sets were used.
"""

from __future__ import annotations

from pathlib import Path

from convert.data.datasets.sample import Row, Sample, find_by_stem, label_of, table_rows

_COLUMNS = ("file", "label", "patient", "doppler", "combined")


def load_uclm(folder: Path) -> list[Sample]:
    """Read BUS-UCLM from its layout ``images``, ``masks``, ``labels.csv``.

    Raises:
        DatasetError: The table or an image that it names is missing.
    """
    masks = find_by_stem(folder / "masks")
    samples = []
    table = folder / "labels.csv"
    for row, image in table_rows(table, folder / "images", _COLUMNS, _stem):
        label = label_of(row["label"], table)
        mask = masks.get(image.stem) if label else None
        samples.append(
            Sample(
                key=f"uclm/{image.stem}",
                dataset="uclm",
                image=image,
                masks=() if mask is None else (mask,),
                label=label,
                group=f"uclm/{row['patient']}",
                scanner="uclm",
            )
        )
    return samples


def _stem(row: Row) -> str:
    """The image of a row; empty for doppler and for several pictures in one."""
    left_out = "yes" in (row["doppler"].strip().lower(), row["combined"].strip().lower())
    return "" if left_out else Path(row["file"]).stem
