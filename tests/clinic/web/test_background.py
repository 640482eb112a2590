# SPDX-License-Identifier: Apache-2.0
"""What an instance does beside answering goes on, whatever is away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinic.modality_worklist import write_worklist
from clinic.store.schema import PlannedPatient, now
from clinic.web.__main__ import main
from clinic.web.background import Background
from tests.clinic.web.conftest import Site
from tests.ports import nobodys_port


def test_scanners_get_the_day_s_patients_while_the_archive_is_away(
    make_site: Callable[..., Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobodys_port() as port:
        site = make_site(archive=f"http://127.0.0.1:{port}/dicom-web", worklists=tmp_path, poll_s=0.0)
        with site.services.store.write() as session:
            session.add(PlannedPatient(code="KB-0077", planned_on=now().date()))
        background = Background(site.services)
        rounds: list[int] = []

        def write_and_count(*words: Any) -> None:
            rounds.append(write_worklist(*words))
            if len(rounds) == 2:
                background.stop()

        monkeypatch.setattr("clinic.web.background.write_worklist", write_and_count)
        background.run()
        assert len(rounds) == 2, "the archive's absence ended neither the round nor the next"
        assert len(list(tmp_path.glob("*.wl"))) == 1


@pytest.mark.parametrize("name", ["archive", "doors", "record"])
@pytest.mark.parametrize("address", ["https://record.example:port/fhir", "record.example", "http://"])
def test_an_address_that_is_none_is_said_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, address: str
) -> None:
    words = ["--state", str(tmp_path), "--archive-access", str(tmp_path / "x"), "--archive", "http://127.0.0.1:9/"]
    assert main([*words, f"--{name}", address]) == 2
    assert f"--{name} {address}: this is no address" in capsys.readouterr().err
