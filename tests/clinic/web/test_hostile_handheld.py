# SPDX-License-Identifier: Apache-2.0
"""A handheld in wrong hands writes what it likes into its exams: no page, list or record makes more of it than that."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless
from pydicom.valuerep import PersonName

from clinic.fhir.sending import export
from clinic.web.base.csv import _FORMULA
from device.dicom.objects import build_instances
from tests.clinic.conftest import Clinic
from tests.clinic.doors import handheld
from tests.clinic.web.conftest import Browser, Site
from tests.clinic.web.test_first_answer import everywhere
from tests.clinic.web.test_reading import decide, read_blind
from tests.device.upload import exams

WORDS: Final = "=1+\"z='><x-e>"
"""A formula, an attribute and an element in one, as short as the shortest field."""

TEXTS: Final = frozenset({"LO", "SH", "PN", "LT", "ST", "UT", "UC"})
CODES: Final = frozenset({"CS", "AS"})
NEEDED: Final = frozenset({"ImageType", "Modality", "PhotometricInterpretation", "ValueType", "RelationshipType",
                           "ContinuityOfContent", "GraphicType", "SpecificCharacterSet", "CodeValue",
                           "CodingSchemeDesignator"})  # fmt: skip
"""Without these the archive, or the index, takes it for nothing at all."""


class Found(HTMLParser):
    """What a page is made of.

    Attributes:
        foreign: Elements and attributes that only somebody's words could have become.
    """

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.foreign += [tag] if tag == "x-e" else []
        self.foreign += [f"{tag} {name}" for name, _ in attrs if name == "z" or name.startswith("on")]


def foreign(page: str) -> list[str]:
    found = Found()
    found.feed(page)
    return found.foreign


def defaced(content: bytes, kinds: frozenset[str]) -> bytes:
    """The same object with these words in every field of some kinds."""
    dataset = pydicom.dcmread(io.BytesIO(content))

    def write(_: Dataset, element: DataElement) -> None:
        if element.VR in kinds and element.keyword not in NEEDED:
            # Past the setter, which would refuse most of it.
            element._value = PersonName(WORDS) if element.VR == "PN" else WORDS

    dataset.walk(write)
    written = io.BytesIO()
    dataset.save_as(written)
    return written.getvalue()


def forms(site: Site, browser: Browser) -> Iterator[str]:
    browser.get("/")
    yield browser.post("/find", patient=WORDS).text


@pytest.mark.parametrize("kinds", [TEXTS, TEXTS | CODES], ids=["texts", "and codes"])
def test_whatever_a_handheld_writes_stays_words(clinic: Clinic, site: Site, kinds: frozenset[str]) -> None:
    made, door = clinic.exam(), handheld(clinic.archive, "hostile")
    for instance in build_instances(made, exams.DEVICE):
        assert door.store(defaced(instance.content, kinds)) == 200
    exam = site.exam(made.uid)
    assert (exam.patient_name, exam.operator, exam.station) == (WORDS, WORDS, WORDS)
    for name, words in (("asha", "4C"), ("ben", "4C")):
        if site.again(exam).waiting_stage is not None:
            read_blind(site.browser(name), exam, words)
            decide(site.browser(name), exam, words, "biopsy", WORDS)
    shown = 0
    for name in ("ada", "tom", "carla"):
        browser = site.browser(name)
        for endpoint, path in everywhere(site, exam):
            answer = browser.get(path)
            assert answer.status_code < 500, (endpoint, path)
            if answer.mimetype == "text/html":
                assert foreign(answer.text) == [], (name, endpoint)
                shown += "x-e" in answer.text
            elif answer.mimetype == "text/csv":
                cells = [cell for row in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))) for cell in row]
                assert [cell for cell in cells if _FORMULA.match(cell) and not _is_number(cell)] == [], endpoint
        for page in forms(site, browser):
            assert foreign(page) == []
    assert shown > 8, "they do show it"


def test_nor_does_it_become_more_in_the_health_record(clinic: Clinic, site: Site) -> None:
    made, door = clinic.exam(birads=None), handheld(clinic.archive, "hostile")
    for instance in build_instances(made, exams.DEVICE):
        assert door.store(defaced(instance.content, TEXTS)) == 200
    exam, asha = site.exam(made.uid), site.browser("asha")
    read_blind(asha, exam, "4C")
    decide(asha, exam, "4C", "biopsy", WORDS)
    with site.services.store.read() as session:
        told = export(session, exam.id, clinic.client, site.services.origin)
    texts = [entry["resource"].get("text", {}).get("div", "") for entry in told["entry"]]
    forms = [form for entry in told["entry"] for form in entry["resource"].get("presentedForm", [])]
    pages = [base64.b64decode(form["data"]).decode() for form in forms if form["contentType"].startswith("text/html")]
    assert pages
    for text in (*texts, *pages):
        assert foreign(text) == []
    assert WORDS in json.dumps(told, ensure_ascii=False).replace('\\"', '"'), "as words it is there"
    for form in forms:
        if form["contentType"] == "application/pdf":
            content = base64.b64decode(form["data"])
            assert not any(name in content for name in (b"/JavaScript", b"/JS", b"/URI", b"/Launch"))


def test_a_picture_that_unpacks_to_far_more_than_any_scanner_s_is_no_picture(clinic: Clinic, site: Site) -> None:
    """A few hundred kilobytes that the archive would make gigabytes of, each time a reader opens the list."""
    made, door = clinic.exam(), handheld(clinic.archive, "hostile")
    image, *rest = build_instances(made, exams.DEVICE)
    side = 12_000
    dataset = pydicom.dcmread(io.BytesIO(image.content))
    dataset.Rows = dataset.Columns = side
    header = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56)
    run = bytes([257 - 128, 90])  # a byte repeated 128 times
    packed = header + run * (side * side // 128)
    dataset.PixelData = encapsulate([packed + bytes(len(packed) % 2)])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = RLELossless
    written = io.BytesIO()
    dataset.save_as(written)
    assert door.store(written.getvalue()) == 200
    for instance in rest:
        assert door.store(instance.content) == 200
    exam, tom = site.exam(made.uid), site.browser("tom")
    assert tom.get(f"/exams/{exam.id}/views/1/thumbnail.jpg").status_code == 404
    assert site.again(exam).problem is not None
    assert tom.get(f"/exams/{exam.id}").status_code == 200


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
