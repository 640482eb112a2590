# SPDX-License-Identifier: Apache-2.0
"""What the pages of one instance work with, made once at start and found again from every request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from argon2 import PasswordHasher
from flask import current_app

from clinic.archive.client import ArchiveClient
from clinic.archive.picture_cache import PictureCache
from clinic.fhir.facts import Origin
from clinic.predict.heat_maps import HeatMaps
from clinic.predict.predictor import Predictor
from clinic.reading.desk import Desk
from clinic.reading.verdicts import SigningKey
from clinic.store.database import Store
from clinic.web.oidc.provider import Provider
from clinic.web.settings import Settings

_KEY = "mammascope"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the pages.

    Attributes:
        settings: What the instance was started with.
        store: Accounts, index, readings.
        archive: Images and reports.
        doors: Who knows the handhelds' passwords.
        key: Signs verdicts.
        desk: Where exams are read.
        hasher: Of passwords.
        predictor: The handheld's model, in a process of its own.
        heat_maps: Of pictures in the archive.
        pictures: Those asked for last.
        provider: Of the clinic's own accounts, where there is one.
    """

    settings: Settings
    store: Store
    archive: ArchiveClient
    doors: ArchiveClient
    key: SigningKey
    desk: Desk
    hasher: PasswordHasher
    predictor: Predictor
    heat_maps: HeatMaps
    pictures: PictureCache
    provider: Provider | None

    @property
    def origin(self) -> Origin:
        """Who speaks to the health record."""
        return Origin.of(self.settings.clinic, self.key.public, self.settings.patients)

    def close(self) -> None:
        """Give everything back."""
        self.predictor.close()
        if self.provider is not None:
            self.provider.close()
        self.archive.close()
        self.doors.close()
        self.store.close()


def make_services(settings: Settings) -> Services:
    """Connect to store and archive; the store is brought to this version's schema."""
    store = Store(settings.database)
    store.migrate()
    key = SigningKey(settings.signing_key, settings.clinic)
    cost = settings.password_cost
    archive = ArchiveClient(settings.archive, settings.access)
    predictor = Predictor(settings.models)
    return Services(
        settings=settings,
        store=store,
        archive=archive,
        doors=ArchiveClient(settings.doors or settings.archive, settings.access),
        key=key,
        desk=Desk(store, key, settings.policy),
        hasher=PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes),
        predictor=predictor,
        heat_maps=HeatMaps(archive, predictor),
        pictures=PictureCache(),
        provider=None if settings.oidc is None else Provider(settings.oidc),
    )


def remember(extensions: dict[str, object], services: Services) -> None:
    """Put them where :func:`services` finds them; ``extensions`` is the application's."""
    extensions[_KEY] = services


def services() -> Services:
    """Those of the application that the request is for."""
    return cast(Services, current_app.extensions[_KEY])
