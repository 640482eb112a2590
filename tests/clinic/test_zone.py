# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clinic.errors import ClinicError
from clinic.zone import begin_of, day_of, machines_zone, short_name, zone_named

NAIROBI = ZoneInfo("Africa/Nairobi")
LATE = datetime(2026, 3, 4, 22, 30, tzinfo=UTC)


def test_a_day_is_the_clinic_s() -> None:
    assert day_of(LATE, NAIROBI) == date(2026, 3, 5)
    assert begin_of(date(2026, 3, 5), NAIROBI) == datetime(2026, 3, 4, 21, tzinfo=UTC)


def test_a_zone_without_letters_is_called_by_its_offset() -> None:
    assert short_name(LATE.astimezone(NAIROBI)) == "EAT"
    assert short_name(LATE.astimezone(ZoneInfo("America/Sao_Paulo"))) == "UTC-03"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime"])
def test_a_zone_that_there_is_not_is_refused_by_name(name: str) -> None:
    with pytest.raises(ClinicError, match="time-zone"):
        zone_named(name)


def test_the_machine_s_own_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    local = tmp_path / "localtime"
    assert machines_zone(local) == "UTC"
    local.symlink_to("/usr/share/zoneinfo/Asia/Kolkata")
    assert ZoneInfo(machines_zone(local)).utcoffset(LATE) == ZoneInfo("Asia/Kolkata").utcoffset(LATE)
    monkeypatch.setenv("TZ", ":Africa/Nairobi")
    assert machines_zone(local) == "Africa/Nairobi"
