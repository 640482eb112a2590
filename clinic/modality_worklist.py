# SPDX-License-Identifier: Apache-2.0
"""Today's patients for scanners that ask by DICOM: files from which Orthanc answers Modality Worklist queries.

One file for each planned patient of the day, made anew from the store, so that any instance of the pages may do it and
doing it twice is doing it once (PS3.4, K.6; PS3.3, C.4.10).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import select

from clinic.store.database import Store
from clinic.store.schema import PlannedPatient
from device.dicom.attributes import SEX, patient_id, person_name
from device.files import write_atomically
from device.records.uids import derived_uid

FIND_CLASS: Final = "1.2.840.10008.5.1.4.31"
"""Modality Worklist Information Model - FIND."""

SUFFIX: Final = ".wl"
ANY_STATION: Final = "MAMMASCOPE"
"""Scheduled station of a patient who is planned for all handhelds."""

_ROOT: Final = "2.25.319283427650915027344806189213487125549"
_SEXES: Final = {gender.value: code for gender, code in SEX.items()}


def entry_file(entry: PlannedPatient) -> bytes:
    """A planned patient as a file of the worklist; the same patient is the same bytes."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.AccessionNumber = entry.id[:16]
    dataset.ReferringPhysicianName = ""
    dataset.PatientName = person_name(entry.name) or person_name(entry.code)
    dataset.PatientID = patient_id(entry.code)
    dataset.PatientBirthDate = ""
    dataset.PatientSex = _SEXES.get(entry.gender, "")
    if entry.age is not None:
        dataset.PatientAge = f"{entry.age:03d}Y"
    dataset.StudyInstanceUID = derived_uid(_ROOT, f"planned/{entry.id}")
    dataset.RequestedProcedureDescription = "Ultrasound of the breast"
    dataset.RequestedProcedureID = entry.id[:16]
    step = Dataset()
    step.Modality = "US"
    step.ScheduledStationAETitle = (entry.handheld or ANY_STATION).upper()[:16]
    step.ScheduledProcedureStepStartDate = entry.planned_on.strftime("%Y%m%d")
    step.ScheduledProcedureStepStartTime = "000000"
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = "Ultrasound of the breast"
    step.ScheduledProcedureStepID = entry.id[:16]
    dataset.ScheduledProcedureStepSequence = [step]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = FIND_CLASS
    meta.MediaStorageSOPInstanceUID = derived_uid(_ROOT, f"worklist/{entry.id}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    written = BytesIO()
    dcmwrite(written, dataset, enforce_file_format=True)
    return written.getvalue()


def write_worklist(store: Store, folder: Path, day: date) -> int:
    """Make the folder hold the day's patients and no one else.

    Args:
        store: Where they are planned.
        folder: Orthanc's worklists; is made.
        day: Which day.

    Returns:
        How many files were written or removed.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with store.read() as session:
        wanted = session.scalars(select(PlannedPatient).where(PlannedPatient.planned_on == day)).all()
    return _written(folder, wanted) + _removed(folder, {f"{entry.id}{SUFFIX}" for entry in wanted})


def _written(folder: Path, entries: Sequence[PlannedPatient]) -> int:
    count = 0
    for entry in entries:
        path, content = folder / f"{entry.id}{SUFFIX}", entry_file(entry)
        if not path.exists() or path.read_bytes() != content:
            write_atomically(path, content, mode=0o600)
            count += 1
    return count


def _removed(folder: Path, kept: set[str]) -> int:
    gone = [path for path in folder.glob(f"*{SUFFIX}") if path.name not in kept]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
