# SPDX-License-Identifier: Apache-2.0
"""Asks the clinic for what it has for this device: verdicts on its exams, and who is planned for today.

Over the same connection as sending (same address, trust and credential), below ``/device/v1`` of the clinic's server.
A device names its exams by their UIDs and nothing else. Works while the device is locked; what comes is sealed, and
what a reader wrote is opened only after a PIN (``device.records.inbox``). A clinic that has an archive and no readers'
pages answers 404, which is not an error.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from device.errors import (
    AnotherHandheldError,
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveUnreachableError,
    MammascopeError,
    UploadError,
    UploadStoppedError,
    VerdictKeyMissingError,
)
from device.records.audit import Clock
from device.records.inbox.inbox import Inbox
from device.records.inbox.messages import SignedVerdict, planned_day
from device.records.inbox.table import InboxCount, InboxTable
from device.records.keys.hpke import HpkeOpener
from device.records.pieces import Pieces
from device.structured import StructureError, parse_json
from device.upload.destination import Destination
from device.upload.link import Link, Reply
from device.upload.pace import Pace
from device.upload.stored_access import stored_access

T = TypeVar("T")

ROOT: Final = "/device/v1"
MOST_STUDIES: Final = 500
"""In one question; what the clinic takes at most."""

_LARGEST_ANSWER: Final = 8 << 20
_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class InboxResult:
    """What an exchange brought.

    Attributes:
        offered: Whether the clinic's server has readers' pages; it may be older than the enrolment says.
        verdicts: New verdicts.
        planned: Patients planned for today.
        told: Verdicts that the clinic was told were opened.
        count: What the badge shows now.
        refused: Why verdicts were not kept, one error each, or not given to this device; the others were.
    """

    offered: bool = True
    verdicts: int = 0
    planned: int = 0
    told: int = 0
    count: InboxCount = field(default_factory=InboxCount)
    refused: tuple[UploadError, ...] = ()


class ClinicInbox:
    """The device's end of the way back; for one thread, but for :meth:`stop`.

    Args:
        folder: The records folder.
        where: Says where the clinic is, once there is a key to open the stored access with.
        clock: Time.
        on_change: Called, from the calling thread, after every exchange, also after one that broke off.
    """

    def __init__(
        self,
        folder: Path,
        where: Callable[[HpkeOpener], Destination],
        clock: Clock | None = None,
        on_change: Callable[[InboxResult], None] = lambda result: None,
    ) -> None:
        self._folder = folder
        self._where = where
        self._clock = clock or Clock()
        self._on_change = on_change
        self._stopped = threading.Event()
        self._link: Link | None = None

    def stop(self) -> None:
        """Break off what is going on, from another thread."""
        self._stopped.set()
        if self._link is not None:
            self._link.abort()

    def run_once(self, opener: HpkeOpener) -> InboxResult:
        """Tell the clinic what was opened here, then fetch what is new.

        Args:
            opener: The upload key.

        Raises:
            VerdictKeyMissingError: The enrolment holds no key for verdicts; nothing was asked.
            UploadError: The clinic cannot be reached, is not trusted, or answers nonsense; what came before is kept and
                was said to ``on_change``.
            RecordsError: The inbox cannot be read or written.
        """
        where = self._where(opener)
        if where.access.verdict_key is None:
            raise VerdictKeyMissingError(urlsplit(where.url).netloc)
        key = bytes.fromhex(where.access.verdict_key)
        parts = urlsplit(where.url)
        link = Link(f"{parts.scheme}://{parts.netloc}", where.access, Pace(where.bytes_per_s, self._stopped))
        self._link = link
        if self._stopped.is_set():
            raise UploadStoppedError(where.url)
        table = InboxTable.open(self._folder, self._clock, opener)
        exchange = _Exchange(link, table, opener, key, self._clock)
        try:
            result = exchange.run()
        except UploadError:
            self._on_change(InboxResult(verdicts=exchange.kept, count=table.count()))
            raise
        finally:
            table.close()
            link.close()
            self._link = None
        self._on_change(result)
        return result


def take_in(inbox: Inbox, data_dir: Path, opener: HpkeOpener) -> int:
    """With the device unlocked: check what came against the enrolled key, and keep it with the records.

    Args:
        inbox: Of the open store.
        data_dir: Where the access is stored.
        opener: The upload key, which the access is sealed under.

    Returns:
        How many verdicts were taken in.

    Raises:
        AccessError: The stored access cannot be used.
        RecordsError: The records take no more.
    """
    key = stored_access(data_dir, opener).verdict_key
    return inbox.take_in(None if key is None else bytes.fromhex(key))


class _NotOfferedError(MammascopeError):
    """The server knows nothing below ``/device/v1``; stays inside this file."""


class _Exchange:
    """One conversation.

    Attributes:
        kept: New verdicts until now.
    """

    def __init__(self, link: Link, table: InboxTable, opener: HpkeOpener, key: bytes, clock: Clock) -> None:
        self._link = link
        self._table = table
        self._opener = opener
        self._key = key
        self._clock = clock
        self._refused: list[UploadError] = []
        self.kept = 0

    def run(self) -> InboxResult:
        try:
            told = self._tell()
            self._fetch_verdicts()
            planned = self._fetch_planned()
        except _NotOfferedError:
            return InboxResult(False, self.kept, count=self._table.count())
        return InboxResult(True, self.kept, planned, told, self._table.count(), tuple(self._refused))

    def _tell(self) -> int:
        """Say which verdicts were opened here; only what the clinic repeats counts as said."""
        told = 0
        for some in _portions(self._table.untold(), MOST_STUDIES):
            said = self._post("/verdicts/seen", {"seen": [{"id": one, "study": uid} for one, uid in some]})
            heard = said.get("seen") if isinstance(said, dict) else None
            if not isinstance(heard, list):
                raise ArchiveAnswerError(self._link.name, "what should be a receipt is not one")
            known = [one for one, _ in some if one in heard]
            self._table.told(known)
            told += len(known)
        return told

    def _fetch_verdicts(self) -> None:
        others, here, come_back = 0, self._table.known(), self._table.come_back()
        for some in _portions(self._table.asked_about(), MOST_STUDIES):
            question = {"studies": list(some), "come_back": [uid for uid in some if uid in come_back]}
            answer = self._post("/verdicts", question)
            found = answer.get("verdicts") if isinstance(answer, dict) else None
            if not isinstance(found, list) or len(found) > MOST_STUDIES:
                raise ArchiveAnswerError(self._link.name, "what should be a list of verdicts is not one")
            ended, elsewhere = answer.get("ended", []), answer.get("elsewhere", [])
            if not isinstance(ended, list) or not isinstance(elsewhere, list):
                raise ArchiveAnswerError(self._link.name, "what should be a list of verdicts is not one")
            others += sum(uid in elsewhere for uid in some)
            came = [SignedVerdict.from_answer(raw, self._link.name) for raw in found]
            self.kept += self._keep([one for one in came if one.id not in here], frozenset(some))
            self._table.end_call_backs([uid for uid in some if uid in ended])
        if others:
            self._refused.append(AnotherHandheldError(self._link.name, f"{others} exams"))

    def _keep(self, came: Sequence[SignedVerdict], asked: frozenset[str]) -> int:
        """Keep what is the clinic's; one verdict that is not keeps no other from being kept."""
        good = []
        for one in came:
            try:
                verdict = one.verified(self._key, self._clock.now())
            except UploadError as error:
                self._refused.append(error)
                continue
            if verdict.exam_uid in asked:
                good.append((one, verdict.exam_uid))
        return self._table.keep(good, self._opener)

    def _fetch_planned(self) -> int:
        """Today is the device's own day where its clock is known to be right, else the clinic's."""
        day = f"?day={self._today()}" if self._clock.trusted() else ""
        content = self._body(self._link.request("GET", f"{ROOT}/worklist{day}", {"Accept": "application/json"}))
        listed = planned_day(self._json(content), self._clock.now(), self._link.name)
        self._table.keep_planned(listed.day, content, self._opener)
        return len(listed.patients)

    def _today(self) -> date:
        return self._clock.now().astimezone().date()

    def _post(self, target: str, question: dict[str, Any]) -> Any:
        body = json.dumps(question).encode()
        return self._json(self._body(self._link.request("POST", ROOT + target, dict(_JSON), Pieces.of(body))))

    def _body(self, reply: Reply) -> bytes:
        if reply.status == 200:
            return reply.body(_LARGEST_ANSWER)
        self._link.close()
        if reply.status in (404, 410):
            raise _NotOfferedError(self._link.name)
        if reply.status in (401, 403):
            raise ArchiveRefusedError(self._link.name, f"status {reply.status}")
        if reply.status == 429 or reply.status >= 500:
            raise ArchiveUnreachableError(self._link.name, f"status {reply.status}")
        raise ArchiveAnswerError(self._link.name, f"status {reply.status}")

    def _json(self, content: bytes) -> Any:
        try:
            return parse_json(content)
        except StructureError as error:
            raise ArchiveAnswerError(self._link.name, str(error)) from None


def _portions(values: Sequence[T], size: int) -> list[Sequence[T]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
