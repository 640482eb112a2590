# SPDX-License-Identifier: Apache-2.0
"""Exams from before the enrolment, and restored ones, are queued, or asked about once; green never hides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import Settings, load_settings
from device.ui.screens.clinic import ClinicScreen
from device.ui.session import older_exams, record_tasks
from device.ui.session.services import Services
from device.ui.session.uploading import bar_status
from device.ui.status import Level
from device.upload.status import UploadState, UploadStatus
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PIN, a_final, make_world


def enrolled(policy: str) -> Settings:
    """A device that got a clinic today."""
    return Settings().with_values("site", clinic_url="https://clinic.example/dicom-web", policy={"older_exams": policy})


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """A device with an exam that was final before it had a clinic, locked."""
    services = make_world(tmp_path).unlocked()
    a_final(services)
    services.lock()
    return services


def unlock(driver: Driver, services: Services, policy: str) -> None:
    driver.app.settings = enrolled(policy)
    older_exams.queue_older_exams(driver.app)
    services.unlocked(services.open_vault(PIN))


def test_they_are_queued_at_the_next_unlocking(services: Services) -> None:
    with Driver(services, (800, 480)) as driver:
        unlock(driver, services, "queue")
        driver.until(lambda: len(services.store.outbox_entries()) == 1)
        assert services.store.unqueued() == []


def test_a_policy_that_is_not_understood_queues_nothing(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[site]\nclinic_url = "https://clinic.example/dicom-web"\n[site.policy]\nolder_exams = "kept"\n')
    with Driver(services, (800, 480)) as driver:
        driver.app.settings = load_settings(path)
        assert driver.app.settings.site.policy.older_exams == "queue"  # the default
        services.unlocked(services.open_vault(PIN))
        older_exams.follow_policy(driver.app)
        found: list[int] = []
        # Changes of the records are made one after another: this one comes behind whatever was begun above.
        record_tasks.write(
            driver.app, "look", lambda store: len(store.outbox_entries()), found.append, driver.app.show_error
        )
        driver.until(lambda: bool(found))
        assert found == [0]


@pytest.mark.parametrize(("answer", "queued", "kept"), [("Send them too", 1, "queue"), ("Keep them here", 0, "keep")])
def test_a_site_may_want_to_be_asked_and_the_answer_is_kept(
    services: Services, answer: str, queued: int, kept: str
) -> None:
    with Driver(services, (800, 480)) as driver:
        unlock(driver, services, "ask")
        driver.until_text(answer)
        driver.tap(answer)
        driver.until(lambda: driver.app.settings.site.policy.older_exams == kept)
        if queued:
            driver.until(lambda: len(services.store.outbox_entries()) == queued)
        assert len(services.store.outbox_entries()) == queued


def test_green_does_not_hide_them(services: Services) -> None:
    with Driver(services, (800, 480)) as driver:
        unlock(driver, services, "keep")
        services.upload_status = UploadStatus(UploadState.IDLE, sent=3, unqueued=1)
        bar = bar_status(services.upload_status)
        assert bar is not None
        assert bar.level is Level.WARNING
        driver.show(ClinicScreen(lambda _: None))
        assert driver.shows("Not queued")
        assert not driver.shows("Nothing is waiting")
        driver.tap("queue_older")
        driver.until(lambda: len(services.store.outbox_entries()) == 1)
