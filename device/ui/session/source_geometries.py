# SPDX-License-Identifier: Apache-2.0
"""How the frames of each source are to be looked at: kept while the program runs, beyond that as a scanner preset."""

from __future__ import annotations

import logging

from device.config import ScannerPreset, Settings
from device.errors import CornersError
from device.imaging.source_geometry import SourceGeometry
from device.ui.app import App

log = logging.getLogger(__name__)


def placement_of(app: App, source_id: str) -> SourceGeometry:
    """What was set for a source by touch, else its preset, else nothing."""
    kept = app.services.placements.get(source_id)
    if kept is not None:
        return kept
    wanted = app.settings.sources.preset_by_source.get(source_id)
    found = [preset for preset in app.settings.presets if preset.name == wanted]
    return placement_by(found[0]) if found else SourceGeometry()


def placement_by(preset: ScannerPreset) -> SourceGeometry:
    """What a preset says; nothing where its corners are none (a file written by hand)."""
    try:
        return SourceGeometry.of_preset(preset)
    except CornersError as error:
        log.warning("preset not used: %s", error)
        return SourceGeometry()


def keep_placement(app: App, source_id: str, placement: SourceGeometry) -> None:
    """Use a placement for this source from now on, until the program ends."""
    app.services.placements[source_id] = placement


def save_preset(app: App, source_id: str, name: str, placement: SourceGeometry) -> None:
    """Keep a placement as the preset ``name``, in place of one of that name, and use it for this source.

    Raises:
        ConfigError: The settings do not take it.
    """
    preset = placement.to_preset(name)

    def change(settings: Settings) -> Settings:
        others = [one for one in settings.presets if one.name != name]
        changed = settings.with_presets([*others, preset])
        used = {**changed.sources.preset_by_source, source_id: name}
        return changed.with_values("sources", preset_by_source=used)

    app.change(change)
    keep_placement(app, source_id, placement)


def use_preset(app: App, source_id: str, preset: ScannerPreset) -> SourceGeometry:
    """Look at this source's frames with a preset from now on, also after a restart."""
    used = {**app.settings.sources.preset_by_source, source_id: preset.name}
    app.change_settings("sources", preset_by_source=used)
    placement = placement_by(preset)
    keep_placement(app, source_id, placement)
    return placement
