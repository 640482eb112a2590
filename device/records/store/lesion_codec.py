# SPDX-License-Identifier: Apache-2.0
"""Lesions of the breast as JSON, for the sealed payload of their exam; beside ``codec`` and by the same rules."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from device.inference.finding import Caution, ModelResult, Reason
from device.inference.views import Combined
from device.records.lesion import Axes, BreastLesion, BreastRegion, Laterality, LesionView, Plane
from device.records.lexicon import (
    AssociatedFeature,
    BiRads,
    BiRadsEdition,
    Boundary,
    Calcifications,
    Descriptors,
    EchoPattern,
    Elasticity,
    Management,
    Margin,
    Orientation,
    PosteriorFeatures,
    Shape,
    Vascularity,
)

Json = dict[str, Any]
Word = TypeVar("Word", bound=StrEnum)


def lesion_to_json(lesion: BreastLesion) -> Json:
    """A lesion as JSON."""
    axes = lesion.axes
    return {
        "uid": lesion.uid,
        "laterality": lesion.laterality,
        "clock_position": lesion.clock_position,
        "region": lesion.region,
        "distance_from_nipple_cm": lesion.distance_from_nipple_cm,
        "depth_cm": lesion.depth_cm,
        "views": [[view.uid, view.plane, view.callipers_in_picture] for view in lesion.views],
        "axes": None if axes is None else [axes.long_mm, axes.short_mm, axes.third_mm],
        "descriptors": _descriptors_to_json(lesion.descriptors),
        "category": lesion.category,
        "edition": lesion.edition,
        "advice": list(lesion.advice),
        "note": lesion.note,
        "combined": None if lesion.combined is None else _combined_to_json(lesion.combined),
    }


def lesion_from_json(raw: Json) -> BreastLesion:
    """A lesion from :func:`lesion_to_json`.

    Raises:
        ValueError: It is something else.
    """
    return BreastLesion(
        uid=raw["uid"],
        laterality=_word(Laterality, raw["laterality"]),
        clock_position=raw["clock_position"],
        region=_word(BreastRegion, raw["region"]),
        distance_from_nipple_cm=raw["distance_from_nipple_cm"],
        depth_cm=raw["depth_cm"],
        views=tuple(LesionView(uid, _word(Plane, plane), callipers) for uid, plane, callipers in raw["views"]),
        axes=None if raw["axes"] is None else Axes(*raw["axes"]),
        descriptors=_descriptors_from_json(raw["descriptors"]),
        category=_word(BiRads, raw["category"]),
        edition=BiRadsEdition(raw["edition"]),
        advice=tuple(Management(word) for word in raw["advice"]),
        note=raw["note"],
        combined=None if raw["combined"] is None else _combined_from_json(raw["combined"]),
    )


def _descriptors_to_json(said: Descriptors) -> Json:
    return {
        "shape": said.shape,
        "orientation": said.orientation,
        "margin": said.margin,
        "boundary": said.boundary,
        "echo_pattern": said.echo_pattern,
        "posterior": said.posterior,
        "calcifications": list(said.calcifications),
        "associated": list(said.associated),
        "vascularity": said.vascularity,
        "elasticity": said.elasticity,
    }


def _descriptors_from_json(raw: Json) -> Descriptors:
    return Descriptors(
        shape=_word(Shape, raw["shape"]),
        orientation=_word(Orientation, raw["orientation"]),
        margin=_word(Margin, raw["margin"]),
        boundary=_word(Boundary, raw["boundary"]),
        echo_pattern=_word(EchoPattern, raw["echo_pattern"]),
        posterior=_word(PosteriorFeatures, raw["posterior"]),
        calcifications=tuple(Calcifications(word) for word in raw["calcifications"]),
        associated=tuple(AssociatedFeature(word) for word in raw["associated"]),
        vascularity=_word(Vascularity, raw["vascularity"]),
        elasticity=_word(Elasticity, raw["elasticity"]),
    )


def _combined_to_json(combined: Combined) -> Json:
    return {
        "result": combined.result,
        "reason": combined.reason,
        "probabilities": combined.probabilities,
        "uncertain_band": combined.uncertain_band,
        "caution": combined.caution,
        "used": combined.used,
        "model": combined.model,
    }


def _combined_from_json(raw: Json) -> Combined:
    low, high = raw["uncertain_band"]
    return Combined(
        result=ModelResult(raw["result"]),
        reason=_word(Reason, raw["reason"]),
        probabilities=raw["probabilities"],
        uncertain_band=(low, high),
        caution=_word(Caution, raw["caution"]),
        used=raw["used"],
        model=raw["model"],
    )


def _word(kind: type[Word], raw: str | None) -> Word | None:
    """A word of a list, or nothing."""
    return None if raw is None else kind(raw)
