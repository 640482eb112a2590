# SPDX-License-Identifier: Apache-2.0
"""The reader's report as a person reads it, HTML and PDF; what a record shows where it cannot show codes.

One page of plain facts in English, the language that records share; words of people stand as they wrote them. The same
reading gives the same files, byte for byte.
"""

from __future__ import annotations

import html
from typing import Final

from clinic.fhir.facts import ExamFacts
from clinic.reading.lexicon import ADVICE_CODES, DESCRIPTORS, KINDS, Advice
from device.dicom.attributes import DISCLAIMER
from device.fonts.printed import find_fonts

TITLE: Final = "Breast ultrasound: reader's report"
_SIDES: Final = {"L": "left breast", "R": "right breast", "U": "side not given"}

Line = tuple[str, str]


def lines(facts: ExamFacts) -> list[Line]:
    """What the report says, label by label."""
    exam, reading = facts.exam, facts.reading
    assert reading.decided_at is not None  # noqa: S101 - for the type checker, only decided ones come here
    said = [
        ("Clinic", facts.origin.clinic),
        ("Patient", " ".join(filter(None, (exam.patient_code, exam.patient_name)))),
        ("Age", "" if exam.patient_age is None else str(exam.patient_age)),
        ("Exam", f"{exam.started_at:%Y-%m-%d %H:%M} UTC"),
        ("Made by", " · ".join(filter(None, (exam.operator, exam.site)))),
        ("Views", "; ".join(_view(view.number, view.laterality, view.clock) for view in facts.content.views)),
        ("Clinician's category", "" if exam.clinician_category is None else f"BI-RADS {exam.clinician_category}"),
        ("Category", f"BI-RADS {reading.category} ({reading.edition})"),
        ("Advice", ADVICE_CODES[Advice(str(reading.advice))].meaning),
    ]
    said += [(KINDS[kind].meaning, DESCRIPTORS[kind][value].meaning) for kind, value in reading.descriptors.items()]
    said += [
        ("Note", reading.note),
        ("Read by", f"{reading.reader.display_name}, {reading.decided_at:%Y-%m-%d %H:%M} UTC"),
        ("Corrects", "an earlier report of this exam" if facts.supersedes is not None else ""),
    ]
    return [(label, text.strip()) for label, text in said if text.strip()]


def report_html(facts: ExamFacts) -> bytes:
    """The report as one self-contained page."""
    rows = "\n".join(f"<dt>{html.escape(label)}</dt><dd>{html.escape(text)}</dd>" for label, text in lines(facts))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title></head>\n'
        f"<body><h1>{TITLE}</h1>\n<dl>\n{rows}\n</dl>\n<p><strong>{DISCLAIMER}</strong></p></body></html>\n"
    ).encode()


def report_pdf(facts: ExamFacts) -> bytes:
    """The report on paper, as the handheld sets its own.

    Raises:
        FontMissingError: No font is installed.
    """
    from device.records.report.page import ReportPage  # costs half a second

    reading = facts.reading
    assert reading.decided_at is not None  # noqa: S101 - for the type checker, only decided ones come here
    head = (facts.origin.clinic, facts.exam.study_uid[-8:])
    page = ReportPage(find_fonts("en"), "en", head, DISCLAIMER, "Page {page} of {n}", reading.decided_at)
    page.set_title(TITLE)
    page.words(TITLE, "title", bold=True)
    page.rows(lines(facts))
    return bytes(page.output())


def _view(number: int, side: str, clock: int | None) -> str:
    place = _SIDES.get(side, _SIDES["U"]) + ("" if clock is None else f", {clock} o'clock")
    return f"{number}: {place}"
