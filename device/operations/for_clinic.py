# SPDX-License-Identifier: Apache-2.0
"""What the clinic gets of a final exam, for the screens that finalise, add to or queue one."""

from __future__ import annotations

from collections.abc import Iterator

from device.config import Settings
from device.dicom.training import for_clinic
from device.errors import RecordDamagedError
from device.records.exam import Exam
from device.records.outbox.table import Instance
from device.records.store.store import Instances, Store


def instances_for(store: Store, settings: Settings) -> Instances:
    """Makes the DICOM instances when the device has a clinic; nothing otherwise, the exam then stays here.

    Args:
        store: Open; gives the loops.
        settings: Name the site and the clinic.
    """
    if not settings.site.clinic_url:
        return ()

    def make(exam: Exam) -> Iterator[Instance]:
        from device.dicom.identity import this_device
        from device.dicom.objects import build_instances

        theirs = for_clinic(exam, training_exams=settings.site.policy.training_exams)
        if theirs is None:
            return iter(())
        return build_instances(theirs, this_device(settings.site.name), loop=lambda view: store.cine(view.uid))

    return make


def queue_unqueued(store: Store, settings: Settings) -> int:
    """Put every final exam into the outbox that is not on its way: from before the enrolment, or restored.

    Returns:
        How many there were.

    Raises:
        DiskFullError: There is no room for more; what was queued before stays queued.
        RecordsError: The card failed.
    """
    queued = 0
    wanted = store.unqueued(training_exams=settings.site.policy.training_exams) if settings.site.clinic_url else ()
    for summary in wanted:
        try:
            store.queue(summary.uid, instances_for(store, settings))
        except RecordDamagedError:
            continue  # it is said in the list of exams; the others go all the same
        queued += 1
    return queued


def addendum_for(settings: Settings) -> Instances:
    """Makes the report again, with the addenda, when the device has a clinic."""
    if not settings.site.clinic_url:
        return ()

    def make(exam: Exam) -> Iterator[Instance]:
        from device.dicom.identity import this_device
        from device.dicom.objects import build_addendum

        theirs = for_clinic(exam, training_exams=settings.site.policy.training_exams)
        return iter(()) if theirs is None else build_addendum(theirs, this_device(settings.site.name))

    return make
