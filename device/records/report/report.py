# SPDX-License-Identifier: Apache-2.0
"""The report of an exam as a PDF: what the patient takes home and what a stick brings to a clinic without a network.

It says everything that a reader needs to judge it: who, when, where and with which model; each view with what the model
outlined, its probabilities and its size; what the clinician thinks; and on every page that this is no diagnosis. The
same exam gives the same file, byte for byte, so that exporting twice changes nothing.

Used by the export to a stick.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from device.capture.frame import Pixels
from device.fonts.printed import find_fonts
from device.imaging.marks.annotations import Marks, draw
from device.imaging.marks.styles import PHANTOM_WORD, calliper_letter
from device.inference.finding import CLASSES, Finding
from device.records.exam import Exam, ExamState, Verdict, View
from device.records.report import lesions
from device.records.report.places import place_words
from device.words import Translator

if TYPE_CHECKING:
    from device.records.report.page import ReportPage

PICTURE_MM = (104.0, 82.0)
_GAP_MM = 6.0


def report_pdf(exam: Exam, *, language: str = "en", site: str = "", timezone: tzinfo | None = None) -> bytes:
    """The report of one exam.

    Args:
        exam: With its views and their frames; a draft is marked as one on every page.
        language: Of the sentences; decides the font.
        site: Name of the site, empty when the device is not enrolled.
        timezone: For dates; the device's own when ``None``.

    Returns:
        A PDF file, A4, fonts embedded.

    Raises:
        FontMissingError: The font of the language is not installed.
    """
    from device.records.report.page import ReportPage  # costs half a second, and only reports need it

    text, fonts = Translator(language), find_fonts(language, written=_written(exam, site))
    head = text("report.exam_id", id=short_id(exam.uid))
    if exam.state is ExamState.DRAFT:
        head = f"{text('report.draft')} · {head}"
    made_at = exam.addenda[-1].written_at if exam.addenda else exam.finalised_at or exam.started_at
    numbers = text("report.page", page="{page}", pages="{n}")
    page = ReportPage(fonts, language, (text("report.product"), head), text("report.disclaimer"), numbers, made_at)
    page.set_title(f"{text('report.title')} {short_id(exam.uid)}")
    _front(page, exam, text, site, timezone)
    _lesions_and_views(page, exam, text)
    if not exam.views:
        page.words(text("report.no_views"))
    if exam.damaged_views:
        page.words(text("report.views_damaged", count=len(exam.damaged_views)), bold=True)
    _back(page, exam, text, timezone)
    return bytes(page.output())


def _written(exam: Exam, site: str) -> str:
    """Everything that people wrote, in whatever script."""
    patient = exam.patient
    parts = [patient.code, patient.name, exam.operator, site, exam.note]
    parts += [view.note for view in exam.views] + [lesion.note for lesion in exam.lesions]
    parts += [words for addendum in exam.addenda for words in (addendum.text, addendum.author)]
    return "\n".join(parts)


def short_id(uid: str) -> str:
    """The end of a UID, enough to tell the exams of one clinic apart and short enough to read out."""
    return uid.rpartition(".")[2][-8:]


def marked_picture(view: View) -> Pixels:
    """The view's frame with outline, long axis and callipers on it: uint8 (h, w, 3) RGB."""
    lesion = view.finding.lesion
    return draw(
        view.frame.pixels,
        Marks(
            contour=lesion.contour if lesion else (),
            long_axis=lesion.long_axis if lesion else None,
            callipers=[(calliper.start, calliper.end) for calliper in view.callipers],
            watermark=PHANTOM_WORD if view.phantom else "",
        ),
    )


def plain_picture(view: View) -> Pixels:
    """The view's frame as it is; one of the phantom with its word across it, because a file says nothing else of it."""
    pixels = view.frame.pixels
    return draw(pixels, Marks(watermark=PHANTOM_WORD)) if view.phantom else pixels


def _front(page: ReportPage, exam: Exam, text: Translator, site: str, timezone: tzinfo | None) -> None:
    """Title, who, when and where, and the clinician's category."""
    page.words(text("report.title"), "title", bold=True)
    if exam.training:
        page.words(text("report.training"), bold=True)
    patient, missing = exam.patient, text("report.not_given")
    page.heading(text("report.patient"))
    page.rows(
        [
            (text("report.code"), patient.code),
            (text("report.name"), patient.name or missing),
            (
                text("report.age"),
                missing if patient.age_years is None else text("report.age_years", years=patient.age_years),
            ),
            (text("report.gender"), text(f"report.gender_{patient.gender.value}") if patient.gender else missing),
            (text("report.family_history"), text(f"report.family_history_{patient.family_history.value}")),
        ]
    )
    page.heading(text("report.exam"))
    rows = [(text("report.started"), _moment(exam.started_at, timezone))]
    if exam.finalised_at is not None:
        rows.append((text("report.finalised"), _moment(exam.finalised_at, timezone)))
    rows += [(text("report.operator"), exam.operator or missing), (text("report.site"), site or missing)]
    page.rows(rows)
    if not exam.clock_trusted:
        page.words(text("report.clock_unverified"), bold=True)
    page.heading(text("report.clinician"))
    if exam.birads is None:
        page.words(text("report.birads_none"))
    else:
        page.words(lesions.category_words(exam.birads, exam.birads_edition, text), bold=True)
    if exam.echotexture is not None:
        page.words(f"{text('report.echotexture')}: {text(f'report.echotexture_{exam.echotexture.value}')}")
    if exam.note:
        page.words(text("report.note", note=exam.note))
    if exam.verdicts:
        _verdict(page, exam.verdicts[-1], text, timezone)


def _verdict(page: ReportPage, verdict: Verdict, text: Translator, timezone: tzinfo | None) -> None:
    """What the clinic has decided last."""
    page.heading(text("report.verdict"))
    said = {"reader": verdict.reader, "clinic": verdict.clinic, "category": verdict.birads.value}
    date = _moment(verdict.decided_at, timezone)
    page.words(text("report.verdict_line", edition=verdict.edition, date=date, **said), bold=True)
    page.words(text(f"report.advice_{verdict.advice.value}"), bold=True)
    if verdict.note:
        page.words(text("report.note", note=verdict.note))


def _lesions_and_views(page: ReportPage, exam: Exam, text: Translator) -> None:
    """Lesion by lesion with its views, then the views that belong to none; a view of two lesions is shown once."""
    waiting = {view.uid: (number, view) for number, view in enumerate(exam.views, start=1)}
    if exam.lesions:
        lesions.overview(page, exam, text)
    for number, lesion in enumerate(exam.lesions, start=1):
        lesions.details(page, exam, number, lesion, text)
        for uid in lesion.view_uids:
            if uid in waiting:
                view_number, view = waiting.pop(uid)
                _view(page, view, view_number, text)
    if exam.lesions and waiting:
        page.heading(text("report.other_views"), keep=PICTURE_MM[1] + 24)
    for view_number, view in waiting.values():
        _view(page, view, view_number, text)


def _view(page: ReportPage, view: View, number: int, text: Translator) -> None:
    """One view: picture on the left, the finding in numbers beside it, sentences below."""
    page.heading(text("report.view", number=number, place=place_words(view, text)), keep=PICTURE_MM[1] + 12)
    for caution in view.cautions:
        page.words(text(f"report.caution_{caution.value}"), bold=True)
    top = page.get_y()
    width, height = page.picture(marked_picture(view), *PICTURE_MM)
    column = page.l_margin + width + _GAP_MM
    page.set_left_margin(column)
    page.set_xy(column, top)
    _finding(page, view.finding, text)
    page.set_left_margin(page.l_margin - width - _GAP_MM)
    page.set_y(max(page.get_y(), top + height) + 2)
    for index, calliper in enumerate(view.callipers, start=1):
        letter = calliper_letter(index)
        page.words(
            text("report.calliper_mm", letter=letter, mm=text.number(calliper.length_mm, 1))
            if calliper.length_mm is not None
            else text("report.calliper_px", letter=letter, px=f"{calliper.length_px:.0f}")
        )
    if view.note:
        page.words(text("report.note", note=view.note))
    page.words(text("report.model", model=view.finding.model), "small", faint=True)


def _finding(page: ReportPage, finding: Finding, text: Translator) -> None:
    """What the model says, in the column beside the picture."""
    page.words(text("report.model_says"), "small", faint=True)
    page.words(text.result(finding.result), "title", bold=True)
    page.words(_meaning(finding, text))
    page.ln(1.5)
    if not finding.evaluable:
        return  # numbers for a picture that the model was not made for would only mislead
    if finding.probabilities is None:
        page.words(text("report.probabilities_none"))
    else:
        page.words(text("report.probabilities"), "small", faint=True)
        width = page.w - page.r_margin - page.l_margin
        for name in CLASSES:
            band = finding.uncertain_band if name == "malignant" else None
            page.bar(text(f"report.class_{name}"), finding.probabilities[name], page.l_margin, width, band)
        low, high = (f"{100 * limit:.0f}" for limit in finding.uncertain_band)
        page.words(text("report.uncertain_band", low=low, high=high), "small")
    page.ln(1.5)
    page.words(_size(finding, text))


def _meaning(finding: Finding, text: Translator) -> str:
    if finding.reason is not None:
        return text(f"report.reason_{finding.reason.value}")
    return text(f"report.meaning_{finding.result.value}")


def _size(finding: Finding, text: Translator) -> str:
    lesion = finding.lesion
    if lesion is None:
        return text("report.no_lesion")
    if lesion.long_axis_mm is None:
        return text("report.long_axis_px", px=f"{lesion.long_axis_px:.0f}")
    return text("report.long_axis_mm", mm=text.number(lesion.long_axis_mm, 1))


def _back(page: ReportPage, exam: Exam, text: Translator, timezone: tzinfo | None) -> None:
    """Addenda, how to read the pictures, and what the model was not made for."""
    if exam.addenda:
        page.heading(text("report.addenda"))
        for addendum in exam.addenda:
            line = text("report.addendum", date=_moment(addendum.written_at, timezone), author=addendum.author)
            page.words(line, "small", faint=True)
            page.words(addendum.text)
    page.heading(text("report.exclusions_title"), keep=45)
    page.words(text("report.exclusions"))
    page.words(text("report.intended_use"))
    if exam.views:
        page.ln(2)
        page.words(text("report.legend"), "small", faint=True)


def _moment(moment: datetime, timezone: tzinfo | None) -> str:
    """A date that reads the same in every language: 2025-03-04 15:00 (UTC+05:30)."""
    local = moment.astimezone(timezone)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M} (UTC{offset[:3]}:{offset[3:5]})"
