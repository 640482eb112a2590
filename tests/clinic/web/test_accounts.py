# SPDX-License-Identifier: Apache-2.0
"""Signing in as people do, and as those do who should not get in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from clinic.store.schema import Account, AuditEntry, Invitation, Role, SignIn, now
from clinic.web.base.sign_in import COOKIE
from clinic.web.pages.accounts.people import AccountError, check_password, first_invitation, invite
from tests.clinic.web.conftest import BASE, PASSWORD, Site


def test_who_is_not_signed_in_sees_nothing_but_the_door(site: Site) -> None:
    browser = site.browser()
    for rule in site.app.url_map.iter_rules():
        public = ("static", "accounts.sign_in", "accounts.invitation", "outside.begin", "outside.back")
        if rule.endpoint in public or "GET" not in (rule.methods or ()):
            continue
        path = rule.build({name: "1" if name in ("number", "frame") else "thumbnail" if name == "size" else "x"
                           for name in rule.arguments})  # fmt: skip
        assert path is not None
        answer = browser.get(path[1])
        assert answer.status_code in (302, 401), rule
        if answer.status_code == 302:
            assert answer.location == "/sign-in"


def test_signing_in_gives_a_fresh_cookie_and_signing_out_ends_it(site: Site) -> None:
    browser = site.browser()
    browser.client.set_cookie(COOKIE, "chosen-by-somebody-else", domain="localhost", secure=True)
    answer = browser.sign_in("asha")
    assert answer.status_code == 302
    given = answer.headers["Set-Cookie"]
    assert "chosen-by-somebody-else" not in given
    assert all(word in given for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert browser.get("/").status_code == 200
    cookie = browser.client.get_cookie(COOKIE, domain="localhost")
    assert cookie is not None
    browser.post("/sign-out")
    browser.client.set_cookie(COOKIE, cookie.value, domain="localhost", secure=True)
    assert browser.get("/").status_code == 302


def test_a_cookie_in_another_browser_is_refused_and_ends_the_session(site: Site) -> None:
    browser = site.browser("asha")
    stolen = browser.get("/", **{"User-Agent": "somebody else's"})
    assert stolen.status_code == 302
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize("aged", [{"expires_at": -1}, {"seen_at": -31}])
def test_sessions_end_by_themselves(site: Site, aged: dict[str, int]) -> None:
    browser = site.browser("asha")
    values = {name: now() + timedelta(minutes=minutes) for name, minutes in aged.items()}
    with site.services.store.write() as session:
        session.execute(update(SignIn).values(**values))
    assert browser.get("/").status_code == 302


def test_the_store_cannot_be_used_to_sign_in(site: Site) -> None:
    browser = site.browser("asha")
    cookie = browser.client.get_cookie(COOKIE, domain="localhost")
    with site.services.store.read() as session:
        kept = session.scalars(select(SignIn)).one()
        hashes = session.scalars(select(Account.password_hash)).all()
    assert cookie is not None
    assert cookie.value.encode() not in kept.token_digest
    assert all(value is not None and value.startswith("$argon2id$") for value in hashes)


def test_guessing_is_slowed_down_whatever_is_right(site: Site) -> None:
    browser = site.browser()
    answers = [browser.sign_in("asha", "wrong").status_code for _ in range(6)]
    assert answers == [401] * 6
    assert browser.sign_in("asha").status_code == 429
    assert site.browser().sign_in("ben").status_code == 302


def sign_in_from(site: Site, address: str, name: str, password: str = PASSWORD) -> int:
    """Status of signing in from somewhere in the network, in a browser of its own."""
    browser = site.browser()
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser.sign_in(name, password).status_code


def test_a_stranger_who_guesses_shuts_nobody_out(site: Site) -> None:
    """Names are known; whoever types them wrongly somewhere in the network must not keep their owners from reading."""
    assert {sign_in_from(site, "192.0.2.66", "asha", "wrong") for _ in range(40)} == {401, 429}
    assert sign_in_from(site, "192.0.2.7", "asha") == 302
    assert sign_in_from(site, "192.0.2.66", "ben") == 429


def test_guessing_one_name_from_many_addresses_is_slowed_down_too(site: Site) -> None:
    found = [sign_in_from(site, f"192.0.2.{number}", "asha", "wrong") for number in range(1, 120)]
    assert found[0] == 401
    assert found[-1] == 429


def test_a_whole_shift_signs_in_from_behind_one_address(site: Site) -> None:
    """What was right is no guess and is not counted as one."""
    assert {sign_in_from(site, "192.0.2.1", "asha") for _ in range(40)} == {302}
    assert sign_in_from(site, "192.0.2.1", "asha", "wrong") == 401


def test_who_has_an_account_gets_no_further_guesses_by_signing_in(site: Site) -> None:
    for _ in range(40):
        sign_in_from(site, "192.0.2.1", "asha", "wrong")
        sign_in_from(site, "192.0.2.1", "ben")
    assert sign_in_from(site, "192.0.2.1", "ben") == 429


def test_a_wrong_name_and_a_wrong_password_look_the_same(site: Site) -> None:
    browser = site.browser()
    unknown, wrong = browser.sign_in("nobody", "x"), browser.sign_in("asha", "x")
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.text.replace("nobody", "") == wrong.text.replace("asha", "")


def test_a_form_without_its_token_or_with_another_browser_s_is_refused(site: Site) -> None:
    asha, ben = site.browser("asha"), site.browser("ben")
    asha.get("/account")
    assert asha.post_bare("/language", language="hi").status_code == 403
    ben.get("/account")
    asha.page = ben.page
    assert asha.post("/language", language="hi").status_code == 403
    asha.get("/account")
    assert asha.post("/language", language="hi").status_code == 302


def test_a_request_that_another_site_makes_the_browser_send_is_refused(site: Site) -> None:
    asha = site.browser("asha")
    asha.get("/account")
    import re

    found = re.search(r'name="csrf" value="([0-9a-f]+)"', asha.page)
    assert found is not None
    data = {"csrf": found[1], "language": "hi"}
    crossed = asha.client.post("/language", base_url=BASE, data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403


def test_there_is_no_default_password_and_the_first_code_is_good_once(site: Site) -> None:
    with site.services.store.write() as session:
        assert first_invitation(session) is None
        code = invite(session, frozenset({Role.TECHNICIAN}))
    browser = site.browser()
    form = {"name": "nora", "display_name": "Nora", "password": PASSWORD, "again": PASSWORD}
    browser.get("/invitation")
    assert browser.post("/invitation", code="AAAAA-AAAAA-AAAAA-AAAAA", **form).status_code == 400
    assert browser.post("/invitation", code=code.lower(), **form).status_code == 302
    browser.get("/invitation")
    assert browser.post("/invitation", code=code, **{**form, "name": "eve"}).status_code == 400
    assert site.browser("nora").get("/").status_code == 200


def test_an_invitation_ends_by_itself(site: Site) -> None:
    with site.services.store.write() as session:
        code = invite(session, frozenset({Role.READER}))
        session.execute(update(Invitation).values(expires_at=now()))
    browser = site.browser()
    browser.get("/invitation")
    form = {"name": "nora", "display_name": "Nora", "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/invitation", code=code, **form).status_code == 400


@pytest.mark.parametrize("password", ["short", "password1234567", "aaaaaaaaaaaaaaa", "asha-asha-asha-1", "x" * 257])
def test_passwords_that_are_tried_first_are_refused(password: str) -> None:
    with pytest.raises(AccountError):
        check_password(password, "asha")


def test_a_changed_password_signs_out_every_other_browser(site: Site) -> None:
    here, there = site.browser("asha"), site.browser("asha")
    here.get("/account")
    fresh = "another horse battery staple"
    wrong = here.post("/account/password", old="wrong", password=fresh, again=fresh)
    assert wrong.status_code == 400
    assert here.post("/account/password", old=PASSWORD, password=fresh, again=fresh).status_code == 302
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302
    assert site.browser().sign_in("asha").status_code == 401
    assert site.browser().sign_in("asha", fresh).status_code == 302


def test_only_administrators_manage_people_and_nobody_locks_himself_out(site: Site) -> None:
    tom, ada = site.browser("tom"), site.browser("ada")
    assert tom.get("/people").status_code == 403
    assert tom.get("/audit").status_code == 403
    with site.services.store.read() as session:
        ids = {row.name: row.id for row in session.scalars(select(Account))}
    tom.get("/")
    assert tom.post(f"/people/{ids['tom']}", role="administrator").status_code == 403
    ada.get("/people")
    assert ada.post(f"/people/{ids['ada']}", role="reader").status_code == 400
    assert ada.post(f"/people/{ids['tom']}", role="technician").status_code == 302  # no longer active
    assert tom.get("/").status_code == 302
    assert site.browser().sign_in("tom").status_code == 401


def test_the_audit_trail_says_who_did_what_and_can_be_exported(site: Site) -> None:
    site.browser("asha").post("/sign-out")
    answer = site.browser("ada").get("/audit.csv")
    assert answer.mimetype == "text/csv"
    assert ",asha,signed-in," in answer.text
    assert PASSWORD not in answer.text
    with site.services.store.read() as session:
        assert "exported" in session.scalars(select(AuditEntry.action)).all()


@pytest.mark.parametrize(
    "path", ["/exams/../people", "/static/../settings.py", "/static/..%2f..%2fsettings.py", "/%00"]
)
def test_paths_lead_nowhere_else(site: Site, path: str) -> None:
    assert site.browser("asha").get(path).status_code in (403, 404, 400)


def test_a_name_that_no_account_has_costs_no_more_than_a_wrong_password(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.browser().sign_in("nobody", "a first time")
    made: list[str] = []
    real = PasswordHasher.hash

    def hash_and_count(self: PasswordHasher, password: str) -> str:
        made.append("hash")
        return real(self, password)

    monkeypatch.setattr(PasswordHasher, "hash", hash_and_count)
    assert site.browser().sign_in("nobody", "again").status_code == 401
    assert site.browser().sign_in("asha", "wrong").status_code == 401
    assert made == []
