# SPDX-License-Identifier: Apache-2.0
"""All patients whom the clinic has planned for today and who has not been examined here yet."""

from __future__ import annotations

from collections.abc import Callable

from device.records.exam import Patient
from device.ui.record_words import patient_details, patient_name
from device.ui.screen import Screen
from device.ui.widgets import ListRow, ListView, Page, Widget


class PlannedScreen(Screen):
    """The whole list, where the form has room for its first few only.

    Args:
        patients: In the clinic's order.
        on_chosen: Called with the patient who was tapped; the form comes back.
    """

    name = "planned"

    def __init__(self, patients: tuple[Patient, ...], on_chosen: Callable[[Patient], None]) -> None:
        super().__init__()
        self._patients = patients
        self._on_chosen = on_chosen

    def _choose(self, patient: Patient) -> None:
        self._on_chosen(patient)
        self.app.pop()

    def build(self) -> Widget:
        """The list."""
        t = self.ui.t

        def row(patient: Patient) -> ListRow:
            return ListRow(patient_name(patient), patient_details(t, patient, unasked=False), icon="person")

        rows = ListView(self.ui, self._patients, row, self._choose, key="planned")
        return Page(self.ui, t("patient.planned"), [rows], on_back=self.back)
