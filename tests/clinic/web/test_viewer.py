# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import html
import re
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from clinic.archive.client import Picture
from clinic.archive.picture_cache import PictureCache
from clinic.store.schema import AuditEntry
from tests.clinic.conftest import Clinic
from tests.clinic.phantom_exams import phantom_exam, phantom_view
from tests.clinic.web.conftest import BASE, Browser, Site
from tests.clinic.web.test_reading import read_blind, sent
from tests.device.upload import exams


def send_token(browser: Browser, path: str, page: str = "", **values: Any) -> TestResponse:
    """What the viewer's script sends: JSON, or nothing, with the page's token."""
    if page:
        browser.get(page)
    token = re.search(r'data-csrf="([0-9a-f]+)"', browser.page)
    assert token is not None
    return browser.client.post(path, base_url=BASE, json=values, headers={"X-CSRF-Token": token[1]})


def measure(browser: Browser, path: str, start: object, end: object) -> tuple[int, Any]:
    answer = send_token(browser, path, start=start, end=end)
    return answer.status_code, answer.json


def test_pictures_come_in_three_sizes_and_no_other(clinic: Clinic, site: Site) -> None:
    exam, asha = sent(clinic, site), site.browser("asha")
    for size in ("thumbnail", "card", "full"):
        answer = asha.get(f"/exams/{exam.id}/views/1/{size}.jpg")
        assert answer.mimetype == "image/jpeg"
        decoded = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert decoded is not None
        assert decoded.shape == (120, 160)
        assert answer.headers["Cache-Control"] == "no-store"
    for path in ("views/1/huge.jpg", "views/2/full.jpg", "views/0/full.jpg", "views/-1/full.jpg", "views/1/loop/1.jpg"):
        assert asha.get(f"/exams/{exam.id}/{path}").status_code == 404


def test_a_loop_is_given_frame_by_frame(clinic: Clinic, site: Site) -> None:
    uid = exams.exam_uid("viewer-loop")
    exam = site.exam(clinic.send(exams.exam("viewer-loop", exams.view(uid, 1, loop=4))))
    asha = site.browser("asha")
    frames = {asha.get(f"/exams/{exam.id}/views/1/loop/{number}.jpg").data for number in range(1, 5)}
    assert len(frames) == 4
    assert asha.get(f"/exams/{exam.id}/views/1/loop/5.jpg").status_code == 404


def test_lengths_are_millimetres_inside_the_calibrated_region_and_pixels_elsewhere(clinic: Clinic, site: Site) -> None:
    uid = exams.exam_uid("viewer-scale")
    views = (exams.view(uid, 1), exams.view(uid, 2, scale=False))
    exam, asha = site.exam(clinic.send(exams.exam("viewer-scale", *views))), site.browser("asha")
    asha.get(f"/exams/{exam.id}")
    first, second = (f"/exams/{exam.id}/views/{number}/measure" for number in (1, 2))
    status, found = measure(asha, first, [50, 20], [90, 50])  # 0.2 mm across, 0.25 mm down
    assert (status, found["unit"], found["length"]) == (200, "mm", pytest.approx(np.hypot(8.0, 7.5), abs=0.005))
    assert measure(asha, first, [0, 0], [90, 50])[1]["unit"] == "px"
    assert measure(asha, second, [50, 20], [90, 50])[1] == {
        "length": 50.0, "unit": "px", "text": "50 px", "x": 90.0, "y": 55.2, "id": None,
    }  # fmt: skip


@pytest.mark.parametrize("points", [(None, [1, 2]), ([1], [1, 2]), (["x", 1], [1, 2]), ([1e9, 1], [1, 2])])
def test_points_that_are_none_are_refused(clinic: Clinic, site: Site, points: tuple[object, object]) -> None:
    exam, asha = sent(clinic, site), site.browser("asha")
    asha.get(f"/exams/{exam.id}")
    path = f"/exams/{exam.id}/views/1/measure"
    assert measure(asha, path, *points)[0] == 400


def test_the_heat_map_lies_over_the_picture_and_comes_after_the_own_category(clinic: Clinic, site: Site) -> None:
    exam = site.exam(clinic.send(phantom_exam("KB-7", phantom_view("malignant"))))
    asha = site.browser("asha")
    path = f"/exams/{exam.id}/views/1/heat.png"
    assert asha.get(path).status_code == 403
    read_blind(asha, exam, "5")
    answer = asha.get(path)
    assert answer.status_code == 200
    layer = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert layer is not None
    assert layer.shape == (480, 640, 4)
    assert layer[..., 3].max() > 60
    assert layer[..., 3].min() < 20


def test_patient_and_side_are_part_of_every_picture(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site)
    page = site.browser("asha").get(f"/exams/{exam.id}").text
    assert "<b><bdi>KB-0042</bdi></b> <bdi>Wanjirũ Müller-Åse 李</bdi>, 45" in page
    assert '<b class="letter">L</b> 10 o&#39;clock' in page or '<b class="letter">L</b> 10 o\'clock' in page
    assert 'alt="Ultrasound picture, view 1, Left breast, 10 o&#39;clock"' in page, "as it is read out"


def test_views_of_a_lesion_stand_together_under_its_place(clinic: Clinic, site: Site) -> None:
    uid = exams.exam_uid("viewer-lesions")
    views = [exams.view(uid, number) for number in (1, 2, 3, 4)]
    by_hand = exams.lesions(views[0].uid, views[2].uid, views[2].uid)
    exam = site.exam(clinic.send(exams.changed(exams.exam("viewer-lesions", *views), lesions=by_hand)))
    page = site.browser("asha").get(f"/exams/{exam.id}").text
    headings = [" ".join(found.split()) for found in re.findall(r'<h2 class="place"[^>]*>(.*?)</h2>', page, re.DOTALL)]
    assert [html.unescape(heading).replace("\xa0", " ") for heading in headings] == [
        "Lesion 1: Left breast, 10 o'clock, central, 3.5 cm from the nipple · 12.8 × 8.1 × 9.4 mm",
        "Lesion 2: Right breast",
        "Lesion 3: Left breast, 10 o'clock, armpit, 3.5 cm from the nipple · 12.8 × 8.1 × 9.4 mm",
        "Without a lesion",
    ]
    groups = re.split(r"data-lesion[ >]", page.partition("data-strip")[0])[1:]
    assert [re.findall(r'id="view-(\d)"', group) for group in groups] == [["1", "3"], [], [], ["2", "4"]]
    assert "View 3 above shows it too." in groups[1]
    assert "No picture shows it." in groups[2]


def test_an_earlier_exam_stands_beside_only_if_it_is_the_same_patient_s(clinic: Clinic, site: Site) -> None:
    first, second = sent(clinic, site), sent(clinic, site)
    other = site.exam(clinic.send(phantom_exam("KB-8", phantom_view(None))))
    asha = site.browser("asha")
    assert "beside-view-1" in asha.get(f"/exams/{first.id}?beside={second.id}").text
    assert "beside-view-1" not in asha.get(f"/exams/{first.id}?beside={other.id}").text


def test_the_cache_keeps_the_pictures_used_last_and_no_more_than_it_may() -> None:
    cache, made = PictureCache(most_bytes=4000), []

    def make(name: str) -> Picture:
        made.append(name)
        return Picture(b"x" * 1000, "image/jpeg")

    for name in ("a", "b", "c", "d", "a", "e", "a", "b"):
        cache.get(name, lambda name=name: make(name))  # type: ignore[misc]
    assert made == ["a", "b", "c", "d", "e", "b"]


def test_whoever_looks_at_pictures_past_the_page_is_in_the_audit_trail(clinic: Clinic, site: Site) -> None:
    exam, tom = sent(clinic, site), site.browser("tom")

    def looks() -> list[str]:
        with site.services.store.read() as session:
            wanted = select(AuditEntry.actor).where(AuditEntry.subject == exam.id, AuditEntry.action == "exam-opened")
            return list(session.scalars(wanted))

    assert tom.get(f"/exams/{exam.id}/views/1/thumbnail.jpg").status_code == 200
    assert looks() == [], "those stand in the list"
    for _ in range(2):
        assert tom.get(f"/exams/{exam.id}/views/1/full.jpg").status_code == 200
        tom.get(f"/exams/{exam.id}/views/1/heat.png")
    assert looks() == ["tom"]
    asha = site.browser("asha")
    asha.get(f"/exams/{exam.id}")
    asha.get(f"/exams/{exam.id}/views/1/full.jpg")
    assert looks() == ["tom", "asha"]


def test_a_search_for_a_patient_is_in_the_audit_trail_and_her_name_is_not(clinic: Clinic, site: Site) -> None:
    exam, tom = sent(clinic, site), site.browser("tom")
    tom.get("/")
    assert exam.id in tom.post("/find", patient=exam.patient_code).text
    with site.services.store.read() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "patient-searched"))
    assert (entry.actor, entry.details, entry.subject) == ("tom", {"count": 1}, "")
