# SPDX-License-Identifier: Apache-2.0
"""What the touch keyboard writes: pages of keys for each script, and how they are laid out on a narrow screen.

A page is a flat row of characters in reading order; on a wide screen it is shown ten in a row, on a narrow one in as
many as are large enough for a finger. ``SHIFT`` stands where the key is that changes to capitals.
"""

from __future__ import annotations

from dataclasses import dataclass

SHIFT = "\u21e7"
"""Placeholder for the shift key within a page."""

COLUMNS = 10


@dataclass(frozen=True, slots=True)
class Layout:
    """The keyboard of one script.

    Attributes:
        name: Shown on the key that changes between scripts.
        pages: Characters of each page; the first is shown first.
        capitals: Whether the first page has capitals.
        narrow: The first page for shorter rows, its letters in the same order; empty: as the first page.
    """

    name: str
    pages: tuple[tuple[str, ...], ...]
    capitals: bool = False
    narrow: tuple[str, ...] = ()


DIGITS = Layout("123", (tuple("1234567890"),))
"""Where nothing but a number can be meant."""

DECIMALS = Layout("0.5", (tuple("1234567890.,"),))
"""The same for a number with decimals, which some write behind a comma and some behind a point."""

_QWERTY = (*"1234567890", *"qwertyuiop", *"asdfghjkl,", SHIFT, *"zxcvbnm.-")
_NARROW_QWERTY = (*"1234567", *"890,.-'", *"qwertyuiopasdfghjklzxcvbnm", SHIFT, "/")
_SYMBOLS = (*"/:@#&%+=*_", *";'?!()[]<>", *'"$€£\\|~^{}', *"°²³×÷µ±½™§")
_ACCENTS = (*"áàâäãåæçéè", *"êëíìîïñóòô", *"öõøœúùûüÿß", SHIFT, *"¿¡«»ºª’–·")
_BESIDE_DIGITS = (*",/:;.-'?!@", *'#&%+=*_()"')

LATIN = Layout("ABC", (_QWERTY, _SYMBOLS, _ACCENTS), capitals=True, narrow=_NARROW_QWERTY)

DEVANAGARI = Layout(
    "हिन्दी",
    (
        (*"ािीुूेैोौ्", *"कखगघचछजझटठ", *"डढणतथदधनपफ", *"बभमयरलवशसह"),
        (*"ंँः़ृॅॉ।-.", *"अआइईउऊऋएऐओ", *"औषङञळऑ", "क्ष", "त्र", "ज्ञ", "श्र", *"१२३४५६७८९०"),
        (*"1234567890", *_BESIDE_DIGITS, *"[]<>$€~^|।"),
    ),
)

TAMIL = Layout(
    "தமிழ்",
    (
        (*"்ாிீுூெேைொ", *"ோௌகஙசஞடணதந", *"பமயரலவழளறன", *"அஆஇஈஉஊஎஏஐஒ"),
        (*"ஓஔஃஜஷஸஹ", "க்ஷ", "ஸ்ரீ", "₹", *"1234567890", *_BESIDE_DIGITS),
    ),
)

LAYOUTS = {"en": (LATIN,), "es": (LATIN,), "fr": (LATIN,), "hi": (DEVANAGARI, LATIN), "ta": (TAMIL, LATIN)}
"""Layouts by language, the first one first."""

FEW_COLUMNS = 5
"""Digits in a row where there is nothing else."""


def page_keys(layout: Layout, page: int, columns: int) -> tuple[str, ...]:
    """The characters of one page in the order for this many columns."""
    if page == 0 and columns < COLUMNS and layout.narrow:
        return layout.narrow
    return layout.pages[page]
