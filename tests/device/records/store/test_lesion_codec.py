# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from device.inference.finding import Caution, ModelResult, Reason
from device.inference.views import Combined
from device.records.lesion import BreastLesion
from device.records.lexicon import Descriptors
from device.records.store import codec
from device.records.store.lesion_codec import lesion_from_json, lesion_to_json
from tests.device.records import made_up


def through_json(lesion: BreastLesion) -> BreastLesion:
    return lesion_from_json(json.loads(codec.to_bytes(lesion_to_json(lesion))))


def test_every_field_of_a_lesion_comes_back() -> None:
    lesion = dataclasses.replace(
        made_up.breast_lesion("2.25.1"),
        combined=Combined(
            ModelResult.UNCERTAIN,
            Reason.TOO_DARK,
            {"normal": 0.25, "benign": 0.5, "malignant": 0.25},
            (0.2, 0.4),
            Caution.SINGLE_VIEW,
            1,
            "net@1",
        ),
    )
    owners: list[Any] = [lesion, lesion.axes, lesion.descriptors, lesion.combined, *lesion.views]
    for owner in owners:
        for field in dataclasses.fields(owner):
            assert getattr(owner, field.name) not in (field.default, None, ()), f"{field.name} needs a value here"
    assert through_json(lesion) == lesion


def test_absent_things_come_back_absent() -> None:
    assert through_json(BreastLesion("2.25.1")) == BreastLesion("2.25.1", descriptors=Descriptors())


@pytest.mark.parametrize(("field", "value"), [("clock_position", 13), ("category", "7"), ("axes", [-1, None, None])])
def test_what_no_lesion_can_have_is_refused(field: str, value: object) -> None:
    raw = lesion_to_json(made_up.breast_lesion("2.25.1"))
    raw[field] = value
    with pytest.raises(ValueError, match=r"clock|BiRads|axis"):
        lesion_from_json(raw)
