# SPDX-License-Identifier: Apache-2.0
"""Every route of the application, found by itself: who may ask, with which token, and with what nonsense."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

import pytest
from sqlalchemy import delete, update
from werkzeug.routing import Rule

from clinic.store.schema import Account, Attempt, Exam, FollowUp, Role, now
from tests.clinic.conftest import Clinic, postgresql_database
from tests.clinic.web.conftest import BASE, Browser, Site
from tests.clinic.web.test_reading import sent

ALL: Final = frozenset(Role)
WORKS: Final = frozenset({Role.READER, Role.TECHNICIAN})
READS: Final = frozenset({Role.READER})
RULES: Final = frozenset({Role.ADMINISTRATOR})
MAY: Final = {
    **dict.fromkeys(["worklist.show", "worklist.find", "worklist.export", "followup.show", "followup.export"], ALL),
    **dict.fromkeys(["followup.proven", "followup.planned", "oversight.agreement", "oversight.export_agreement"], ALL),
    **dict.fromkeys(["reading.show", "viewer.picture", "viewer.loop_frame", "viewer.heat", "viewer.measure"], ALL),
    **dict.fromkeys(["accounts.own", "accounts.change_password", "accounts.end_others", "accounts.sign_out"], ALL),
    **dict.fromkeys(["outside.begin_link"], ALL),
    **dict.fromkeys(["followup.change", "followup.add_outcome", "followup.plan", "followup.remove"], WORKS),
    **dict.fromkeys(["reading.comment", "upload.show", "upload.take", "upload.review", "upload.preview"], WORKS),
    **dict.fromkeys(["upload.choose_frame", "upload.predict", "upload.discard"], WORKS),
    **dict.fromkeys(["reading.claim", "reading.release", "reading.read_blind", "reading.decide"], READS),
    **dict.fromkeys(["viewer.remove_calliper"], READS),
    **dict.fromkeys(["accounts.people", "accounts.invite_somebody", "accounts.renew", "accounts.change"], RULES),
    **dict.fromkeys(["oversight.audit", "oversight.export_audit"], RULES),
}
"""Who may ask for what; a new route has to be put here."""

PUBLIC: Final = {
    *("static", "accounts.sign_in", "accounts.do_sign_in", "accounts.invitation", "accounts.accept_invitation"),
    *("accounts.choose_language", "outside.begin", "outside.back"),
}
HANDHELDS: Final = {"feeds.verdicts", "feeds.seen", "feeds.worklist", "feeds.key"}
"""By a handheld's password, and without a cookie."""

NAMES: Final = {Role.READER: "asha", Role.TECHNICIAN: "tom", Role.ADMINISTRATOR: "ada"}
NUMBERS: Final = ("99999999999999999999", "-1", "9223372036854775808", "x", "1e9", "٣", "")
WORDS: Final = ("\x00", "a\x00b", "x" * 1500, "'", '"><script>', "\ud800", "../../etc/passwd", "%", "😀" * 30, "\u202e")
TOKENS: Final[tuple[object, ...]] = (
    *([10**30, 1, "x"], [True, "x", "y"], ["\ud800", "x"], ["2026-01-01T00:00:00", "x"], [[], {}], {}, None, 1e400),
    *(["9999-12-31T23:59:59-14:00", "x"], ["0001-01-01T00:00:00+14:00", "x"], ["2026-01-01T00:00:00+00:00", "a\x00"]),
    *([10**30, "2026-01-01T00:00:00+00:00", "x"], [2, "2026-01-01T00:00:00+00:00", "\x00"]),
)
FILTERS: Final = ("after", "tab", "order", "site", "operator", "state", "since", "until", "result")
PERIOD: Final = ("since", "until")
QUERIES: Final = {
    "worklist.show": FILTERS, "worklist.export": FILTERS, "followup.show": ("status", "page"),
    "followup.planned": ("day",),
    "oversight.agreement": PERIOD, "oversight.export_agreement": PERIOD, "oversight.export_audit": PERIOD,
    "oversight.audit": (*PERIOD, "before"), "reading.show": ("beside",), "accounts.sign_in": ("next",),
}  # fmt: skip
FORMS: Final = {
    "worklist.find": ("patient",), "accounts.do_sign_in": ("name", "password"),
    "accounts.choose_language": ("language",),
    "accounts.accept_invitation": ("code", "name", "display_name", "password"), "accounts.change_password": ("old",),
    "accounts.invite_somebody": ("role",), "accounts.change": ("role", "active"), "reading.comment": ("text",),
    "reading.read_blind": ("category", "edition", "note", "shape"), "reading.decide": ("category", "advice", "note"),
    "followup.add_outcome": ("kind", "proof", "side", "histology", "proven_on"), 
    "followup.change": ("status", "note", "seen", "tab", "page"),
    "followup.plan": ("code", "name", "age", "gender", "family_history", "handheld", "day"),
    "upload.choose_frame": ("frame",),
}  # fmt: skip
USABLE: Final = {
    "category": "4A", "edition": "v2025", "code": "KB-1", "name": "A", "kind": "benign", "proof": "biopsy",
    "proven_on": "2026-01-01", "day": "2026-01-01", "text": "words", "password": "x" * 12, "again": "x" * 12,
    "advice": "biopsy", "role": "reader",
}  # fmt: skip


def addressed(rule: Rule, exam: str = "x") -> str:
    """An address of a route."""
    values = {"exam_id": exam, "number": 1, "frame": 1, "size": "card", "filename": "base.css"}
    with_all = {name: values.get(name, "none-such") for name in rule.arguments}
    built = rule.build(with_all)
    assert built is not None
    return built[1]


def rules(site: Site) -> Iterator[tuple[Rule, str]]:
    for rule in site.app.url_map.iter_rules():
        for method in rule.methods or ():
            if method not in ("HEAD", "OPTIONS"):
                yield rule, method


def asked(browser: Browser, method: str, path: str, **data: str) -> int:
    return browser.client.open(path, method=method, base_url=BASE, data=data or None).status_code


def test_every_route_says_who_may_ask_for_it(site: Site) -> None:
    assert {rule.endpoint for rule, _ in rules(site)} == {*MAY, *PUBLIC, *HANDHELDS}


def test_nobody_gets_in_without_an_account(site: Site) -> None:
    nobody = site.browser()
    for rule, method in rules(site):
        if rule.endpoint not in PUBLIC:
            answer = nobody.client.open(addressed(rule), method=method, base_url=BASE)
            refused = answer.status_code in (401, 403)
            assert refused or answer.headers["Location"].endswith("/sign-in"), (method, rule)


def test_every_change_without_its_token_is_refused(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site)
    browsers = {role: site.browser(name) for role, name in NAMES.items()}
    other = re.search(r'name="csrf" value="([0-9a-f]+)"', site.browser("ben").get("/account").text)
    assert other is not None
    changing = [(rule, method) for rule, method in rules(site) if method != "GET" and rule.endpoint not in HANDHELDS]
    assert len(changing) > 20
    for rule, method in changing:
        for role in MAY.get(rule.endpoint, ALL):
            path = addressed(rule, exam.id)
            assert asked(browsers[role], method, path) == 403, (method, rule, role)
            assert asked(browsers[role], method, path, csrf=other[1]) == 403, "another browser's token"


def test_each_role_gets_its_own_routes_and_no_others(clinic: Clinic, site: Site) -> None:
    exam = sent(clinic, site)
    with site.services.store.write() as session:  # the first administrator may read as well
        session.execute(update(Account).where(Account.name == "ada").values(role_names="administrator"))
    for role, name in NAMES.items():
        browser = site.browser(name)
        for rule, method in rules(site):
            if rule.endpoint not in MAY or rule.endpoint == "accounts.sign_out":
                continue
            token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get("/account").text)
            assert token is not None
            data = {"csrf": token[1]} if method != "GET" else {}
            status = asked(browser, method, addressed(rule, exam.id), **data)
            if rule.endpoint == "viewer.heat" and role is Role.READER:
                assert status == 403, "before his own category"
            else:
                assert (status == 403) is (role not in MAY[rule.endpoint]), (method, rule, role, status)
            assert status < 500, (method, rule, role)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, make_site: Callable[..., Site]) -> Site:
    """The application on each kind of store."""
    if request.param == "sqlite":
        return make_site()
    template = request.getfixturevalue("migrated_postgresql")
    return make_site(database=postgresql_database(request.getfixturevalue("postgresql"), template))


def test_no_address_makes_an_error_of_ours(clinic: Clinic, either: Site) -> None:
    exam, ada, tom, wrong = sent(clinic, either), either.browser("ada"), either.browser("tom"), []
    for rule, method in rules(either):
        for browser in (ada, tom) if method == "GET" and rule.endpoint not in HANDHELDS else ():
            for value in (*NUMBERS, *WORDS):
                sent_as = value.encode("utf-8", "surrogatepass")
                for name in QUERIES.get(rule.endpoint, ()):
                    path = addressed(rule, exam.id)
                    if browser.client.get(path, base_url=BASE, query_string={name: sent_as}).status_code >= 500:
                        wrong.append((rule.rule, name, value[:20]))
                if rule.arguments and browser.get(addressed(rule, quote(sent_as, safe=""))).status_code >= 500:
                    wrong.append((rule.rule, "", value[:20]))
    assert wrong == []


def test_no_place_in_a_list_makes_an_error_of_ours(either: Site) -> None:
    tom = either.browser("tom")
    for token in (*(json.dumps(one).encode() for one in TOKENS), b"[" * 1400, b"\xff\xfe", b"nan"):
        after = base64.urlsafe_b64encode(token).decode().rstrip("=")
        for order in ("newest", "urgent", "due"):
            answer = tom.get(f"/?tab=all&order={order}&after={after}")
            assert answer.status_code in (200, 400), (order, token[:60])


def test_no_form_makes_an_error_of_ours(clinic: Clinic, either: Site) -> None:
    exam, wrong = sent(clinic, either), []
    browsers = {role: either.browser(name) for role, name in NAMES.items()}
    with_entries(either, exam)
    for rule, _ in rules(either):
        roles = MAY.get(rule.endpoint, ALL)
        browser = browsers[next(role for role in NAMES if role in roles)]
        for field in FORMS.get(rule.endpoint, ()):
            for value in (*NUMBERS[:3], *WORDS):
                with either.services.store.write() as session:
                    session.execute(delete(Attempt))
                browser.get("/account")
                data = {**USABLE, field: value.encode("utf-8", "surrogatepass")}
                path = addressed(rule, exam.id).replace("none-such", "entry" if "follow" in rule.rule else "none-such")
                if browser.post(path, **data).status_code >= 500:
                    wrong.append((rule.rule, field, value[:20]))
    assert wrong == []


def with_entries(site: Site, exam: Exam) -> None:
    """A follow-up that can be changed."""
    with site.services.store.write() as session:
        session.add(FollowUp(id="entry", exam_id=exam.id, reason="diagnosis", due_on=now().date()))
