# SPDX-License-Identifier: Apache-2.0
"""Whose a study is, where the archive does not tell the clinic who has sent it: his who was the first to name it.

A Study Instance UID is a random number that a handheld draws and asks about as soon as it has sent the exam. Whoever
reads it later, on paper or in the archive, comes second.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clinic.store.audit import Action, note
from clinic.store.database import Store
from clinic.store.schema import Exam, NamedStudy, now

MOST_UNKNOWN: Final = 2000
"""Studies of one handheld that the clinic has not seen yet: a stolen one must not fill the disk with names."""


def named_by_others(store: Store, handheld: str, studies: Collection[str]) -> frozenset[str]:
    """Which of these studies another handheld has named before; the others are this one's from now on.

    Args:
        store: Where it is kept.
        handheld: Who names them.
        studies: Study Instance UIDs.
    """
    with store.read() as session:
        owners = _owners(session, studies)
    if fresh := sorted(set(studies) - owners.keys()):
        insert = sqlite.insert if store.is_sqlite else postgresql.insert
        with store.write() as session:
            rows = [
                {"study_uid": uid, "handheld": handheld, "named_at": now()} for uid in _kept(session, handheld, fresh)
            ]
            if rows:
                session.execute(insert(NamedStudy).values(rows).on_conflict_do_nothing())
            owners = _owners(session, studies)
    return frozenset(uid for uid, owner in owners.items() if owner != handheld)


def hand_over(store: Store, before: str, after: str) -> int:
    """Let one handheld have all that another has named, in whose place it is used.

    Returns:
        How many studies.
    """
    mine = update(NamedStudy).where(NamedStudy.handheld == before).values(handheld=after)
    with store.write() as session:
        moved = len(session.scalars(mine.returning(NamedStudy.study_uid)).all())
        note(session, Action.HANDED_OVER, details={"before": before, "after": after, "count": moved})
    return moved


def _owners(session: Session, studies: Collection[str]) -> dict[str, str]:
    wanted = select(NamedStudy.study_uid, NamedStudy.handheld).where(NamedStudy.study_uid.in_(studies))
    return {row.study_uid: row.handheld for row in session.execute(wanted)}


def _kept(session: Session, handheld: str, fresh: list[str]) -> list[str]:
    """Those that the clinic knows, and as many others as one handheld may have."""
    known = set(session.scalars(select(Exam.study_uid).where(Exam.study_uid.in_(fresh))))
    seen = select(Exam.id).where(Exam.study_uid == NamedStudy.study_uid).exists()
    unknown = select(func.count()).select_from(NamedStudy).where(NamedStudy.handheld == handheld, ~seen)
    room = max(0, MOST_UNKNOWN - session.execute(unknown).scalar_one())
    return sorted(known) + [uid for uid in fresh if uid not in known][:room]
