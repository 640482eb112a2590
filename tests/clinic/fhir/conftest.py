# SPDX-License-Identifier: Apache-2.0
"""Exams of phantoms that were read, as the health record is told of them."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clinic.archive.content import ExamContent
from clinic.archive.study import read_study
from clinic.fhir.facts import ExamFacts, Origin, instances_of
from clinic.index.writer import put
from clinic.reading.callipers import keep, kept_by
from clinic.reading.desk import Decision, Desk, Opinion
from clinic.reading.lexicon import Advice, Edition
from clinic.reading.policy import Policy
from clinic.reading.verdicts import SigningKey
from clinic.store.database import Store, sqlite_url
from clinic.store.schema import Account, Exam, Reading, now
from device.dicom.objects import build_instances
from device.records.exam import Laterality, View
from tests.clinic.phantom_exams import phantom_exam, phantom_view
from tests.device.upload import exams

ORIGIN = Origin.of("Kibera clinic", "ab" * 32)


@cache
def _view() -> View:
    return phantom_view("malignant", side=Laterality.LEFT, clock=2, measured=True)


class RecordRoom:
    """A store with one exam, read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        key = SigningKey(Ed25519PrivateKey.generate().private_bytes_raw(), "Kibera clinic")
        self.desk = Desk(store, key, Policy(checked_share=0.0))
        self.metadata: list[dict[str, Any]] = []

    def account(self, name: str) -> Account:
        with self.store.write() as session:
            made = Account(name=name, display_name=f"Dr {name.title()}", role_names="reader")
            session.add(made)
        return made

    def send(self, **values: Any) -> str:
        """Let the archive have an exam; the opaque id in the index."""
        exam = phantom_exam("KB-0042", _view(), name="Wanjirũ Müller", **values)
        made = [pydicom.dcmread(BytesIO(one.content)) for one in build_instances(exam, exams.DEVICE)]
        return self.indexed(exam.uid, [_metadata(dataset) for dataset in made])

    def indexed(self, study_uid: str, metadata: list[dict[str, Any]]) -> str:
        """Put a study into the index; its opaque id there."""
        self.metadata = metadata
        facts = read_study(study_uid, metadata)
        assert facts is not None
        return put(self.store, facts, now())

    def read(self, exam_id: str, name: str, category: str, advice: Advice, note: str = "") -> None:
        reader = self.account(name)
        self.desk.claim(exam_id, reader, now())
        for end in ((380.0, 250.0), (250.0, 180.5)):
            with self.store.write() as session:
                exam = session.get_one(Exam, exam_id)
                view = ExamContent.from_json(exam.content).views[0]
                keep(session, exam, reader, view, view.measure((250.0, 180.0), end), now())
        descriptors = {"shape": "irregular", "margin": "spiculated", "orientation": "not_parallel", "posterior": "none"}
        self.desk.read_blind(exam_id, reader, Opinion(category, Edition.FIFTH, descriptors), now())
        self.desk.decide(exam_id, reader, Decision(category, advice, note), now())

    def facts(self, exam_id: str) -> ExamFacts:
        with self.store.read() as session:
            exam = session.get_one(Exam, exam_id)
            reading = session.query(Reading).filter(Reading.exam_id == exam_id).order_by(Reading.decided_at).all()[-1]
            measured = tuple(kept_by(session, exam, [reading.reader_id]))
        return ExamFacts(exam, reading, None, ORIGIN, instances_of(self.metadata), measured)


def _metadata(dataset: pydicom.Dataset) -> dict[str, Any]:
    """As WADO-RS gives it: everything but the pixels."""
    if "PixelData" in dataset:
        del dataset.PixelData
    found: dict[str, Any] = json.loads(dataset.to_json())
    return found


@pytest.fixture
def room(sqlite_file: Path) -> Any:
    store = Store(sqlite_url(sqlite_file))
    yield RecordRoom(store)
    store.close()


@pytest.fixture
def read_exam(room: RecordRoom) -> str:
    """An exam that two readers call suspicious (the field clinician did not)."""
    exam_id = room.send()
    room.read(exam_id, "asha", "4B", Advice.BIOPSY, "Irregular mass, please refer")
    room.read(exam_id, "otieno", "4B", Advice.BIOPSY, "Agreed")
    return exam_id
