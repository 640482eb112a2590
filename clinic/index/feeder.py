# SPDX-License-Identifier: Apache-2.0
"""Keeps the index in step with the archive: by Orthanc's change feed, or by asking which studies have grown.

Any number of instances of the application may run this; one at a time holds the feed, and when that one dies another
goes on from where it was. Doing a change twice does no harm.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from clinic.archive.client import ArchiveClient, Changes, value_of
from clinic.archive.errors import ArchiveNonsenseError
from clinic.archive.study import read_study
from clinic.index.writer import mark_gone, mark_unreadable, put
from clinic.store.database import Store
from clinic.store.schema import ArchiveFeed, Exam, now, opaque_id

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=30)
TRIES: Final = 3
"""How often one study may keep the others waiting: the archive may be at fault, or the study."""

_FEED: Final = "changes"
_BATCH: Final = 100
_PAGE: Final = 200
_LOOK_BACK: Final = timedelta(days=30)
"""Without a change feed, studies of this long are asked after; older ones by a rebuild."""

_STUDY_UID: Final = "0020000D"
_COUNT: Final = "00201208"


class Feeder:
    """One instance's hand on the feed.

    Args:
        store: Where the index is.
        archive: Where exams come from.
        zone: The clinic's, for senders that do not say theirs.
    """

    def __init__(self, store: Store, archive: ArchiveClient, zone: tzinfo = UTC) -> None:
        self._store = store
        self._archive = archive
        self._zone = zone
        self._name = opaque_id()
        self._failed: Counter[str] = Counter()

    def run_once(self) -> int:
        """Do what has changed since the last time.

        Returns:
            How many studies were read; 0 as well where another instance holds the feed.

        Raises:
            ArchiveError: The archive cannot be asked; the next call goes on from the same place.
        """
        position = self._take()
        if position is None:
            return 0
        done = 0
        while True:
            changes = self._archive.changes(position, _BATCH)
            if changes is None:
                return self.reconcile(now() - _LOOK_BACK)
            if changes.last < position:
                log.warning("the archive's change feed starts over; the index is rebuilt")
                self._advance(0)
                return self.rebuild()
            for study_uid in self._studies_in(changes):
                done += self.read(study_uid)
            position = changes.last
            if not self._advance(position) or changes.done:
                return done

    def rebuild(self) -> int:
        """Read every study of the archive again, and mark what it does not have any more.

        Returns:
            How many were read.

        Raises:
            ArchiveError: The archive cannot be asked.
        """
        seen = set()
        for study_uid, _ in self._listed({}):
            seen.add(study_uid)
            self.read(study_uid)
            if len(seen) % _PAGE == 0:
                self._take()
        with self._store.read() as session:
            known = session.scalars(select(Exam.study_uid)).all()
        for study_uid in set(known) - seen:
            mark_gone(self._store, study_uid)
        return len(seen)

    def reconcile(self, since: datetime) -> int:
        """Read studies that are new or have another number of instances than the index knows.

        Args:
            since: Studies from this day on.

        Returns:
            How many were read.

        Raises:
            ArchiveError: The archive cannot be asked.
        """
        with self._store.read() as session:
            rows = session.execute(select(Exam.study_uid, Exam.instances)).all()
        known = {row.study_uid: row.instances for row in rows}
        day = since.astimezone(UTC).strftime("%Y%m%d")
        changed = [uid for uid, count in self._listed({"StudyDate": f"{day}-"}) if known.get(uid) != count]
        return sum(self.read(study_uid) for study_uid in changed)

    def read(self, study_uid: str) -> int:
        """Read one study into the index.

        Returns:
            1 if it is an exam, else 0.

        Raises:
            ArchiveError: The archive cannot be asked.
        """
        try:
            metadata = self._archive.study_metadata(study_uid)
        except ArchiveNonsenseError as error:
            self._failed[study_uid] += 1
            if self._failed[study_uid] < TRIES:
                raise
            log.warning("a study could not be read: %s", error)  # and the others wait for it no longer
            mark_unreadable(self._store, study_uid, now())
            return 1
        self._failed.pop(study_uid, None)
        if not metadata:
            mark_gone(self._store, study_uid)
            return 0
        facts = read_study(study_uid, metadata, self._zone)
        if facts is None:
            return 0
        put(self._store, facts, now())
        return 1

    def _listed(self, query: dict[str, str]) -> Iterator[tuple[str, int]]:
        """All studies that fit, with their number of instances."""
        offset = 0
        while page := self._archive.studies(query, _PAGE, offset):
            for entry in page:
                uid, count = value_of(entry, _STUDY_UID), str(value_of(entry, _COUNT))
                if isinstance(uid, str):
                    yield uid, int(count) if re.fullmatch("[0-9]{1,9}", count) else 0
            if len(page) < _PAGE:
                return
            offset += len(page)

    def _studies_in(self, changes: Changes) -> list[str]:
        """Study Instance UIDs that a page of changes concerns, each once.

        Every instance stored is one change; those of a study that is in the page anyway are not looked up.
        """
        found: dict[str, str | None] = {}
        series: dict[str, str] = {}
        for change in changes.entries:
            kind, identifier = change.get("ChangeType"), str(change.get("ID"))
            if kind in ("NewStudy", "StableStudy"):
                found.setdefault(identifier, None)
            elif kind == "NewInstance" and (parent := self._study_of(identifier, series)) is not None:
                found.setdefault(parent, None)
        uids = []
        for identifier in found:
            uid = _named(self._archive.resource(f"/studies/{identifier}"), "MainDicomTags", "StudyInstanceUID")
            if uid is not None:
                uids.append(uid)
        return uids

    def _study_of(self, instance: str, series: dict[str, str]) -> str | None:
        """Orthanc's identifier of the study that an instance is in."""
        parent = _named(self._archive.resource(f"/instances/{instance}"), "ParentSeries")
        if parent is None:
            return None
        if parent not in series:
            study = _named(self._archive.resource(f"/series/{parent}"), "ParentStudy")
            if study is None:
                return None
            series[parent] = study
        return series[parent]

    def _take(self) -> int | None:
        """Take or keep the feed; its position, or ``None`` where another instance has it."""
        moment = now()
        try:
            with self._store.write() as session:
                feed = session.get(ArchiveFeed, _FEED)
                if feed is None:
                    session.add(ArchiveFeed(name=_FEED, position=0, holder=self._name, held_until=moment + LEASE))
                    return 0
        except IntegrityError:
            return None
        with self._store.write() as session:
            free = or_(ArchiveFeed.holder == self._name, ArchiveFeed.held_until < moment)
            taking = update(ArchiveFeed).where(ArchiveFeed.name == _FEED, free)
            held = taking.values(holder=self._name, held_until=moment + LEASE).returning(ArchiveFeed.position)
            return session.execute(held).scalar_one_or_none()

    def _advance(self, position: int) -> bool:
        """Keep how far it went; ``False`` where another instance has taken over."""
        with self._store.write() as session:
            mine = update(ArchiveFeed).where(ArchiveFeed.name == _FEED, ArchiveFeed.holder == self._name)
            kept = mine.values(position=position, held_until=now() + LEASE).returning(ArchiveFeed.name)
            return session.execute(kept).scalar_one_or_none() is not None


def _named(found: Any, *names: str) -> str | None:
    """A text inside one of Orthanc's resources; ``None`` where there is none."""
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None
