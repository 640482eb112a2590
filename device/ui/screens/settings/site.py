# SPDX-License-Identifier: Apache-2.0
"""The site and the clinic that this device is enrolled with; read only, because both come with enrolment."""

from __future__ import annotations

from device.errors import ClinicAddressError
from device.shown_text import written_out
from device.ui.screen import Screen
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Column, Facts, Label, Page, ScrollView, Widget


class SiteScreen(Screen):
    """Name, clinic, policy."""

    name = "settings_site"

    def build(self) -> Widget:
        """What is set."""
        ui, t, site = self.ui, self.ui.t, self.app.settings.site
        if site.address_problem:
            error = ClinicAddressError("site.clinic_url", site.address_problem)
            state = Banner(ui, t.error(error), Level.WARNING, icon="clinic", key="enrolled")
        elif site.clinic_url:
            state = Banner(ui, t("settings.enrolled"), Level.OK, icon="clinic", key="enrolled")
        else:
            state = Banner(ui, t("settings.enrol_how"), Level.INFO, icon="clinic", key="enrolled")
        # What stands before such a sign is a password.
        address = t("report.not_given") if "@" in site.clinic_url else written_out(site.clinic_url)
        limit = site.policy.upload_kib_per_s
        facts = [
            (t("settings.site_name"), site.name or t("report.not_given")),
            (t("home.clinic"), address or t("settings.not_enrolled")),
            (t("settings.retention"), t("settings.days", days=site.policy.retention_days)),
            (t("settings.upload_limit"), f"{limit} KiB/s" if limit else t("settings.no_limit")),
        ]
        note = Label(ui, t("settings.site_note"), Style.SMALL, Ink.MUTED)
        form = Column(ui, [state, Facts(ui, facts, key="facts"), note], gap=ui.sizes.pad)
        return Page(ui, t("settings.site"), [ScrollView(ui, form)], on_back=self.back)
