# SPDX-License-Identifier: Apache-2.0
"""Exams that were made final before this device had a clinic, or came back from a backup, are queued, or asked about.

The site's policy decides (``site.policy.older_exams``): they are queued after the next unlocking, which is the default;
or it is asked once, and the answer is kept as the policy; or they stay here. The clinic's screen always shows how many
there are, and queues them when the operator says so.
"""

from __future__ import annotations

import logging

from device.errors import MammascopeError
from device.operations.for_clinic import queue_unqueued
from device.records.store.store import Store
from device.ui.app import App
from device.ui.session import record_tasks
from device.ui.widgets import Dialog, Kind

log = logging.getLogger(__name__)


def queue_older_exams(app: App) -> None:
    """Follow the policy after every unlocking, from now on."""
    app.services.on_unlock.append(lambda _: follow_policy(app))


def follow_policy(app: App) -> None:
    """Queue, ask, or leave things as they are; also after a backup was restored."""
    policy = app.settings.site.policy.older_exams
    if not app.settings.site.clinic_url or policy == "keep" or not app.settings.policy_known:
        return
    if policy == "queue":
        queue_now(app)
        return
    training = app.settings.site.policy.training_exams

    def unqueued(store: Store) -> int:
        return len(store.unqueued(training_exams=training))

    record_tasks.read(app, "older exams", unqueued, lambda count: _ask(app, count), _say_why)


def queue_now(app: App) -> None:
    """Put them into the outbox."""
    settings = app.settings

    def done(queued: int) -> None:
        if queued:
            log.info("%d older exams were queued for the clinic", queued)
            app.services.wake_uploader()

    record_tasks.write(app, "queue older exams", lambda store: queue_unqueued(store, settings), done, _say_why)


def _ask(app: App, count: int) -> None:
    if not count:
        return
    t = app.ui.t

    def answered(policy: str) -> None:
        kept = app.settings.site.policy.model_dump(exclude_unset=True) | {"older_exams": policy}
        app.change_settings("site", policy=kept)
        follow_policy(app)

    answers = [
        (t("clinic.keep_here"), Kind.NORMAL, lambda: answered("keep")),
        (t("clinic.queue"), Kind.PRIMARY, lambda: answered("queue")),
    ]
    app.open(Dialog(app.ui, t("clinic.queue_ask"), t("clinic.queue_text", count=count), answers, key="older_exams"))


def _say_why(error: MammascopeError) -> None:
    log.warning("older exams: %s", error)
