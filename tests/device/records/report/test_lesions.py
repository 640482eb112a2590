# SPDX-License-Identifier: Apache-2.0
"""Lesions on the printed report, and names in scripts that no language of the app is written in."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from device.fonts.printed import find_fonts
from device.inference.finding import Caution, ModelResult
from device.inference.views import Combined
from device.records.exam import BiRads, BiRadsEdition, Exam, Laterality
from device.records.lesion import BreastLesion, BreastRegion, Plane
from device.records.lexicon import Echotexture, Management
from device.records.report.lesions import DESCRIPTORS
from device.records.report.report import report_pdf
from device.words import LANGUAGES, Translator
from tests.device.records import made_up
from tests.device.records.made_up import PATIENT, breast_lesion, changed, exam, finding, view
from tests.pictures import read_rgb

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None or not Path("/usr/share/fonts/truetype/noto").is_dir(),
    reason="poppler-utils and fonts-noto-core are needed to read reports back",
)

Read = Callable[[bytes], str]
COMBINED = Combined(
    ModelResult.MALIGNANT,
    None,
    {"normal": 0.05, "benign": 0.15, "malignant": 0.8},
    (0.2, 0.4),
    Caution.UNFAMILIAR_SOURCE,
    2,
    "phantomnet@1.2.3",
)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def text_of(pdf: bytes) -> str:
        path = tmp_path / "report.pdf"
        path.write_bytes(pdf)
        done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
        return re.sub(r"\s+", " ", done.stdout.decode())

    return text_of


def with_lesions() -> Exam:
    """Four views; the first lesion is in the third and the first, the fourth view belongs to none."""
    views = [view(number, uid=f"2.25.7{number}") for number in (1, 2, 3)]
    views.append(view(4, finding(ModelResult.NORMAL), uid="2.25.74", callipers=()))
    return exam(
        *views,
        lesions=(
            breast_lesion("2.25.51", "2.25.73", "2.25.71", region=None, combined=COMBINED),
            BreastLesion("2.25.52", Laterality.RIGHT, region=BreastRegion.AXILLA, views=made_up.shown("2.25.72")),
        ),
        birads_edition=BiRadsEdition.V2025,
        echotexture=Echotexture.FIBROGLANDULAR,
    )


def test_a_report_goes_lesion_by_lesion_with_its_views_and_the_rest_after_them(read: Read) -> None:
    text = read(report_pdf(with_lesions()))
    order = [
        "BI-RADS 4B: moderate suspicion of malignancy · v2025",
        "Background echotexture: Homogeneous, fibroglandular",
        "rings are 2 cm apart",
        "Lesion 1: left breast, 10 o'clock, 3.5 cm from the nipple",
        "Size 12.8 × 8.1 × 9.4 mm",
        "Depth below the skin 1.2 cm",
        "Shape Irregular",
        "Calcifications In the mass, In a duct",
        "Category BI-RADS 4C: high suspicion of malignancy · v2025",
        "Advice Core biopsy, See a surgeon",
        "The model over 2 views Malignant (malignant 80 %)",
        "Views 3 (Radial), 1 (Antiradial)",
        "unlike those of the scanners",
        "Note: Hard, does not move.",
        "View 3: ",
        "View 1: ",
        "Lesion 2: right breast, armpit",
        "View 2: ",
        "Other views",
        "View 4: ",
    ]
    places = [text.find(expected) for expected in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)
    assert [text.count(f"View {number}: ") for number in (1, 2, 3, 4)] == [1, 1, 1, 1]


def test_a_view_of_two_lesions_is_shown_once_and_an_exam_without_lesions_has_no_map(read: Read) -> None:
    both = exam(view(1, uid="2.25.71"), lesions=(breast_lesion("2.25.51"), breast_lesion("2.25.52")))
    text = read(report_pdf(both))
    assert text.count("View 1: ") == 1
    assert text.count("Views 1") == 2
    plain = read(report_pdf(exam()))
    assert "rings are" not in plain
    assert "Other views" not in plain


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_words_and_keeps_them_on_the_paper(language: str, tmp_path: Path) -> None:
    text = Translator(language)
    (tmp_path / "report.pdf").write_bytes(report_pdf(with_lesions(), language=language))
    assert not text.missing
    box = subprocess.run(["pdftotext", "-bbox", tmp_path / "report.pdf", "-"], capture_output=True, check=True).stdout
    ends = [float(found) for found in re.findall(rb'<word .*xMax="([0-9.]+)"', box)]
    assert len(ends) > 100
    assert max(ends) <= 595.3 - 40


def test_the_map_shows_a_lesion_where_it_lies(tmp_path: Path) -> None:
    def blue(lesion: BreastLesion) -> tuple[float, float]:
        (tmp_path / "report.pdf").write_bytes(report_pdf(exam(view(1, uid="2.25.71"), lesions=(lesion,))))
        command = ["pdftoppm", "-r", "72", "-png", "-singlefile", "-l", "1", "report.pdf", "page"]
        subprocess.run(command, cwd=tmp_path, check=True)
        page = read_rgb(tmp_path / "page.png").astype(int)[300:]
        rows, columns = np.nonzero((page[..., 2] - page[..., 0] > 90) & (page[..., 0] < 60))
        return float(columns.mean()), float(rows.mean())

    near, far = (blue(BreastLesion("2.25.5", Laterality.LEFT, 3, distance_from_nipple_cm=cm)) for cm in (2.0, 8.0))
    right = blue(BreastLesion("2.25.5", Laterality.RIGHT, 3, distance_from_nipple_cm=2.0))
    assert far[0] - near[0] == pytest.approx(6 * 96 / 50 / 25.4 * 72, abs=1.5)
    assert far[1] == pytest.approx(near[1], abs=1)
    assert near[0] - right[0] == pytest.approx(25 * 96 / 50 / 25.4 * 72, abs=1.5)


def test_every_word_of_the_lexicon_has_its_sentence() -> None:
    from device.dicom.lesion_codes import DESCRIPTORS as CODED

    wanted = {f"lesions.{field}_{word.value}" for field, (_, words) in CODED.items() for word in words}
    wanted |= {f"lesions.{field}" for field in DESCRIPTORS}
    wanted |= {f"lesions.advice_{word.value}" for word in Management}
    wanted |= {f"lesions.plane_{word.value}" for word in Plane}
    wanted |= {f"lesions.region_{word.value}" for word in BreastRegion}
    wanted |= {f"lesions.edition_{word.name.lower()}" for word in BiRadsEdition}
    wanted |= {f"report.echotexture_{word.value}" for word in Echotexture}
    wanted |= {f"report.birads_{word.value.lower()}" for word in BiRads}
    english = Translator("en")
    assert all(english(key) for key in wanted)
    assert not english.missing
    assert set(DESCRIPTORS) == set(CODED)


@pytest.mark.parametrize(
    ("name", "font"),
    [
        ("فاطمة الزهراء", "NotoSansArabic-Regular.ttf"),
        ("አበበ ቢቂላ", "NotoSansEthiopic-Regular.ttf"),
        ("สมชาย", "NotoSansThai-Regular.ttf"),
        ("李小龍", "DroidSansFallbackFull.ttf"),
        ("Asha 😀", "DejaVuSans.ttf"),
        ("Asha 👩\u200d⚕\ufe0f", "Symbola_hint.ttf"),
    ],
)
def test_names_in_other_scripts_are_written_where_a_font_is_there(name: str, font: str, read: Read) -> None:
    if not list(Path("/usr/share/fonts").rglob(font)):
        pytest.skip(f"{font} is not installed")
    text = read(report_pdf(exam(patient=changed(PATIENT, name=name))))
    assert "\N{WHITE SQUARE}" not in text
    assert "\N{REPLACEMENT CHARACTER}" not in text
    visible = [char for char in name if char.isalpha()]
    assert sum(char in text for char in visible) >= len(visible) / 2, "shaped letters may come back in other forms"


def test_what_no_font_can_write_is_a_square_and_further_fonts_come_only_when_needed(read: Read) -> None:
    text = read(report_pdf(exam(patient=changed(PATIENT, name="A\U000e0abc"))))
    assert re.search("Name A[\N{WHITE SQUARE}\N{REPLACEMENT CHARACTER}]", text)
    assert find_fonts("en", written="Wanjirũ") == find_fonts("en")
