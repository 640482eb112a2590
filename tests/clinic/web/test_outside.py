# SPDX-License-Identifier: Apache-2.0
"""Signing in by a real OpenID Connect provider, and what must not get anybody in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from clinic.errors import ClinicError
from clinic.store.schema import Account, OutsideIdentity, OutsideTry, Role, SignIn, now
from clinic.web.oidc.settings import OidcSettings, load
from clinic.web.pages.accounts.outside_views import COOKIE
from tests.clinic.web.conftest import Browser, Site
from tests.clinic.web.oidc_process import running_provider
from tests.clinic.web.oidc_provider import CLIENT
from tests.ports import free_port

RULE = {"claim": "realm_access.roles", "roles": {"readers": ["reader"], "chiefs": ["administrator"]}}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcSettings]:
    with running_provider(tmp_path_factory.mktemp("provider"), "https://localhost/sign-in/outside/back") as settings:
        yield settings


Made = Callable[..., Site]


@pytest.fixture
def with_provider(make_site: Made, provider: OidcSettings) -> Made:
    def make(**rule: object) -> Site:
        return make_site(oidc=OidcSettings.model_validate({**provider.model_dump(), **rule}))

    return make


def at_provider(site: Site, address: str, person: str, fault: str = "") -> str:
    """Sign in there as somebody; where the provider sends the browser."""
    assert site.settings.oidc is not None
    import ssl

    trust = ssl.create_default_context(cadata=site.settings.oidc.authority)
    answer = httpx.get(f"{address}&as={person}&fault={fault}", verify=trust)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    assert (back.netloc, back.path) == ("localhost", "/sign-in/outside/back")
    return f"{back.path}?{back.query}"


def come(site: Site, person: str, browser: Browser | None = None, fault: str = "") -> TestResponse:
    """There and back again."""
    browser = browser or site.browser()
    answer = browser.get("/sign-in/outside")
    assert answer.status_code == 302
    return browser.get(at_provider(site, answer.location, person, fault))


def people(site: Site) -> dict[str, tuple[str, frozenset[Role]]]:
    with site.services.store.read() as session:
        return {one.name: (one.display_name, one.roles) for one in session.scalars(select(Account))}


def test_a_rule_makes_accounts_with_the_rights_that_the_provider_gives(with_provider: Made) -> None:
    site = with_provider(**RULE, create=True)
    browser = site.browser()
    assert "Sign in with Example" in browser.get("/sign-in").text
    answer = come(site, "wanja", browser)
    assert (answer.status_code, answer.location) == (302, "/")
    assert "Dr Wanja Kamau" in browser.get("/").text
    assert people(site)["wanja.k"] == ("Dr Wanja Kamau", frozenset({Role.READER}))
    assert come(site, "wanja").status_code == 302
    assert come(site, "shy").status_code == 302, "rights that are only in the user info"
    with site.services.store.read() as session:
        assert len(session.scalars(select(OutsideIdentity)).all()) == 2
        assert session.scalars(select(OutsideTry)).all() == []


def test_nobody_gets_somebody_else_s_account_by_a_name(with_provider: Made) -> None:
    site = with_provider(**RULE, create=True)
    assert come(site, "boss").status_code == 302
    found = people(site)
    assert found["ada"] == ("Ada Admin", frozenset({Role.ADMINISTRATOR, Role.READER}))
    (other,) = (name for name, (shown, _) in found.items() if shown == "Boss")
    assert other.startswith("ada-")


@pytest.mark.parametrize("rule", [{}, RULE], ids=["no rights from there", "rights from there"])
def test_without_a_rule_no_account_is_made(with_provider: Made, rule: dict[str, object]) -> None:
    site = with_provider(**rule)
    before = people(site)
    answer = come(site, "wanja")
    assert answer.status_code == 403
    assert "You have no account here" in answer.text
    assert people(site) == before


def test_who_may_do_nothing_at_the_provider_may_do_nothing_here(with_provider: Made) -> None:
    site = with_provider(**RULE, create=True)
    answer = come(site, "guest")
    assert answer.status_code == 403
    assert "You may not do anything here yet" in answer.text
    assert "guest" not in people(site)


def linked(site: Site, name: str, person: str) -> tuple[Browser, TestResponse]:
    browser = site.browser(name)
    browser.get("/account")
    page = browser.post("/account/outside").text
    onward = page.partition('class="button primary" rel="noreferrer" href="')[2].partition('"')[0].replace("&amp;", "&")
    return browser, browser.get(at_provider(site, onward, person))


def test_an_account_is_linked_by_its_owner_and_then_signs_in_there(with_provider: Made) -> None:
    site = with_provider()
    browser, answer = linked(site, "asha", "wanja")
    assert (answer.status_code, answer.location) == (302, "/account")
    assert "You can sign in with Example." in browser.get("/account").text
    other = site.browser()
    assert come(site, "wanja", other).status_code == 302
    assert "Dr Asha" in other.get("/").text
    _, answer = linked(site, "ben", "wanja")
    assert answer.location == "/account"
    with site.services.store.read() as session:
        assert len(session.scalars(select(OutsideIdentity)).all()) == 1, "it stays Asha's"


def test_the_provider_s_word_on_rights_counts_at_every_signing_in(with_provider: Made) -> None:
    site = with_provider(**RULE)
    linked(site, "tom", "wanja")
    assert people(site)["tom"][1] == {Role.TECHNICIAN}
    assert come(site, "wanja").status_code == 302
    assert people(site)["tom"][1] == {Role.READER}


def test_a_shut_account_stays_shut(with_provider: Made) -> None:
    site = with_provider(**RULE, create=True)
    come(site, "wanja")
    with site.services.store.write() as session:
        session.execute(update(Account).where(Account.name == "wanja.k").values(active=False))
    assert come(site, "wanja").status_code == 403


@pytest.mark.parametrize(
    "fault",
    [
        *("issuer", "audience", "expired", "nonce", "subject", "unsigned", "secret", "key", "userinfo"),
        *("subject-nul", "subject-list", "expiry-word", "expiry-huge", "audience-number"),
        *("audience-others", "issued-later", "nonce-list", "no-nonce"),
    ],
)
def test_what_is_not_to_be_believed_signs_nobody_in(with_provider: Made, fault: str) -> None:
    site = with_provider(**RULE, create=True)
    answer = come(site, "shy" if fault == "userinfo" else "wanja", fault=fault)
    assert answer.status_code == 403
    with site.services.store.read() as session:
        assert session.scalars(select(SignIn)).all() == []
        assert session.scalars(select(OutsideIdentity)).all() == []


def test_an_answer_is_good_once_for_a_while_and_in_the_browser_that_asked(with_provider: Made) -> None:
    site = with_provider(**RULE, create=True)
    browser, other = site.browser(), site.browser()
    back = at_provider(site, browser.get("/sign-in/outside").location, "wanja")
    assert other.get(back).status_code == 403, "an answer that somebody was made to open"
    assert browser.get(back).status_code == 403, "it is used up"
    back = at_provider(site, browser.get("/sign-in/outside").location, "wanja")
    with site.services.store.write() as session:
        session.execute(update(OutsideTry).values(expires_at=now()))
    assert browser.get(back).status_code == 403
    back = at_provider(site, browser.get("/sign-in/outside").location, "wanja")
    assert browser.get(back + "&iss=https://else.example").status_code == 403
    assert come(site, "wanja", browser).status_code == 302
    assert browser.client.get_cookie(COOKIE, domain="localhost") is None


def test_a_code_of_another_try_is_refused_by_its_verifier(with_provider: Made) -> None:
    site = with_provider(**RULE, create=True)
    browser, thief = site.browser(), site.browser()
    stolen = parse_qs(urlsplit(at_provider(site, browser.get("/sign-in/outside").location, "wanja")).query)["code"][0]
    own = parse_qs(urlsplit(thief.get("/sign-in/outside").location).query)["state"][0]
    assert thief.get(f"/sign-in/outside/back?code={stolen}&state={own}").status_code == 403


def test_without_a_provider_there_is_no_such_door(site: Site) -> None:
    assert site.browser().get("/sign-in/outside").status_code == 404
    assert "/sign-in/outside" not in site.browser().get("/sign-in").text


def test_a_provider_that_cannot_be_reached_leaves_the_passwords(make_site: Made) -> None:
    nowhere = OidcSettings(issuer=f"https://localhost:{free_port()}", client_id=CLIENT)
    site = make_site(oidc=nowhere)
    answer = site.browser().get("/sign-in/outside")
    assert answer.status_code == 502
    assert "cannot be reached" in answer.text
    assert site.browser("asha").get("/").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{"issuer": "http://id.example"}, {"create": True}, {"claim": "groups"}, {"roles": {"x": ["boss"]}}, {"extra": 1}],
)
def test_settings_without_a_rule_or_without_tls_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OidcSettings.model_validate({"issuer": "https://id.example", "client_id": "x", **wrong})


def test_the_settings_come_from_a_file_and_no_secret_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "oidc.toml"
    path.write_text('issuer = "https://id.example"\nclient_id = "x"\nclient_secret = "hush"\n[roles]\na = ["reader"]\n')
    with pytest.raises(ClinicError, match="claim and roles belong together") as caught:
        load(path)
    assert "hush" not in str(caught.value)
    path.write_text(path.read_text().replace("[roles]", 'claim = "groups"\n[roles]'))
    assert load(path).roles == {"a": (Role.READER,)}
    with pytest.raises(ClinicError):
        load(tmp_path / "nothing")


@pytest.mark.parametrize("endpoint", ["https://id.example:port/", "http://id.example/", "https://", 7, None])
def test_a_provider_that_names_no_usable_address_cannot_be_reached(
    with_provider: Made, monkeypatch: pytest.MonkeyPatch, endpoint: object
) -> None:
    site = with_provider(**RULE, create=True)
    browser = site.browser()
    there = at_provider(site, browser.get("/sign-in/outside").location, "wanja")
    assert site.services.provider is not None
    known = {**site.services.provider._known(), "token_endpoint": endpoint, "token_endpoint_auth_methods_supported": 7}
    monkeypatch.setattr(site.services.provider, "_metadata", (time.monotonic(), known))
    assert browser.get(there).status_code == 502
