# SPDX-License-Identifier: Apache-2.0
"""How quick the readers' pages are with many exams and many readers, beside the archive's own answers.

    python -m tests.system.clinic_load --exams 10000 --readers 20

Starts what ``./clinic/run`` starts, fills the archive with exams (copies of one that a handheld made, each under names
of its own) and the index with what the pages read of the first of them, each under its own names (reading ten thousand
one by one takes long and is not what is measured). Then all readers ask at the same time: a page of the worklist
beside a bare QIDO-RS of as many studies, and a preview beside a bare WADO-RS ``/rendered`` of the same picture,
both through the same nginx. Prints medians, 95th percentiles and ratios.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pydicom
import requests
from argon2 import PasswordHasher
from sqlalchemy import insert

from clinic.archive.client import ArchiveClient
from clinic.archive.study import read_study
from clinic.service import Address, Archive, Pages, find_installation
from clinic.state import ADMIN, DATABASE_FILE, ClinicState
from clinic.store.database import Store, sqlite_url
from clinic.store.schema import ArchiveFeed, Exam, Role, now
from clinic.web.pages.accounts.people import accept, first_invitation, invite
from device.dicom.objects import build_instances
from device.records.uids import new_exam_uid
from device.site.access import ClinicAccess
from tests.device.upload import exams
from tests.ports import free_port

PASSWORD = "correct horse battery staple"
PAGE = 50
SENDERS = 4
_PREVIEW = re.compile(r'src="([^"]*thumbnail\.jpg[^"]*)"')


@dataclass
class Clinic:
    """What is measured.

    Attributes:
        front: Address of the archive.
        pages: Address of the readers' pages.
        inner: Address of Orthanc itself.
        state: Passwords and the store.
    """

    front: str
    pages: str
    inner: str
    state: ClinicState

    @property
    def authority(self) -> str:
        return str(self.state.folder / "authority.crt")

    @property
    def admin(self) -> tuple[str, str]:
        return ADMIN, self.state.users()[ADMIN]

    @property
    def store(self) -> Store:
        return Store(sqlite_url(self.state.folder / DATABASE_FILE))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exams", type=int, default=10_000)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=10, help="questions of each kind a reader asks")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mammascope-load-") as name:
        state, ports = ClinicState(Path(name) / "state"), [free_port() for _ in range(3)]
        address = Address(("localhost", "127.0.0.1"), ports[0], ports[1], local=True)
        pages = Pages(ports[2], sqlite_url(state.folder / DATABASE_FILE))
        front, inner = f"https://localhost:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
        clinic = Clinic(front, f"https://localhost:{ports[2]}", inner, state)
        for work, beside in ((_prepare, None), (_measure, pages)):
            archive = Archive(find_installation(), state, "Load", address, beside)
            archive.start()
            try:
                work(clinic, args)
            finally:
                archive.stop()


def _prepare(clinic: Clinic, args: argparse.Namespace) -> None:
    uids = [new_exam_uid() for _ in range(args.exams)]
    _say_time(f"{args.exams} exams stored", lambda: _fill(clinic, uids))
    _say_time("all of them indexed", lambda: _index(clinic, uids))


def _measure(clinic: Clinic, args: argparse.Namespace) -> None:
    _people(clinic, args.readers)
    browsers = [_browser(clinic, f"reader{number}") for number in range(args.readers)]
    first = browsers[0].get(f"{clinic.pages}/", timeout=60).text
    previews = [found for found in _PREVIEW.findall(first) if found.startswith("/")]
    if not previews:
        raise SystemExit("no preview on the worklist's first page")
    places = _places(clinic)
    bare = [requests.Session() for _ in browsers]
    for session in bare:
        session.trust_env = False
        session.auth, session.verify = clinic.admin, clinic.authority
    query = f"{clinic.front}/dicom-web/studies?limit={PAGE}&includefield=NumberOfStudyRelatedInstances"
    chance = random.Random(0)
    qido = _all_at_once(bare, args.rounds, lambda: query, {"Accept": "application/dicom+json"})
    page = _all_at_once(browsers, args.rounds, lambda: f"{clinic.pages}/", {})
    wado = _all_at_once(
        bare,
        args.rounds,
        lambda: f"{chance.choice(places)}/frames/1/rendered?viewport=160,120",
        {"Accept": "image/jpeg"},
    )
    preview = _all_at_once(browsers, args.rounds, lambda: clinic.pages + chance.choice(previews), {})
    for name, seconds in (("QIDO-RS", qido), ("worklist", page), ("rendered", wado), ("preview", preview)):
        high = statistics.quantiles(seconds, n=20)[-1]
        print(f"{name:10} median {statistics.median(seconds) * 1e3:7.0f} ms   95th percentile {high * 1e3:7.0f} ms")
    print(f"worklist / QIDO-RS {statistics.median(page) / statistics.median(qido):.2f}")
    print(f"preview / rendered {statistics.median(preview) / statistics.median(wado):.2f}", flush=True)


def _say_time(what: str, work: Callable[[], None]) -> None:
    start = time.monotonic()
    work()
    print(f"{what} in {time.monotonic() - start:.0f} s", flush=True)


def _fill(clinic: Clinic, uids: list[str]) -> None:
    """Store copies of one exam: its picture and its report, each under new names."""
    name = "load"
    made = exams.exam(name, exams.view(exams.exam_uid(name), 1))
    kept = [one for one in build_instances(made, exams.DEVICE) if one.kind in ("image", "report")]
    own = threading.local()

    def send(number: int) -> None:
        uid = uids[number]
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.auth = clinic.admin
            own.datasets = [pydicom.dcmread(BytesIO(one.content)) for one in kept]
        image = f"{uid}.1"
        for position, dataset in enumerate(own.datasets):
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid, f"{uid}.{position + 10}"
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = (
                image if not position else f"{uid}.2"
            )
            dataset.PatientID, dataset.PatientName = f"L-{number:06d}", f"Load^{number}"
            content = BytesIO()
            dataset.save_as(content)
            answer = own.session.post(f"{clinic.inner}/instances", data=content.getvalue(), timeout=60)
            answer.raise_for_status()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, range(len(uids))))


def _index(clinic: Clinic, uids: list[str]) -> None:
    """Index the first exam as the pages do, and the others like it under their own names; the feed is at its end."""
    store = clinic.store
    store.migrate()
    access = ClinicAccess.model_validate({"user": clinic.admin[0], "password": clinic.admin[1]})
    with ArchiveClient(f"{clinic.inner}/dicom-web", access) as client:
        facts = read_study(uids[0], client.study_metadata(uids[0]))
    assert facts is not None
    content = json.dumps(facts.content.to_json())
    moment = now()
    rows = [
        {
            "study_uid": uid,
            "instances": facts.instances,
            "started_at": moment - timedelta(minutes=number),
            **facts.columns,
            "patient_code": f"L-{number:06d}",
            "content": json.loads(content.replace(uids[0], uid)),
            "waiting_stage": 1,
            "due_at": moment + timedelta(days=7),
            "version": 1,
        }
        for number, uid in enumerate(uids)
    ]
    last = requests.get(f"{clinic.inner}/changes?last", auth=clinic.admin, timeout=60).json()["Last"]
    with store.write() as session:
        session.execute(insert(Exam), rows)
        session.add(ArchiveFeed(name="changes", position=last, holder="", held_until=moment))
    store.close()


def _people(clinic: Clinic, count: int) -> None:
    store = clinic.store
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # signing in is not what is measured
    with store.write() as session:
        code = first_invitation(session)
        assert code is not None
        accept(session, cheap, code, "ada", "Ada Admin", PASSWORD)
        for number in range(count):
            accept(
                session, cheap, invite(session, frozenset({Role.READER})), f"reader{number}", f"Dr {number}", PASSWORD
            )
    store.close()


def _browser(clinic: Clinic, name: str) -> requests.Session:
    session = requests.Session()
    session.trust_env, session.verify = False, clinic.authority
    page = session.get(f"{clinic.pages}/sign-in", timeout=60).text
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    fields = {"name": name, "password": PASSWORD, "csrf": "" if token is None else token[1]}
    session.post(f"{clinic.pages}/sign-in", data=fields, timeout=60, headers={"Referer": f"{clinic.pages}/sign-in"})
    if session.get(f"{clinic.pages}/", timeout=60, allow_redirects=False).status_code != 200:
        raise SystemExit(f"{name} could not sign in")
    return session


def _places(clinic: Clinic) -> list[str]:
    """Addresses of some pictures."""
    base = f"{clinic.front}/dicom-web"
    query = {"limit": str(PAGE), "Modality": "US", "includefield": "SOPInstanceUID"}
    found = requests.get(
        f"{base}/instances", params=query, auth=clinic.admin, verify=clinic.authority, timeout=120,
        headers={"Accept": "application/dicom+json"},
    ).json()  # fmt: skip
    names = [[one[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")] for one in found]
    return [f"{base}/studies/{study}/series/{series}/instances/{sop}" for study, series, sop in names]


def _all_at_once(
    sessions: list[requests.Session], rounds: int, address: Callable[[], str], headers: dict[str, str]
) -> list[float]:
    """Seconds of every answer, with all asking at the same time."""

    def ask(session: requests.Session) -> list[float]:
        taken = []
        for _ in range(rounds):
            start = time.perf_counter()
            answer = session.get(address(), headers=headers, timeout=120)
            if answer.status_code != 200:
                raise SystemExit(f"status {answer.status_code}")
            taken.append(time.perf_counter() - start)
        return taken

    with ThreadPoolExecutor(len(sessions)) as pool:
        return [seconds for some in pool.map(ask, sessions) for seconds in some]


if __name__ == "__main__":
    main()
