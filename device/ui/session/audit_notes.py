# SPDX-License-Identifier: Apache-2.0
"""What the log of who did what gets from the program as a whole: changed settings, and other software in use.

What a screen does, it writes down itself (``record_tasks.note``); these two happen in many places or in none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from device import __version__
from device.config import Settings
from device.records.audit import AuditEvent
from device.records.keys.vault import Vault
from device.records.store.store import Store
from device.ui.app import App
from device.ui.session import record_tasks

LEARNED: Final = {"lock.pin_digits"}
"""Settings that the program learns by itself; no operator changed them."""


class AuditNotes:
    """Writes both.

    Args:
        app: The program.
        version: Of the software in use.
    """

    def __init__(self, app: App, version: str = __version__) -> None:
        self._app = app
        self._version = version

    def start(self) -> None:
        """Begin to follow the settings and each unlocking."""
        self._app.on_settings.append(self._changed)
        self._app.services.on_unlock.append(self._unlocked)

    def _changed(self, before: Settings, after: Settings) -> None:
        """Which keys are others now; their values may be a place or a name, and are not needed to see who did it."""
        keys = [key for key in changed_keys(before, after) if key not in LEARNED]
        if keys:
            record_tasks.note(self._app, AuditEvent.SETTINGS_CHANGED, remark=", ".join(keys))

    def _unlocked(self, _: Vault) -> None:
        """Updates are installed and taken back while the device is locked, so they are noted at the next unlocking."""
        version = self._version

        def compare(store: Store) -> None:
            if store.newest_remark(AuditEvent.UPDATED) != version:
                store.audit(AuditEvent.UPDATED, remark=version)

        record_tasks.write(self._app, "version", compare, lambda _: None, record_tasks.say_why)


def changed_keys(before: Settings, after: Settings) -> list[str]:
    """The settings in which two differ, as dotted keys in alphabetical order."""
    old, new = dict(_flat(before.model_dump(mode="json"))), dict(_flat(after.model_dump(mode="json")))
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
