# SPDX-License-Identifier: Apache-2.0
"""Draws the rooms of ``device`` and the arrows between them from the imports themselves, as Mermaid.

    python -m tests.draw_rooms            # print the figure
    python -m tests.draw_rooms --write    # put it into docs/architecture.md

An arrow points from the room that imports to the room that it uses. To keep the figure readable the foundation (what
nearly everything stands on) is one box without arrows, and an arrow is left out where a longer way leads to the same
room. ``tests/test_documents.py`` fails when the figure in the document is not the one that the imports give.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.test_architecture import CHECKOUT, FACES, GROUND, ROOMS, WORK, imports_in, layer, module_name, source_files

DOCUMENT: Final = CHECKOUT / "docs" / "architecture.md"
BEGIN: Final = "<!-- rooms: drawn by python -m tests.draw_rooms --write -->\n"
END: Final = "<!-- /rooms -->\n"

FOUNDATION: Final = GROUND | {"fonts"}
SHOWN: Final = frozenset({*ROOMS, WORK, *FACES} - FOUNDATION - {"__main__"})

Arrows = dict[str, set[str]]


def arrows() -> Arrows:
    """For each room of ``device`` the rooms that its modules import, itself left out."""
    found: Arrows = {}
    for path in source_files("device"):
        module = module_name(path)
        own = layer(module)
        used = {
            layer(name)
            for _, name in imports_in(path.read_text("utf-8"), module, path.name == "__init__.py")
            if name.split(".")[0] == "device"
        }
        if own in SHOWN:
            found.setdefault(own, set()).update((used & SHOWN) - {own})
    return found


def shortest(full: Mapping[str, set[str]]) -> Arrows:
    """The arrows without those that a longer way makes superfluous (the transitive reduction).

    Args:
        full: Rooms without a circle between them.
    """

    def reached(room: str) -> Iterator[str]:
        for used in full.get(room, ()):
            yield used
            yield from reached(used)

    return {
        room: {used for used in to if not any(used in set(reached(other)) for other in to - {used})}
        for room, to in full.items()
    }


def figure() -> str:
    """The figure as a fenced Mermaid block."""
    full = arrows()
    lines = [f"    {room} --> {used}" for room, to in sorted(shortest(full).items()) for used in sorted(to)]
    lonely = sorted(room for room in full if not any(f" {room} " in f"{line} " for line in lines))
    return "\n".join(["```mermaid", "flowchart TD", *lines, *(f"    {room}" for room in lonely), "```", ""])


def drawn_in(text: str) -> str:
    """The figure that a document holds between the two marks.

    Raises:
        ValueError: It has no such marks.
    """
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def main() -> None:
    """Print the figure, or write it into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figure into docs/architecture.md")
    args = parser.parse_args()
    if args.write:
        _write(DOCUMENT)
    else:
        full = arrows()
        print(figure(), f"{len(full)} rooms, {sum(map(len, full.values()))} arrows in all", sep="\n")


def _write(document: Path) -> None:
    text = document.read_text("utf-8")
    document.write_text(text.replace(BEGIN + drawn_in(text), BEGIN + figure()), "utf-8")


if __name__ == "__main__":
    main()
