"""Draws every screen in every language, on every panel and in both themes, to be looked at by a person.

    python -m tests.system.make_gallery                 # the sheets of docs/screens/, and the picture of the README
    python -m tests.system.make_gallery --all FOLDER    # one large sheet for each language, panel and theme as well

The program is the real one on records made here; every picture is the phantom's, with the finding of the shipped model.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pygame
from PIL import Image, ImageDraw

from device.ui.locale import LANGUAGES
from device.ui.testing import SIZES, Driver
from tests.system.gallery_screens import Gallery

Look = tuple[str, tuple[int, int], str]
CHECKOUT = Path(__file__).resolve().parents[2]
LABEL = 14
QUALITY = 40
SMALLEST = SIZES[0]
LONGEST_WORDS = "ta"


def main() -> None:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="also one large sheet a language, panel and theme")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "docs" / "screens", help="default: %(default)s")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        gallery = Gallery(Path(folder))
        for language, size, theme in looks(everything=args.all is not None):
            pictures = dict(_draw(gallery, language, size, theme))
            name = f"{language}-{size[0]}x{size[1]}-{theme}"
            print(f"{name}: {len(pictures)} screens", flush=True)
            if args.all is not None:
                args.all.mkdir(parents=True, exist_ok=True)
                _sheet(pictures, 400 if size[0] > size[1] else 260, 5).save(args.all / f"{name}.jpg", quality=70)
            if (language, size, theme) in set(looks(everything=False)):
                width, columns = (200, 7) if size[0] > size[1] else (110, 12)
                _sheet(pictures, width, columns).save(args.out / f"{name}.jpg", quality=QUALITY, optimize=True)
            if (language, size, theme) == ("en", SMALLEST, "dark"):
                pictures["view"].save(args.out / "view.png", optimize=True)


def looks(*, everything: bool) -> Iterator[Look]:
    """Language, panel and theme: all of them, or those whose sheets are small enough to be kept."""
    if everything:
        yield from ((lang, size, theme) for lang in LANGUAGES for size in SIZES for theme in ("dark", "light"))
        return
    yield "en", SMALLEST, "dark"
    for number, language in enumerate(LANGUAGES):
        yield language, SMALLEST, ("light", "dark")[number % 2]
    for number, size in enumerate(SIZES[1:]):
        yield LONGEST_WORDS, size, ("light", "dark")[number % 2]


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
