# SPDX-License-Identifier: Apache-2.0
"""The way of an exam, walked by touch through the real program on real records."""

from __future__ import annotations

from dataclasses import replace

import pygame
import pytest

from device.errors import DiskFullError
from device.records.audit import AuditEvent
from device.records.exam import BiRads, Exam, ExamState, Gender, Patient
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.screens.exam.patient import PatientScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PATIENT, PIN, World, a_draft, a_final, a_view, fill_stick


@pytest.fixture
def services(world: World) -> Services:
    return world.unlocked()


@pytest.fixture
def driver(at_menu: Driver) -> Driver:
    return at_menu


def _steps(driver: Driver) -> ExamFlow:
    return ExamFlow(driver.app, Flow(driver.app).home)


def _exams(services: Services) -> list[Exam]:
    return [services.store.get(summary.uid) for summary in services.store.search()]


def _enter_patient(driver: Driver, code: str = "KB-7", age: str = "45") -> None:
    driver.tap("code")
    driver.write(code)
    driver.tap("age")
    driver.write(age)
    driver.tap("gender.female")
    driver.tap("family.yes")
    driver.tap("next")


def _loaded(driver: Driver) -> None:
    driver.until(lambda: driver.screen.exam is not None)


def _saved(driver: Driver, services: Services, uid: str, **wanted: object) -> None:
    """Until the store holds what was entered."""

    def holds() -> bool:
        exam = services.store.get(uid)
        return all(getattr(exam, name) == value for name, value in wanted.items())

    driver.until(holds)


def test_a_whole_exam_and_it_is_found_again_after_a_restart(driver: Driver, services: Services, world: World) -> None:
    driver.tap("new_exam")
    _enter_patient(driver)
    driver.until_screen("sources")
    driver.until_text("Phantom")
    driver.tap("Phantom")
    driver.until_screen("live")
    driver.until(lambda: driver.find("freeze").enabled)
    driver.tap("freeze")
    driver.until_screen("view")
    driver.tap("save")
    driver.until_screen("exam_summary")
    _loaded(driver)
    driver.tap("birads.4A")
    driver.tap("note")
    driver.write("lump at ten")
    driver.tap("finalise")
    driver.tap("Make final")
    driver.until_screen("exam_detail")
    driver.close()

    again = world.services()
    with Driver(again) as restarted:
        Flow(restarted.app).start()
        restarted.step()
        restarted.enter_pin(PIN)
        restarted.until_screen("home")
        restarted.tap("exams")
        restarted.until_text("KB-7")
        restarted.tap("search")
        restarted.write("nobody")
        restarted.until_text("No exam was found")
        restarted.tap("search")
        _erase(restarted, len("nobody"))
        restarted.write("kb-7")
        restarted.until_text("KB-7")
        restarted.tap("KB-7")
        restarted.until_screen("exam_detail")
        _loaded(restarted)
        (exam,) = _exams(again)
        assert (exam.state, exam.birads, exam.note) == (ExamState.FINAL, BiRads.SUSPICIOUS_LOW, "lump at ten")
        assert exam.patient == Patient("KB-7", "", 45, Gender.FEMALE, PATIENT.family_history)
        assert len(exam.views) == 1
        assert exam.views[0].finding.model.startswith("mammascope@")
        restarted.tap("view.1")
        restarted.until_screen("view")


def _erase(driver: Driver, count: int) -> None:
    for _ in range(count):
        driver.tap("keyboard.backspace")


def test_a_code_is_needed(driver: Driver, services: Services) -> None:
    driver.tap("new_exam")
    driver.tap("next")
    assert driver.shows("A code is needed")
    assert services.store.search() == []


def test_an_impossible_age_is_refused(driver: Driver) -> None:
    driver.tap("new_exam")
    driver.tap("age")
    driver.write("130")
    assert driver.shows("between 0 and 120")
    _erase(driver, 1)
    driver.tap("keyboard.done")
    assert driver.shows("13")


@pytest.mark.parametrize(("answer", "age"), [("use_kept", 45), ("use_entered", 61)])
def test_a_known_code_with_other_details_asks_first(driver: Driver, services: Services, answer: str, age: int) -> None:
    a_final(services)
    chosen: list[Patient] = []
    driver.app.push(PatientScreen(chosen.append))
    _enter_patient(driver, "kb-0042", "61")
    driver.until_screen("patient_conflict")
    assert chosen == []
    assert driver.shows("45 years")
    assert driver.shows("61 years")
    driver.tap(answer)
    driver.step()
    assert [(patient.code, patient.age_years) for patient in chosen] == [("KB-0042", age)]


def test_another_person_under_a_known_code_goes_back_to_the_form(driver: Driver, services: Services) -> None:
    a_final(services)
    driver.tap("new_exam")
    _enter_patient(driver, "KB-0042", "20")
    driver.until_screen("patient_conflict")
    driver.tap("other_person")
    driver.until_screen("patient")
    assert driver.find("code").value == "KB-0042"  # type: ignore[attr-defined]  # a TextField
    assert len(services.store.search()) == 1


def test_the_same_details_do_not_ask(driver: Driver, services: Services) -> None:
    a_final(services, replace(PATIENT, name=""))
    driver.tap("new_exam")
    _enter_patient(driver, "KB-0042", "45")
    driver.until_screen("sources")
    assert len(services.store.search()) == 2


def test_everything_in_a_draft_is_kept_at_once(driver: Driver, services: Services) -> None:
    draft = a_draft(services)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("birads.3")
    driver.tap("birads.5")
    driver.tap("note")
    driver.write("a note")
    _saved(driver, services, draft.uid, birads=BiRads.HIGHLY_SUGGESTIVE, note="a note")
    driver.tap("birads.5")
    _saved(driver, services, draft.uid, birads=None)


def test_locking_in_the_middle_of_writing_loses_nothing(driver: Driver, services: Services) -> None:
    draft = a_draft(services)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("birads.2")
    driver.app.lock()
    driver.step()
    assert driver.app.services.operator == ""
    services.unlocked(services.open_vault(PIN))
    assert services.store.get(draft.uid).birads is BiRads.BENIGN


def test_nothing_of_a_patient_stays_in_a_covered_screen(driver: Driver, services: Services) -> None:
    draft = a_draft(services)
    screen = ExamSummaryScreen(draft.uid, _steps(driver))
    driver.app.push(screen)
    _loaded(driver)
    driver.app.lock()
    driver.step()
    assert screen.exam is None


def test_an_exam_without_a_picture_cannot_be_made_final(driver: Driver, services: Services) -> None:
    draft = a_draft(services, views=0)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("finalise")
    assert not driver.shows("Make this exam final?")
    assert driver.shows("at least one picture")


def test_finalising_asks_and_says_what_is_missing(driver: Driver, services: Services) -> None:
    draft = a_draft(services)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("finalise")
    assert driver.shows("No BI-RADS category was given")
    driver.tap("Cancel")
    assert services.store.get(draft.uid).state is ExamState.DRAFT


def test_a_final_exam_offers_an_addendum_and_nothing_that_changes_it(driver: Driver, services: Services) -> None:
    final = a_final(services)
    driver.app.push(ExamDetailScreen(final.uid, _steps(driver)))
    _loaded(driver)
    assert driver.shows("kept on this device only")
    assert not [key for key in ("birads", "note", "delete", "finalise", "edit") if _has_touchable(driver, key)]
    driver.tap("addendum")
    driver.write("biopsy on monday")
    driver.until(lambda: len(services.store.get(final.uid).addenda) == 1)
    (added,) = services.store.get(final.uid).addenda
    assert (added.text, added.author) == ("biopsy on monday", "Asha")


def _has_touchable(driver: Driver, key: str) -> bool:
    return any(widget.key == key and widget.touchable for widget in driver._widgets())


def test_a_draft_is_deleted_only_after_a_question(driver: Driver, services: Services) -> None:
    draft = a_draft(services)
    driver.tap("exams")
    driver.until_text("KB-0042")
    driver.tap("KB-0042")
    driver.until_screen("exam_summary")
    _loaded(driver)
    driver.tap("delete")
    driver.tap("Cancel")
    assert services.store.get(draft.uid).state is ExamState.DRAFT
    driver.tap("delete")
    driver.tap("Delete draft")
    driver.until_screen("exams")
    driver.until_text("No exam was found")
    assert services.store.search() == []
    assert AuditEvent.DRAFT_DELETED in [entry.event for entry in services.store.audit_log().entries]


def test_correcting_details_keeps_the_pictures(driver: Driver, services: Services) -> None:
    draft = a_draft(services, views=2)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("edit")
    driver.until_screen("patient")
    driver.tap("gender.other")
    driver.tap("next")
    driver.until_screen("exam_summary")
    exam = services.store.get(draft.uid)
    assert exam.patient.gender is Gender.OTHER
    assert len(exam.views) == 2


def test_an_unverified_clock_is_said_on_the_record(driver: Driver, services: Services) -> None:
    final = a_final(services)
    driver.app.push(ExamDetailScreen(final.uid, _steps(driver)))
    _loaded(driver)
    assert driver.shows("Clock unverified")


def test_the_list_is_filtered_by_where_exams_stand(driver: Driver, services: Services) -> None:
    a_final(services)
    a_draft(services, Patient("KB-9"))
    driver.tap("exams")
    driver.until_text("KB-9")
    assert driver.shows("KB-0042")
    driver.tap("filter.draft")
    driver.until(lambda: not driver.shows("KB-0042"))
    assert driver.shows("KB-9")
    driver.tap("filter.failed")
    driver.until_text("No exam was found")


def _import_one(driver: Driver, world: World) -> None:
    """As far as the view of a picture from a stick that belongs to no patient yet."""
    fill_stick(world.plug(), bad=False)
    driver.tap("import")
    driver.until_text("KINGSTON")
    driver.tap("KINGSTON")
    driver.until_text("good.png")
    driver.tap("good.png")
    driver.until_screen("view")


def test_an_imported_picture_is_still_unsaved_when_the_patient_form_is_left(
    driver: Driver, services: Services, world: World
) -> None:
    _import_one(driver, world)
    driver.tap("save")
    driver.until_screen("patient")
    driver.tap("back")
    driver.until_screen("view")
    driver.tap("more")
    driver.tap("lesion")  # what is unsaved can still be marked by hand
    driver.until_screen("lesion")
    driver.tap("back")
    driver.tap("back")
    assert driver.shows("has not been saved yet")
    driver.tap("Stay here")
    driver.tap("save")
    _enter_patient(driver)
    driver.until_screen("exam_summary")
    _loaded(driver)
    (exam,) = _exams(services)
    assert len(exam.views) == 1


def _fill_card(services: Services) -> None:
    """From now on there is never room enough."""
    space = services.store._core.space
    space.limits = replace(space.limits, margin_bytes=1 << 60)


def _empty_card(services: Services) -> None:
    space = services.store._core.space
    space.limits = replace(space.limits, margin_bytes=0)


def test_a_picture_that_could_not_be_written_stays_on_the_screen(driver: Driver, services: Services) -> None:
    draft = a_draft(services, views=0)
    _steps(driver)._frozen_for(draft.uid)(a_view())
    driver.until_screen("view")
    _fill_card(services)
    driver.tap("save")
    driver.until_text("The card is full")
    driver.tap("OK")
    driver.tap("back")
    assert driver.shows("has not been saved yet")
    driver.tap("Stay here")
    _empty_card(services)
    driver.tap("save")
    driver.until_screen("exam_summary")
    assert len(services.store.get(draft.uid).views) == 1


def test_an_exam_that_cannot_begin_keeps_picture_and_patient(driver: Driver, services: Services, world: World) -> None:
    _import_one(driver, world)
    driver.tap("save")
    _fill_card(services)
    _enter_patient(driver)
    driver.until_text("The card is full")
    driver.tap("OK")
    assert driver.screen.name == "patient"
    assert driver.find("code").value == "KB-7"  # type: ignore[attr-defined]  # a TextField
    _empty_card(services)
    driver.tap("next")
    driver.until_screen("exam_summary")
    assert len(_exams(services)) == 1


def test_nothing_can_be_tapped_while_a_picture_is_being_written(driver: Driver, services: Services) -> None:
    draft = a_draft(services, views=0)
    _steps(driver)._frozen_for(draft.uid)(a_view())
    driver.until_screen("view")
    with services.store._core.lock:  # as long as the card is busy
        driver.tap("save")
        assert driver.shows("Saving")
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE))
        driver.step()
        assert driver.shows("Saving")
        assert driver.screen.name == "view"
    driver.until_screen("exam_summary")
    assert len(services.store.get(draft.uid).views) == 1


def test_leaving_the_patient_form_asks_once_something_was_entered(driver: Driver) -> None:
    driver.tap("new_exam")
    driver.tap("back")
    driver.until_screen("home")
    driver.tap("new_exam")
    driver.tap("code")
    driver.write("kb")
    driver.tap("back")
    assert driver.shows("What you entered has not been saved")
    driver.tap("Stay here")
    assert driver.find("code").value == "kb"  # type: ignore[attr-defined]  # a TextField
    driver.tap("back")
    driver.tap("Discard")
    driver.until_screen("home")


def test_a_long_text_is_not_given_up_by_one_slip(driver: Driver, services: Services) -> None:
    draft = a_draft(services)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("note")
    for char in "lump at ten, moves freely":
        pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text=char))
    driver.step()
    driver.tap("keyboard.cancel")
    assert driver.shows("tap again to discard")
    driver.tap("keyboard.done")
    _saved(driver, services, draft.uid, note="lump at ten, moves freely")


def test_a_note_that_could_not_be_written_is_offered_again(
    driver: Driver, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = a_draft(services)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)

    def full(*_: object) -> None:
        raise DiskFullError("records")

    with monkeypatch.context() as patched:
        patched.setattr(services.store._core, "write", full)
        driver.tap("note")
        driver.write("lump")
        driver.until_text("The card is full")
    driver.tap("OK")
    _loaded(driver)
    driver.tap("note")
    driver.tap("keyboard.done")
    _saved(driver, services, draft.uid, note="lump")


def test_a_wrong_picture_is_taken_out_of_a_draft_after_a_question(driver: Driver, services: Services) -> None:
    draft = a_draft(services, views=2)
    wrong, right = (view.uid for view in draft.views)
    driver.app.push(ExamSummaryScreen(draft.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("view.1")
    driver.until_screen("view")
    driver.tap("more")
    driver.tap("remove")
    driver.tap("Cancel")
    assert [view.uid for view in services.store.get(draft.uid).views] == [wrong, right]
    driver.tap("more")
    driver.tap("remove")
    driver.tap("Remove from the exam")
    driver.until_screen("exam_summary")
    _loaded(driver)
    assert [view.uid for view in services.store.get(draft.uid).views] == [right]
    (entry,) = (entry for entry in services.store.audit_log().entries if entry.event == AuditEvent.VIEW_REMOVED)
    assert (entry.operator, entry.subject) == ("Asha", draft.uid)


def test_a_picture_of_a_final_exam_cannot_be_taken_out(driver: Driver, services: Services) -> None:
    final = a_final(services, views=2)
    driver.app.push(ExamDetailScreen(final.uid, _steps(driver)))
    _loaded(driver)
    driver.tap("view.1")
    driver.until_screen("view")
    driver.tap("more")
    assert not _has_touchable(driver, "remove")
