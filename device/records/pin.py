"""What a PIN is turned into, and what a PIN must not be.

A PIN has few digits, so each guess is made expensive with Argon2id (RFC 9106). The memory is fixed at 64 MiB: a Zero
2 W has 512 MiB of which the app uses up to 250, and a card must open on any model it is moved to. The number of passes
is measured on the device that sets the first PIN, so that one unlock takes about 0.8 seconds there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MIN_LENGTH, MAX_LENGTH = 6, 64
_EASY_RUNS = ("01234567890123456789", "09876543210987654321")


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
    """Whether a PIN is among the first that anybody would try: short, one repeated digit, or counting."""
    if not MIN_LENGTH <= len(pin) <= MAX_LENGTH:
        return True
    return len(set(pin)) == 1 or any(pin in run for run in _EASY_RUNS)
