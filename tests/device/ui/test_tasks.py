# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from device.errors import FileMissingError, MammascopeError
from device.ui.tasks import Progress, Tasks
from tests.patience import PATIENT_S


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


def _never(error: MammascopeError) -> None:
    raise AssertionError(f"failed: {error}")


def _deliver(tasks: Tasks, count: int = 1) -> None:
    done = 0
    while done < count:
        assert tasks.wait(PATIENT_S)
        done += tasks.deliver()


def test_a_result_arrives_on_the_thread_that_delivers(tasks: Tasks) -> None:
    seen: list[tuple[int, str]] = []

    def work(_: Progress) -> str:
        return threading.current_thread().name

    tasks.start("name", work, lambda name: seen.append((threading.get_ident(), name)), _never)
    _deliver(tasks)
    ((where, worker),) = seen
    assert where == threading.get_ident()
    assert worker != threading.current_thread().name


def test_an_error_arrives_with_its_cause(tasks: Tasks) -> None:
    errors: list[MammascopeError] = []

    def work(_: Progress) -> None:
        raise FileMissingError("a.png")

    tasks.start("name", work, lambda _: None, errors.append)
    _deliver(tasks)
    assert isinstance(errors[0], FileMissingError)


def test_a_mistake_in_the_work_is_told_and_logged_and_never_lost(
    tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[MammascopeError] = []
    tasks.start("division", lambda _: 1 // 0, lambda _: None, errors.append)
    _deliver(tasks)
    assert errors[0].code == "error"
    assert "ZeroDivisionError" in caplog.text


def test_progress_arrives_in_order_before_the_result(tasks: Tasks) -> None:
    told: list[float | str] = []

    def work(progress: Progress) -> str:
        progress.tell(0.25)
        progress.tell(0.75)
        return "end"

    tasks.start("name", work, told.append, _never, lambda fraction, _: told.append(fraction))
    _deliver(tasks, 3)
    assert told == [0.25, 0.75, "end"]


def test_a_cancelled_task_delivers_nothing_and_ends_at_its_next_progress(tasks: Tasks) -> None:
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    told: list[object] = []

    def work(progress: Progress) -> None:
        started.set()
        go_on.wait(PATIENT_S)
        try:
            progress.tell(0.5)
        finally:
            ended.set()

    task = tasks.start("name", work, told.append, told.append, lambda *_: told.append("progress"))
    assert started.wait(PATIENT_S)
    task.cancel()
    go_on.set()
    assert ended.wait(PATIENT_S)
    _deliver(tasks)
    assert told == []


def test_other_threads_can_have_something_called(tasks: Tasks) -> None:
    where: list[int] = []
    thread = threading.Thread(target=lambda: tasks.call(lambda: where.append(threading.get_ident())))
    thread.start()
    _deliver(tasks)
    thread.join()
    assert where == [threading.get_ident()]
