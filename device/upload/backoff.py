# SPDX-License-Identifier: Apache-2.0
"""How long to wait after a failure: longer each time, and not the same for every device.

When a clinic's server comes back after a day, all of its handhelds would otherwise call in the same second.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with jitter.

    Attributes:
        first: Wait after the first failure, before jitter.
        longest: No wait is longer.
        factor: How much longer each wait is.
        random: Where the jitter comes from.
    """

    first: timedelta
    longest: timedelta
    factor: float = 2.0
    random: random.Random = field(default_factory=random.SystemRandom, repr=False)

    def wait(self, failures: int) -> timedelta:
        """How long to wait now; between half and all of what the number of failures asks for.

        Args:
            failures: Failures in a row, at least 1.
        """
        # The exponent is bounded because a float is: 2 ** 64 seconds are beyond every ``longest``.
        grown = self.first.total_seconds() * self.factor ** min(failures - 1, 64)
        whole = min(grown, self.longest.total_seconds())
        return timedelta(seconds=whole * self.random.uniform(0.5, 1.0))


EXAM = Backoff(timedelta(minutes=1), timedelta(hours=6))
"""After one exam has failed."""

NETWORK = Backoff(timedelta(seconds=15), timedelta(minutes=15))
"""After the clinic could not be reached at all."""
