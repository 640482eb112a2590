# SPDX-License-Identifier: Apache-2.0
"""The DICOM files of an exam as they lie on a stick: the very objects that the clinic would get over a network.

Handed to ``device.transfer.export_files`` as what goes beside report and pictures; used by the export command and the
export screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from device.dicom.identity import this_device
from device.dicom.objects import InstanceKind, build_instances
from device.dicom.training import as_training
from device.records.exam import Exam, ExamState
from device.records.store.store import Store
from device.transfer.exporter import ExportFile

_NAMES = {
    InstanceKind.IMAGE: "view-{number}.dcm",
    InstanceKind.CINE: "view-{number}-loop.dcm",
    InstanceKind.OVERLAY: "view-{number}-marked.dcm",
    InstanceKind.REPORT: "report.dcm",
}


def dicom_files(store: Store, site: str) -> Callable[[Exam], Iterator[ExportFile]]:
    """Makes the DICOM files of a final exam; a draft has none, and neither has one of which a view is missing.

    Args:
        store: Open; gives the loops.
        site: Name of the site that the device is enrolled with.
    """
    device = this_device(site)

    def files(exam: Exam) -> Iterator[ExportFile]:
        if exam.state is not ExamState.FINAL or exam.damaged_views:
            return
        number = 0
        for instance in build_instances(as_training(exam), device, loop=lambda view: store.cine(view.uid)):
            kind = InstanceKind(instance.kind)
            number += kind is InstanceKind.IMAGE
            yield ExportFile(_NAMES[kind].format(number=number), instance.pieces)

    return files
