# SPDX-License-Identifier: Apache-2.0
"""Handhelds of a clinic that keeps an archive of its own, which does not tell the pages who has sent what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clinic.store import first_named
from clinic.store.first_named import hand_over, named_by_others
from clinic.store.schema import Exam, now
from clinic.web.__main__ import main
from tests.clinic.archive.made_up import made_up_archive
from tests.clinic.conftest import Clinic
from tests.clinic.web.conftest import BASE, Site
from tests.clinic.web.test_feeds import header
from tests.clinic.web.test_reading import decide, read_blind, sent

WARD, OTHER = header("device-ward-3", "right"), header("device-ward-4", "right too")


def archive(path: str, authorization: str) -> tuple[int, bytes]:
    """It knows passwords, and nothing of what our gate knows."""
    if authorization not in (WARD["Authorization"], OTHER["Authorization"]):
        return 401, b""
    return (200, b"[]") if path.startswith("/dicom-web") else (404, b"{}")


@pytest.fixture
def connected(make_site: Callable[..., Site]) -> Iterator[Site]:
    with made_up_archive(archive) as url:
        yield make_site(doors=url)


def ask(site: Site, who: dict[str, str], path: str, body: object) -> Any:
    answer = site.app.test_client().post(f"/device/v1/{path}", base_url=BASE, json=body, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_whoever_names_an_exam_second_gets_no_verdict_and_is_not_believed(clinic: Clinic, connected: Site) -> None:
    exam, asha = sent(clinic, connected), connected.browser("asha")
    asked = {"studies": [exam.study_uid], "come_back": []}
    assert ask(connected, WARD, "verdicts", asked) == {"verdicts": []}, "as it does once it has sent it"
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy")
    come_back = {"studies": [exam.study_uid], "come_back": [exam.study_uid]}
    assert ask(connected, OTHER, "verdicts", come_back) == {"verdicts": [], "elsewhere": [exam.study_uid]}
    assert "has come back" not in asha.get("/follow-up").text
    (given,) = ask(connected, WARD, "verdicts", asked)["verdicts"]
    opened = {"seen": [{"id": given["id"], "study": exam.study_uid}]}
    assert ask(connected, OTHER, "verdicts/seen", opened) == {"seen": []}
    hand_over(connected.services.store, "device-ward-3", "device-ward-4")
    assert len(ask(connected, OTHER, "verdicts", asked)["verdicts"]) == 1
    assert ask(connected, WARD, "verdicts", asked) == {"verdicts": [], "elsewhere": [exam.study_uid]}


def test_a_stolen_one_names_no_more_than_a_few_that_nobody_knows(
    connected: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_named, "MOST_UNKNOWN", 3)
    store = connected.services.store
    with store.write() as session:
        session.add(Exam(study_uid="2.25.99", started_at=now(), waiting_stage=1))
    names = [f"2.25.{number}" for number in range(10)]
    assert named_by_others(store, "device-ward-3", names) == frozenset()
    assert named_by_others(store, "device-ward-3", ["2.25.99"]) == frozenset()
    assert named_by_others(store, "device-ward-4", [*names, "2.25.99"]) == {*sorted(names)[:3], "2.25.99"}


def test_the_command_hands_over_by_the_names_that_people_use(
    connected: Site, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    store = connected.services.store
    named_by_others(store, "device-ward-3", ["2.25.1", "2.25.2"])
    access = tmp_path / "access.toml"
    access.write_text('user = "pages"\npassword = "x"\n')
    access.chmod(0o600)
    words = ["--state", str(tmp_path), "--archive", "http://127.0.0.1:9/", "--archive-access", str(access)]
    words += ["--database", connected.settings.database, "--hand-over", "ward-3", "device-ward-4"]
    assert main(words) == 0
    assert capsys.readouterr().out == "2 exams of ward-3 are device-ward-4's from now on.\n"
    assert named_by_others(store, "device-ward-3", ["2.25.1"]) == {"2.25.1"}
