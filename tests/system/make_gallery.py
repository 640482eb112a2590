# SPDX-License-Identifier: Apache-2.0
"""Draws every screen in every language, on every panel and in both themes, to be looked at by a person.

    python -m tests.system.make_gallery                 # sheets of all screens, in out/screens/ (not in the repository)
    python -m tests.system.make_gallery --documents     # the seven pictures of the documents, in docs/screens/

The program is the real one on records made here; every picture is the phantom's, with the finding of the shipped model.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pygame
from PIL import Image, ImageDraw

from device.words import LANGUAGES
from tests.device.ui.driver import SIZES, Driver
from tests.system.gallery_screens import Gallery

CHECKOUT = Path(__file__).resolve().parents[2]
LABEL = 14
QUALITY = 70

DOCUMENTED: Final = {
    "home, exams waiting": "home",
    "live": "live",
    "view": "view",
    "exam_summary": "exam",
    "clinic, no network": "clinic",
    "exam_detail, answered": "answer",
}
"""The screens that the documents show, and the names of their pictures; the seventh is the first page of a report."""

REPORT_DPI: Final = 80


def main() -> None:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", action="store_true", help="only the seven pictures of docs/screens/")
    parser.add_argument("--out", type=Path, help="another folder than out/screens/ or docs/screens/")
    args = parser.parse_args()
    out = args.out or CHECKOUT / ("docs" if args.documents else "out") / "screens"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        gallery = Gallery(Path(folder))
        if args.documents:
            _documents(gallery, out)
        else:
            _sheets(gallery, out)


def _documents(gallery: Gallery, out: Path) -> None:
    """The seven pictures at full size: the smallest panel, dark, English; and the report that was exported from it."""
    for name, picture in _draw(gallery, "en", SIZES[0], "dark"):
        if name in DOCUMENTED:
            picture.save(out / f"{DOCUMENTED[name]}.png", optimize=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page"
        # Poppler's program: nothing that the project installs turns a PDF into pixels.
        command = ["pdftoppm", "-r", str(REPORT_DPI), "-singlefile", "-png", str(gallery.report()), str(page)]
        subprocess.run(command, check=True)
        with Image.open(page.with_suffix(".png")) as drawn:
            drawn.convert("L").save(out / "report.png", optimize=True)


def _sheets(gallery: Gallery, out: Path) -> None:
    """One large sheet for each language, panel and theme."""
    for language in LANGUAGES:
        for size in SIZES:
            for theme in ("dark", "light"):
                pictures = dict(_draw(gallery, language, size, theme))
                name = f"{language}-{size[0]}x{size[1]}-{theme}"
                print(f"{name}: {len(pictures)} screens", flush=True)
                _sheet(pictures, 400 if size[0] > size[1] else 260, 5).save(out / f"{name}.jpg", quality=QUALITY)


def _draw(gallery: Gallery, language: str, size: tuple[int, int], theme: str) -> Iterator[tuple[str, Image.Image]]:
    with Driver(gallery.services(), size, language=language, theme=theme) as driver:
        for name in gallery.walk(driver):
            surface = driver.picture()
            yield name, Image.frombytes("RGB", surface.get_size(), pygame.image.tobytes(surface, "RGB"))


def _sheet(pictures: dict[str, Image.Image], width: int, columns: int) -> Image.Image:
    """All pictures side by side, each with its name."""
    first = next(iter(pictures.values()))
    height = round(first.height * width / first.width)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 4), rows * (height + LABEL + 4)), (90, 90, 90))
    pen = ImageDraw.Draw(sheet)
    for number, (name, picture) in enumerate(pictures.items()):
        x, y = number % columns * (width + 4) + 2, number // columns * (height + LABEL + 4) + 2
        pen.text((x, y), name, fill=(255, 255, 255))
        sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (x, y + LABEL))
    return sheet


if __name__ == "__main__":
    main()
