# SPDX-License-Identifier: Apache-2.0
"""Which model runs here, what was measured of it, and how to change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from device.inference.manifest import Manifest, read_manifest
from device.ui.session.inference_worker import ModelState, inference_of
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Column, Facts, Label, Page, ScrollView, Widget
from device.ui.work_screen import WorkScreen


def manifest_of(models: Path, label: str) -> Manifest | None:
    """The manifest of the bundle that calls itself ``label``; reads text files only."""
    from device.inference.bundle import find_bundles  # loads the runtime's libraries

    for folder in find_bundles(models):
        manifest = read_manifest(folder)
        if manifest.label == label:
            return manifest
    return None


class ModelScreen(WorkScreen):
    """Name, version, figures."""

    name = "settings_model"

    def __init__(self) -> None:
        super().__init__()
        self._manifest: Manifest | None = None
        self._label = ""
        self._state = ModelState.LOADING

    def enter(self) -> None:
        """Ask which model runs."""
        self._label = ""
        inference_of(self.app)

    def update(self, dt: float) -> None:
        """Wait for the model to be loaded."""
        super().update(dt)
        status = inference_of(self.app).status
        if status.state is not self._state or status.label != self._label:
            self._state, self._label = status.state, status.label
            if status.label:
                models, label = self.app.settings.models, status.label
                self.start("manifest", lambda _: manifest_of(models, label), self._read)
            self.rebuild()

    def _read(self, manifest: Manifest | None) -> None:
        self._manifest = manifest
        self.rebuild()

    def build(self) -> Widget:
        """What is known."""
        ui, t = self.ui, self.ui.t
        error = inference_of(self.app).status.error
        parts: list[Widget]
        if self._state is ModelState.MISSING and error is not None:
            parts = [Banner(ui, t.error(error), Level.ERROR, key="missing")]
        elif self._state is ModelState.LOADING:
            parts = [Label(ui, t("common.loading"))]
        else:
            parts = [Facts(ui, self._facts(), key="facts")]
        parts.append(Banner(ui, t("common.support_only"), Level.INFO))
        parts.append(Label(ui, t("settings.model_change"), Style.SMALL, Ink.MUTED))
        return Page(ui, t("settings.model"), [ScrollView(ui, Column(ui, parts, gap=ui.sizes.pad))], on_back=self.back)

    def _facts(self) -> list[tuple[str, str]]:
        t, manifest = self.ui.t, self._manifest
        facts = [(t("settings.model_name"), self._label)]
        if manifest is None:
            return facts
        sets = sorted(manifest.training.datasets.items())
        images = ", ".join(t("common.pair", name=name, value=count) for name, count in sets)
        facts.append((t("settings.model_made"), manifest.created[:10]))
        facts.append((t("settings.model_images"), images))
        facts += [
            (t(f"settings.figure_{name}"), words)
            for name, key in FIGURES
            if (words := _in_words(manifest.figures, key, t("settings.figure_interval"))) is not None
        ]
        return facts


FIGURES = (
    ("auc", "auc_malignant_vs_rest"),
    ("sensitivity", "sensitivity_at_threshold"),
    ("specificity", "specificity_at_threshold"),
)
"""What is told of a model, and where the evaluation has written it."""


def _in_words(figures: dict[str, Any], key: str, form: str) -> str | None:
    """A figure of the test part with its interval; ``None`` when the manifest has none."""
    try:
        figure = figures["held_out"]["int8"]["all"][key]
        value, low, high = (float(figure[name]) for name in ("value", "low", "high"))
    except (KeyError, TypeError, ValueError):
        return None
    return form.format(value=f"{value * 100:.0f} %", low=f"{low * 100:.0f}", high=f"{high * 100:.0f}")
