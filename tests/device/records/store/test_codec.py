# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from device.capture.frame import Box, Frame, PixelSpacing, Region
from device.inference.finding import Caution, Finding, Lesion, ModelResult, Reason
from device.records.exam import Addendum, Calliper, FamilyHistory, Gender, Laterality, Patient, View
from device.records.store import codec
from tests.device.records import made_up

PIXELS = {"f": np.full((4, 6, 3), 7, np.uint8), "h": np.full((2, 3), 9, np.uint8)}
REGIONS = (Region(Box(1, 1, 3, 2), PixelSpacing(0.1, 0.2)), Region(Box(4, 1, 2, 2), None, True))
NOW = datetime(2025, 3, 4, 9, 30, 1, 5, tzinfo=UTC)


def full_view() -> View:
    """A view in which no field has its default."""
    outlined = Lesion(Box(1, 2, 3, 4), ((0.5, 1.0), (2.0, 3.25), (4.0, 5.0)), ((0.5, 1.0), (4.0, 5.0)), 5.32, 1.2)
    return View(
        uid="2.25.1",
        derived_uids={"overlay": "2.25.2", "report": "2.25.3"},
        frame=Frame(PIXELS["f"], "Mueller.dcm", 3, NOW, PixelSpacing(0.1, 0.2), Box(1, 1, 3, 2), REGIONS, True),
        finding=Finding(
            result=ModelResult.UNCERTAIN,
            reason=Reason.TOO_DARK,
            probabilities={"normal": 0.125, "benign": 0.5, "malignant": 0.375},
            uncertain_band=(0.2, 0.45),
            lesion=outlined,
            sonogram=Box(0, 0, 6, 4),
            heat_map=PIXELS["h"],
            latency_ms=3.5,
            model="net@1",
            caution=Caution.UNFAMILIAR_SOURCE,
            spread=0.75,
            further=(Caution.SCALE_CONTRADICTED,),
        ),
        frozen_at=NOW,
        laterality=Laterality.RIGHT,
        clock_position=11,
        note="ळेख tumour?",
        callipers=(Calliper((1.0, 2.0), (3.0, 4.0), 2.83, 0.3), Calliper((1.5, 2.0), (3.0, 4.0), 2.5)),
        operator_region=Box(0, 1, 5, 3),
        spacing=PixelSpacing(0.3, 0.4),
    )


def plain(value: object) -> object:
    """A dataclass in a form that can be compared, arrays included."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return (value.shape, value.tobytes())
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return value


def through_json(view: View, cine: list[codec.Json]) -> View:
    raw = json.loads(
        codec.to_bytes(codec.view_to_json(view, "f", "h" if view.finding.heat_map is not None else None, cine))
    )
    return codec.view_from_json(raw, lambda name: PIXELS[name].copy())


def test_every_field_of_a_view_comes_back() -> None:
    view = full_view()
    for owner in (view, view.finding, view.frame, view.finding.lesion):
        assert owner is not None
        for field in dataclasses.fields(owner):
            if field.name in ("cine", "cine_length"):  # kept frame by frame, asked for by Store.cine
                continue
            default = field.default if field.default is not dataclasses.MISSING else object()
            assert getattr(owner, field.name) is not default, f"{field.name} needs a value of its own in this test"
    assert plain(through_json(view, [])) == plain(view)


def test_absent_things_come_back_absent() -> None:
    bare = dataclasses.replace(full_view().finding, reason=None, probabilities=None, lesion=None, heat_map=None)
    view = View("2.25.1", {}, Frame(PIXELS["f"], "x", captured_at=NOW), bare, NOW)
    assert plain(through_json(view, [])) == plain(view)


def test_what_older_software_did_not_know_of_is_absent() -> None:
    raw = json.loads(codec.to_bytes(codec.view_to_json(full_view(), "f", "h", [])))
    del raw["finding"]["caution"], raw["frame"]["regions"], raw["frame"]["scale_contradicted"]
    view = codec.view_from_json(raw, lambda name: PIXELS[name].copy())
    assert (view.finding.caution, view.frame.regions, view.frame.scale_contradicted) == (None, (), False)


def test_a_loop_is_counted_and_stays_on_the_card() -> None:
    frames = [codec.frame_to_json(full_view().frame, "f")] * 3
    view = through_json(full_view(), frames)
    assert (view.cine, view.cine_length) == ((), 3)


@pytest.mark.parametrize(
    "patient",
    [
        Patient("1"),
        Patient("KB", "Wanjirũ", 45, Gender.OTHER, FamilyHistory.YES),
        Patient("சு", "சுலைகா", 0, Gender.MALE),
    ],
)
def test_patients_come_back(patient: Patient) -> None:
    assert codec.patient_from_json(json.loads(codec.to_bytes(codec.patient_to_json(patient)))) == patient
    assert set(codec.patient_to_json(patient)) == {f.name for f in dataclasses.fields(Patient)}


def test_addenda_come_back() -> None:
    addendum = Addendum("Biopsy is on 12 March.", "Dr. Rao", made_up.MOMENT)
    raw: dict[str, Any] = json.loads(codec.to_bytes(codec.addendum_to_json(addendum)))
    assert codec.addendum_from_json(raw) == addendum
