# SPDX-License-Identifier: Apache-2.0
"""What a PIN is turned into, and what a PIN must not be.

A PIN has few digits, so each guess is made expensive with Argon2id (RFC 9106). The memory is fixed at 64 MiB: a Zero
2 W has 512 MiB of which the app uses up to 250, and a card must open on any model it is moved to. The number of passes
is measured on the device that sets the first PIN, so that one unlock takes about 0.8 seconds there.
"""

from __future__ import annotations

import itertools
import time
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MIN_LENGTH, MAX_LENGTH = 6, 64
FEWEST_SIGNS = 3
FIRST_YEAR, LAST_YEAR = 1920, 2030
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "qsdfghjklm",
    "zxcvbnm",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
    "qazwsxedcrfvtgbyhn",
    "1q2w3e4r5t6y7u8i9o0p",
    "147258369",
    "2580",
    "789456123",
    "159357",
)
"""Signs that follow one another: in counting, in the alphabet, on keyboards and on the pad of digits."""

_COMMON = frozenset(
    (
        *("password", "passwort", "passwd", "contrasena", "motdepasse", "secret", "letmein", "welcome", "changeme"),
        *("admin", "administrator", "login", "user", "guest", "master", "default", "system", "test", "testtest", "abc"),
        *("iloveyou", "monkey", "dragon", "football", "baseball", "sunshine", "princess", "shadow", "superman"),
        *("michael", "charlie", "jordan", "trustno", "access", "starwars", "whatever", "freedom", "hello", "qwerty"),
        *("mammascope", "ultrasound", "clinic", "hospital", "doctor", "nurse", "breast", "mammography", "raspberry"),
    )
)
_LOOKALIKES = str.maketrans("013457@$", "oieastas")
_BESIDE_WORDS = "0123456789!.?-_ "


@dataclass(frozen=True, slots=True)
class PinCost:
    """Argon2id's parameters; recorded beside the salt so that they can differ between devices.

    Attributes:
        iterations: Passes over the memory.
        memory_kib: Memory of one derivation in KiB.
        lanes: Parallel lanes; 1, because OpenSSL runs them one after another.
    """

    iterations: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 1

    def __post_init__(self) -> None:
        # The bounds keep a manipulated key file from eating all memory or an hour.
        if not (1 <= self.iterations <= 64 and 8 <= self.memory_kib <= 512 * 1024 and 1 <= self.lanes <= 8):
            raise ValueError("Argon2id parameters out of range")

    @classmethod
    def tuned(cls, target_s: float = 0.8) -> PinCost:
        """As many passes as fit into ``target_s`` seconds on this machine, from 3 (RFC 9106, section 4) to 16."""
        started = time.perf_counter()
        cls(iterations=3).derive("000000", bytes(16))
        one_pass = (time.perf_counter() - started) / 3
        return cls(iterations=min(16, max(3, round(target_s / one_pass))))

    def derive(self, pin: str, salt: bytes) -> bytes:
        """32 bytes from a PIN; slow on purpose.

        Args:
            pin: As typed.
            salt: 16 random bytes of this vault.
        """
        function = Argon2id(
            salt=salt, length=32, iterations=self.iterations, lanes=self.lanes, memory_cost=self.memory_kib
        )
        return function.derive(pin.encode())


def is_weak(pin: str) -> bool:
    """Whether a PIN is among the first that would be tried.

    These are: short ones; ones of few different signs; a block repeated (121212, 123123); runs of digits, letters or
    keys that lie side by side, forwards or backwards, also with each sign doubled or with one sign changed (112233,
    123457), and two of them behind each other or in turn (142536); the same backwards (123321); a count (246810); a
    date; and words that lists of leaked passwords begin with.
    """
    word = unicodedata.normalize("NFKC", pin).casefold()
    word = "".join(str(unicodedata.digit(char, char)) for char in word)
    if not MIN_LENGTH <= len(pin) <= MAX_LENGTH or len(word) < MIN_LENGTH:
        return True
    if len(set(word)) < FEWEST_SIGNS or max(map(word.count, word)) > len(word) / 2 or word == word[::-1]:
        return True
    doubled = word[::2] == word[1::2] and _is_nearly_a_run(word[::2])
    easy = (_is_block_repeated, _is_nearly_a_run, _is_two_runs, _is_count_of_numbers, _is_date, _is_common)
    return doubled or any(kind(word) for kind in easy)


def _is_block_repeated(word: str) -> bool:
    return any(word == word[:n] * (len(word) // n) for n in range(1, len(word) // 2 + 1) if len(word) % n == 0)


def _is_nearly_a_run(word: str) -> bool:
    """A piece of a row of keys or of an even count, all but one sign."""
    rows = (*_ROWS, *(row[::-1] for row in _ROWS))
    pieces = (row[start : start + len(word)] for row in rows for start in range(len(row) - len(word) + 1))
    return any(sum(a != b for a, b in zip(word, piece, strict=True)) <= 1 for piece in pieces) or _is_even_count(word)


def _is_even_count(word: str) -> bool:
    """Digits that go up or down by the same step each time, past nine as well: 135791, 246802."""
    if not (word.isascii() and word.isdecimal()):
        return False
    steps = [(int(b) - int(a)) % 10 for a, b in itertools.pairwise(word)]
    return max(map(steps.count, steps)) >= len(steps) - 1


def _is_two_runs(word: str) -> bool:
    """Two short runs, one behind the other or sign by sign in turn: 123789, 321654, abc123, 258025; 142536."""
    splits = ((word[:at], word[at:]) for at in range(2, len(word) - 1))
    return any(all(map(_is_run, parts)) for parts in (*splits, (word[::2], word[1::2])))


def _is_count_of_numbers(word: str) -> bool:
    """Numbers counted up by the same step and written one behind the other: 246810, 510152, 101112."""
    if not (word.isascii() and word.isdecimal()):
        return False
    steps = (range(step, 100 * step, step) for step in range(1, 26))
    starts = (range(first, first + len(word)) for first in range(1, 100))
    return any("".join(map(str, numbers))[: len(word)] == word for numbers in (*steps, *starts))


def _is_run(part: str) -> bool:
    return len(set(part)) == 1 or any(part in row or part in row[::-1] for row in _ROWS)


def _is_date(word: str) -> bool:
    """Day, month and year in any usual order, or two years."""
    if not (word.isascii() and word.isdecimal()):
        return False
    orders = {6: ("%d%m%y", "%m%d%y", "%y%m%d", "%Y%m", "%m%Y"), 8: ("%d%m%Y", "%m%d%Y", "%Y%m%d")}
    years = len(word) == 8 and all(FIRST_YEAR <= int(year) <= LAST_YEAR for year in (word[:4], word[4:]))
    return years or any(_is_day(word, order) for order in orders.get(len(word), ()))


def _is_day(word: str, order: str) -> bool:
    try:
        return FIRST_YEAR <= datetime.strptime(word, order).replace(tzinfo=UTC).year <= LAST_YEAR
    except ValueError:
        return False


def _is_common(word: str) -> bool:
    """A well-known word, also with letters written as digits, and with digits or points before or behind it."""
    spellings = (word, word.translate(_LOOKALIKES))
    return any(form in _COMMON or form.strip(_BESIDE_WORDS) in _COMMON for form in spellings) or any(
        form.translate(_LOOKALIKES) in _COMMON for form in (word.strip(_BESIDE_WORDS), word.rstrip(_BESIDE_WORDS))
    )
