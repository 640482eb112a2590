"""Who is examined: code, name, age, gender, family history; by touch keyboard or by a code that the camera reads.

A code that is known with other details is never merged in silence: the clinician is shown both and decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from device.records.exam import FamilyHistory, Gender, Patient
from device.ui.screens.patient_conflict import PatientConflictScreen
from device.ui.screens.scan_code import ScanCodeScreen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.choice import Choice
from device.ui.widgets.field_row import FieldRow
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column
from device.ui.widgets.page import Page
from device.ui.widgets.scroll_view import ScrollView
from device.ui.widgets.text_field import TextField
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
    """

    name = "patient"

    def __init__(self, on_done: Callable[[Patient], None], patient: Patient | None = None) -> None:
        super().__init__()
        self._on_done = on_done
        self._before = patient
        self._patient = patient or Patient("")
        self._problem = ""

    # --- what happens -------------------------------------------------------------------------------------------------

    def _set(self, **values: object) -> None:
        self._patient = replace(self._patient, **values)  # type: ignore[arg-type]  # the callers name fields
        self._problem = ""
        self.rebuild()

    def _write_code(self) -> None:
        title = self.ui.t("patient.code")
        self.ask_text(title, self._patient.code, lambda text: self._set(code=text), longest=LONGEST_CODE)

    def _write_name(self) -> None:
        title = self.ui.t("report.name")
        self.ask_text(title, self._patient.name, lambda text: self._set(name=text), longest=LONGEST_NAME)

    def _write_age(self) -> None:
        age = self._patient.age_years

        def check(text: str) -> str:
            return self.ui.t("patient.age_wrong", oldest=OLDEST) if text and int(text) > OLDEST else ""

        def take(text: str) -> None:
            self._set(age_years=int(text) if text else None)

        shown = "" if age is None else str(age)
        self.ask_text(self.ui.t("patient.age"), shown, take, longest=3, check=check, allowed=DIGITS)

    def _scan(self) -> None:
        def take(code: str) -> None:
            self._patient, self._problem = replace(self._patient, code=code[:LONGEST_CODE]), ""

        self.app.push(ScanCodeScreen(take))

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
        if known is None or known == self._before or not entered.conflicts_with(known):
            self._on_done(entered)
            return
        # The code is written as it was first, so that lists show one person in one way.
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
        form = Column(ui, [*self._who(), *self._history()], gap=ui.sizes.pad)
        return Page(ui, title, [ScrollView(ui, form)], on_back=self.back, footer=[following])

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
