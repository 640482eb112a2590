# SPDX-License-Identifier: Apache-2.0
"""A reading room: a store with readers and an exam, and a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clinic.reading.desk import Desk
from clinic.reading.policy import Policy
from clinic.reading.verdicts import SigningKey
from clinic.store.database import Store
from clinic.store.schema import Account, Exam, now
from device.records.uids import new_exam_uid


class Room:
    """What the tests of reading work with."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.key = SigningKey(Ed25519PrivateKey.generate().private_bytes_raw(), "Kibera clinic")
        self.desk = self.with_policy(Policy(checked_share=0.0))

    def with_policy(self, policy: Policy) -> Desk:
        return Desk(self.store, self.key, policy)

    def account(self, name: str, roles: str = "reader") -> Account:
        with self.store.write() as session:
            made = Account(name=name, display_name=f"Dr {name.title()}", role_names=roles)
            session.add(made)
        return made

    def exam(self, **values: Any) -> Exam:
        common = {"study_uid": new_exam_uid(), "started_at": now(), "waiting_stage": 1, "model_result": "benign"}
        with self.store.write() as session:
            made = Exam(**{**common, **values})
            session.add(made)
        return made

    def again(self, exam: Exam) -> Exam:
        with self.store.read() as session:
            return session.get_one(Exam, exam.id)


@pytest.fixture
def room(store: Store) -> Room:
    return Room(store)


Reader = Callable[[str], Account]
