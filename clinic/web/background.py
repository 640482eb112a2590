# SPDX-License-Identifier: Apache-2.0
"""What an instance does beside answering.

It follows the archive, brings decisions to archive and health record, and writes the day's patients for scanners.
One thread an instance. Several instances share the work by what the store says; whatever one leaves undone when it
dies, another does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from clinic.errors import ClinicError
from clinic.fhir.sending import RecordSender
from clinic.fhir.server import RecordServer
from clinic.index.feeder import Feeder
from clinic.modality_worklist import write_worklist
from clinic.reading.write_back import WriteBack
from clinic.store.schema import now
from clinic.web.services import Services
from clinic.zone import day_of
from device.errors import MammascopeError

log = logging.getLogger(__name__)


class Background(threading.Thread):
    """Looks at the archive every few seconds.

    Args:
        services: What the instance works with.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(name="background", daemon=True)
        zone = services.settings.policy.zone
        self._feeder = Feeder(services.store, services.archive, zone)
        self._write_back = WriteBack(services.store, services.archive, services.settings.clinic)
        self._record: RecordSender | None = None
        if services.settings.record:
            server = RecordServer(services.settings.record, services.settings.record_access)
            self._record = RecordSender(services.store, services.archive, server, services.origin)
        self._store, self._zone = services.store, zone
        self._worklists = services.settings.worklists
        self._pause_s = services.settings.poll_s
        self._stopped = threading.Event()

    def run(self) -> None:
        """Go on until stopped; an archive, a store or a server that is away for a while ends nothing."""
        while not self._stopped.is_set():
            for work in self._works():
                try:
                    work()
                except (ClinicError, MammascopeError, SQLAlchemyError, OSError) as error:
                    log.warning("background: %s", type(error).__name__)
            self._stopped.wait(self._pause_s)

    def _works(self) -> Iterator[Callable[[], object]]:
        """What is done in one round; each by itself, so that one that fails keeps no other from being done."""
        yield self._feeder.run_once
        yield self._write_back.run_once
        if self._worklists is not None:
            yield partial(write_worklist, self._store, self._worklists, day_of(now(), self._zone))
        if self._record is not None:
            yield self._record.run_once

    def stop(self) -> None:
        """End after what is being done."""
        self._stopped.set()
