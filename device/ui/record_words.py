# SPDX-License-Identifier: Apache-2.0
"""How the record screens say things: a patient, a moment, a category, where an exam stands.

Kept in one place so that the list, the summary and the details never say the same thing in two ways. Words that the
printed report has as well are taken from it, so that screen and paper agree.
"""

from __future__ import annotations

from datetime import date, datetime

from device.records.exam import BiRads, ExamState, FamilyHistory, Patient
from device.records.outbox.rows import OutboxState
from device.records.store.summary import Answer, ExamSummary
from device.ui.status import Level
from device.words import Translator

SEPARATOR = " · "


def moment(when: datetime) -> str:
    """Date and time on this device's clock, the same in every language."""
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def today() -> date:
    """The day on this device's clock."""
    return datetime.now().astimezone().date()


def patient_name(patient: Patient) -> str:
    """Code and name, or the code alone."""
    return SEPARATOR.join(part for part in (patient.code, patient.name) if part)


def patient_details(t: Translator, patient: Patient, *, unasked: bool = True) -> str:
    """Age, gender and family history, as far as they are known.

    Args:
        t: Words.
        patient: Who it is.
        unasked: Whether to say that the family history is not known: no news of a patient who has not come yet.
    """
    age = "" if patient.age_years is None else t("report.age_years", years=patient.age_years)
    gender = "" if patient.gender is None else t(f"report.gender_{patient.gender.value}")
    asked = unasked or patient.family_history is not FamilyHistory.UNKNOWN
    family = t(f"patient.family_{patient.family_history.value}") if asked else ""
    return SEPARATOR.join(part for part in (age, gender, family) if part)


def category(t: Translator, birads: BiRads | None) -> str:
    """The clinician's category with its meaning."""
    if birads is None:
        return t("report.birads_none")
    return t("report.birads", category=birads.value, meaning=t(f"report.birads_{birads.value.lower()}"))


def standing(t: Translator, summary: ExamSummary) -> tuple[str, Level]:
    """Where an exam stands, as a word and how much that matters."""
    if summary.answer is not None:
        new = summary.answer is Answer.NEW
        return t("exams.state_new_answer" if new else "exams.state_answered"), Level.WARNING if new else Level.OK
    if summary.state is ExamState.DRAFT:
        return t("exams.state_draft"), Level.INFO
    if summary.outbox is None:
        return t("exams.state_final"), Level.OK
    levels = {OutboxState.SENT: Level.OK, OutboxState.FAILED: Level.ERROR}
    return t(f"exams.state_{summary.outbox.value}"), levels.get(summary.outbox, Level.INFO)


def reason(t: Translator, summary: ExamSummary) -> str:
    """Why an exam could not be sent, as a sentence; empty when it did not fail, or only waits for a network."""
    return reason_for(t, summary.outbox_reason) if summary.outbox is OutboxState.FAILED else ""


def reason_for(t: Translator, code: str) -> str:
    """The sentence for the code of a reason, as the outbox keeps it."""
    key = f"errors.{code}"
    return t(key) if t.has(key) else t("errors.upload")


def size(t: Translator, count: int) -> str:
    """Bytes as people say them."""
    if count < 1_000_000:
        return t("common.kilobytes", count=t.number(count / 1e3, 0))
    if count < 1_000_000_000:
        return t("common.megabytes", count=t.number(count / 1e6, 0))
    return t("common.gigabytes", count=t.number(count / 1e9, 1))


def shown_name(name: str) -> str:
    """A file's name as it can be drawn: what is no text becomes a mark, and never ends the program."""
    return "".join(char if char.isprintable() else "\ufffd" for char in name.encode("utf-8", "replace").decode())
