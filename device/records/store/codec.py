# SPDX-License-Identifier: Apache-2.0
"""Exams and views as JSON, for the sealed payloads of the database. Pixels are kept beside it, named by file.

Written by hand rather than by reflection, so that the form on the card is a decision: a test compares it with the
fields of the dataclasses and fails when one of them gains a field that would be lost here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from device.capture.frame import Box, Frame, PixelSpacing, Region
from device.inference.finding import Caution, Finding, Lesion, ModelResult, Reason
from device.records.exam import Addendum, BiRads, Calliper, FamilyHistory, Gender, Laterality, Patient, View

Json = dict[str, Any]
ReadPixels = Callable[[str], Any]
"""Gives the pixels of a file by its id."""


def to_bytes(value: Json) -> bytes:
    """Compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def patient_to_json(patient: Patient) -> Json:
    """A patient as JSON."""
    return {
        "code": patient.code,
        "name": patient.name,
        "age_years": patient.age_years,
        "gender": patient.gender,
        "family_history": patient.family_history,
    }


def patient_from_json(raw: Json) -> Patient:
    """A patient from :func:`patient_to_json`."""
    return Patient(
        code=raw["code"],
        name=raw["name"],
        age_years=raw["age_years"],
        gender=None if raw["gender"] is None else Gender(raw["gender"]),
        family_history=FamilyHistory(raw["family_history"]),
    )


def addendum_to_json(addendum: Addendum) -> Json:
    """An addendum as JSON."""
    return {"text": addendum.text, "author": addendum.author, "written_at": addendum.written_at.isoformat()}


def addendum_from_json(raw: Json) -> Addendum:
    """An addendum from :func:`addendum_to_json`."""
    return Addendum(raw["text"], raw["author"], datetime.fromisoformat(raw["written_at"]))


def birads_from_json(value: str | None) -> BiRads | None:
    """A category, or nothing."""
    return None if value is None else BiRads(value)


def time_from_json(value: str | None) -> datetime | None:
    """A time, or nothing."""
    return None if value is None else datetime.fromisoformat(value)


def view_to_json(view: View, frame_file: str, heat_map_file: str | None, cine: list[Json]) -> Json:
    """A view as JSON.

    Args:
        view: The view.
        frame_file: File id of the frame's pixels.
        heat_map_file: File id of the heat map, ``None`` when there is none.
        cine: What :func:`frame_to_json` gave for every frame of the loop.
    """
    return {
        "uid": view.uid,
        "derived_uids": dict(view.derived_uids),
        "frame": frame_to_json(view.frame, frame_file),
        "finding": finding_to_json(view.finding, heat_map_file),
        "frozen_at": view.frozen_at.isoformat(),
        "laterality": view.laterality,
        "clock_position": view.clock_position,
        "note": view.note,
        "callipers": [[c.start, c.end, c.length_px, c.length_mm] for c in view.callipers],
        "operator_region": view.operator_region,
        "spacing": view.spacing,
        "cine": cine,
    }


def view_from_json(raw: Json, pixels: ReadPixels) -> View:
    """A view from :func:`view_to_json`; its cine loop stays on the card, only its length is given.

    Args:
        raw: The JSON.
        pixels: Reads the frame and the heat map.
    """
    return View(
        uid=raw["uid"],
        derived_uids=dict(raw["derived_uids"]),
        frame=frame_from_json(raw["frame"], pixels),
        finding=finding_from_json(raw["finding"], pixels),
        frozen_at=datetime.fromisoformat(raw["frozen_at"]),
        laterality=None if raw["laterality"] is None else Laterality(raw["laterality"]),
        clock_position=raw["clock_position"],
        note=raw["note"],
        callipers=tuple(Calliper(_pair(s), _pair(e), px, mm) for s, e, px, mm in raw["callipers"]),
        operator_region=_box(raw["operator_region"]),
        spacing=_spacing(raw["spacing"]),
        cine_length=len(raw["cine"]),
    )


def frame_to_json(frame: Frame, file: str) -> Json:
    """A frame without its pixels, which lie in ``file``."""
    return {
        "file": file,
        "origin": frame.origin,
        "index": frame.index,
        "captured_at": frame.captured_at.isoformat(),
        "spacing": frame.spacing,
        "region": frame.region,
        "regions": frame.regions,
        "scale_contradicted": frame.scale_contradicted,
    }


def frame_from_json(raw: Json, pixels: ReadPixels) -> Frame:
    """A frame from :func:`frame_to_json`."""
    return Frame(
        pixels=pixels(raw["file"]),
        origin=raw["origin"],
        index=raw["index"],
        captured_at=datetime.fromisoformat(raw["captured_at"]),
        spacing=_spacing(raw["spacing"]),
        region=_box(raw["region"]),
        regions=tuple(_region(*region) for region in raw.get("regions", ())),
        scale_contradicted=raw.get("scale_contradicted", False),
    )


def finding_to_json(finding: Finding, heat_map_file: str | None) -> Json:
    """A finding without its heat map, which lies in ``heat_map_file``."""
    lesion = finding.lesion
    return {
        "assessment": finding.result,
        "reason": finding.reason,
        "probabilities": None if finding.probabilities is None else dict(finding.probabilities),
        "uncertain_band": finding.uncertain_band,
        "lesion": None
        if lesion is None
        else [lesion.box, lesion.contour, lesion.long_axis, lesion.long_axis_px, lesion.long_axis_mm],
        "sonogram": finding.sonogram,
        "heat_map": heat_map_file,
        "latency_ms": finding.latency_ms,
        "model": finding.model,
        "caution": finding.caution,
        "further": list(finding.further),
        "spread": finding.spread,
    }


def finding_from_json(raw: Json, pixels: ReadPixels) -> Finding:
    """A finding from :func:`finding_to_json`."""
    low, high = raw["uncertain_band"]
    return Finding(
        result=ModelResult(raw["assessment"]),
        reason=None if raw["reason"] is None else Reason(raw["reason"]),
        probabilities=raw["probabilities"],
        uncertain_band=(low, high),
        lesion=None if raw["lesion"] is None else _lesion(raw["lesion"]),
        sonogram=Box(*raw["sonogram"]),
        heat_map=None if raw["heat_map"] is None else pixels(raw["heat_map"]),
        latency_ms=raw["latency_ms"],
        model=raw["model"],
        # Findings from before there were cautions have none.
        caution=None if raw.get("caution") is None else Caution(raw["caution"]),
        spread=raw.get("spread"),
        further=tuple(Caution(word) for word in raw.get("further", ())),
    )


def _lesion(raw: list[Any]) -> Lesion:
    box, contour, (first, second), length_px, length_mm = raw
    return Lesion(Box(*box), tuple(_pair(p) for p in contour), (_pair(first), _pair(second)), length_px, length_mm)


def _pair(raw: list[float]) -> tuple[float, float]:
    x, y = raw
    return (x, y)


def _box(raw: list[int] | None) -> Box | None:
    return None if raw is None else Box(*raw)


def _region(box: list[int], spacing: list[float] | None, contradicted: bool) -> Region:
    return Region(Box(*box), _spacing(spacing), contradicted)


def _spacing(raw: list[float] | None) -> PixelSpacing | None:
    return None if raw is None else PixelSpacing(*raw)
