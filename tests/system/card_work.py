# SPDX-License-Identifier: Apache-2.0
"""A clinician's work on a card that may fail at any moment, and the look at what is left afterwards.

``work`` does random deeds through the real store and tells, before each, what the records will look like after it, and
then that it has returned: what is told as done must survive. ``observe`` opens the records as the app would at the next
start and describes all of them, pixels included, in the same words. Atomic means: what is observed is the world before
or after the deed that was under way, never anything else.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from device.capture.frame import Box, Frame, PixelSpacing
from device.errors import DiskFullError, WrongPinError
from device.inference.finding import Finding, Lesion, ModelResult
from device.records.exam import BiRads, Exam, ExamState, Laterality, Patient, View
from device.records.keys.pin import PinCost, is_weak
from device.records.keys.vault import Vault, is_set_up
from device.records.outbox.table import Instance, OutboxState, OutboxTable
from device.records.pieces import Pieces
from device.records.store.space import SpaceLimits
from device.records.store.store import Store
from device.records.uids import new_uids

CHEAP = PinCost(iterations=1, memory_kib=8)
LIMITS = SpaceLimits(exam_bytes=0, warn_bytes=0, reserve_bytes=256 * 1024, margin_bytes=0)
FIRST_PIN = "482913"
OPERATOR = "Operator Zuleika"

World = dict[str, Any]
"""``{"pin": ..., "exams": {patient code: {...}}}``; plain values, so that worlds can be compared and sent."""

T = TypeVar("T")
Tell = Callable[[str, World | None], None]


def new_world() -> World:
    return {"pin": FIRST_PIN, "exams": {}}


class Shift:
    """One process' work, until the power goes or the deeds are done."""

    def __init__(
        self,
        folder: Path,
        world: World | None,
        chance: random.Random,
        tell: Tell,
        when_full: Callable[[DiskFullError, Shift], None] | None = None,
    ) -> None:
        self.chance, self._tell, self.folder, self._when_full = chance, tell, folder, when_full
        self.random_pixels = np.random.default_rng(chance.getrandbits(32))
        if world is None:
            world = new_world()
            tell("try", world)
            self.vault = self._insist(lambda: Vault.create(folder, FIRST_PIN, OPERATOR, cost=CHEAP))
            tell("done", None)
        else:
            pin = world["pin"]
            self.vault = self._insist(lambda: Vault.unlock(folder, pin))
        self.world = world
        self.store = self._insist(lambda: Store.open(folder, self.vault, limits=LIMITS))
        self.outbox = self._insist(lambda: OutboxTable.open(folder, opener=self.vault.opener()))

    def do(self, deeds: int) -> None:
        for _ in range(deeds):
            self.one_deed()

    def one_deed(self) -> None:
        drafts = [code for code, exam in self.world["exams"].items() if exam["state"] == "draft"]
        finals = [code for code, exam in self.world["exams"].items() if exam["state"] == "final"]
        waiting = [code for code in finals if self.world["exams"][code]["outbox"] == "waiting"]
        sent = [code for code in finals if self.world["exams"][code]["outbox"] == "sent"]
        with_views = [code for code in drafts if self.world["exams"][code]["views"]]
        choices: list[Callable[[], None]] = [self.begin] * (1 if len(drafts) > 2 else 4)
        choices += [lambda: self.add_view(self.chance.choice(drafts))] * (4 if drafts else 0)
        choices += [lambda: self.change(self.chance.choice(drafts))] * (2 if drafts else 0)
        choices += [lambda: self.finalise(self.chance.choice(drafts))] * (3 if drafts else 0)
        choices += [lambda: self.delete(self.chance.choice(drafts))] * (1 if drafts else 0)
        choices += [lambda: self.addendum(self.chance.choice(finals))] * (1 if finals else 0)
        choices += [lambda: self.upload(self.chance.choice(waiting))] * (2 if waiting else 0)
        choices += [lambda: self.remove_view(self.chance.choice(with_views))] * (1 if with_views else 0)
        choices += [lambda: self.expire(self.chance.choice(sent))] * (1 if sent else 0)
        choices += [self.change_pin] if self.chance.random() < 0.2 else []
        self.chance.choice(choices)()

    # --- deeds --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        code = f"P{self.chance.getrandbits(48):012x}"
        exam: dict[str, Any] = {"state": "draft", "name": f"Name of {code}", "note": "", "birads": None}
        exam |= {"views": {}, "addenda": [], "outbox": None, "instances": {}}
        self._deed(code, exam, lambda: self.store.begin_exam(Patient(code, exam["name"], 44), OPERATOR, True))

    def add_view(self, code: str) -> None:
        view, after = self._view(), copy.deepcopy(self.world["exams"][code])
        after["views"][view.uid] = described_view(view, list(view.cine))
        self._deed(code, after, lambda: self.store.save_view(self._exam(code), view))

    def change(self, code: str) -> None:
        after = copy.deepcopy(self.world["exams"][code])
        after["note"], after["birads"] = f"note {self.chance.random()}", "4B"
        exam = replace(self._exam(code), note=after["note"], birads=BiRads("4B"))
        if exam.views:
            changed = replace(exam.views[0], note="looked at again", laterality=Laterality.LEFT)
            after["views"][changed.uid]["note"] = changed.note
            exam = replace(exam, views=(changed, *exam.views[1:]))
        self._deed(code, after, lambda: self.store.update_exam(exam))

    def finalise(self, code: str) -> None:
        after, exam = copy.deepcopy(self.world["exams"][code]), self._exam(code)
        contents = {new_uids().uid: self.random_pixels.bytes(self._size()) for _ in exam.views}
        after["state"] = "final"
        if contents:
            after["outbox"] = "waiting"
            after["instances"] = {uid: [_sha(content), False] for uid, content in contents.items()}
        made = [Instance("image", uid, Pieces.of(content)) for uid, content in contents.items()]
        self._deed(code, after, lambda: self.store.finalise(exam, made))

    def _size(self) -> int:
        """Bytes of an instance: one chunk of the outbox, or several."""
        return self.chance.randint(1, self.chance.choice((20_000, 20_000, 250_000)))

    def delete(self, code: str) -> None:
        uid = self._exam(code).uid
        self._deed(code, None, lambda: self.store.delete_draft(uid))

    def remove_view(self, code: str) -> None:
        after, exam = copy.deepcopy(self.world["exams"][code]), self._exam(code)
        uid = self.chance.choice(exam.views).uid
        del after["views"][uid]
        self._deed(code, after, lambda: self.store.remove_view(exam, uid))

    def expire(self, code: str) -> None:
        uid = self._exam(code).uid
        self._deed(code, None, lambda: self.store.delete_sent(uid))

    def addendum(self, code: str) -> None:
        after, text = copy.deepcopy(self.world["exams"][code]), f"addendum {self.chance.random()}"
        after["addenda"].append(text)
        self._deed(code, after, lambda: self.store.add_addendum(self._exam(code), text, OPERATOR))

    def upload(self, code: str) -> None:
        uid, after = self._exam(code).uid, copy.deepcopy(self.world["exams"][code])
        self._insist(lambda: self.outbox.mark_sending(uid))
        for instance in self.outbox.instances(uid, pending_only=True):
            after["instances"][instance.sop_uid][1] = True
            self._deed(code, after, partial(self.outbox.confirm_instance, instance.sop_uid))
        after["outbox"] = "sent"
        after["instances"] = {sop: [None, True] for sop in after["instances"]}
        self._deed(code, after, lambda: self.outbox.mark_sent(uid, "receipt"))

    def change_pin(self) -> None:
        tries = (f"9{self.chance.randrange(10**5):05d}1" for _ in itertools.count())
        after = {**self.world, "pin": next(pin for pin in tries if not is_weak(pin))}
        self._tell("try", after)
        self._insist(lambda: self.vault.change_pin(self.world["pin"], after["pin"]))
        self.world = after
        self._tell("done", None)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _deed(self, code: str, exam: dict[str, Any] | None, action: Callable[[], object]) -> None:
        after = {**self.world, "exams": {**self.world["exams"], code: copy.deepcopy(exam)}}
        if exam is None:
            del after["exams"][code]
        self._tell("try", after)
        self._insist(action)
        self.world = after
        self._tell("done", None)

    def _insist(self, action: Callable[[], T]) -> T:
        """Do it; when the card is full, once more after ``when_full`` has looked around and made room."""
        try:
            return action()
        except DiskFullError as error:
            if self._when_full is None:
                raise
            self._when_full(error, self)
        return action()

    def _exam(self, code: str) -> Exam:
        return self.store.get(self.store.search(code)[0].uid)

    def _view(self) -> View:
        uids = new_uids()
        cine = tuple(self._frame() for _ in range(self.chance.choice((0, 0, 3))))
        heat_map = self.random_pixels.integers(0, 256, (24, 32), dtype=np.uint8) if self.chance.random() < 0.5 else None
        lesion = Lesion(Box(2, 3, 9, 8), ((2.0, 3.0), (10.0, 3.0), (5.0, 9.0)), ((2.0, 3.0), (10.0, 9.0)), 10.0, 1.0)
        shares = {"normal": 0.1, "benign": 0.7, "malignant": 0.2}
        finding = Finding(
            ModelResult.BENIGN, None, shares, (0.2, 0.6), lesion, Box(0, 0, 64, 48), heat_map, 4.0, "model@1"
        )
        return View(uids.uid, uids.derived_uids, self._frame(), finding, datetime.now(UTC), cine=cine)

    def _frame(self) -> Frame:
        pixels = self.random_pixels.integers(0, 256, (48, 64), dtype=np.uint8)
        return Frame(pixels, "scanner.png", spacing=PixelSpacing(0.1, 0.1))


def observe(folder: Path, pins: list[str]) -> tuple[World | None, list[str]]:
    """Open the records as at the next start.

    Args:
        folder: The records folder.
        pins: PINs that may be the right one.

    Returns:
        The world as it is, ``None`` when nothing has been set up; and everything that is wrong with it in itself.
    """
    if not is_set_up(folder):
        return None, []
    pin, vault = _unlocked(folder, pins)
    store = Store.open(folder, vault, limits=LIMITS)
    problems = [f"damaged exam {uid}" for uid in store.report.damaged_exams]
    problems += [] if store.report.audit_intact else ["audit log damaged"]
    outbox = OutboxTable.open(folder, opener=vault.opener())
    exams = {s.patient.code: described_exam(store, outbox, vault, s.uid) for s in store.search(limit=10**6)}
    outbox.close()
    store.close()
    store = Store.open(folder, vault, limits=LIMITS)
    problems += [f"{store.report.orphans} orphans after the sweep"] if store.report.orphans else []
    store.close()
    with sqlite3.connect(folder / "records.sqlite3") as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    problems += [] if answer == "ok" else [f"integrity check: {answer}"]
    return {"pin": pin, "exams": exams}, problems


def _unlocked(folder: Path, pins: list[str]) -> tuple[str, Vault]:
    for pin in dict.fromkeys(pins):
        try:
            return pin, Vault.unlock(folder, pin)
        except WrongPinError:
            continue
    raise AssertionError("no PIN opens the records")


def described_exam(store: Store, outbox: OutboxTable, vault: Vault, uid: str) -> dict[str, Any]:
    """An exam in the words of a world, everything of it read."""
    exam = store.get(uid)
    summary = store.search(exam.patient.code)[0]
    described: dict[str, Any] = {
        "state": exam.state.value,
        "name": exam.patient.name,
        "note": exam.note,
        "birads": None if exam.birads is None else exam.birads.value,
        "views": {v.uid: described_view(v, list(store.cine(v.uid))) for v in exam.views},
        "addenda": [addendum.text for addendum in exam.addenda],
        "outbox": {None: None, OutboxState.SENT: "sent"}.get(summary.outbox, "waiting"),  # sending is waiting again
        "instances": {},
    }
    for view in exam.views:
        assert store.thumbnail(view.uid).size
    assert (exam.finalised_at is not None) == (exam.state is ExamState.FINAL)
    sent = summary.outbox is OutboxState.SENT
    for instance in outbox.instances(uid):
        content = None if sent else _sha(outbox.load(instance, vault.opener()).whole())
        described["instances"][instance.sop_uid] = [content, instance.confirmed_at is not None]
    return described


def described_view(view: View, cine: list[Frame]) -> dict[str, Any]:
    """A view in the words of a world; pixels as digests."""
    heat_map = view.finding.heat_map
    return {
        "frame": _sha(view.frame.pixels.tobytes()),
        "heat_map": None if heat_map is None else _sha(heat_map.tobytes()),
        "cine": [_sha(frame.pixels.tobytes()) for frame in cine],
        "note": view.note,
    }


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
