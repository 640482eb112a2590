# SPDX-License-Identifier: Apache-2.0
"""Draws the pages of the clinic that the documents show, in a real browser, into docs/clinic/.

    python -m tests.system.make_clinic_pictures           # needs chromium, chromium-driver, orthanc, nginx
    python -m tests.system.make_clinic_pictures FOLDER    # somewhere else, to be looked at

Every exam is a phantom's, with the finding of the shipped model; the servers are the real ones.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from tests.clinic.whole_clinic import Running
from tests.system.clinic_browser import Person
from tests.system.clinic_day import Day

CHECKOUT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = CHECKOUT / "docs" / "clinic"
READER: Final = {
    "worklist": "/?tab=all",
    "blind": "/exams/{blind}",
    "decide": "/exams/{deciding}",
    "lesions": "/exams/{read}",
}
TECHNICIAN: Final = {"follow-up": "/follow-up", "planned": "/planned", "people": "/people", "result": "{result}"}
GREYS: Final = (64, 32, 20, 12)
"""Levels of grey that are tried one after the other: speckle is what makes a picture large."""
COLOURS: Final = 48
LARGEST: Final = 150_000
"""Bytes of a picture in the repository."""


def main() -> None:
    """Start a clinic in the middle of its day, and take its pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as browsers:
        place = Path(name)
        with Running(CHECKOUT, place / "state") as running:
            day = Day(running, f"https://localhost:{running.ports[2]}", browsers)
            day.upload(place)
            for person, pages in ((day.reader, READER), (day.technician, TECHNICIAN)):
                for picture, page in pages.items():
                    take(person, page.format(**day.places), folder / f"{picture}.png")


def take(person: Person, page: str, path: Path) -> None:
    """What a desktop's window shows of a page, with as many colours as the repository has room for.

    Raises:
        ValueError: It is too large for the repository.
    """
    person.open(page)
    person.wait_for_pictures()
    person.picture(path, whole=False)
    with Image.open(path) as opened:
        taken = opened.convert("RGB")
    for greys in GREYS:
        taken.quantize(palette=palette_of(taken, greys), dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            return
    raise ValueError(f"{path.name} has {path.stat().st_size} bytes")


def palette_of(taken: Image.Image, greys: int) -> Image.Image:
    """The colours of what is drawn and written, and a few greys for the tissue."""
    pixels = np.asarray(taken).reshape(-1, 3)
    coloured = pixels[np.ptp(pixels, axis=1) > 10]
    chosen = np.zeros((0, 3), np.uint8)
    if len(coloured):
        found = Image.fromarray(coloured[None]).quantize(COLOURS, dither=Image.Dither.NONE).getpalette() or []
        chosen = np.array(found, np.uint8).reshape(-1, 3)[:COLOURS]
    ramp = np.linspace(0, 255, greys).round().astype(np.uint8)
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([chosen, np.stack([ramp] * 3, axis=1)]).ravel().tolist())
    return palette


if __name__ == "__main__":
    main()
