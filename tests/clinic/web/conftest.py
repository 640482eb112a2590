# SPDX-License-Identifier: Apache-2.0
"""The application on a real archive, and browsers of several people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clinic.index.feeder import Feeder
from clinic.reading.policy import Policy
from clinic.reading.write_back import WriteBack
from clinic.store.database import sqlite_url
from clinic.store.schema import Exam, Role, base
from clinic.web.application import create_app
from clinic.web.pages.accounts.people import accept, first_invitation, invite
from clinic.web.services import Services, make_services
from clinic.web.settings import PasswordCost, Settings
from tests.clinic.conftest import Clinic

BASE = "https://localhost"
PASSWORD = "correct horse battery staple"
CHEAP = PasswordCost(passes=1, memory_kib=64, lanes=1)


class Browser:
    """One person's browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        answer = self.client.get(path, base_url=BASE, headers=headers)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            self.page = answer.text
        return answer

    def post(self, path: str, **fields: Any) -> TestResponse:
        """Send a form of the page that was loaded last."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.page)
        return self.post_bare(path, **fields, **({"csrf": found[1]} if found else {}))

    def post_bare(self, path: str, **data: Any) -> TestResponse:
        """Send a form without a token."""
        answer = self.client.post(path, base_url=BASE, data=data)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            self.page = answer.text
        return answer

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password)


class Site:
    """The application and all people of the clinic."""

    def __init__(self, clinic: Clinic, settings: Settings) -> None:
        self.clinic = clinic
        self.settings = settings
        self.services: Services = make_services(settings)
        self.app: Flask = create_app(settings, self.services)
        self.feeder = Feeder(self.services.store, clinic.client, settings.policy.zone)
        self.write_back = WriteBack(self.services.store, clinic.client, settings.clinic)
        self._people()

    def _people(self) -> None:
        with self.services.store.write() as session:
            code = first_invitation(session)
            assert code is not None
            accept(session, self.services.hasher, code, "ada", "Ada Admin", PASSWORD)
            for name, role in (
                ("asha", Role.READER),
                ("ben", Role.READER),
                ("carla", Role.READER),
                ("tom", Role.TECHNICIAN),
            ):
                code = invite(session, frozenset({role}))
                accept(session, self.services.hasher, code, name, f"Dr {name.title()}", PASSWORD)

    def browser(self, name: str = "") -> Browser:
        made = Browser(self.app.test_client())
        if name:
            assert made.sign_in(name).status_code == 302
        return made

    def exam(self, study_uid: str) -> Exam:
        from sqlalchemy import select

        self.feeder.read(study_uid)
        with self.services.store.read() as session:
            return session.scalars(select(Exam).where(Exam.study_uid == study_uid)).one()

    def again(self, exam: Exam) -> Exam:
        with self.services.store.read() as session:
            return session.get_one(Exam, exam.id)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the clinic it is noon when a test begins, and time goes on from there: all that a test does is of one day."""
    begun = datetime.now(UTC)
    ahead = begun.replace(hour=12, minute=0, second=0, microsecond=0) - begun
    monkeypatch.setattr(base, "datetime", SimpleNamespace(now=lambda zone: datetime.now(zone) + ahead))


@pytest.fixture
def settings(clinic: Clinic, sqlite_file: Path, noon: None) -> Settings:
    """Of an instance with its own empty store."""
    return Settings(
        database=sqlite_url(sqlite_file),
        archive=clinic.archive.url,
        access=clinic.access,
        secret=b"s" * 32,
        signing_key=b"k" * 32,
        clinic="Kibera clinic",
        password_cost=CHEAP,
        policy=Policy(checked_share=0.0),
    )


@pytest.fixture
def site(clinic: Clinic, settings: Settings) -> Iterator[Site]:
    made = Site(clinic, settings)
    yield made
    made.services.close()


@pytest.fixture
def make_site(clinic: Clinic, settings: Settings) -> Iterator[Callable[..., Site]]:
    """A site with some settings changed."""
    opened: list[Site] = []

    def make(**values: object) -> Site:
        opened.append(Site(clinic, replace(settings, **values)))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for one in opened:
        one.services.close()
