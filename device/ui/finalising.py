"""What the clinic gets of a final exam, for the screens that finalise, add to or queue one."""

from __future__ import annotations

from collections.abc import Iterator

from device.config import Settings
from device.records.exam import Exam
from device.records.outbox_table import Instance
from device.records.store import Instances, Store


def instances_for(store: Store, settings: Settings) -> Instances:
    """Makes the DICOM instances when the device has a clinic; nothing otherwise, the exam then stays here.

    Args:
        store: Open; gives the loops.
        settings: Name the site and the clinic.
    """
    if not settings.site.clinic_url:
        return ()

    def make(exam: Exam) -> Iterator[Instance]:
        from device.upload.dicom_objects import build_instances
        from device.upload.identity import this_device

        return build_instances(exam, this_device(settings.site.name), loop=lambda view: store.cine(view.uid))

    return make


def addendum_for(settings: Settings) -> Instances:
    """Makes the report anew, with the addenda, when the device has a clinic."""
    if not settings.site.clinic_url:
        return ()

    def make(exam: Exam) -> Iterator[Instance]:
        from device.upload.dicom_objects import build_addendum
        from device.upload.identity import this_device

        return build_addendum(exam, this_device(settings.site.name))

    return make
