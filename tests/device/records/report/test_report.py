# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from device.errors import FontMissingError
from device.fonts import printed
from device.fonts.printed import find_fonts
from device.inference.finding import Caution, ModelResult, Reason
from device.records.exam import Advice, BiRads, Exam, ExamState, FamilyHistory, Gender, Laterality, Verdict
from device.records.report.report import marked_picture, report_pdf, short_id
from device.words import LANGUAGES, Translator, texts
from tests.device.records.made_up import MOMENT, PATIENT, changed, exam, finding, lesion, view
from tests.pictures import read_rgb

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None or not Path("/usr/share/fonts/truetype/noto").is_dir(),
    reason="poppler-utils and fonts-noto-core are needed to read reports back",
)

EVERYTHING = exam(
    view(1),
    view(2, finding(ModelResult.UNCERTAIN, lesion(None)), laterality=Laterality.RIGHT, clock_position=None),
    view(3, finding(ModelResult.BENIGN, lesion()), callipers=()),
    view(4, finding(ModelResult.NORMAL), note="", laterality=None, clock_position=None),
    view(5, finding(ModelResult.NOT_EVALUABLE, reason=Reason.COLOUR)),
    clock_trusted=False,
)


@pytest.fixture
def pages(tmp_path: Path) -> Callable[..., list[str]]:
    """The text of every page of a report, blanks within a line made single."""

    def read(pdf: bytes) -> list[str]:
        path = tmp_path / "report.pdf"
        path.write_bytes(pdf)
        done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
        assert done.stderr == b""
        return [re.sub(r"[ \n]+", " ", page) for page in done.stdout.decode().split("\f")[:-1]]

    return read


def squeezed(text: str) -> str:
    """Without blanks: shaped scripts come back with blanks between glyphs."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_what_it_must_not_be_taken_for(language: str, pages: Callable[..., list[str]]) -> None:
    text = Translator(language)
    found = pages(report_pdf(EVERYTHING, language=language))
    assert len(found) >= 3
    for number, page in enumerate(found, start=1):
        assert squeezed(text("report.disclaimer")) in squeezed(page)
        assert squeezed(text("report.page", page=number, pages=len(found))) in squeezed(page)
        assert short_id(EVERYTHING.uid) in page
    assert squeezed(text("report.exclusions_title")) in squeezed(found[-1])
    assert not text.missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_runs_out_of_the_paper(language: str, tmp_path: Path) -> None:
    long = exam(
        *EVERYTHING.views,
        patient=changed(PATIENT, name="Venkatanarasimharajuvaripeta " * 8),
        note="Tuberositas " * 120,
        operator="A" * 150,
    )
    (tmp_path / "report.pdf").write_bytes(report_pdf(long, language=language))
    box = subprocess.run(["pdftotext", "-bbox", tmp_path / "report.pdf", "-"], capture_output=True, check=True).stdout
    words = 0
    for page in ElementTree.fromstring(box).iter("{http://www.w3.org/1999/xhtml}page"):  # noqa: S314 - our own file
        width, height = float(page.attrib["width"]), float(page.attrib["height"])
        for word in page:
            words += 1
            assert float(word.attrib["xMin"]) >= 40
            assert float(word.attrib["xMax"]) <= width - 40, word.text
            assert float(word.attrib["yMax"]) <= height - 40, word.text
    assert words > 300


def test_all_that_is_known_of_the_exam_is_there(pages: Callable[..., list[str]]) -> None:
    text = " ".join(pages(report_pdf(exam(), site="Kibera outreach", timezone=timezone(timedelta(hours=3)))))
    for expected in (
        "KB-0042",
        "Wanjirũ Müller",
        "45 years",
        "Female",
        "Breast cancer in the family Yes",
        "2025-03-04 12:30 (UTC+03:00)",
        "2025-03-04 12:39 (UTC+03:00)",
        "Nurse Achieng",
        "Kibera outreach",
        "BI-RADS 4B: moderate suspicion of malignancy",
        "Second look advised.",
        "View 1: left breast, 10 o'clock",
        "Malignant 87 %",
        "Benign 11 %",
        "Normal 2 %",
        "From 20 % to 45 %",
        "Long axis (L): 12.8 mm",
        "Measurement A: 8.1 mm",
        "Note: Palpable lump.",
        "phantomnet@1.2.3",
        "2025-03-07 12:30 (UTC+03:00), Dr. Rao",
        "Biopsy is on 12 March.",
    ):
        assert squeezed(expected) in squeezed(text), expected
    assert "Clock unverified" not in text
    assert "DRAFT" not in text


@pytest.mark.parametrize("language", ["es", "fr"])
def test_lengths_have_the_decimal_comma_where_the_language_has_it(
    language: str, pages: Callable[..., list[str]]
) -> None:
    text = " ".join(pages(report_pdf(exam(), language=language)))
    assert "12,8 mm" in text
    assert "8,1 mm" in text
    assert re.search(r"\d\.\d+ (mm|cm)", text) is None


def test_what_is_unknown_is_said_and_not_left_out(pages: Callable[..., list[str]]) -> None:
    bare = exam(
        view(1, finding(ModelResult.UNCERTAIN, lesion(None)), laterality=None, clock_position=None, callipers=()),
        patient=changed(PATIENT, name="", age_years=None, gender=None, family_history=FamilyHistory.UNKNOWN),
        birads=None,
        clock_trusted=False,
        addenda=(),
    )
    text = " ".join(pages(report_pdf(bare)))
    for expected in (
        "Name Not given",
        "Age Not given",
        "Gender Not given",
        "Breast cancer in the family Not known",
        "Site Not given",
        "Clock unverified: date and time may be wrong.",
        "No BI-RADS category was given.",
        "side not given",
        "Long axis (L): 128 pixels, scale unknown",
    ):
        assert expected in text, expected


def test_a_view_that_is_not_evaluable_says_why_and_shows_no_numbers(pages: Callable[..., list[str]]) -> None:
    for reason in Reason:
        refused = exam(view(1, finding(ModelResult.NOT_EVALUABLE, reason=reason)))
        text = " ".join(pages(report_pdf(refused)))
        assert "Not evaluable" in text
        assert texts("en")[f"report.reason_{reason.value}"][:40] in text
        assert "40%" not in squeezed(text)


def test_a_draft_is_marked_on_every_page(pages: Callable[..., list[str]]) -> None:
    draft = changed(EVERYTHING, state=ExamState.DRAFT, finalised_at=None, addenda=())
    assert all("DRAFT, not finalised" in page for page in pages(report_pdf(draft)))


def test_an_exam_without_views_and_one_with_damaged_views(pages: Callable[..., list[str]]) -> None:
    empty = changed(exam(), views=(), damaged_views=("2.25.1", "2.25.2"))
    text = " ".join(pages(report_pdf(empty)))
    assert "This exam has no views." in text
    assert "Views that could not be read and are missing here: 2" in text


def test_the_same_exam_gives_the_same_file() -> None:
    assert report_pdf(EVERYTHING) == report_pdf(EVERYTHING)
    assert report_pdf(EVERYTHING) != report_pdf(changed(EVERYTHING, note="Other."))


def test_the_picture_on_the_page_is_the_marked_frame(tmp_path: Path) -> None:
    single = exam(view())
    (tmp_path / "report.pdf").write_bytes(report_pdf(single))
    subprocess.run(["pdfimages", "-png", tmp_path / "report.pdf", tmp_path / "image"], check=True)
    pictures = sorted(tmp_path.glob("image*.png"))
    assert len(pictures) == 1
    shown = read_rgb(pictures[0])
    expected = marked_picture(single.views[0])
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(float) - expected).mean() < 6.0


def test_a_name_in_another_script_than_the_language(pages: Callable[..., list[str]]) -> None:
    mixed = exam(patient=changed(PATIENT, name="मीरा / மீரா / Nguyễn"))
    for language in LANGUAGES:
        text = squeezed(" ".join(pages(report_pdf(mixed, language=language))))
        assert "मीरा/மீரா/Nguyễn" in text


def test_a_character_without_a_font_is_shown_as_missing_and_stays_out_of_the_log(
    pages: Callable[..., list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = " ".join(pages(report_pdf(exam(patient=changed(PATIENT, name="Li \U00030000\x07na", code="C\x00-1")))))
    assert "Li \ufffd na" in text
    assert "C -1" in text
    assert "\U00030000" not in caplog.text
    assert "30000" not in caplog.text


def test_hindi_and_tamil_are_shaped() -> None:
    """A conjunct is one narrower shape, not its letters side by side; a vowel sign that stands before goes before."""
    from device.records.report.page import ReportPage

    page = ReportPage(find_fonts("hi"), "hi", ("", ""), "", "", MOMENT)
    page.pen("text")
    parts = page.get_string_width("क") + page.get_string_width("्") + page.get_string_width("ष")
    assert page.get_string_width("क्ष") < 0.9 * parts


def test_a_language_without_its_font_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "NotoSans-Regular.ttf").write_bytes(b"")
    with pytest.raises(FontMissingError, match="NotoSansTamil"):
        find_fonts("ta", [tmp_path])
    assert [font.script for font in find_fonts("es", [tmp_path])] == ["latin"]
    monkeypatch.setattr(printed, "FOLDERS", (tmp_path / "nowhere",))
    with pytest.raises(FontMissingError):
        report_pdf(exam())


def test_dejavu_serves_where_noto_is_absent(pages: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    dejavu = Path("/usr/share/fonts/truetype/dejavu")
    if not (dejavu / "DejaVuSans.ttf").is_file():
        pytest.skip("fonts-dejavu-core is not installed")
    monkeypatch.setattr(printed, "FOLDERS", (dejavu,))
    assert "Wanjirũ Müller" in " ".join(pages(report_pdf(exam())))


def test_every_value_that_can_occur_has_its_sentence() -> None:
    wanted = {
        *(f"finding.result_{value.value}" for value in ModelResult),
        *(f"report.meaning_{value.value}" for value in ModelResult if value is not ModelResult.NOT_EVALUABLE),
        *(f"report.reason_{value.value}" for value in Reason),
        *(f"report.gender_{value.value}" for value in Gender),
        *(f"report.family_history_{value.value}" for value in FamilyHistory),
        *(f"report.birads_{value.value.lower()}" for value in BiRads),
        *(f"report.place_{value.value}" for value in Laterality),
    }
    assert wanted <= set(texts("en"))


def test_the_short_id_tells_exams_apart() -> None:
    first: Exam = exam()
    assert short_id(first.uid) == "34567890"
    assert short_id("2.25.7") == "7"


@pytest.mark.parametrize("caution", [caution for caution in Caution if caution is not Caution.PHANTOM])
def test_why_a_finding_deserves_less_trust_is_said(pages: Callable[..., list[str]], caution: Caution) -> None:
    plain = view(1)
    doubted = changed(plain, finding=changed(plain.finding, caution=caution))
    sentence = texts("en")[f"report.caution_{caution.value}"]
    assert sentence in " ".join("".join(pages(report_pdf(exam(doubted)))).split())
    assert sentence not in " ".join("".join(pages(report_pdf(exam(plain)))).split())


def test_a_picture_of_the_phantom_says_so_in_words_and_in_the_picture(pages: Callable[..., list[str]]) -> None:
    plain = view(1)
    practised = changed(plain, frame=changed(plain.frame, origin="phantom"))
    text = "".join(pages(report_pdf(exam(practised))))
    assert "TRAINING: all pictures of this exam show a phantom" in text
    assert "Practice picture of a phantom, not of a patient." in text
    mixed = "".join(pages(report_pdf(exam(plain, practised))))
    assert "TRAINING" not in mixed
    assert mixed.count("Practice picture of a phantom") == 1
    assert (marked_picture(practised) != marked_picture(plain)).mean() > 0.005
    assert "phantom, not" not in "".join(pages(report_pdf(exam(plain))))


def test_what_the_clinic_has_decided_last_is_in_it(pages: Callable[..., list[str]]) -> None:
    first = Verdict(
        "v1", "2.25.1", None, "Kibera clinic", "Dr Åse", BiRads.BENIGN, "2013", Advice.ROUTINE, "", MOMENT, MOMENT
    )
    last = replace(first, id="v2", supersedes="v1", birads=BiRads.SUSPICIOUS_LOW, advice=Advice.BIOPSY, note="Soon")
    (page, *_) = pages(report_pdf(changed(EVERYTHING, verdicts=(first, last))))
    assert "Dr Åse, Kibera clinic: BI-RADS 4A (2013)" in page
    assert "Refer for a biopsy." in page
    assert "Note: Soon" in page
    assert "Usual screening" not in page
    assert "The clinic's reading" not in "".join(pages(report_pdf(EVERYTHING)))
