# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from clinic.archive.circuit_breaker import PAUSE_S, CircuitBreaker
from clinic.archive.client import ArchiveClient, Instance
from clinic.archive.errors import ArchiveSilentError, NotInArchiveError
from device.site.access import ClinicAccess
from tests.clinic.archive.made_up import made_up_archive


def in_vain(breaker: CircuitBreaker) -> None:
    """Ask an archive that is silent."""
    with pytest.raises(ArchiveSilentError, match="30 s"), breaker.question():
        raise ArchiveSilentError("30 s")


def refused(breaker: CircuitBreaker) -> bool:
    try:
        with breaker.question():
            return False
    except ArchiveSilentError:
        return True


def test_after_one_has_waited_in_vain_nobody_waits_until_one_tries_again() -> None:
    time = [0.0]
    breaker = CircuitBreaker(15.0, lambda: time[0])
    in_vain(breaker)
    assert refused(breaker)
    time[0] += PAUSE_S
    with breaker.question():
        assert refused(breaker), "while that one tries, no other does"
    in_vain(breaker)
    assert refused(breaker)
    time[0] += PAUSE_S
    assert not refused(breaker)
    assert not refused(breaker), "it answers again"


def test_one_that_never_comes_back_keeps_nobody_out_for_ever() -> None:
    time = [0.0]
    breaker = CircuitBreaker(15.0, lambda: time[0])
    in_vain(breaker)
    time[0] += PAUSE_S
    with breaker.question():
        time[0] += 15.0
        assert not refused(breaker)


def test_an_answer_is_an_answer_whatever_it_says() -> None:
    time = [0.0]
    breaker = CircuitBreaker(15.0, lambda: time[0])
    in_vain(breaker)
    time[0] += PAUSE_S
    with pytest.raises(NotInArchiveError), breaker.question():
        raise NotInArchiveError("no such picture")
    assert not refused(breaker)


def test_dozens_of_pictures_of_a_silent_archive_ask_it_once() -> None:
    asked = []

    def answer(path: str, _authorization: str) -> tuple[int, bytes]:
        asked.append(path)
        return 503, b""

    with made_up_archive(answer) as url, ArchiveClient(url, ClinicAccess()) as client:
        for number in range(24):
            with pytest.raises(ArchiveSilentError):
                client.rendered(Instance("2.25.1", "2.25.2", f"2.25.{number}"))
    assert len(asked) == 1
