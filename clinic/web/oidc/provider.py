# SPDX-License-Identifier: Apache-2.0
"""The provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636, RFC 9207).

Requests, challenges and claims are Authlib's, signatures joserfc's; here is what is asked and what is believed. Only an
ID token that the provider's own key has signed, for this client, this browser's nonce and this moment, says who it is.
"""

from __future__ import annotations

import json
import logging
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from clinic.errors import ClinicError
from clinic.store.schema import Role
from clinic.web.oidc.settings import OidcSettings

log = logging.getLogger(__name__)

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures by a key pair; never ``none``, and never one by the client's secret."""

_TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
_LARGEST_ANSWER: Final = 1 << 20
_KNOWN_FOR_S: Final = 3600.0
_LEEWAY_S: Final = 60


class OidcError(ClinicError):
    """No one is signed in; ``str()`` is the key of the sentence, ``accounts.<key>``."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A signing in that has begun: where the browser goes, and what has to come back.

    Attributes:
        url: At the provider.
        state: Names this try.
        nonce: Has to stand in the ID token.
        verifier: Proves to the provider that who redeems the code is who has asked for it.
    """

    url: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, as the provider says.

    Attributes:
        issuer: The provider.
        subject: The person there, for ever.
        login: What the person types there, for a name here.
        display_name: Likewise.
        roles: What the person may do here; ``None`` where the provider does not decide that.
    """

    issuer: str
    subject: str
    login: str = field(repr=False)
    display_name: str = field(repr=False)
    roles: frozenset[Role] | None


class Provider:
    """A clinic's provider.

    Args:
        settings: Where it is, and its rules.
    """

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        trust = ssl.create_default_context(cadata=settings.authority)
        self._http = httpx.Client(verify=trust, timeout=_TIMEOUT, trust_env=False)
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: KeySet | None = None

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def begin(self, redirect_uri: str) -> Begun:
        """Where a browser is to go.

        Args:
            redirect_uri: Where the provider sends it back to.

        Raises:
            OidcError: The provider cannot be asked.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            self.settings.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=self.settings.scope,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Begun(str(url), state, nonce, verifier)

    def finish(self, redirect_uri: str, code: str, nonce: str, verifier: str) -> Identity:
        """Redeem a code.

        Args:
            redirect_uri: As at :meth:`begin`.
            code: What the browser brought back.
            nonce: As at :meth:`begin`.
            verifier: Likewise.

        Raises:
            OidcError: The provider cannot be asked, does not take the code, or says what is not to be believed.
        """
        token = self._redeem(redirect_uri, code, verifier)
        claims: Mapping[str, Any] = self._verified(str(token.get("id_token", "")), nonce)
        settings = self.settings
        if settings.claim is not None and _at(claims, settings.claim) is None:
            claims = {**self._user_info(str(token.get("access_token", "")), str(claims["sub"])), **claims}
        login = claims.get("preferred_username") or claims.get("email") or ""
        shown = claims.get("name") or login
        return Identity(settings.issuer, str(claims["sub"]), str(login), str(shown), self._roles(claims))

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[Role] | None:
        if self.settings.claim is None:
            return None
        said = _at(claims, self.settings.claim)
        words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        mapped = (self.settings.roles.get(word, ()) for word in words if isinstance(word, str))
        return frozenset(role for roles in mapped for role in roles)

    def _redeem(self, redirect_uri: str, code: str, verifier: str) -> dict[str, Any]:
        settings = self.settings
        body = prepare_token_request("authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=verifier)
        form = dict(httpx.QueryParams(body))
        said = self._known().get("token_endpoint_auth_methods_supported")
        ways = said if said and isinstance(said, list) else ["client_secret_basic"]
        auth = None
        if settings.client_secret is None:
            form["client_id"] = settings.client_id
        elif "client_secret_basic" in ways:
            auth = httpx.BasicAuth(*map(quote_plus, (settings.client_id, settings.client_secret.get_secret_value())))
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
        return self._ask(httpx.Request("POST", self._endpoint("token_endpoint"), data=form), auth)

    def _verified(self, id_token: str, nonce: str) -> CodeIDToken:
        """The claims of an ID token that is to be believed."""
        settings = self.settings
        options = {
            "iss": {"essential": True, "value": settings.issuer},
            "aud": {"essential": True, "value": settings.client_id},
        }
        try:
            signed = self._decoded(id_token)
            params = {"nonce": nonce, "client_id": settings.client_id}
            claims = CodeIDToken(signed.claims, signed.header, options, params)
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("an ID token is not to be believed: %s", type(error).__name__)
            raise OidcError("outside_failed") from None
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise OidcError("outside_failed")
        return claims

    def _decoded(self, id_token: str) -> jwt.Token:
        """Checked against the keys that are known; once against fresh ones, for the provider may have changed them."""
        if self._keys is not None:
            try:
                return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                self._keys = None
        answer = self._ask(httpx.Request("GET", self._endpoint("jwks_uri")))
        self._keys = KeySet.import_key_set(answer)  # type: ignore[arg-type]  # what is no key set raises
        return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)

    def _user_info(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider keeps out of its ID tokens; only of the very same person."""
        if not self._known().get("userinfo_endpoint"):
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        said = self._ask(httpx.Request("GET", self._endpoint("userinfo_endpoint"), headers=headers))
        if said.get("sub") != subject:
            raise OidcError("outside_failed")
        return said

    def _endpoint(self, name: str) -> str:
        url = self._known().get(name)
        if not isinstance(url, str) or not _is_https(url):
            log.warning("the provider names no %s with HTTPS", name)
            raise OidcError("outside_unreachable")
        return url

    def _known(self) -> dict[str, Any]:
        """The provider's metadata, asked for once an hour."""
        moment = time.monotonic()
        if self._metadata is None or moment - self._metadata[0] > _KNOWN_FOR_S:
            where = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = self._ask(httpx.Request("GET", where))
            if found.get("issuer") != self.settings.issuer:
                log.warning("the provider calls itself otherwise than its settings do")
                raise OidcError("outside_unreachable")
            self._metadata = (moment, found)
        return self._metadata[1]

    def _ask(self, request: httpx.Request, auth: httpx.Auth | None = None) -> dict[str, Any]:
        try:
            reply = self._http.send(request, auth=auth, stream=True)
            try:
                text = b""
                for piece in reply.iter_bytes():
                    text += piece
                    if len(text) > _LARGEST_ANSWER:
                        raise OidcError("outside_unreachable")
            finally:
                reply.close()
            answer = json.loads(text)
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            log.warning("the provider cannot be asked: %s", type(error).__name__)
            raise OidcError("outside_unreachable") from None
        if reply.status_code != 200 or not isinstance(answer, dict):
            log.warning("the provider refuses: %d", reply.status_code)
            raise OidcError("outside_failed" if reply.status_code in (400, 401, 403) else "outside_unreachable")
        return answer


def _is_https(url: str) -> bool:
    try:
        place = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return place.scheme == "https" and bool(place.host)


def _at(claims: Mapping[str, Any], way: str) -> Any:
    """A claim by its name, or by a way through claims within claims."""
    if way in claims:
        return claims[way]
    found: Any = claims
    for name in way.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
