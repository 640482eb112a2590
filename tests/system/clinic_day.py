# SPDX-License-Identifier: Apache-2.0
"""A clinic in the middle of its day, on real servers and in real browsers, for whoever looks at its pages."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
from argon2 import PasswordHasher
from sqlalchemy import select

from clinic.archive.client import ArchiveClient
from clinic.archive.content import ExamContent
from clinic.reading import callipers
from clinic.reading.desk import Decision, Desk, Opinion
from clinic.reading.lexicon import Advice, Edition
from clinic.reading.policy import Policy
from clinic.reading.verdicts import SigningKey
from clinic.state import DATABASE_FILE, VERDICT_FILE
from clinic.store.database import Store, sqlite_url
from clinic.store.schema import Account, Outcome, PlannedPatient, Role, now
from clinic.store.schema import Exam as ExamRow
from clinic.web.pages.accounts.people import accept, invite
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.dicom.objects import build_instances
from device.records.exam import Exam, Laterality, View
from device.records.lesion import Axes, BreastLesion, LesionView
from device.records.uids import new_exam_uid, new_uids
from tests.clinic.phantom_exams import phantom_exam, phantom_view
from tests.clinic.whole_clinic import Running, indexed
from tests.device.upload import exams
from tests.system.clinic_browser import PASSWORD, Person


class Day:
    """A clinic in the middle of its day, with an exam in every state.

    Attributes:
        places: Ids of exams and addresses of uploads by what they stand for.
    """

    def __init__(self, running: Running, base: str, browsers: contextlib.ExitStack) -> None:
        self.places: dict[str, str] = {}
        self._running = running
        self._store = Store(sqlite_url(running.folder / DATABASE_FILE))
        key = SigningKey.load(running.folder / VERDICT_FILE, "Kibera clinic")
        self._desk = Desk(self._store, key, Policy(checked_share=0.0))
        browsers.callback(self._store.close)
        self.reader, self.technician, self.nobody = (Person(base) for _ in range(3))
        for person in (self.reader, self.technician, self.nobody):
            browsers.callback(person.close)
        self._people()
        self._send()
        self._read()
        for person, name in ((self.reader, "asha"), (self.technician, "tom")):
            person.sign_in(name)
        self.nobody.open("/sign-in")

    def _people(self) -> None:
        self._accounts: dict[str, Account] = {}
        everything = frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR})
        for name, roles in (("asha", {Role.READER}), ("otieno", {Role.READER}), ("tom", everything)):
            with self._store.write() as session:
                code = invite(session, frozenset(roles))
                made = accept(session, PasswordHasher(), code, name, f"Dr {name.title()}", PASSWORD)
            self._accounts[name] = made

    def _send(self) -> None:
        where = self._running.enrol("ward-3")
        left = phantom_view("malignant", side=Laterality.LEFT, clock=2, measured=True, loop=12)
        right = phantom_view("benign", side=Laterality.RIGHT, clock=10)
        long_ago = datetime.now(UTC) - timedelta(days=75)
        made = {
            "earlier": phantom_exam("KB-0041", right, name="Wanjirũ Müller", started=long_ago),
            "read": with_lesions("KB-0041", "Wanjirũ Müller", left, again(right)),
            "waiting": with_lesions("KB-0042", "Amina Otieno", again(left), again(left), again(right)),
            "blind": phantom_exam("KB-0043", again(right)),
            "deciding": phantom_exam("KB-0044", again(left), name="Zawadi Njeri"),
            "taken": phantom_exam("KB-0045", phantom_view(None, side=Laterality.RIGHT)),
        }
        with ArchiveClient(where.url, where.access) as archive:
            for exam in made.values():
                self._store_exam(archive, exam)
        self.places |= {name: indexed(self._store, exam.uid) for name, exam in made.items()}

    @staticmethod
    def _store_exam(archive: ArchiveClient, exam: Exam) -> None:
        for instance in build_instances(exam, exams.DEVICE, loop=lambda view: view.cine):
            archive.store(exam.uid, instance.sop_uid, instance.content)

    def _read(self) -> None:
        desk, places = self._desk, self.places
        asha, otieno = self._accounts["asha"], self._accounts["otieno"]
        descriptors = {"shape": "irregular", "margin": "spiculated", "orientation": "not_parallel", "posterior": "none"}
        for name in ("earlier", "read"):
            for reader in (asha, otieno):
                desk.claim(places[name], reader, now())
                self._measure(name, reader, *(((225, 175), (360, 265)) if reader is asha else ((220, 240), (370, 215))))
                desk.read_blind(places[name], reader, Opinion("4B", Edition.FIFTH, descriptors), now())
                desk.decide(places[name], reader, Decision("4B", Advice.BIOPSY, "Irregular, please refer"), now())
                if name == "earlier":
                    break
        desk.comment(places["read"], otieno, "Called the ward; she comes on Tuesday.")
        for name in ("blind", "deciding"):
            desk.claim(places[name], asha, now())
        self._measure("deciding", asha, (250, 180), (390, 190))
        desk.read_blind(places["deciding"], asha, Opinion("2", Edition.V2025), now())
        desk.claim(places["taken"], otieno, now())
        with self._store.write() as session:
            session.add(PlannedPatient(code="KB-0077", name="Amina", age=51, planned_on=now().date(), gender="female"))
            proven = {"kind": "malignant", "proof": "biopsy", "side": "L", "histology": "Invasive carcinoma, grade 2"}
            session.add(Outcome(exam_id=places["read"], proven_on=now().date(), entered_by=asha.id, **proven))

    def _measure(self, name: str, reader: Account, start: tuple[int, int], end: tuple[int, int]) -> None:
        """What a reader measures in the first picture of an exam that he is reading."""
        with self._store.write() as session:
            exam = session.scalars(select(ExamRow).where(ExamRow.id == self.places[name])).one()
            view = ExamContent.from_json(exam.content).views[0]
            assert callipers.keep(session, exam, reader, view, view.measure(start, end), now()) is not None

    def upload(self, folder: Path) -> None:
        """One file uploaded and left for its review, one predicted."""
        scan = folder / "scan.png"
        scan.write_bytes(cv2.imencode(".png", phantom_frame(IN_DISTRIBUTION_SEED, "malignant").pixels)[1].tobytes())
        for name in ("review", "result"):
            self.technician.open("/upload")
            self.technician.fill(code="KB-0099", age="51", gender="female", file=str(scan))
            self.technician.press("Upload")
            self.places[name] = self.technician.path
        self.technician.press("Predict")


def again(view: View) -> View:
    """The same picture, taken once more."""
    uid, derived = new_uids()
    return replace(view, uid=uid, derived_uids=derived)


def with_lesions(code: str, name: str, *views: View) -> Exam:
    """An exam with one lesion that all views of one side show, and one for the other side."""
    lesions = []
    for side, clock, nipple, axes in ((Laterality.LEFT, 2, 4.0, Axes(14.2, 9.1)), (Laterality.RIGHT, 10, 2.5, None)):
        shown = tuple(LesionView(view.uid) for view in views if view.laterality is side)
        lesions.append(
            BreastLesion(new_exam_uid(), side, clock, distance_from_nipple_cm=nipple, views=shown, axes=axes)
        )
    return phantom_exam(code, *views, name=name, lesions=tuple(lesions))
