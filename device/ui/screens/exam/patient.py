# SPDX-License-Identifier: Apache-2.0
"""Who is examined: code, name, age, gender, family history; from today's list, by touch keyboard, or by a scanned code.

A code that is known with other details is never merged in silence: the clinician is shown both and decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from device.records.exam import FamilyHistory, Gender, Patient, provisional_code, written
from device.system.clock import clock_trusted
from device.ui.record_words import patient_name, today
from device.ui.screens.exam.patient_conflict import PatientConflictScreen
from device.ui.screens.inbox.planned import PlannedScreen
from device.ui.screens.source.scan_code import ScanCodeScreen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Button, Choice, Column, FieldRow, Grid, Kind, Label, Page, ScrollView, TextField, Widget
from device.ui.widgets.entry.keyboard import Writing
from device.ui.work_screen import WorkScreen

LONGEST_CODE = 64
LONGEST_NAME = 64
OLDEST = 120
DIGITS = "0123456789"


class PatientScreen(WorkScreen):
    """The form.

    Args:
        on_done: Called with the details that the clinician has settled on.
        patient: Details to begin with, for a draft whose details are corrected.
        later: Offers to give the code later: there is a view that should be kept now.
    """

    name = "patient"

    def __init__(
        self, on_done: Callable[[Patient], None], patient: Patient | None = None, *, later: bool = False
    ) -> None:
        super().__init__()
        self._on_done = on_done
        self._before = patient
        self._later = later
        blank = replace(patient, code="") if patient is not None and patient.provisional else patient
        self._first = self._patient = blank or Patient("")
        self._problem = ""
        self._planned: tuple[Patient, ...] = ()
        self._provisional = provisional_code()  # one a form, however often it is handed over

    def enter(self) -> None:
        """Ask who is planned for today, where an exam begins."""
        if self._before is None and self.app.services.operator:
            day = today() if clock_trusted() else None
            self.read("planned", lambda store: store.planned(day), self._show_planned)

    @property
    def unsaved(self) -> str:
        """Details that were entered."""
        return "common.discard_entered" if self._patient != self._first else ""

    # --- what happens -------------------------------------------------------------------------------------------------

    def _show_planned(self, planned: tuple[Patient, ...]) -> None:
        if planned != self._planned:
            self._planned = planned
            self.rebuild_when_free()

    def _choose_planned(self, patient: Patient) -> None:
        self._patient, self._problem = patient, ""
        self.rebuild()

    def _set(self, **values: object) -> None:
        self._patient = replace(self._patient, **values)  # type: ignore[arg-type]  # the callers name fields
        self._problem = ""
        self.rebuild()

    def _write_code(self) -> None:
        title = self.ui.t("patient.code")
        self.ask_text(
            title,
            self._patient.code,
            lambda text: self._set(code=written(text)),
            longest=LONGEST_CODE,
            writing=Writing.CODE,
            on_next=self._write_name,
        )

    def _write_name(self) -> None:
        title = self.ui.t("report.name")
        self.ask_text(
            title,
            self._patient.name,
            lambda text: self._set(name=written(text)),
            longest=LONGEST_NAME,
            writing=Writing.NAME,
            on_next=self._write_age,
        )

    def _write_age(self) -> None:
        age = self._patient.age_years

        def check(text: str) -> str:
            return self.ui.t("patient.age_wrong", oldest=OLDEST) if text and int(text) > OLDEST else ""

        def take(text: str) -> None:
            self._set(age_years=int(text) if text else None)

        shown = "" if age is None else str(age)
        self.ask_text(
            self.ui.t("patient.age"), shown, take, longest=3, check=check, allowed=DIGITS, writing=Writing.NUMBER
        )

    def _scan(self) -> None:
        def take(code: str) -> None:
            self._patient, self._problem = replace(self._patient, code=written(code)[:LONGEST_CODE]), ""

        self.app.push(ScanCodeScreen(take))

    def _skip(self) -> None:
        self._on_done(replace(self._patient, code=self._provisional))

    def _next(self) -> None:
        if not self._patient.code:
            self._problem = self.ui.t("patient.code_missing")
            self.rebuild()
            return
        patient = self._patient
        self.read("find patient", lambda store: store.find_patient(patient.code), self._compare)
        self.rebuild()

    def _compare(self, known: Patient | None) -> None:
        entered = self._patient
        self.rebuild()  # the way on can be tapped again: what follows may fail
        if known is None or known == self._before:
            self._on_done(entered)
            return
        # The code is written as it was first, so that lists, and the clinic, have one person once.
        if not entered.conflicts_with(known):
            self._on_done(replace(entered, code=known.code))
            return
        self.app.push(PatientConflictScreen(known, replace(entered, code=known.code), self._settle))

    def _settle(self, patient: Patient) -> None:
        self._patient = patient
        self._on_done(patient)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """The form and a way on."""
        ui, t = self.ui, self.ui.t
        title = t("patient.new_title") if self._before is None else t("patient.edit_title")
        word = t("patient.begin") if self._before is None else t("common.save")
        following = Button(ui, word, self._next, kind=Kind.PRIMARY, enabled=not self.busy("find patient"), key="next")
        skip = None
        if self._later and not self._patient.code:
            skip = Button(ui, t("patient.later"), self._skip, key="later")
        form = Column(ui, [*self._today(), *self._who(), *self._history()], gap=ui.sizes.pad)
        return Page(ui, title, [ScrollView(ui, form)], on_back=self.back, footer=[skip, following])

    def _today(self) -> list[Widget]:
        """The first who are planned, each as a button that fills the form, and a way to all others."""
        ui, planned = self.ui, self._planned
        if not planned:
            return []
        columns = 2 if ui.sizes.portrait else 3
        room = 2 * columns if ui.sizes.portrait else columns
        shown = planned if len(planned) <= room else planned[: room - 1]
        ways: list[Widget] = [self._planned_button(patient, number) for number, patient in enumerate(shown, 1)]
        if len(planned) > room:
            words = ui.t("patient.planned_all", count=len(planned))
            ways.append(Button(ui, words, self._all_planned, icon="exams", key="planned_all"))
        heading = Label(ui, ui.t("patient.planned"), Style.SMALL, Ink.MUTED)
        return [Column(ui, [heading, Grid(ui, ways, columns, key="planned")])]

    def _planned_button(self, patient: Patient, number: int) -> Button:
        def choose() -> None:
            self._choose_planned(patient)

        return Button(self.ui, patient_name(patient), choose, break_words=True, key=f"planned.{number}")

    def _all_planned(self) -> None:
        self.app.push(PlannedScreen(self._planned, self._choose_planned))

    def _who(self) -> list[Widget]:
        ui, patient = self.ui, self._patient
        code = TextField(
            ui,
            ui.t("patient.code"),
            patient.code,
            self._write_code,
            hint=ui.t("patient.code_hint"),
            problem=self._problem,
            key="code",
            grow=1,
        )
        scan = Button(ui, ui.t("patient.scan"), self._scan, icon="barcode", key="scan")
        hint = ui.t("patient.optional")
        name = TextField(ui, ui.t("report.name"), patient.name, self._write_name, hint=hint, key="name", grow=3)
        shown = "" if patient.age_years is None else str(patient.age_years)
        age = TextField(ui, ui.t("patient.age"), shown, self._write_age, hint=hint, key="age", grow=2)
        return [FieldRow(ui, [code, scan]), FieldRow(ui, [name, age])]

    def _history(self) -> list[Widget]:
        ui, patient = self.ui, self._patient
        genders = [(gender.value, ui.t(f"report.gender_{gender.value}")) for gender in Gender]
        chosen = None if patient.gender is None else patient.gender.value
        answers = [(answer.value, ui.t(f"report.family_history_{answer.value}")) for answer in FamilyHistory]
        history = patient.family_history.value
        in_row = 1 if ui.sizes.portrait else 3
        return [
            Choice(ui, ui.t("report.gender"), genders, chosen, self._choose_gender, columns=in_row, key="gender"),
            Choice(
                ui, ui.t("report.family_history"), answers, history, self._choose_family, columns=in_row, key="family"
            ),
            Label(ui, ui.t("patient.kept_encrypted"), Style.SMALL, Ink.MUTED),
        ]

    def _choose_gender(self, value: str) -> None:
        gender = Gender(value)
        self._set(gender=None if gender is self._patient.gender else gender)

    def _choose_family(self, value: str) -> None:
        self._set(family_history=FamilyHistory(value))
