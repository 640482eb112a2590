# SPDX-License-Identifier: Apache-2.0
"""A small OpenID Connect provider on Authlib's server side: ``oidc_provider.py PORT CRT KEY REDIRECT``.

Who signs in is said by ``as`` in the address of its page, where a person would type a password; without it, the page
asks. ``fault`` makes it say something that must not be believed.
"""

from __future__ import annotations

import ssl
import sys
import time
from dataclasses import dataclass
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from markupsafe import escape
from werkzeug.serving import make_server

CLIENT, SECRET = "mammascope", "the-clients-own-secret"
PEOPLE: dict[str, dict[str, Any]] = {
    "wanja": {"name": "Dr Wanja Kamau", "preferred_username": "Wanja.K", "realm_access": {"roles": ["readers"]}},
    "boss": {"name": "Boss", "preferred_username": "ada", "realm_access": {"roles": ["readers", "chiefs"]}},
    "guest": {"name": "Guest", "preferred_username": "guest", "realm_access": {"roles": ["visitors"]}},
    "shy": {"preferred_username": "shy"},
}
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": name}) for name in ("one", "one"))


class Client:
    """The one client."""

    client_id = CLIENT

    def check_client_secret(self, secret: str) -> bool:
        return secret == SECRET

    def check_redirect_uri(self, uri: str) -> bool:
        return uri == REDIRECT

    def get_default_redirect_uri(self) -> str:
        return REDIRECT

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"


@dataclass
class Code:
    """A code that was given out."""

    value: str
    person: str
    fault: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None: ...

    def get_amr(self) -> None: ...


codes: dict[str, Code] = {}
tokens: dict[str, Code] = {}


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no type information
    """Codes in memory, each good once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, asked: Any) -> None:
        data = asked.payload.data
        codes[code] = Code(
            code, asked.user, request.args.get("fault", ""), asked.payload.redirect_uri, asked.payload.scope,
            data["nonce"], data["code_challenge"], data["code_challenge_method"],
        )  # fmt: skip

    def query_authorization_code(self, code: str, _: Client) -> Code | None:
        return codes.get(code)

    def delete_authorization_code(self, code: Code) -> None:
        del codes[code.value]

    def authenticate_user(self, code: Code) -> str:
        return code.person


class IdToken(OpenIDCode):  # type: ignore[misc]  # likewise
    """The ID token, right or spoilt."""

    def exists_nonce(self, *_: object) -> bool:
        return False

    def encode_id_token(self, token: dict[str, str], asked: Any) -> str:
        code, moment = asked.authorization_code, int(time.time())
        tokens[token["access_token"]] = code
        claims = {"iss": ISSUER, "aud": CLIENT, "sub": f"id-{code.person}", "iat": moment, "exp": moment + 300}
        claims |= {"nonce": code.nonce, **{k: v for k, v in PEOPLE[code.person].items() if code.person != "shy"}}
        spoilt: dict[str, dict[str, Any]] = {
            "issuer": {"iss": "https://else.example"},
            "audience": {"aud": "somebody-else"},
            "expired": {"iat": moment - 900, "exp": moment - 600},
            "nonce": {"nonce": "an older one"},
            "subject": {"sub": ""},
            "subject-nul": {"sub": "a\x00b"},
            "subject-list": {"sub": ["id-wanja"]},
            "expiry-word": {"exp": "tomorrow"},
            "expiry-huge": {"exp": -(10**400)},
            "audience-number": {"aud": 7},
            "audience-others": {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
            "issued-later": {"iat": moment + 10_000, "exp": moment + 20_000},
            "nonce-list": {"nonce": [code.nonce]},
            "no-nonce": {"nonce": None},
        }
        claims |= spoilt.get(code.fault, {})
        if code.fault == "unsigned":
            header = jwt.encode({"alg": "HS256"}, claims, _octets(), algorithms=["HS256"])
            return f"eyJhbGciOiJub25lIn0.{header.split('.')[1]}."
        if code.fault == "secret":
            return jwt.encode({"alg": "HS256"}, claims, _octets(), algorithms=["HS256"])
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER_KEY if code.fault == "key" else KEY)


def _octets() -> Any:
    from joserfc.jwk import OctKey

    return OctKey.import_key(SECRET)


def provider() -> Flask:
    app = Flask(__name__)
    server = AuthorizationServer(app, query_client=lambda name: Client() if name == CLIENT else None)
    server.save_token = lambda *_: None
    server.register_grant(CodeGrant, [IdToken(require_nonce=True), CodeChallenge(required=True)])

    @app.get("/.well-known/openid-configuration")
    def metadata() -> Any:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    @app.get("/keys")
    def keys() -> Any:
        return jsonify(KeySet([KEY]).as_dict(private=False))

    @app.get("/authorize")
    def authorize() -> Any:
        if "as" not in request.args:
            links = (f'<a href="{escape(request.url)}&as={name}">{name}</a>' for name in PEOPLE)
            return f"<main>{' '.join(links)}</main>"
        grant = server.get_consent_grant(end_user=request.args["as"])
        assert request.args["code_challenge_method"] == "S256"
        return server.create_authorization_response(grant_user=request.args["as"], grant=grant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/userinfo")
    def userinfo() -> Any:
        code = tokens[request.headers["Authorization"].removeprefix("Bearer ")]
        sub = "id-somebody-else" if code.fault == "userinfo" else f"id-{code.person}"
        return {"sub": sub, "realm_access": {"roles": ["readers"]}, **PEOPLE[code.person]}

    return app


if __name__ == "__main__":
    port, certificate, key, REDIRECT = sys.argv[1:]
    ISSUER = f"https://localhost:{port}"
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate, key)
    running = make_server("localhost", int(port), provider(), threaded=True, ssl_context=trust)
    print("ready", flush=True)
    running.serve_forever()
