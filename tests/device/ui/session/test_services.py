# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from pathlib import Path

import pytest

from device.errors import StoreBusyError, VaultLockedError
from device.records.store.store import Store
from device.ui.session.services import Services
from tests.device.ui.record_world import PIN, World, a_draft, make_world


@pytest.fixture
def services(tmp_path: Path) -> Services:
    world: World = make_world(tmp_path)
    return world.unlocked()


def test_locking_closes_the_records_and_the_next_pin_opens_them(services: Services) -> None:
    draft = a_draft(services)
    services.lock()
    with pytest.raises(VaultLockedError):
        _ = services.store
    services.unlocked(services.open_vault(PIN))
    assert services.store.get(draft.uid).uid == draft.uid


def test_work_that_was_begun_is_finished_after_the_lock(services: Services) -> None:
    draft = a_draft(services)
    begun, go_on, results = threading.Event(), threading.Event(), []

    def work() -> None:
        with services.working() as store:
            begun.set()
            go_on.wait()
            results.append(store.get(draft.uid).uid)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    services.lock()
    opened: list[object] = []
    opener = threading.Thread(target=lambda: opened.append(services.open_vault(PIN)))
    opener.start()
    assert not opened  # the records are still in the hands of the work
    go_on.set()
    thread.join()
    opener.join()
    assert results == [draft.uid]
    assert len(opened) == 1


def test_no_new_work_begins_on_a_locked_device(services: Services) -> None:
    services.lock()
    with pytest.raises(VaultLockedError), services.working():
        pass


def test_an_unlock_that_nobody_waited_for_does_not_block_the_next(services: Services) -> None:
    services.lock()
    services.open_vault(PIN)
    services.unlocked(services.open_vault(PIN))
    assert services.store.search() == []


def test_while_open_the_records_belong_to_this_program(services: Services) -> None:
    with pytest.raises(StoreBusyError):
        Store.open(services.records_dir, services.vault)
