# SPDX-License-Identifier: Apache-2.0
"""The site's retention policy in two steps: ask the clinic what it still has, then delete that here.

Only what the clinic has confirmed is ever deleted, and nothing while the clock cannot be believed. Asking takes as long
as the network takes and changes nothing; deleting is quick and goes through the store like every other change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from device.config import Settings
from device.records.audit import Clock
from device.records.outbox.rows import OutboxEntry
from device.records.store.retention import Expired, Standing, expired, remove_expired
from device.records.store.store import Store

Ask = Callable[[Settings, Iterable[OutboxEntry]], Mapping[str, Standing]]
"""Asks the clinic which of these exams it still has."""


def ask_clinic(settings: Settings, entries: Iterable[OutboxEntry]) -> Mapping[str, Standing]:
    """Ask over the network; an exam about which there is no answer is left out or unknown."""
    from device.upload.still_there import standings  # a connection is for devices that have a clinic

    return standings(settings, entries)


def standings_of_expired(
    store: Store, settings: Settings, clock: Clock, ask: Ask = ask_clinic
) -> Mapping[str, Standing]:
    """What the clinic says of the exams whose time here is over; it is not asked when there are none.

    Args:
        store: Open; only read.
        settings: The policy, and where the clinic is.
        clock: Time, and whether it can be believed.
        ask: Asks the clinic.
    """
    due = expired(store, settings.site.policy.retention_days, clock) if settings.policy_known else ()
    return ask(settings, due) if due else {}


def follow_policy(store: Store, settings: Settings, clock: Clock, standings: Mapping[str, Standing]) -> Expired:
    """Delete what the clinic has just been seen to have, and what has been in quarantine for long enough.

    Nothing while a value of the site's in the settings file is not understood: it may be how long exams are kept.

    Raises:
        RecordsError: The card failed; what was deleted before stays deleted.
    """
    if not settings.policy_known:
        return Expired((), ())
    days = settings.site.policy.retention_days
    store.clear_quarantine(days)
    return remove_expired(store, days, clock, standings)
