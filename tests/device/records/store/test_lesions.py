# SPDX-License-Identifier: Apache-2.0
"""Lesions in the store, and records that were written before there were any."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device.errors import ExamFinalError, ExamMissingError
from device.records.exam import BiRads, BiRadsEdition
from device.records.keys.vault import Vault
from device.records.lexicon import Echotexture
from device.records.store.store import Store
from tests.device.records import made_up
from tests.device.records.conftest import LIMITS, PIN, Device, SetClock


def test_lesions_come_back_after_a_restart_in_their_order(device: Device) -> None:
    exam = device.draft(views=2)
    first, second = (made_up.breast_lesion(f"2.25.5{n}", view.uid) for n, view in enumerate(exam.views))
    exam = device.store.save_lesion(device.store.save_lesion(exam, first), second)
    changed = replace(first, axes=None, note="\ud800 tumour?")
    exam = device.store.save_lesion(exam, changed)
    exam = device.store.update_exam(
        replace(exam, birads_edition=BiRadsEdition.V2025, echotexture=Echotexture.FIBROGLANDULAR)
    )
    device.restart()
    kept = device.store.get(exam.uid)
    assert kept.lesions == (replace(changed, note="\ufffd tumour?"), second)
    assert (kept.birads_edition, kept.echotexture) == (BiRadsEdition.V2025, Echotexture.FIBROGLANDULAR)
    assert device.store.search()[0].lesions == kept.lesions
    assert kept.lesion_of(exam.views[1].uid) == second
    assert [view.uid for view in kept.views_of(second)] == [exam.views[1].uid]
    assert [one.uid for one in device.store.remove_lesion(kept, first.uid).lesions] == [second.uid]
    with pytest.raises(ExamMissingError):
        device.store.remove_lesion(kept, "2.25.99")


def test_a_lesion_loses_a_view_that_is_discarded(device: Device) -> None:
    exam = device.draft(views=2)
    kept, gone = (view.uid for view in exam.views)
    exam = device.store.save_lesion(exam, made_up.breast_lesion("2.25.51", gone, kept))
    exam = device.store.remove_view(exam, gone)
    device.restart()
    assert device.store.get(exam.uid).lesions[0].view_uids == (kept,)


def test_a_lesion_names_views_of_its_exam_only(device: Device) -> None:
    exam, other = device.draft("P-1"), device.draft("P-2")
    lesion = made_up.breast_lesion("2.25.51", other.views[0].uid)
    with pytest.raises(ExamMissingError):
        device.store.save_lesion(exam, lesion)
    with pytest.raises(ExamMissingError):
        device.store.finalise(replace(exam, lesions=(lesion,)))
    assert device.store.get(exam.uid).lesions == ()


def test_lesions_of_a_final_exam_cannot_change(device: Device) -> None:
    exam = device.final()
    with pytest.raises(ExamFinalError):
        device.store.save_lesion(exam, made_up.breast_lesion("2.25.51", exam.views[0].uid))
    assert device.store.get(exam.uid).lesions == ()


def test_records_from_before_lesions_open_and_go_on(tmp_path: Path, watch: SetClock) -> None:
    """The records were written by the software before lesions: a final exam with an addendum, and a draft."""
    with tarfile.open(Path(__file__).with_name("before_lesions.tar.xz")) as kept:
        kept.extractall(tmp_path, filter="data")
    folder = tmp_path / "records"
    vault = Vault.unlock(folder, PIN)
    store = Store.open(folder, vault, limits=LIMITS, clock=watch.clock)
    try:
        draft, final = (store.get(summary.uid) for summary in sorted(store.search(), key=lambda s: s.state.value))
        assert (final.birads, final.birads_edition, final.lesions) == (
            BiRads.SUSPICIOUS_MODERATE,
            BiRadsEdition.E2013,
            (),
        )
        assert [addendum.text for addendum in final.addenda] == ["Biopsy is on 12 March."]
        np.testing.assert_array_equal(final.views[0].frame.pixels, made_up.frame(1, 64, 48).pixels)
        draft = store.save_lesion(draft, made_up.breast_lesion("2.25.51", draft.views[0].uid))
        store.finalise(draft)
    finally:
        store.close()
    store = Store.open(folder, vault, limits=LIMITS, clock=watch.clock)
    try:
        assert store.get(draft.uid).lesions == draft.lesions
        assert store.report.audit_intact
        assert store.unlisted() == ()
    finally:
        store.close()
        vault.lock()
