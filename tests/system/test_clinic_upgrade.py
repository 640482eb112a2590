# SPDX-License-Identifier: Apache-2.0
"""The oldest clinic in the history, with a day's work in it, is stopped and started again with this version.

    python -m pytest tests/system/test_clinic_upgrade.py

It keeps its folder. Without a history (a shallow clone, an archive) there is no older version and the test skips.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests
from sqlalchemy import text

from clinic import store
from clinic.archive.client import ArchiveClient
from clinic.state import DATABASE_FILE
from clinic.store.database import Store, sqlite_url
from device.dicom.objects import build_instances
from device.records.exam import BiRads, Exam
from device.upload.destination import Destination
from tests.clinic.phantom_exams import phantom_exam, phantom_view
from tests.clinic.whole_clinic import Running, indexed
from tests.device.upload import exams
from tests.device.upload.real_archive import installation
from tests.patience import PATIENT_S

STORE: Final = "clinic/store/database.py"
"""The commit that brought it is the oldest clinic with accounts and a worklist."""

MIGRATIONS: Final = Path(store.__file__).with_name("migrations")
PASSWORD: Final = "correct horse battery staple"
CODE: Final = re.compile(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}\b")

pytestmark = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are missing")


@pytest.fixture(scope="module")
def old_checkout(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old version's files."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is missing")
    asked = [git, "-C", str(checkout), "rev-list", "--reverse", "HEAD", "--", STORE]
    commits = subprocess.run(asked, capture_output=True, check=False, text=True).stdout.split()
    if not commits or commits[0] == _head(git, checkout):
        pytest.skip("the repository's history holds no older clinic")
    folder = tmp_path_factory.mktemp("old")
    packed = folder / "old.tar"
    subprocess.run([git, "-C", str(checkout), "archive", "--output", str(packed), commits[0]], check=True)
    subprocess.run(["tar", "-xf", str(packed), "-C", str(folder)], check=True)
    return folder


def _head(git: str, checkout: Path) -> str:
    asked = [git, "-C", str(checkout), "rev-parse", "HEAD"]
    return subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip()


def version_of(checkout: Path) -> str:
    """The version that a checkout says it is."""
    stated = re.search(r'__version__ = "([^"]+)"', (checkout / "device" / "__init__.py").read_text(encoding="utf-8"))
    assert stated is not None
    return stated[1]


class Browser:
    """A person's requests, as the forms of the pages make them; addresses and fields are the same in both versions."""

    def __init__(self, running: Running) -> None:
        self.base = f"https://localhost:{running.ports[2]}"
        self.session = requests.Session()
        self.session.trust_env, self.session.verify = False, running.authority
        self.page = ""

    def get(self, path: str) -> str:
        answer = self.session.get(self.base + path, timeout=PATIENT_S)
        answer.raise_for_status()
        self.page = answer.text
        return self.page

    def post(self, path: str, **fields: str) -> str:
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', self.page)
        assert token is not None
        sent = {**fields, "csrf": token[1]}
        answer = self.session.post(self.base + path, data=sent, timeout=PATIENT_S)
        answer.raise_for_status()
        self.page = answer.text
        return self.page

    def accept(self, code: str, name: str, shown: str) -> None:
        self.get("/invitation")
        self.post("/invitation", code=code, name=name, display_name=shown, password=PASSWORD, again=PASSWORD)

    def sign_in(self, name: str) -> None:
        self.get("/sign-in")
        assert 'class="who"' in self.post("/sign-in", name=name, password=PASSWORD)


class Before:
    """A day's work with the old version, and the same folder with this one afterwards."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.store = Store(sqlite_url(running.folder / DATABASE_FILE))
        self.handheld = running.enrol("ward-3")
        self.read = self._sent(phantom_exam("KB-0042", phantom_view("malignant"), name="Wanjirũ", birads=BiRads.BENIGN))
        self.claimed = self._sent(phantom_exam("KB-0043", phantom_view("benign")))
        self.places = {exam.uid: indexed(self.store, exam.uid) for exam in (self.read, self.claimed)}
        code = CODE.search("".join(running.said))
        assert code is not None, running.said
        self.asha = Browser(running)
        self.asha.accept(code[0], "asha", "Dr Asha Rao")
        self.asha.sign_in("asha")
        self._work(f"/exams/{self.places[self.read.uid]}", f"/exams/{self.places[self.claimed.uid]}")

    def _sent(self, exam: Exam) -> Exam:
        send(self.handheld, exam)
        return exam

    def _work(self, read: str, claimed: str) -> None:
        asha = self.asha
        for page, fields in (
            ("claim", {}),
            ("blind", {"category": "4B", "edition": "v2025", "shape": "irregular"}),
            ("decide", {"category": "4B", "advice": "biopsy", "note": "Please refer her"}),
            ("comments", {"text": "Called the ward"}),
        ):
            asha.get(read)
            asha.post(f"{read}/{page}", **fields)
        asha.get(claimed)
        asha.post(f"{claimed}/claim")


def send(where: Destination, exam: Exam) -> None:
    with ArchiveClient(where.url, where.access) as archive:
        for instance in build_instances(exam, exams.DEVICE):
            archive.store(exam.uid, instance.sop_uid, instance.content)


@pytest.fixture(scope="module")
def upgraded(checkout: Path, old_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    with Running(old_checkout, tmp_path_factory.mktemp("state") / "state") as running:
        before = Before(running)
        assert version_of(old_checkout) in before.asha.get("/")
        running.upgrade(checkout)
        yield before
        before.store.close()


def test_it_is_this_version_that_runs(upgraded: Before) -> None:
    with upgraded.store.read() as session:
        steps = session.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    assert steps == [max(path.stem[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))]


def test_no_code_for_a_first_account_is_given_out_anew(upgraded: Before) -> None:
    assert CODE.search("".join(upgraded.running.said)) is None


def test_the_old_password_opens_the_worklist_with_both_exams(upgraded: Before) -> None:
    asha = Browser(upgraded.running)
    asha.sign_in("asha")
    page = asha.get("/?tab=all")
    assert "KB-0042" in page
    assert "KB-0043" in page


def test_what_was_read_said_and_claimed_is_there(upgraded: Before) -> None:
    asha = Browser(upgraded.running)
    asha.sign_in("asha")
    page = asha.get(f"/exams/{upgraded.places[upgraded.read.uid]}")
    for words in ("BI-RADS 4B", "Please refer her", "Called the ward", "Shape: irregular", "Wanjirũ"):
        assert words in page, words
    page = asha.get(f"/exams/{upgraded.places[upgraded.claimed.uid]}")
    assert "/blind" in page, "she has it still"
    assert upgraded.read.patient.code in asha.get("/follow-up")


def test_the_audit_trail_goes_on_where_it_was(upgraded: Before) -> None:
    asha = Browser(upgraded.running)
    asha.sign_in("asha")
    lines = asha.get("/audit.csv").splitlines()[1:]
    numbers = [int(line.partition(",")[0]) for line in lines]
    assert numbers == list(range(1, len(numbers) + 1))
    for deed in ("account-made", "read-blind", "decided", "commented"):
        assert any(f",{deed}," in line for line in lines), deed


def test_pictures_come_from_the_archive_as_before(upgraded: Before) -> None:
    asha = Browser(upgraded.running)
    asha.sign_in("asha")
    place = upgraded.places[upgraded.read.uid]
    answer = asha.session.get(f"{asha.base}/exams/{place}/views/1/card.jpg", timeout=PATIENT_S)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")


def test_a_handheld_that_was_enrolled_before_goes_on_sending(upgraded: Before) -> None:
    later = phantom_exam("KB-0044", phantom_view("benign"))
    send(upgraded.handheld, later)
    assert indexed(upgraded.store, later.uid)
