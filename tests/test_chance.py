# SPDX-License-Identifier: Apache-2.0
"""What is drawn is drawn alike in every run, so that nobody's change is refused by chance."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def drawn() -> list[int]:
    """What a test is given that asks for numbers."""
    found: list[int] = []

    @given(st.integers())
    def ask(number: int) -> None:
        found.append(number)

    ask()
    return found


def test_made_up_inputs_are_the_same_in_every_run_and_have_no_limit_of_time() -> None:
    one, other = drawn(), drawn()
    assert one == other
    assert len(set(one)) > 10
    assert settings.default is not None
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check
