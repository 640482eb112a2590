# SPDX-License-Identifier: Apache-2.0
"""Puts the web application together: areas, guards, words, error pages."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from clinic.web.base import csrf, errors, flash, headers, language, limits, pages, plain_text, sign_in
from clinic.web.pages.accounts import outside_views as outside
from clinic.web.pages.accounts import views as accounts
from clinic.web.pages.feeds import views as feeds
from clinic.web.pages.followup import views as followup
from clinic.web.pages.oversight import views as oversight
from clinic.web.pages.reading import views as reading
from clinic.web.pages.upload import views as upload
from clinic.web.pages.viewer import views as viewer
from clinic.web.pages.worklist import views as worklist
from clinic.web.services import Services, make_services, remember
from clinic.web.settings import Settings
from device.structured import parse_json

AREAS = (accounts, outside, worklist, reading, viewer, followup, upload, feeds, oversight)
SMALL_REQUEST = 256 * 1024
"""Bytes of any request but an upload."""


class _BoundedJson(DefaultJSONProvider):
    """What comes in as JSON gives values or a ``ValueError``, which is a refused request, however it is nested."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of a request's body."""
        del kwargs
        return parse_json(s if isinstance(s, bytes) else s.encode("utf-8", "surrogatepass"))


def create_app(settings: Settings, made: Services | None = None) -> Flask:
    """The application.

    Args:
        settings: What it is started with.
        made: Services to work with instead of new ones.
    """
    app = Flask(__name__)
    app.json = _BoundedJson(app)
    app.config.update(
        MAX_CONTENT_LENGTH=SMALL_REQUEST,
        MAX_FORM_MEMORY_SIZE=SMALL_REQUEST,
        MAX_FORM_PARTS=200,
        TRUSTED_HOSTS=list(settings.hosts),
        SESSION_COOKIE_NAME="unused",  # Flask's own signed sessions are not used at all
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    remember(app.extensions, made or make_services(settings))
    if settings.proxies:
        count = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    for guard in (headers, limits, sign_in, csrf, plain_text, language, pages, flash, errors):
        guard.install(app)
    for area in AREAS:
        app.register_blueprint(area.blueprint)
    return app
