# SPDX-License-Identifier: Apache-2.0
"""What this is, its version and licence, what it is for, and what it must not be used for."""

from __future__ import annotations

from device import __version__
from device.ui.screen import Screen
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Column, Facts, Label, Page, ScrollView, Widget

LICENCE = "Apache License 2.0"


class AboutScreen(Screen):
    """The words that belong to every result."""

    name = "settings_about"

    def build(self) -> Widget:
        """Purpose and exclusions first."""
        ui, t = self.ui, self.ui.t
        form = Column(
            ui,
            [
                Banner(ui, t("common.support_only"), Level.INFO),
                Label(ui, t("settings.intended_use"), Style.STRONG),
                Label(ui, t("report.intended_use")),
                Label(ui, t("report.exclusions_title"), Style.STRONG),
                Label(ui, t("report.exclusions")),
                Facts(
                    ui,
                    [
                        (t("settings.version"), f"Mammascope {__version__}"),
                        (t("settings.licence"), LICENCE),
                    ],
                    key="facts",
                ),
            ],
            gap=ui.sizes.pad,
        )
        return Page(ui, t("settings.about"), [ScrollView(ui, form)], on_back=self.back)
